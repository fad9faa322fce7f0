"""The indexes of the kept rows, spread over the nodes of a cluster: what takes the memory, and the most of the time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.clusters.ray_cluster import end_actors
from dsbuilder_tui.dedup.cluster_calls import CPU, live_nodes, wait_for
from dsbuilder_tui.dedup.index_partition import FoundRows, IndexPartition
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.fingerprints import hashes_of
from dsbuilder_tui.diversity.scope import Members

_PIECE = 8192  # rows that are sent at once to a part that is made anew


class ClusterPartitions:
    """A part on each node that has processors. The kept rows of a piece go to one part, those of the next to the next one.

    What a part holds can be made again from the comparer's fingerprints: one that is lost with its node comes back on another.
    """

    def __init__(self, comparer: Comparer, dimensions: int) -> None:
        """``dimensions`` of the vectors that are compared; 0 where none are."""
        import ray

        self._comparer, self._dimensions = comparer, dimensions
        self._joined = ray.remote(_joined).options(num_cpus=0, max_retries=-1)
        # Of each piece the row behind its last kept one. Piece n belongs to part n modulo their number.
        self._ends: list[int] = []
        self._parts: list[Any] = []
        self._on: list[str] = []  # the node of each part
        self._held: list[int] = []  # rows that each part has been given

    def open(self) -> None:
        """Make the parts, once, and give them the rows of the pieces that are known already."""
        if self._parts:
            return
        nodes = live_nodes()
        self._parts, self._on, self._held = [None] * len(nodes), list(nodes), [0] * len(nodes)
        for number in range(len(nodes)):
            self._make(number)

    def add(self, hashes: Any, vectors: Any, places: Members, rows: Members, scopes: NDArray[np.int64]) -> None:
        """Take in the kept rows of the next piece; ``hashes`` and ``vectors`` are references to those of all its rows."""
        number = len(self._ends) % len(self._parts)
        self.note(rows)
        if len(rows):
            self._parts[number].extend.remote(hashes, vectors, places, rows, scopes)
            self._held[number] += len(rows)

    def note(self, rows: Members) -> None:
        """Know the kept rows of the next piece, before the parts are made."""
        self._ends.append(int(rows[-1]) + 1 if len(rows) else self._ends[-1] if self._ends else 0)

    def ask(self, hashes: Any, vectors: Any, scopes: NDArray[np.int64]) -> Any:
        """A reference to the ``FoundRows`` of all that have been added, for texts with these hashes and vectors (references), and
        scopes."""
        found = [
            part.find.remote(hashes, vectors, scopes, held) for part, held in zip(self._parts, self._held, strict=True)
        ]
        return found[0] if len(found) == 1 else self._joined.remote(*found)

    def mend(self) -> None:
        """Make those parts again that are lost or have not got what they were sent. Raises ``ClusterLost``."""
        import ray

        for number, part in enumerate(self._parts):
            try:
                held, _, _ = wait_for(part.figures.remote())
            except ray.exceptions.RayError:
                held = -1
            if held != self._held[number]:
                self._make(number)

    def close(self, *, wanted: bool) -> tuple[float, int]:
        """End the parts. Seconds of processor time of all of them, and the most memory of one, where that is ``wanted``."""
        import ray

        total, most = 0.0, 0
        parts = [part for part in self._parts if part is not None]
        for part in parts:
            if wanted:
                with contextlib.suppress(ray.exceptions.RayError):  # it is lost with its node
                    _, cpu_seconds, memory = ray.get(part.figures.remote(), timeout=10)
                    total, most = total + cpu_seconds, max(most, memory)
        end_actors(parts)
        self._parts = []
        return total, most

    def _make(self, number: int) -> None:
        """A part with the rows that belong to it, where the fewest others are."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        if self._parts[number] is not None:
            ray.kill(self._parts[number])
        nodes = live_nodes()
        others = [node for place, node in enumerate(self._on) if place != number or self._parts[number] is None]
        node = self._on[number]
        if node not in nodes:
            node = min(nodes, key=lambda one: (others.count(one), one))
        self._on[number], self._held[number] = node, 0
        # It needs no processor of its own: it works while those that make fingerprints wait for it, and the other way round.
        part = ray.remote(IndexPartition).options(
            num_cpus=0, max_restarts=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=True)
        )
        self._parts[number] = part.remote(self._dimensions, max(1, int(nodes[node].get(CPU, 1))))
        prints = self._comparer.file.rows
        for rows, scopes in self._rows_of(number):
            some = prints[rows]
            own = (hashes_of(some), some["vector"], np.arange(len(rows)), rows, scopes)
            wait_for(self._parts[number].extend.remote(*own))
            self._held[number] += len(rows)

    def _rows_of(self, number: int) -> Iterator[tuple[Members, NDArray[np.int64]]]:
        """The rows that belong to a part, with their scopes, in order and some at a time."""
        ends, known = np.array(self._ends, np.int64), self._ends[-1] if self._ends else 0
        scopes = np.zeros(known, np.uint32)
        for scope, rows in self._comparer.members():
            scopes[rows[: np.searchsorted(rows, np.uint32(known))]] = scope
        begin = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
        own: list[Members] = []
        for piece in range(number, len(ends), len(self._parts)):
            own.append(np.arange(begin[piece], ends[piece]))
            if sum(map(len, own)) >= _PIECE:
                some, own = np.concatenate(own), []
                yield some, scopes[some].astype(np.int64)
        if own and len(some := np.concatenate(own)):
            yield some, scopes[some].astype(np.int64)


def _joined(*parts: FoundRows) -> FoundRows:
    return FoundRows.joined(*parts)
