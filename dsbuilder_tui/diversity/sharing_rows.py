"""Rows that have hashes in common with texts: found in one index, or in parts of it that stand in several places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SharingRows:
    """For one text the rows that share a hash with it, the newest first, and how many hashes each of them shares."""

    rows: NDArray[np.int64]
    hits: NDArray[np.int64]

    @classmethod
    def counted(cls, hits: dict[int, int], most: int) -> SharingRows:
        """Of how many hits each row has. The rows end with the one that brings the hits to ``most``."""
        rows = sorted(hits, reverse=True)
        return cls(np.array(rows, np.int64), np.array([hits[row] for row in rows], np.int64)).up_to(most)

    def up_to(self, most: int) -> SharingRows:
        """The newest rows, as far as the one with which their hits come to ``most``."""
        if int(self.hits.sum()) <= most:
            return self
        end = int(np.searchsorted(np.cumsum(self.hits), most)) + 1
        return SharingRows(self.rows[:end], self.hits[:end])

    def before(self, older: SharingRows, most: int) -> SharingRows:
        """These rows and behind them older ones, as one index that has all of them would find them."""
        if not len(older.rows):
            return self
        return SharingRows(
            np.concatenate([self.rows, older.rows]), np.concatenate([self.hits, older.hits])
        ).up_to(most)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SharingTexts:
    """The ``SharingRows`` of several texts, one text's behind another's: those of text n end at ``ends[n]``."""

    rows: NDArray[np.uint32]
    hits: NDArray[np.uint8]
    ends: NDArray[np.int64]

    @classmethod
    def sorted(
        cls, count: int, texts: NDArray[np.int64], rows: NDArray[np.int64], hits: NDArray[np.int64]
    ) -> SharingTexts:
        """Of so many texts: a text's number, a row and their hits at each place, in any order."""
        order = np.lexsort((-rows, texts))
        ends = np.searchsorted(texts[order], np.arange(count), "right")
        return cls(rows[order].astype(np.uint32), hits[order].astype(np.uint8), ends)

    def of(self, text: int) -> SharingRows:
        first = int(self.ends[text - 1]) if text else 0
        some = slice(first, int(self.ends[text]))
        return SharingRows(self.rows[some].astype(np.int64), self.hits[some].astype(np.int64))


def joined(parts: Sequence[SharingTexts]) -> SharingTexts:
    """What several parts of the rows, of which there is one at least, have in common with the same texts.

    As each part has its newest rows, none of the newest of all is missing.
    """
    if len(parts) == 1:
        return parts[0]
    count = len(parts[0].ends)
    texts = [np.repeat(np.arange(count), np.diff(part.ends, prepend=0)) for part in parts]
    rows, hits = (np.concatenate([getattr(part, name) for part in parts]).astype(np.int64) for name in ("rows", "hits"))
    return SharingTexts.sorted(count, np.concatenate(texts), rows, hits)
