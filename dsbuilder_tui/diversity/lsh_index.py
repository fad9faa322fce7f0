"""Which earlier texts share a hash with this one: chained hash tables, one a column, in flat arrays.

A library's table of MinHash bands takes about 1,000 bytes a text; this takes 8 bytes a column and text.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint32]
_FIRST = 256


class LshIndex:
    """Members are numbered 0, 1, 2 … in the order in which they are added; each has one hash a column.

    A cell is one column of one member. Cells are numbered through, from the second row on: the first row is nobody's, so
    that the number 0 can stand for the end of a chain.
    """

    def __init__(self, columns: int) -> None:
        self._columns = np.arange(columns)
        self._heads = np.zeros((columns, _FIRST), np.uint32)  # the newest cell of each bucket
        self._before = np.zeros((_FIRST, columns), np.uint32)  # of each cell the one before it in the same bucket
        self._hashes = np.zeros((_FIRST, columns), np.uint32)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, hashes: Hashes) -> None:
        """Add one member."""
        row = self._length + 1
        if row == len(self._hashes):
            self._make_room(row)
        heads = self._heads.reshape(-1)
        buckets = self._buckets(hashes)
        self._before[row] = heads[buckets]
        self._hashes[row] = hashes
        heads[buckets] = row * len(self._columns) + self._columns
        self._length = row

    def extend(self, hashes: Hashes) -> None:
        """Add many members, (n, columns)."""
        first = self._length
        self._make_room(first + len(hashes))
        self._hashes[first + 1 : first + 1 + len(hashes)] = hashes
        self._length += len(hashes)
        self._chain(first)

    def sharing(self, hashes: Hashes, most: int) -> NDArray[np.int64]:
        """Members that have the same hash in at least one column, newest first; the search ends after ``most``."""
        found: set[int] = set()
        total = 0
        all_hashes, before = self._hashes.reshape(-1), self._before.reshape(-1)
        cells = self._heads.reshape(-1)[self._buckets(hashes)].astype(np.int64)  # by which numpy looks up fastest
        while total < most and np.count_nonzero(cells):
            same = cells[all_hashes[cells] == hashes]
            if len(same):
                same = same[same > 0]
                total += len(same)
                found.update((same // len(self._columns)).tolist())
            cells = before[cells].astype(np.int64)
        return np.array(sorted(found, reverse=True), np.int64) - 1

    def _buckets(self, hashes: Hashes) -> NDArray[np.int64]:
        """Where in the heads the chain of each column begins that holds its hash."""
        size = self._heads.shape[1]
        return self._columns * size + (hashes & np.uint32(size - 1))

    def _make_room(self, length: int) -> None:
        if length + 1 > len(self._hashes):
            room = max(length + 1, len(self._hashes) * 5 // 4)
            self._before, self._hashes = _longer(self._before, room), _longer(self._hashes, room)
        buckets = self._heads.shape[1]
        if length > buckets:
            while length > buckets:
                buckets *= 2
            self._heads = np.zeros((len(self._columns), buckets), np.uint32)
            self._chain(0)

    def _chain(self, first: int) -> None:
        """Put members from ``first`` on into their buckets, as if added one by one."""
        columns, rows = len(self._columns), slice(first + 1, self._length + 1)
        for column in self._columns:
            buckets = self._hashes[rows, column] & np.uint32(self._heads.shape[1] - 1)
            order = np.argsort(buckets, kind="stable")
            sorted_buckets = buckets[order]
            cells = ((order + first + 1) * columns + column).astype(np.uint32)
            begins = np.ones(len(order), bool)
            begins[1:] = sorted_buckets[1:] != sorted_buckets[:-1]
            before = np.empty(len(order), np.uint32)
            before[1:] = cells[:-1]
            before[begins] = self._heads[column, sorted_buckets[begins]]
            self._before[rows, column][order] = before
            ends = np.ones(len(order), bool)
            ends[:-1] = begins[1:]
            self._heads[column, sorted_buckets[ends]] = cells[ends]


def _longer(array: Hashes, length: int) -> Hashes:
    new = np.zeros((length, array.shape[1]), np.uint32)
    new[: len(array)] = array
    return new
