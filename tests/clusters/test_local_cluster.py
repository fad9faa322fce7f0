"""The cluster that a run starts on this machine: nobody else gets in, nothing shows it, and nothing of it stays."""

from __future__ import annotations

import re
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.support.process import read_until, rest, start
from tests.support.ray_cluster import listening_at, pids_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_it_is_this_user_s_alone_and_gone_at_the_end(tmp_path: Path) -> None:
    run = start(
        "run", "--example", "customer_service", "--max-dataset-size", "500", "--provider", "offline", "--plain",
        "--runner", "ray", "--set", "offline_pace=4", "--checkpoint-dir", "s", cwd=tmp_path,
    )  # fmt: skip
    read_until(run, "joined")
    (folder,) = Path(tempfile.gettempdir()).glob(f"dsbuilder-ray-{run.pid}-*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    told = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    own = [line for line in told.splitlines() if str(folder) in line]
    address = next(found[1] for line in own if (found := re.search(r"--gcs[-_]address=(\S+)", line)))
    places = listening_at(str(folder))
    assert places and all("127.0.0.1" in place for place in places), places
    assert not [place for place in places if place.endswith(":8265")], "Ray's own place for its dashboard"
    for token, said, code in ((None, "is asked with a token", 5), ("another", "does not accept the token", 5)):
        look = start(
            "run", "--example", "customer_service", "--max-dataset-size", "500", "--provider", "offline", "--runner", "ray",
            "--set", f"ray_address={address}", "--checkpoint-dir", f"t{token}", cwd=tmp_path,
            env={} if token is None else {"RAY_AUTH_TOKEN": token},
        )  # fmt: skip
        _, errors = rest(look)
        assert look.returncode == code and said in errors, errors
    run.send_signal(signal.SIGINT)
    said, errors = rest(run)
    assert run.returncode == 4 and "Traceback" not in said + errors, errors
    assert not folder.exists()
    assert not pids_of("-f", str(folder))
