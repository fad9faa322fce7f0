"""A part of the rows that were kept, on one node of a cluster: which of them are nearest to others, by their vectors."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.dedup.memory import peak_memory
from dsbuilder_tui.diversity.mmap_array import MappedArray
from dsbuilder_tui.diversity.nearest import NearestRows, merged
from dsbuilder_tui.diversity.scope import Members, cosines
from dsbuilder_tui.diversity.sign_index import MOST, SignIndex

_FIRST = 4
# Comparisons of signs, some 50 ms: threads that wait for one another more often than that use up processors.
_WORTH_THREADS = 2**25


class IncompletePartition(Exception):
    """Rows that were sent did not arrive."""


class NearestPartition:
    """Holds the signs of its rows' vectors in memory, some 40 bytes a row, and the vectors in a temporary file of its node.

    The vectors given to it have ``dimensions`` numbers, and may be longer by one that is nothing.
    """

    def __init__(self, dimensions: int, threads: int) -> None:
        """``threads`` look for the nearest at once."""
        self._dimensions, self._threads = dimensions, threads
        padded = dimensions + dimensions % 2
        self._stored = MappedArray(np.dtype([("row", "<u4"), ("vector", "<f2", (padded,))]))
        self._scopes: dict[int, _PartOfScope] = {}
        self._cpu = time.process_time()

    def extend(self, vectors: NDArray[Any], places: Members, rows: Members, scopes: NDArray[np.int64]) -> None:
        """Take in rows, with their scopes, that are newer than all here; their vectors stand in these ``places``."""
        records = np.zeros(len(rows), self._stored.rows.dtype)
        records["row"], records["vector"][:, : self._dimensions] = rows, vectors[places][:, : self._dimensions]
        first, signs = self._stored.add(records), SignIndex.signs(records["vector"][:, : self._dimensions])
        for scope in np.unique(scopes).tolist():
            chosen = np.flatnonzero(scopes == scope)
            part = self._scopes.setdefault(scope, _PartOfScope(self._dimensions))
            part.extend(first + chosen, signs[chosen])

    def nearest(self, vectors: NDArray[np.float32], scopes: NDArray[np.int64], expected: int) -> NearestRows:
        """The nearest of the rows that are here to each vector, of those in its scope; the nearest first.

        Raises ``IncompletePartition`` where there are not as many rows as ``expected``.
        """
        if len(self._stored) != expected:
            raise IncompletePartition
        found = NearestRows.none(len(vectors), MOST)
        signs, stored = SignIndex.signs(vectors.astype(np.float16)), self._stored.rows
        for scope in np.unique(scopes).tolist():
            if (part := self._scopes.get(scope)) is None:
                continue
            asked = np.flatnonzero(scopes == scope)
            threads = self._threads if len(asked) * len(part.signs) > _WORTH_THREADS else 1
            apart, members = part.signs.nearest(signs[asked], threads)
            places = part.places[members]
            found.apart[asked, : places.shape[1]] = apart
            found.rows[asked, : places.shape[1]] = stored["row"][places]
            for text, own in zip(asked.tolist(), places, strict=True):
                found.scores[text, : len(own)] = cosines(stored["vector"][own], vectors[text])
        return merged([found])

    def figures(self) -> tuple[int, float, int]:
        """How many rows are here, seconds of processor time so far, and the most memory that this process has had."""
        return len(self._stored), time.process_time() - self._cpu, peak_memory() or 0


class _PartOfScope:
    def __init__(self, dimensions: int) -> None:
        self.places = np.empty(_FIRST, np.uint32)  # member → its place among the rows here
        self.signs = SignIndex(dimensions)

    def extend(self, places: Members, signs: NDArray[np.uint64]) -> None:
        first, length = len(self.signs), len(self.signs) + len(places)
        if length > len(self.places):
            self.places.resize(max(length, len(self.places) * 9 // 8 + _FIRST), refcheck=False)
        self.places[first:length] = places
        self.signs.extend_signs(signs)
