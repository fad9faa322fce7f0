"""A cluster whose head dies: what was accepted is kept, the run ends with its sentence, and the process with it."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from dsbuilder_tui.clusters.ray_thread import RayThread
from tests.support.process import command, rest, start
from tests.support.ray_cluster import loopback_cluster

RUN = ("run", "--example", "customer_service", "--max-dataset-size", "500", "--provider", "offline")


async def test_what_is_never_answered_is_given_up_and_keeps_nobody() -> None:
    thread, never = RayThread("waits"), threading.Event()
    assert await thread.do(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await thread.do(lambda: 1 / 0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await thread.do(never.wait)
    waiting = next(each for each in threading.enumerate() if each.name == "waits")
    assert waiting.daemon  # so the process can end
    never.set()
    assert await thread.do(lambda: 8) == 8  # and it goes on, once there is an answer


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_head_dies(tmp_path: Path) -> None:
    """Calls that are made already still count; after twenty seconds without an answer the cluster is gone: exit code 4."""
    with loopback_cluster("one", "two") as cluster:
        settings = ("--runner", "ray", "--set", f"ray_address={cluster.address}", "--set", "offline_pace=4")
        run = start(*RUN, *settings, "--checkpoint-dir", tmp_path / "s", cwd=tmp_path)
        assert run.stdout
        said = ""
        while "checkpoint 1" not in said:
            line = run.stdout.readline()
            assert line, (said, rest(run), run.returncode)
            said += line
        cluster.kill_head()
        said += "".join(rest(run))
        assert run.returncode == 4, said
        assert "does not answer any more" in said and "Everything accepted is saved" in said and "Traceback" not in said
    done = command(
        "resume",
        "customer_service_v1",
        "--checkpoint-dir",
        tmp_path / "s",
        "--runner",
        "local",
        "--set",
        "offline_pace=0",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "s/customer_service_v1/customer_service_v1.jsonl").read_text().splitlines()) == 500


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_head_dies_under_a_deduplication(tmp_path: Path) -> None:
    """It is noticed as under a run, and what has been compared is gone on from."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(f'{{"inputs": {{"query": "Where is my order {n * 7919}?"}}}}\n' for n in range(100_000)))
    out = ("--out", "kept.jsonl", "--work-folder", "work")
    with loopback_cluster("one", "two") as cluster:
        run = start("dedup", rows, *out, "--runner", "ray", "--ray-address", cluster.address, cwd=tmp_path)
        while not list((tmp_path / "work").glob("*")) or judged(tmp_path / "work") == 0:
            assert run.poll() is None, rest(run)
            time.sleep(0.02)
        cluster.kill_head()
        said, errors = rest(run)
        assert run.returncode == 4, (said, errors)
        assert "does not answer any more" in errors and "Traceback" not in errors
        assert not (tmp_path / "kept.jsonl").exists() and judged(tmp_path / "work")


def judged(folder: Path) -> int:
    """Bytes of what a work folder holds of the pieces that have been judged."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.name.startswith("decisions"))
