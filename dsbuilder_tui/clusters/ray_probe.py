"""A look at a Ray cluster before it is joined: whether it is there, lets us in, and runs the same versions.

It is made in a process of its own: what Ray does where there is no cluster, or a wrong token, lasts for minutes, writes to
standard error, and may end the process. Run as a module (``python -m``) with an address it prints the facts as JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from dsbuilder_tui.clusters.ray_internals import unknown_ray
from dsbuilder_tui.domain.errors import EndpointRefused, EndpointUnavailable, InputError

AUTO = "auto"  # the cluster that this machine is a node of
CLIENT = "ray://"  # what the address of a cluster begins with that this machine is no node of
_PATIENCE = 30.0  # seconds for the whole look
_CLIENT_PATIENCE = 90.0  # the same by a client server, which starts a process of its own for whoever asks
_CONNECT = 5.0  # seconds for a connection
_ENDING = 5.0  # seconds for a look that has said all to end
# How gRPC calls it when a token is wrong; Ray says it in its log alone, and tries again and again.
_NOT_LET_IN = b"Unauthenticated"


class Refusal(StrEnum):
    """Why a cluster could not be looked at."""

    NO_TOKEN = "no_token"
    WRONG_TOKEN = "wrong_token"
    NOT_THERE = "not_there"
    NO_CLIENT = "no_client"
    UNKNOWN_RAY = "unknown_ray"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """What a look gave. ``nodes`` are the addresses of the living ones; ``address`` is where the cluster is joined;
    ``detail`` is what Python says of a part of Ray that is not there.
    """

    address: str = ""
    ray: str = ""
    python: str = ""
    nodes: tuple[str, ...] = ()
    refusal: Refusal | None = None
    detail: str = ""


async def probe_cluster(address: str) -> ClusterFacts:
    """Look at the cluster at an address (``host:port``, ``ray://host:port`` or ``auto``).

    Raises ``EndpointUnavailable`` where none answers, ``EndpointRefused`` for a wrong token, ``InputError`` for other versions.
    """
    if address != AUTO:
        await _reach(address)
    facts = await _look(address)
    where = "on this machine" if address == AUTO else f"at {address}"
    match facts.refusal:
        case Refusal.NO_TOKEN:
            raise EndpointRefused(
                f"The Ray cluster {where} is asked with a token, and there is none here.",
                "Set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to the cluster's, or RAY_AUTH_MODE=disabled where it has none.",
            )
        case Refusal.WRONG_TOKEN:
            raise EndpointRefused(
                f"The Ray cluster {where} does not accept the token.",
                "Set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to the cluster's own.",
            )
        case Refusal.NOT_THERE:
            raise EndpointUnavailable(
                f"There is no Ray cluster {where} that answers.",
                "Start it (`ray start --head`), or set ray_address to where it is; local starts one here.",
            )
        case Refusal.NO_CLIENT:
            raise InputError(
                f"{address} is joined with a part of Ray that is not installed.", "pip install 'dsbuilder-tui[ray]'"
            )
        case Refusal.UNKNOWN_RAY:
            raise unknown_ray(facts.detail)
    _require_same(facts, where)
    return facts


def _require_same(facts: ClusterFacts, where: str) -> None:
    from importlib.metadata import version

    own = f"Ray {version('ray')} with Python {platform.python_version()}"
    theirs = f"Ray {facts.ray} with Python {facts.python}"
    if facts.ray and own != theirs:
        raise InputError(
            f"The Ray cluster {where} runs {theirs}, and this is {own}.",
            "Both must be the same: install those versions here.",
        )


async def _reach(address: str) -> None:
    """Raises ``EndpointUnavailable`` where nothing listens, ``InputError`` for what is no address."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port or (10001 if address.startswith(CLIENT) else None)
    except ValueError:
        host = port = None
    if not host or not port:
        raise InputError(
            f"ray_address {address!r} is no address of a cluster.", "Write local, auto, host:port or ray://host:port."
        )
    try:
        async with asyncio.timeout(_CONNECT):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        why = "no answer" if isinstance(error, TimeoutError) else error.strerror or "no connection"
        raise EndpointUnavailable(
            f"The Ray cluster at {address} cannot be reached: {why}.", "Is it running, and ray_address right?"
        ) from None
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _look(address: str) -> ClusterFacts:
    """What the process says that looks; it is ended when it says nothing more that counts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, address, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    said = asyncio.create_task(process.stdout.read())
    refused = asyncio.create_task(_says_unauthenticated(process.stderr))
    try:
        async with asyncio.timeout(_CLIENT_PATIENCE if address.startswith(CLIENT) else _PATIENCE):
            await asyncio.wait({said, refused}, return_when=asyncio.FIRST_COMPLETED)
            if not said.done() and refused.result():
                return ClusterFacts(refusal=Refusal.WRONG_TOKEN)
            lines = (await said).splitlines()
            if await refused:
                return ClusterFacts(refusal=Refusal.WRONG_TOKEN)
    except TimeoutError:
        return ClusterFacts(refusal=Refusal.NOT_THERE)
    finally:
        if said.done():  # it ends: killed now, it might be gone already, and asyncio would say so on standard error
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ENDING):
                    await process.wait()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        for task in (said, refused):
            task.cancel()
        await asyncio.gather(said, refused, return_exceptions=True)
        await process.wait()
    if not lines:
        return ClusterFacts(refusal=Refusal.NOT_THERE)
    given = json.loads(lines[-1])
    refusal = Refusal(given["refusal"]) if given["refusal"] else None
    return ClusterFacts(**{**given, "nodes": tuple(given["nodes"]), "refusal": refusal})


async def _says_unauthenticated(stream: asyncio.StreamReader) -> bool:
    """Whether a stream says so before it ends."""
    while line := await stream.readline():
        if _NOT_LET_IN in line:
            return True
    return False


def _facts(address: str) -> ClusterFacts:
    """The facts, asked for in this process."""
    import ray
    from ray._raylet import AuthenticationTokenLoader
    from ray.exceptions import AuthenticationError

    # Asked without a token that it wants, a part of Ray ends the process.
    has_token = AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True)
    if os.environ.get("RAY_AUTH_MODE") == "token" and not has_token:
        return ClusterFacts(refusal=Refusal.NO_TOKEN)
    try:
        if address.startswith(CLIENT):
            try:
                import grpc  # noqa: F401
            except ImportError:
                return ClusterFacts(refusal=Refusal.NO_CLIENT)
            os.environ["RAY_IGNORE_VERSION_MISMATCH"] = "1"  # which versions they are is told, not that they differ
            context = ray.init(address, logging_level="CRITICAL", log_to_driver=False)
            nodes = tuple(node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"])
            return ClusterFacts(address=address, ray=context.ray_version, python=context.python_version, nodes=nodes)
        from ray._common.usage.usage_lib import get_cluster_metadata
        from ray._private.services import canonicalize_bootstrap_address
        from ray._raylet import GcsClient

        found = canonicalize_bootstrap_address(AUTO) if address == AUTO else address
        if found is None:
            return ClusterFacts(refusal=Refusal.NOT_THERE)
        client = GcsClient(address=found)
        metadata = get_cluster_metadata(client) or {}
        living = [info for info in client.get_all_node_info().values() if info.state == 0]
        nodes = tuple(info.node_manager_address for info in living)
        return ClusterFacts(
            address=found, ray=metadata.get("ray_version", ""), python=metadata.get("python_version", ""), nodes=nodes
        )
    except AuthenticationError as error:
        return ClusterFacts(
            refusal=Refusal.NO_TOKEN if "no authentication token" in str(error) else Refusal.WRONG_TOKEN
        )


if __name__ == "__main__":
    try:
        looked = _facts(sys.argv[1])
    except (ImportError, AttributeError) as error:
        looked = ClusterFacts(refusal=Refusal.UNKNOWN_RAY, detail=str(error))
    except Exception:
        looked = ClusterFacts(refusal=Refusal.NOT_THERE)
    print(json.dumps(asdict(looked)), flush=True)
    os._exit(0)  # Ray's own end may take seconds
