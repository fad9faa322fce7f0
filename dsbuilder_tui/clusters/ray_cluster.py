"""A Ray cluster that this process uses: one that exists is joined; a local one is started, and stopped by the last who leaves."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import faulthandler
import importlib.util
import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dsbuilder_tui.clusters.ray_internals import RayInternals, ray_internals
from dsbuilder_tui.clusters.ray_probe import AUTO, probe_cluster
from dsbuilder_tui.clusters.ray_thread import RayThread
from dsbuilder_tui.domain.errors import DsbuilderError, EndpointUnavailable, InputError

LOCAL_CLUSTER: Final = "local"  # one of this machine alone, bound to loopback
NAMESPACE = "dsbuilder"
_LOOPBACK = "127.0.0.1"
_PATIENCE = 20.0  # seconds that a cluster may leave a question about its nodes unanswered
_LEAVING = 10.0  # seconds that a cluster may take to let us go
# Ray ends a process that has not reached its cluster for so long, and says nothing that could be caught: a day, for a minute.
_LOST_AFTER = 86_400
_OBJECT_STORE = 256 * 2**20  # bytes of a local cluster's shared memory
_FOLDER = "dsbuilder-ray-"  # a local cluster's sockets and logs lie in the temporary folder
# A node that does not answer is given up after about two seconds, not after sixteen.
FAST_LOSS = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 500,
    "health_check_failure_threshold": 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNode:
    """A node that lives. ``resources`` are what it offers, by name, as it was started with."""

    id: str
    name: str
    cpus: float
    resources: frozenset[str]


def cluster_words(address: str) -> str:
    """Where a cluster is, as it stands in a sentence."""
    return "on this machine" if address in (LOCAL_CLUSTER, AUTO) else f"at {address}"


def require_ray() -> None:
    """Raises ``InputError`` where the extra is not installed. Imports nothing."""
    try:
        found = importlib.util.find_spec("ray")
    except ValueError:  # somebody keeps it from being imported
        found = None
    if found is None:
        raise InputError("Ray is not installed.", "pip install 'dsbuilder-tui[ray]'")


class RayCluster:
    """A connection to a cluster. A process has one at a time, which several may share."""

    def __init__(self, address: str, where: str) -> None:
        self.address, self.where = address, where
        self._left = False

    @classmethod
    async def join(cls, address: str = LOCAL_CLUSTER, *, cpus: int | None = None) -> RayCluster:
        """The cluster at ``host:port``, ``ray://host:port``, ``auto``; or a local one with so many CPUs (all of the machine's).

        A token is asked for by ``RAY_AUTH_MODE=token``, unless the environment says otherwise. Raises ``InputError`` without
        the extra, for other versions or while another cluster is in use; ``EndpointUnavailable`` or ``EndpointRefused``.
        """
        require_ray()
        _prepare_environment()
        if address != LOCAL_CLUSTER and not _connection.in_use:
            facts = await probe_cluster(address)
            joined = await _thread.do(lambda: _connection.enter(address, facts.address, _LOOPBACK in facts.nodes, None))
        else:
            joined = await _thread.do(lambda: _connection.enter(address, address, True, cpus))
        if isinstance(joined, DsbuilderError):
            raise joined
        return cls(address, cluster_words(address))

    async def nodes(self) -> list[ClusterNode]:
        """The nodes that live and have a CPU to give, in the order of their names.

        Raises ``EndpointUnavailable`` when the cluster has not answered for a while.
        """
        import ray

        try:
            async with asyncio.timeout(_PATIENCE):
                found = await _looks.do(ray.nodes)
        except Exception as error:
            raise EndpointUnavailable(
                f"The Ray cluster {self.where} does not answer any more ({type(error).__name__}).",
                "Everything accepted is saved. See to the cluster, then resume.",
            ) from error
        return _named([each for each in found if each["Alive"] and _cpus(each) >= 1])

    async def end(self, actors: Sequence[Any]) -> None:
        """End these processes of its nodes, without waiting long for a cluster that is gone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVING):
                await _looks.do(lambda: _kill(actors))

    async def leave(self) -> None:
        """Let go of it; the last of a process disconnects, and stops a local one. One that is gone is waited for ten seconds."""
        if self._left:
            return
        self._left = True
        try:
            async with asyncio.timeout(_LEAVING):
                await asyncio.shield(_thread.do(_connection.leave))
        except TimeoutError:
            _connection.give_up()


def known_nodes() -> list[dict[str, Any]]:
    """What the cluster that this process is connected with tells of its nodes, for who has no event loop.

    Raises ``EndpointUnavailable`` when it has not answered for a while.
    """
    import ray

    try:
        return _looks.wait(ray.nodes, _PATIENCE)
    except Exception as error:
        raise cluster_gone(error) from error


def cluster_gone(error: Exception) -> EndpointUnavailable:
    """What is to be said when the cluster in use has not answered, by what came in place of an answer."""
    return EndpointUnavailable(
        f"The Ray cluster {_connection.where} does not answer any more ({type(error).__name__}).",
        "See to the cluster, then run it again.",
    )


def end_actors(actors: Sequence[Any]) -> None:
    """As ``RayCluster.end``, for who has no event loop."""
    with contextlib.suppress(TimeoutError):
        _looks.wait(lambda: _kill(actors), _LEAVING)


def _kill(actors: Sequence[Any]) -> None:
    import ray

    for actor in actors:
        with contextlib.suppress(Exception):
            ray.kill(actor)


