"""Rows that have hashes in common with texts: found in one index, or in parts of it that stand in several places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_COLUMNS = np.arange(32, dtype=np.uint32)


@dataclass(frozen=True, slots=True)
class SharingRows:
    """For one text the rows that share a hash with it, the newest first, and in which columns: bit n for column n."""

    rows: NDArray[np.int64]
    columns: NDArray[np.uint32]

    @classmethod
    def of(cls, found: dict[int, int]) -> SharingRows:
        """Of the columns of each row."""
        rows = sorted(found, reverse=True)
        return cls(np.array(rows, np.int64), np.array([found[row] for row in rows], np.uint32))

    def up_to(self, most: int) -> SharingRows:
        """In each column as many of the newest rows as bring all columns to ``most``."""
        if int(np.bitwise_count(self.columns).sum()) <= most:
            return self
        there = (self.columns[:, np.newaxis] >> _COLUMNS & np.uint32(1)).astype(np.int64)
        ranks = np.cumsum(there, axis=0)
        kept = there * (ranks <= enough(ranks[-1], most))
        columns = (kept.astype(np.uint32) << _COLUMNS).sum(axis=1, dtype=np.uint32)
        left = columns > 0
        return SharingRows(self.rows[left], columns[left])

    def before(self, older: SharingRows, most: int) -> SharingRows:
        """These rows and behind them older ones, as one index that has all of them would find them."""
        if not len(older.rows):
            return self
        return SharingRows(
            np.concatenate([self.rows, older.rows]), np.concatenate([self.columns, older.columns])
        ).up_to(most)  # fmt: skip


def enough(counts: NDArray[np.int64], most: int) -> int:
    """How many rows of each column are looked at when columns have so many: the fewest that come to ``most``."""
    there = np.arange(1, int(counts.max(initial=0)) + 1)
    sums = np.minimum(there[:, np.newaxis], counts).sum(axis=1)
    return int(np.searchsorted(sums, most)) + 1


@dataclass(frozen=True, slots=True)
class SharingTexts:
    """The ``SharingRows`` of several texts, one text's behind another's: those of text n end at ``ends[n]``."""

    rows: NDArray[np.uint32]
    columns: NDArray[np.uint32]
    ends: NDArray[np.int64]

    @classmethod
    def sorted(
        cls, count: int, texts: NDArray[np.int64], rows: NDArray[np.int64], columns: NDArray[np.uint32]
    ) -> SharingTexts:
        """Of so many texts: a text's number, a row and their columns at each place, in any order."""
        order = np.lexsort((-rows, texts))
        ends = np.searchsorted(texts[order], np.arange(count), "right")
        return cls(rows[order].astype(np.uint32), columns[order], ends)

    def of(self, text: int) -> SharingRows:
        first = int(self.ends[text - 1]) if text else 0
        some = slice(first, int(self.ends[text]))
        return SharingRows(self.rows[some].astype(np.int64), self.columns[some])


def joined(parts: Sequence[SharingTexts]) -> SharingTexts:
    """What several parts of the rows, of which there is one at least, have in common with the same texts.

    As each part has the newest rows of each column, none of those of all is missing.
    """
    if len(parts) == 1:
        return parts[0]
    count = len(parts[0].ends)
    texts = [np.repeat(np.arange(count), np.diff(part.ends, prepend=0)) for part in parts]
    rows = np.concatenate([part.rows for part in parts]).astype(np.int64)
    return SharingTexts.sorted(count, np.concatenate(texts), rows, np.concatenate([part.columns for part in parts]))
