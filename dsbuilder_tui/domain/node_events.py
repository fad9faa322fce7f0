"""Events of the nodes of a cluster that makes a run's calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dsbuilder_tui.domain.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeJoined(Event):
    """A node of a cluster makes calls from now on; so many ``nodes`` do, this one among them."""

    type: ClassVar[str] = "node_joined"
    node: str
    cpus: float
    nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLost(Event):
    """A node of a cluster is gone; its ``calls`` in flight are made again by the ``nodes`` that are left."""

    type: ClassVar[str] = "node_lost"
    node: str
    calls: int
    nodes: int
