"""Waiting for what a cluster does, as long as there is a cluster."""

from __future__ import annotations

import time
from typing import Any

from dsbuilder_tui.clusters.ray_cluster import known_nodes
from dsbuilder_tui.domain.errors import DsbuilderError, ExitCode

CPU = "CPU"  # Ray's name for processors among the resources of a node
_LOOK_EVERY = 5.0  # seconds
_PATIENCE = 60.0  # seconds that a cluster may be without any node to work on


class ClusterLost(DsbuilderError):
    """The cluster does no work any more; what has been compared can be gone on from."""

    exit_code = ExitCode.RESUMABLE


def live_nodes() -> dict[str, dict[str, float]]:
    """The resources of each node that is alive and has processors, by its id.

    Raises ``ClusterLost`` when there is none, ``EndpointUnavailable`` when the cluster does not answer any more.
    """
    waited = 0.0
    while True:
        alive = [node for node in known_nodes() if node["Alive"] and node["Resources"].get(CPU)]
        if alive:
            return {
                str(node["NodeID"]): dict(node["Resources"]) for node in sorted(alive, key=lambda one: one["NodeID"])
            }
        if waited >= _PATIENCE:
            raise ClusterLost(
                f"The cluster has had no node with a processor for {_PATIENCE:.0f} seconds.",
                "Start nodes, then run it again.",
            )
        time.sleep(1.0)
        waited += 1.0


def wait_for(reference: Any) -> Any:
    """What a call brings. Raises what it raised, Ray's errors, or as ``live_nodes``."""
    import ray

    while not ray.wait([reference], timeout=_LOOK_EVERY)[0]:
        live_nodes()
    return ray.get(reference)
