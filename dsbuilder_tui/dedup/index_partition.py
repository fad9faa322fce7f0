"""A part of the rows that were kept, on one node of a cluster: which of them share hashes with others, or are nearest to them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.dedup.memory import peak_memory
from dsbuilder_tui.diversity.fingerprints import BANDS
from dsbuilder_tui.diversity.inquiry import MOST_SHARED
from dsbuilder_tui.diversity.lsh_index import Hashes
from dsbuilder_tui.diversity.mmap_array import MappedArray
from dsbuilder_tui.diversity.nearest import NearestRows, merged
from dsbuilder_tui.diversity.scope import Members, cosines, salted
from dsbuilder_tui.diversity.sharing_rows import SharingTexts, joined
from dsbuilder_tui.diversity.sign_index import MOST, SignIndex
from dsbuilder_tui.diversity.spilled_index import MOST_IN_MEMORY, SpilledLshIndex

_FIRST = 4
# Comparisons of signs, some 50 ms: threads that wait for one another more often than that use up processors.
_WORTH_THREADS = 2**25


class IncompletePartition(Exception):
    """Rows that were sent did not arrive."""


@dataclass(frozen=True, slots=True)
class FoundRows:
    """Of several texts the rows that share hashes with each, and the nearest; None where no vectors are compared."""

    sharing: SharingTexts
    nearest: NearestRows | None

    @classmethod
    def joined(cls, *parts: FoundRows) -> FoundRows:
        """What several parts have found, of which there is one at least."""
        near = [part.nearest for part in parts if part.nearest is not None]
        return cls(joined([part.sharing for part in parts]), merged(near) if near else None)


class IndexPartition:
    """Holds the signs of its rows' vectors in memory, 40 bytes a row, and the hashes of the newest rows, some 0.2 KB a row; the
    hashes of the others and the vectors lie in temporary files of its node.

    The vectors given to it have ``dimensions`` numbers, and may be longer by one that is nothing; with 0 none are looked at.
    """

    def __init__(self, dimensions: int, threads: int, in_memory: int = MOST_IN_MEMORY) -> None:
        """``threads`` look for the nearest at once; the hashes of so many rows are held ``in_memory``."""
        self._dimensions, self._threads = dimensions, threads
        padded = dimensions + dimensions % 2
        self._stored = MappedArray(np.dtype([("row", "<u4"), ("vector", "<f2", (padded,))]))
        self._lsh = SpilledLshIndex(BANDS + 1, in_memory)
        self._scopes: dict[int, _PartOfScope] = {}
        self._cpu = time.process_time()

    def extend(
        self, hashes: Hashes, vectors: NDArray[Any], places: Members, rows: Members, scopes: NDArray[np.int64]
    ) -> None:
        """Take in rows, with their scopes, that are newer than all here; their hashes and vectors stand in these ``places``."""
        records = np.zeros(len(rows), self._stored.rows.dtype)
        records["row"] = rows
        if self._dimensions:
            records["vector"][:, : self._dimensions] = vectors[places][:, : self._dimensions]
        first = self._stored.add(records)
        self._lsh.extend(salted(hashes[places], scopes))
        if not self._dimensions:
            return
        signs = SignIndex.signs(records["vector"][:, : self._dimensions])
        for scope in np.unique(scopes).tolist():
            chosen = np.flatnonzero(scopes == scope)
            part = self._scopes.setdefault(scope, _PartOfScope(self._dimensions))
            part.extend(first + chosen, signs[chosen])

    def find(self, hashes: Hashes, vectors: NDArray[np.float32], scopes: NDArray[np.int64], expected: int) -> FoundRows:
        """What is here of the scope of each text: rows that share one of its ``hashes``, and the nearest to its vector.

        Raises ``IncompletePartition`` where there are not as many rows as ``expected``.
        """
        if len(self._stored) != expected:
            raise IncompletePartition
        members = self._lsh.sharing_of(salted(hashes, scopes), MOST_SHARED)
        sharing = SharingTexts(self._stored.rows["row"][members.rows], members.columns, members.ends)
        return FoundRows(sharing, self._nearest(vectors, scopes) if self._dimensions else None)

    def _nearest(self, vectors: NDArray[np.float32], scopes: NDArray[np.int64]) -> NearestRows:
        """The nearest of the rows that are here to each vector, of those in its scope; the nearest first."""
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
