"""The rows of a whole dataset by the hash of a text, to find what stood here before word for word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FEW = 1000  # texts that are not worth merging with all others
_MOST_NEW = 8_192  # kept in a dictionary, at some 140 bytes each; all older ones take 12 bytes
_SHARE_NEW = 128  # of so many one is new: merging all with the new ones costs as often as they are many


class ExactIndex:
    """Rows, below 2**32, by a signed 64-bit hash."""

    def __init__(self) -> None:
        self._hashes, self._rows = np.empty(0, np.int64), np.empty(0, np.uint32)  # in the order of the hashes
        self._new: dict[int, int] = {}

    def add(self, text: int, row: int) -> None:
        self._new[text] = row
        if len(self._new) >= max(_MOST_NEW, len(self._hashes) // _SHARE_NEW):
            new, self._new = self._new, {}
            self.extend(np.fromiter(new.keys(), np.int64), np.fromiter(new.values(), np.int64))

    def extend(self, texts: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
        if len(texts) < _FEW:
            for text, row in zip(texts.tolist(), rows.tolist(), strict=True):
                self.add(text, row)
            return
        order = np.argsort(texts, kind="stable")
        texts, rows = texts[order], rows[order]
        # One array after the other: so only one of them is there twice for a moment.
        places = np.searchsorted(self._hashes, texts, "right")
        self._hashes = np.insert(self._hashes, places, texts)
        self._rows = np.insert(self._rows, places, rows.astype(np.uint32))

    def find(self, text: int) -> int | None:
        """A row with that text, or None."""
        row = self._new.get(text)
        if row is None and len(self._hashes):
            place = int(self._hashes.searchsorted(text))
            if place < len(self._hashes) and self._hashes[place] == text:
                row = int(self._rows[place])
        return row
