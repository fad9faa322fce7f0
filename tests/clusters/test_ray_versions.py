"""A cluster that runs other versions than this process: a sentence that names both and the way out, before a case is written."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.process import ROOT, command
from tests.support.ray_cluster import ONLY_LOOPBACK, LoopbackCluster, loopback_cluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RUN = ("run", "--example", "customer_service", "--max-dataset-size", "500", "--provider", "offline", "--plain")
OWN = f"Ray {version('ray')} with Python {platform.python_version()}"
# A client server as it is in Ray, which gives itself out for another one: to the cluster, and to whoever joins by it.
OTHER_SERVER = """
import ray, runpy, sys
ray.__version__ = "2.59.0"
print("begins", flush=True)
runpy.run_module("ray.util.client.server", run_name="__main__")
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[LoopbackCluster]:
    with loopback_cluster("one") as made:
        yield made


def ran(address: str, where: Path) -> subprocess.CompletedProcess[str]:
    return command(*RUN, "--runner", "ray", "--set", f"ray_address={address}", cwd=where)


def test_another_ray_and_another_python_by_the_address_of_the_head(cluster: LoopbackCluster, tmp_path: Path) -> None:
    for facts, theirs in (
        ({"ray_version": "2.59.0"}, f"Ray 2.59.0 with Python {platform.python_version()}"),
        ({"python_version": "3.12.4"}, f"Ray {version('ray')} with Python 3.12.4"),
    ):
        with cluster.calling_itself(**facts):
            done = ran(cluster.address, tmp_path)
        assert done.returncode == 2, done.stderr
        assert done.stderr == (
            f"dsbuilder: The Ray cluster at {cluster.address} runs {theirs}, and this is {OWN}. "
            "Both must be the same: install those versions here.\n"
        )


def test_another_ray_by_the_address_of_its_client_server(cluster: LoopbackCluster, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"ray://127.0.0.1:{port}"
    with cluster.calling_itself(ray_version="2.59.0"):
        server = subprocess.Popen(
            [
                sys.executable, "-c", OTHER_SERVER, f"--address={cluster.address}", "--host=127.0.0.1", f"--port={port}",
                "--mode=specific-server",
            ],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", ONLY_LOOPBACK: "0"},
        )  # fmt: skip
        try:
            assert server.stdout is not None and server.stdout.readline()
            done = ran(address, tmp_path)
            while "cannot be reached" in done.stderr and server.poll() is None:  # it does not listen yet
                done = ran(address, tmp_path)
        finally:
            server.kill()
            server.communicate()
    assert done.returncode == 2, done.stderr
    theirs = f"Ray 2.59.0 with Python {platform.python_version()}"
    assert f"The Ray cluster at {address} runs {theirs}, and this is {OWN}." in done.stderr
    assert "install those versions here" in done.stderr and "Traceback" not in done.stderr


def test_another_dsbuilder_on_every_node_and_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node tells its own version; a run with no other node ends with it."""
    own = version("dsbuilder-tui")
    other = tmp_path / "other"
    (other / "dsbuilder_tui-0.0.1.dist-info").mkdir(parents=True)
    (other / "dsbuilder_tui-0.0.1.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: dsbuilder-tui\nVersion: 0.0.1\n"
    )
    with loopback_cluster() as nodes:
        with monkeypatch.context() as there:
            there.setenv("PYTHONPATH", os.pathsep.join([str(other), os.environ.get("PYTHONPATH", "")]))
            nodes.add("old")
        done = ran(nodes.address, tmp_path)
        assert done.returncode == 2, done.stderr
        assert (
            f"The node old of the Ray cluster cannot work: it has dsbuilder-tui 0.0.1, and this is {own}."
            in done.stderr
        )
        assert f"Install dsbuilder-tui {own} on every node." in done.stderr
        looked = command(
            "doctor", "--runner", "ray", "--set", f"ray_address={nodes.address}", "--provider", "offline", cwd=tmp_path
        )
        assert looked.returncode == 1 and "it has dsbuilder-tui 0.0.1" in looked.stdout, looked


# Ray as it is, but for one part: as a newer one may be.
WITHOUT = """
import importlib, sys
module, name = {part!r}.rsplit(".", 1)
delattr(importlib.import_module(module), name)
from dsbuilder_tui.cli.main import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    "part",
    ["ray._private.worker.print_to_stdstream", "ray._private.ray_constants.ENABLE_RAY_CLUSTER", "ray._raylet.Config"],
)
def test_a_ray_that_lacks_a_part_is_refused(part: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(part=part), *RUN, "--runner", "ray"], cwd=tmp_path, capture_output=True,
        text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    name = part.rpartition(".")[2]
    said = f"dsbuilder: Ray {version('ray')} is built in another way than dsbuilder knows ({name} is not there). pip install"
    assert done.stderr.startswith(said) and "Traceback" not in done.stderr, done.stderr
