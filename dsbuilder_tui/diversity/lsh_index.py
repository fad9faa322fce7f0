"""Which earlier texts share a hash with this one: chained hash tables, one a column, in flat arrays.

A library's table of MinHash bands takes about 1,000 bytes a text; this takes 8 to 10 bytes a column and text.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.mmap_array import MappedArray
from dsbuilder_tui.diversity.sharing_rows import SharingRows, SharingTexts, enough

Hashes = NDArray[np.uint32]
_FIRST = 256
_LOAD = 2  # members for each bucket of a column, at most
_PIECE = 2**16  # members that are chained at once: what that takes for a moment stays small
_RECENT = 4096  # members of a part of those that are held for a while
_TOGETHER = 16  # steps of a chain that are gone for many texts at once
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

    def reserve(self, members: int) -> None:
        """There will be so many: chains need not be made longer again and again, and no room is left over."""
        if members >= self._length:
            self._make_room(members, 0)

    def extend(self, hashes: Hashes) -> None:
        """Add many members, (n, columns)."""
        for first in range(0, len(hashes), _PIECE):
            some = hashes[first : first + _PIECE]
            self._make_room(self._length + len(some))
            self._rest[self._length + 1 : self._length + 1 + len(some)] = self._rest_of(some)
            self._length += len(some)
            self._chain(self._length - len(some), some)

    def spill(self) -> None:
        """Move all into a temporary file, of which the system keeps in memory what is used. Nothing can be added from then on.

        Raises ``StorageError`` when the disk does not take it; then nothing has changed.
        """
        rows = self._length + 1
        moved = [MappedArray.copied(part) for part in (self._heads, self._before[:rows], self._rest[:rows])]
        self._heads, self._before, self._rest = moved

    def sharing(self, hashes: Hashes, most: int, first: int = 0) -> SharingRows:
        """Members from ``first`` on that have the same hash in at least one column, and in which; the newest first.

        In each column as many of the newest as bring all to ``most``: so a hash that few share is found beside those that many
        share, and whatever else is in a bucket makes no difference.
        """
        found: list[NDArray[np.int64]] = []
        counts = np.zeros(len(self._columns), np.int64)
        total, oldest = 0, (first + 1) * len(self._columns)  # cells from there on count
        wanted, all_rest, before = self._rest_of(hashes), self._rest.reshape(-1), self._before.reshape(-1)
        cells = self._heads.reshape(-1)[self._buckets(hashes)].astype(np.int64)  # by which numpy looks up fastest
        while np.count_nonzero(cells):
            if len(same := np.flatnonzero((all_rest[cells] == wanted) & (cells >= oldest))):
                found.append(cells[same])
                counts[same] += 1
                total += len(same)
            cells = before[cells].astype(np.int64)
            if first:
                cells[cells < oldest] = 0
            if total >= most:  # more that is found elsewhere makes what counts in each column fewer, not more
                cells[counts >= enough(counts, most)] = 0
        columns: dict[int, int] = {}
        for same in found:
            for cell in same.tolist():
                row, column = divmod(cell, len(self._columns))
                columns[row - 1] = columns.get(row - 1, 0) | 1 << column
        return SharingRows.of(columns).up_to(most)

    def sharing_of(self, hashes: Hashes, most: int) -> SharingTexts:
        """As ``sharing``, for many texts at once, (n, columns)."""
        columns, all_rest, before = len(self._columns), self._rest.reshape(-1), self._before.reshape(-1)
        texts = np.repeat(np.arange(len(hashes)), columns)
        wanted = self._rest_of(hashes).reshape(-1)
        cells = self._heads.reshape(-1)[self._buckets(hashes)].reshape(-1).astype(np.int64)
        found: list[NDArray[np.int64]] = [np.empty(0, np.int64)]  # the text in the upper half, in the lower the row
        bits: list[NDArray[np.floating]] = [np.empty(0)]
        for _ in range(_TOGETHER):
            left = np.flatnonzero(cells)
            cells, texts, wanted = cells[left], texts[left], wanted[left]
            same = np.flatnonzero(all_rest[cells] == wanted)
            found.append(texts[same] << 32 | cells[same] // columns - 1)
            bits.append(2.0 ** (cells[same] % columns))
            cells = before[cells].astype(np.int64)
        pairs, which = np.unique(np.concatenate(found), return_inverse=True)
        shared = np.bincount(which, np.concatenate(bits), len(pairs)).astype(np.uint32)  # a bit comes once: or is plus
        whose, rows = pairs >> 32, pairs & 0xFFFFFFFF
        # Long chains and many hits are rare: each of these texts is looked up by itself.
        one_by_one = np.zeros(len(hashes), bool)
        one_by_one[texts[cells > 0]] = True
        one_by_one |= np.bincount(whose, np.bitwise_count(shared), len(hashes)) >= most
        rest = ~one_by_one[whose]
        parts = [(whose[rest], rows[rest], shared[rest])]
        for text in np.flatnonzero(one_by_one).tolist():
            sharing = self.sharing(hashes[text], most)
            parts.append((np.full(len(sharing.rows), text), sharing.rows, sharing.columns))
        return SharingTexts.sorted(len(hashes), *(np.concatenate(each) for each in zip(*parts, strict=True)))

    def _buckets(self, hashes: Hashes) -> NDArray[np.int64]:
        """Where in the heads the chain of each column begins that holds its hash."""
        size = self._heads.shape[1]
        return self._columns * size + (hashes & np.uint32(size - 1))

    def _rest_of(self, hashes: Hashes) -> NDArray[np.unsignedinteger]:
        return hashes if self._is_whole else (hashes >> np.uint32(_HALF)).astype(np.uint16)

    @property
    def _is_whole(self) -> bool:
        return self._rest.dtype == np.uint32

    def _make_room(self, length: int, more: int = 8) -> None:
        """For so many members, and one for each ``more`` of them."""
        while length > _LOAD * self._heads.shape[1]:
            if self._is_whole:
                self._double()
            elif self._length:
                self._split()
            else:
                self._heads = np.zeros((len(self._columns), 2 * self._heads.shape[1]), np.uint32)
        if length + 1 > len(self._before):
            room = max(length + 1, len(self._before) * (more + 1) // more + _FIRST) if more else length + 1
            # In place: the system moves pages, and no second array stands beside the first for a while.
            self._before.resize((room, len(self._columns)), refcheck=False)
            self._rest.resize((room, len(self._columns)), refcheck=False)

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
                heads = self._heads[column, first : first + _PIECE]
                ends = np.zeros((2, len(heads)), np.uint32)  # the last cell of either chain so far
                chains = np.flatnonzero(heads)  # those that go on, and the next cell of each
                cells = heads[chains]
                while len(chains):
                    side = ((all_rest[cells] & bit) != 0).astype(np.int64)
                    last = ends[side, chains]
                    begins = last == 0
                    longer[column, side[begins] * size + first + chains[begins]] = cells[begins]
                    following = before[cells]
                    before[last[~begins]] = cells[~begins]
                    ends[side, chains] = cells
                    goes_on = following > 0
                    chains, cells = chains[goes_on], following[goes_on]
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


class RecentLshIndex:
    """As ``LshIndex``, of the newest members: those that ``forget`` names, and those that come in bulk, are known elsewhere."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._parts: list[tuple[int, LshIndex]] = []  # each with the number of its first member, growing
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, hashes: Hashes) -> None:
        """Add one member."""
        if not self._parts or len(self._parts[-1][1]) == _RECENT:
            self._parts.append((self._length, LshIndex(self._columns)))
        self._parts[-1][1].add(hashes)
        self._length += 1

    def extend(self, hashes: Hashes) -> None:
        """Count many members, and forget all until them."""
        self._length += len(hashes)
        self._parts = []

    def forget(self, first: int) -> None:
        """Nobody asks for members before ``first`` any more."""
        self._parts = [(base, part) for base, part in self._parts if base + len(part) > first]

    def sharing(self, hashes: Hashes, most: int, first: int = 0) -> SharingRows:
        found = SharingRows.of({})
        for base, part in reversed(self._parts):
            own = part.sharing(hashes, most, max(0, first - base))
            found = found.before(SharingRows(own.rows + base, own.columns), most)
        return found
