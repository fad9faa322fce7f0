"""An ``LshIndex`` of more members than there is memory for: all but the newest lie in temporary files."""

from __future__ import annotations

import numpy as np

from dsbuilder_tui.diversity.lsh_index import Hashes, LshIndex
from dsbuilder_tui.diversity.sharing_rows import SharingTexts, joined

MOST_IN_MEMORY = 2**22  # members of a part; of 21 columns 0.7 GB


class SpilledLshIndex:
    """Members are numbered 0, 1, 2 … in the order in which they are added; each has one hash a column."""

    def __init__(self, columns: int, most: int = MOST_IN_MEMORY) -> None:
        """``most`` members are held in memory, 1 or more."""
        self._columns, self._most = columns, most
        self._spilled: list[LshIndex] = []  # of ``most`` members each
        self._newest = LshIndex(columns)

    def __len__(self) -> int:
        return len(self._spilled) * self._most + len(self._newest)

    def extend(self, hashes: Hashes) -> None:
        """Add many members, (n, columns). Raises ``StorageError`` when the disk does not take them."""
        while len(hashes):
            room = self._most - len(self._newest)
            self._newest.extend(hashes[:room])
            hashes = hashes[room:]
            if len(self._newest) == self._most:
                self._newest.spill()
                self._spilled.append(self._newest)
                self._newest = LshIndex(self._columns)

    def sharing_of(self, hashes: Hashes, most: int) -> SharingTexts:
        """Members that share a hash with each of many texts, (n, columns): in each column those that ``LshIndex`` finds are among
        them, and each part may add older ones."""
        parts = []
        for number, part in enumerate([*self._spilled, self._newest]):
            found = part.sharing_of(hashes, most)
            parts.append(SharingTexts(found.rows + np.uint32(number * self._most), found.columns, found.ends))
        return joined(parts)