def _named(found: list[dict[str, Any]]) -> list[ClusterNode]:
    """The nodes by name: that which each was started with, or its machine's; where several have one, with their ids."""
    names = [
        each["NodeManagerHostname"] if each["NodeName"] == each["NodeManagerAddress"] else each["NodeName"]
        for each in found
    ]
    nodes = [
        ClusterNode(
            id=each["NodeID"], name=name if names.count(name) == 1 else f"{name}-{each['NodeID'][:6]}", cpus=_cpus(each),
            resources=frozenset(resource for resource in each["Resources"] if not resource.startswith("node:")),
        )
        for each, name in zip(found, names, strict=True)
    ]  # fmt: skip
    return sorted(nodes, key=lambda node: node.name)


def _cpus(found: dict[str, Any]) -> float:
    return float(found["Resources"].get("CPU", 0.0))


def _prepare_environment() -> None:
    """What Ray reads when it is imported. What a person has set there stays."""
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", str(_LOST_AFTER))


class _Connection:
    """The process's one connection. All of it runs in one thread: what that starts is ended by the system with it."""

    def __init__(self) -> None:
        self._address = ""
        self._users = 0
        self._is_own = False
        self._folder: Path | None = None
        self._undo: list[Callable[[], None]] = []
        self._given_up = False

    @property
    def in_use(self) -> bool:
        """Whether a cluster is in use now."""
        return self._users > 0

    @property
    def where(self) -> str:
        """Where the cluster in use is, as it stands in a sentence."""
        return cluster_words(self._address)

    def enter(self, address: str, found: str, loopback: bool, cpus: int | None) -> DsbuilderError | None:
        """Join, or share what is joined. ``found`` is where it really is. Returns what stands against it."""
        import ray

        if self._given_up:
            return EndpointUnavailable(
                f"The Ray cluster {cluster_words(self._address)} was lost, and Ray still waits for it in this process.",
                "Start dsbuilder anew, then resume.",
            )
        if self._users:
            if address != self._address:
                return InputError(
                    f"This process uses the Ray cluster {self._address} already; it can use one at a time.",
                    f"End that first, or set ray_address to {self._address}.",
                )
            self._users += 1
            return None
        self._is_own = not ray.is_initialized()
        if self._is_own:
            try:
                self._connect(found, loopback, cpus)
            except InputError as error:
                self._disconnect()
                return error
            except Exception as error:
                self._disconnect()
                return EndpointUnavailable(
                    f"Ray did not start: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
                    if address == LOCAL_CLUSTER
                    else f"The Ray cluster at {address} could not be joined: {type(error).__name__}: "
                    f"{' '.join(str(error).split())[:300]}",
                    "Look at `dsbuilder doctor --runner ray`.",
                )
        self._address, self._users = address, 1
        return None

    def leave(self) -> None:
        self._users -= 1
        if not self._users and self._is_own:
            self._disconnect()

    def give_up(self) -> None:
        """Leave a cluster that does not answer as it is: Ray would wait for it once more as the process ends."""
        import ray

        self._given_up, self._users = True, 0
        atexit.unregister(ray.shutdown)

    def _connect(self, found: str, loopback: bool, cpus: int | None) -> None:
        import ray

        internals = ray_internals()
        internals.config.initialize("")  # its environment, which it has read already where it was imported by others
        # What Ray logs and prints would stand in the app's screen; what counts of it is told by our own events.
        logging.getLogger("ray").setLevel(logging.CRITICAL + 1)
        self._set(internals.worker, "print_to_stdstream", lambda *args, **named: None)
        if (
            loopback
        ):  # Ray's own switch for machines whose firewall asks; without it a local cluster listens to the network
            self._set(internals.constants, "ENABLE_RAY_CLUSTER", False)
        if not faulthandler.is_enabled() and sys.__stderr__ is not None:  # Ray would, on the app's, which is no file
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                faulthandler.enable(file=sys.__stderr__, all_threads=False)
                self._undo.append(faulthandler.disable)
        quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False, "namespace": NAMESPACE}
        if found != LOCAL_CLUSTER:
            ray.init(address=found, **quiet)
            return
        _sweep()
        if not internals.tokens.instance().has_token(ignore_auth_mode=True):
            self._lend("RAY_AUTH_TOKEN", secrets.token_urlsafe(32), internals)
        # Ray opens its own folder to everybody on the machine; this one around it is for this user alone.
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
        ray.init(
            address=LOCAL_CLUSTER, num_cpus=cpus, include_dashboard=False, object_store_memory=_OBJECT_STORE,
            _node_ip_address=_LOOPBACK, _temp_dir=str(self._folder / "r"), _system_config=FAST_LOSS, **quiet,
        )  # fmt: skip
        if strangers := {node["NodeManagerAddress"] for node in ray.nodes()} - {_LOOPBACK}:
            raise RuntimeError(f"it does not stay at {_LOOPBACK}, but listens at {strangers.pop()}")

    def _disconnect(self) -> None:
        import ray

        with contextlib.suppress(Exception):
            ray.shutdown()
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _set(self, module: Any, name: str, value: object) -> None:
        before = getattr(module, name)
        setattr(module, name, value)
        self._undo.append(lambda: setattr(module, name, before))

    def _lend(self, variable: str, value: str, internals: RayInternals) -> None:
        """Set a variable of the environment for as long as the connection lasts."""
        os.environ[variable] = value
        internals.tokens.instance().reset_cache()

        def take_back() -> None:
            os.environ.pop(variable, None)
            internals.tokens.instance().reset_cache()

        self._undo.append(take_back)


def _sweep() -> None:
    """Remove the folders of local clusters whose process was killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        pid = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
            shutil.rmtree(folder, ignore_errors=True)


_connection = _Connection()
_thread = RayThread("ray")
_looks = RayThread("ray-looks")  # what another thread may ask meanwhile
