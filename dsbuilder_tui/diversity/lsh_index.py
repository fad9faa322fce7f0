"""Which earlier texts share a hash with this one: chained hash tables, one a column, in flat arrays.

A library's table of MinHash bands takes about 1,000 bytes a text; this takes 8 to 10 bytes a column and text.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint32]
_FIRST = 256
_LOAD = 2  # members for each bucket of a column, at most
_PIECE = 2**16  # members that are chained at once: what that takes for a moment stays small
_HALF = 16  # bits: from so many on that tell the bucket, only the others of a hash are kept


class LshIndex:
    """Members are numbered 0, 1, 2 … in the order in which they are added; each has one hash a column.

    A cell is one column of one member. Cells are numbered through, from the second row on: the first row is nobody's, so
    that the number 0 can stand for the end of a chain.
    """

    def __init__(self, columns: int) -> None:
        self._columns = np.arange(columns)
        self._heads = np.zeros((columns, _FIRST), np.uint32)  # the newest cell of each bucket
        self._before = np.zeros((_FIRST, columns), np.uint32)  # of each cell the one before it in the same bucket
        # Of each cell what its bucket does not tell: first the whole hash, from 2**16 buckets on its upper half.
        self._rest: NDArray[np.unsignedinteger] = np.zeros((_FIRST, columns), np.uint32)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, hashes: Hashes) -> None:
        """Add one member."""
        row = self._length + 1
        if row == len(self._before) or row > _LOAD * self._heads.shape[1]:
            self._make_room(row)
        heads = self._heads.reshape(-1)
        buckets = self._buckets(hashes)
        self._before[row] = heads[buckets]
        self._rest[row] = self._rest_of(hashes)
        heads[buckets] = row * len(self._columns) + self._columns
        self._length = row

    def extend(self, hashes: Hashes) -> None:
        """Add many members, (n, columns)."""
        for first in range(0, len(hashes), _PIECE):
            some = hashes[first : first + _PIECE]
            self._make_room(self._length + len(some))
            self._rest[self._length + 1 : self._length + 1 + len(some)] = self._rest_of(some)
            self._length += len(some)
            self._chain(self._length - len(some), some)

    def sharing(self, hashes: Hashes, most: int) -> NDArray[np.int64]:
        """Members that have the same hash in at least one column, newest first; the search ends after ``most``."""
        found: set[int] = set()
        total = 0
        wanted, all_rest, before = self._rest_of(hashes), self._rest.reshape(-1), self._before.reshape(-1)
        cells = self._heads.reshape(-1)[self._buckets(hashes)].astype(np.int64)  # by which numpy looks up fastest
        while total < most and np.count_nonzero(cells):
            same = cells[all_rest[cells] == wanted]
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

    def _rest_of(self, hashes: Hashes) -> NDArray[np.unsignedinteger]:
        return hashes if self._is_whole else (hashes >> np.uint32(_HALF)).astype(np.uint16)

    @property
    def _is_whole(self) -> bool:
        return self._rest.dtype == np.uint32

    def _make_room(self, length: int) -> None:
        if length + 1 > len(self._before):
            room = max(length + 1, len(self._before) * 9 // 8 + _FIRST)
            # In place: the system moves pages, and no second array stands beside the first for a while.
            self._before.resize((room, len(self._columns)), refcheck=False)
            self._rest.resize((room, len(self._columns)), refcheck=False)
        while length > _LOAD * self._heads.shape[1]:
            if self._is_whole:
                self._double()
            else:
                self._split()

    def _double(self) -> None:
        """Twice as many buckets, while whole hashes are kept."""
        self._heads = np.zeros((len(self._columns), 2 * self._heads.shape[1]), np.uint32)
        for first in range(0, self._length, _PIECE):
            last = min(first + _PIECE, self._length)
            self._chain(first, self._rest[first + 1 : last + 1])
        if self._heads.shape[1] >= 2**_HALF:
            self._rest = (self._rest >> np.uint32(_HALF)).astype(np.uint16)

    def _split(self) -> None:
        """Twice as many buckets: each chain becomes two, by the lowest bit of its hashes that its bucket did not tell."""
        size = self._heads.shape[1]
        longer = np.zeros((len(self._columns), 2 * size), np.uint32)
        bit, before, all_rest = np.uint16(size >> _HALF), self._before.reshape(-1), self._rest.reshape(-1)
        for column in self._columns:
            for first in range(0, size, _PIECE):
                cells = self._heads[column, first : first + _PIECE]
                ends = np.zeros((2, len(cells)), np.uint32)  # the last cell of either chain so far
                while len(chains := np.flatnonzero(cells)):
                    some = cells[chains]
                    side = ((all_rest[some] & bit) != 0).astype(np.int64)
                    last = ends[side, chains]
                    begins = last == 0
                    longer[column, side[begins] * size + first + chains[begins]] = some[begins]
                    following = before[some]
                    before[last[~begins]] = some[~begins]
                    ends[side, chains] = some
                    cells = np.zeros_like(cells)
                    cells[chains] = following
                before[ends[ends > 0]] = 0
        self._heads = longer

    def _chain(self, first: int, hashes: NDArray[np.unsignedinteger]) -> None:
        """Put the members from ``first`` on, which have these hashes, into their buckets, as if added one by one."""
        columns, rows = len(self._columns), slice(first + 1, first + 1 + len(hashes))
        for column in self._columns:
            buckets = hashes[:, column] & np.uint32(self._heads.shape[1] - 1)
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
