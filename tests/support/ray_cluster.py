"""A Ray cluster on this machine, of nodes that can be killed and added: bound to loopback, behind a token, gone at the end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dsbuilder_tui.clusters.ray_cluster import FAST_LOSS

TOKEN = "a-token-of-the-tests-that-stands-in-no-log"
_MEMORY = 80 * 2**20  # bytes of shared memory a node


class LoopbackCluster:
    """A head without CPUs, and nodes of one CPU each. ``folder`` holds Ray's sockets and logs."""

    def __init__(self, folder: Path) -> None:
        from ray.cluster_utils import Cluster

        self.folder = folder
        self._cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0, "node_ip_address": "127.0.0.1", "include_dashboard": False, "_system_config": FAST_LOSS,
                "temp_dir": str(folder / "r"), "object_store_memory": _MEMORY, "node_name": "head",
            },
        )  # fmt: skip
        self.address: str = self._cluster.address
        self._nodes: dict[str, Any] = {}

    def add(self, name: str, cpus: int = 1) -> None:
        """Begin a node of that name, which is a resource of it, too."""
        self._nodes[name] = self._cluster.add_node(
            wait=False, num_cpus=cpus, node_ip_address="127.0.0.1", resources={name: 1}, node_name=name,
            object_store_memory=_MEMORY,
        )  # fmt: skip

    def kill(self, name: str) -> None:
        """End a node as a power cut would: its processes, at once."""
        self._cluster.remove_node(self._nodes.pop(name), allow_graceful=False)

    def cut_off(self, name: str) -> None:
        """End the processes of a node, and return before anybody has noticed."""
        for each in self._nodes.pop(name).all_processes.values():
            for info in each:
                info.process.kill()

    def kill_head(self) -> None:
        """End the head's processes, as a power cut would: the nodes live on, and the cluster answers nobody."""
        for each in self._cluster.head_node.all_processes.values():
            for info in each:
                info.process.kill()

    def listening(self) -> list[str]:
        """The addresses that processes of this cluster listen at, as ``ss`` shows them."""
        own = _pids("-f", str(self.folder))
        own |= {child for pid in own for child in _pids("-P", pid)}
        lines = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout.splitlines()
        return [line.split()[3] for line in lines if own & set(re.findall(r"pid=(\d+)", line))]

    def close(self) -> None:
        self._cluster.shutdown()


def _pids(*what: str) -> set[str]:
    return set(subprocess.run(["pgrep", *what], capture_output=True, text=True, check=False).stdout.split())


@contextmanager
def loopback_cluster(*names: str) -> Iterator[LoopbackCluster]:
    """A cluster with nodes of these names; the environment lets this process, and those that it starts, in."""
    import ray
    from ray._private import ray_constants
    from ray._raylet import AuthenticationTokenLoader, Config

    own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "RAY_USAGE_STATS_ENABLED": "0"}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    Config.initialize("")  # Ray has read its environment when it was imported
    AuthenticationTokenLoader.instance().reset_cache()
    on_network, ray_constants.ENABLE_RAY_CLUSTER = ray_constants.ENABLE_RAY_CLUSTER, False
    folder = Path(tempfile.mkdtemp(prefix="dsb-ray-test-"))
    cluster = None
    try:
        cluster = LoopbackCluster(folder)
        for name in names:
            cluster.add(name)
        yield cluster
    finally:
        ray.shutdown()
        if cluster is not None:
            cluster.close()
        ray_constants.ENABLE_RAY_CLUSTER = on_network
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        AuthenticationTokenLoader.instance().reset_cache()
        left = _pids("-f", str(folder))
        shutil.rmtree(folder, ignore_errors=True)
        assert not left, f"processes of the cluster are left: {left}"
