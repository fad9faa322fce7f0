"""Which earlier texts share a hash with this one: chained hash tables, one a column, in flat arrays.

A library's table of MinHash bands takes about 1,000 bytes a text; this takes 8 bytes a column and text.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint32]
_FIRST = 256


class LshIndex:
    """Members are numbered 0, 1, 2 … in the order in which they are added; each has one hash a column."""

    def __init__(self, columns: int) -> None:
        self._columns = np.arange(columns)
        self._heads = np.zeros((columns, _FIRST), np.uint32)  # the newest member of each bucket, plus one
        self._next = np.zeros((_FIRST, columns), np.uint32)  # the one before it in the same bucket, plus one
        self._hashes = np.zeros((_FIRST, columns), np.uint32)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, hashes: Hashes) -> None:
        """Add one member."""
        place = self._length
        if place == len(self._next):
            self._make_room(place + 1)
        buckets = hashes & np.uint32(self._heads.shape[1] - 1)
        self._next[place] = self._heads[self._columns, buckets]
        self._hashes[place] = hashes
        self._heads[self._columns, buckets] = place + 1
        self._length += 1

    def extend(self, hashes: Hashes) -> None:
        """Add many members, (n, columns)."""
        first = self._length
        self._make_room(first + len(hashes))
        self._hashes[first : first + len(hashes)] = hashes
        self._length += len(hashes)
        self._chain(first)

    def sharing(self, hashes: Hashes, most: int) -> NDArray[np.int64]:
        """Members that have the same hash in at least one column, newest first; the search ends after ``most``."""
        found: list[NDArray[np.int64]] = []
        total = 0
        column = self._columns
        at = self._heads[column, hashes & np.uint32(self._heads.shape[1] - 1)]
        while total < most:
            live = at > 0
            column, at = column[live], at[live]
            if not len(at):
                break
            member = at.astype(np.int64) - 1
            same = member[self._hashes[member, column] == hashes[column]]
            if len(same):
                found.append(same)
                total += len(same)
            at = self._next[member, column]
        if not found:
            return np.empty(0, np.int64)
        return np.unique(np.concatenate(found))[::-1]

    def _make_room(self, length: int) -> None:
        if length > len(self._next):
            room = max(length, len(self._next) * 5 // 4)
            self._next, self._hashes = _longer(self._next, room), _longer(self._hashes, room)
        buckets = self._heads.shape[1]
        if length > buckets:
            while length > buckets:
                buckets *= 2
            self._heads = np.zeros((len(self._columns), buckets), np.uint32)
            self._chain(0)

    def _chain(self, first: int) -> None:
        """Put members from ``first`` on into their buckets, as if added one by one."""
        for column in self._columns:
            buckets = self._hashes[first : self._length, column] & np.uint32(self._heads.shape[1] - 1)
            order = np.argsort(buckets, kind="stable")
            sorted_buckets, members = buckets[order], order.astype(np.uint32) + np.uint32(first + 1)
            begins = np.ones(len(order), bool)
            begins[1:] = sorted_buckets[1:] != sorted_buckets[:-1]
            before = np.empty(len(order), np.uint32)
            before[1:] = members[:-1]
            before[begins] = self._heads[column, sorted_buckets[begins]]
            self._next[first : self._length, column][order] = before
            ends = np.ones(len(order), bool)
            ends[:-1] = begins[1:]
            self._heads[column, sorted_buckets[ends]] = members[ends]


def _longer(array: Hashes, length: int) -> Hashes:
    new = np.zeros((length, array.shape[1]), np.uint32)
    new[: len(array)] = array
    return new
