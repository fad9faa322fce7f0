"""Events of the nodes of a cluster that makes a run's calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.plain_words import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeJoined(Event):
    """A node of a cluster makes calls from now on; so many ``nodes`` do, this one among them."""

    type: ClassVar[str] = "node_joined"
    node: str
    cpus: float
    nodes: int

    @property
    def words(self) -> str:
        return f"{self.node} joined: {counted(self.nodes, 'node')} at work"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLost(Event):
    """A node of a cluster is gone; its ``calls`` in flight are made again by the ``nodes`` that are left."""

    type: ClassVar[str] = "node_lost"
    node: str
    calls: int
    nodes: int

    @property
    def words(self) -> str:
        return f"{self.node} is lost, {counted(self.calls, 'call')} made again: {counted(self.nodes, 'node')} left"
