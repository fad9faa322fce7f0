"""A Ray cluster on this machine, of nodes that can be killed and added: bound to loopback, behind a token, gone at the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dsbuilder_tui.clusters.ray_cluster import FAST_LOSS

TOKEN = "a-token-of-the-tests-that-stands-in-no-log"
ONLY_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # with 0 a process of Ray stays at loopback
_MEMORY = 80 * 2**20  # bytes of shared memory a node


class LoopbackCluster:
    """A head without CPUs, and nodes of one CPU each. ``folder`` holds Ray's sockets and logs."""

    def __init__(self, folder: Path, client_port: int | None = None) -> None:
        """With a port, its client server listens there: ``ray://127.0.0.1:port``."""
        from ray.cluster_utils import Cluster

        self.folder = folder
        self._cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0, "node_ip_address": "127.0.0.1", "include_dashboard": False, "_system_config": FAST_LOSS,
                "temp_dir": str(folder / "r"), "object_store_memory": _MEMORY, "node_name": "head",
                "ray_client_server_port": client_port,
            },
        )  # fmt: skip
        self.address: str = self._cluster.address
        self.client_address = f"ray://127.0.0.1:{client_port}"
        self._nodes: dict[str, Any] = {}

    def add(self, name: str, cpus: int = 1) -> None:
        """Begin a node of that name, which is a resource of it, too. What it runs gets this process's environment."""
        self._nodes[name] = self._cluster.add_node(
            wait=False, num_cpus=cpus, node_ip_address="127.0.0.1", resources={name: 1}, node_name=name,
            object_store_memory=_MEMORY,
        )  # fmt: skip

    def consist_of(self, *names: str) -> None:
        """Add the nodes of these names that are not there, and kill all others: a test before may have changed them."""
        for name in self._nodes.keys() - names:
            self.kill(name)
        for name in names:
            if name not in self._nodes:
                self.add(name)

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

    @contextmanager
    def calling_itself(self, **facts: str) -> Iterator[None]:
        """Have the head say other facts of itself (``ray_version``, ``python_version``), as one of another version does."""
        from ray._common.usage.usage_constants import CLUSTER_METADATA_KEY
        from ray._private.ray_constants import KV_NAMESPACE_CLUSTER
        from ray._raylet import GcsClient

        client = GcsClient(address=self.address)
        said = client.internal_kv_get(CLUSTER_METADATA_KEY, KV_NAMESPACE_CLUSTER)
        other = json.dumps({**json.loads(said), **facts}).encode()
        client.internal_kv_put(CLUSTER_METADATA_KEY, other, True, KV_NAMESPACE_CLUSTER)
        try:
            yield
        finally:
            client.internal_kv_put(CLUSTER_METADATA_KEY, said, True, KV_NAMESPACE_CLUSTER)

    def listening(self) -> list[str]:
        """The addresses that processes of this cluster listen at, as ``ss`` shows them."""
        return listening_at(str(self.folder))

    def holders_of(self, secret: str) -> list[str]:
        """Where a secret stands that only the memory of processes may hold: object stores, environments, arguments, logs."""
        wanted, found, stores = secret.encode(), [], 0
        for pid in pids_of("-f", str(self.folder)):
            for name in ("environ", "cmdline"):
                with suppress(OSError):  # it has ended
                    found += [f"{name} of {pid}"] * (wanted in Path(f"/proc/{pid}/{name}").read_bytes())
            for number in _files_of(pid):
                with suppress(OSError):
                    if "plasma" in str(number.readlink()):
                        stores += 1
                        found += [f"object store of {pid}"] * any(wanted in part for part in _parts(number))
        assert stores, "an object store is a file that its node has open"
        logs = [path for path in self.folder.rglob("*") if path.is_file()]
        assert logs, "Ray writes logs"
        return found + [str(path) for path in logs if wanted in path.read_bytes()]

    def close(self) -> None:
        self._cluster.shutdown()


def listening_at(folder: str) -> list[str]:
    """The addresses that the processes of the cluster in this folder listen at."""
    own = pids_of("-f", folder)
    own |= {child for pid in own for child in pids_of("-P", pid)}
    lines = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split()[3] for line in lines if own & set(re.findall(r"pid=(\d+)", line))]


def pids_of(*what: str) -> set[str]:
    return set(subprocess.run(["pgrep", *what], capture_output=True, text=True, check=False).stdout.split())


def _files_of(pid: str) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return []


def _parts(path: Path) -> Iterator[bytes]:
    """What was ever written to a file, without its holes."""
    with path.open("rb") as file:
        at, size = 0, os.fstat(file.fileno()).st_size
        while at < size:
            try:
                begin = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing behind
                return
            at = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
            yield os.pread(file.fileno(), at - begin, begin)


@contextmanager
def loopback_cluster(*names: str, client_port: int | None = None) -> Iterator[LoopbackCluster]:
    """A cluster with nodes of these names; the environment lets this process, and those that it starts, in."""
    import ray
    from ray._private import ray_constants
    from ray._raylet import AuthenticationTokenLoader, Config

    own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "RAY_USAGE_STATS_ENABLED": "0"}
    if client_port is not None:  # its server is a process of its own, and has to stay at loopback, too
        own[ONLY_LOOPBACK] = "0"
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    Config.initialize("")  # Ray has read its environment when it was imported
    AuthenticationTokenLoader.instance().reset_cache()
    on_network, ray_constants.ENABLE_RAY_CLUSTER = ray_constants.ENABLE_RAY_CLUSTER, False
    folder = Path(tempfile.mkdtemp(prefix="dsb-ray-test-"))
    cluster = None
    try:
        cluster = LoopbackCluster(folder, client_port)
        cluster.consist_of(*names)
        yield cluster
    finally:
        ray.shutdown()
        if cluster is not None:
            cluster.close()
        ray_constants.ENABLE_RAY_CLUSTER = on_network
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        AuthenticationTokenLoader.instance().reset_cache()
        left = pids_of("-f", str(folder))
        shutil.rmtree(folder, ignore_errors=True)
        assert not left, f"processes of the cluster are left: {left}"
