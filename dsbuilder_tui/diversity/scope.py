"""The cases that are compared with each other, and the indexes by which like ones are found."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.fingerprints import BANDS
from dsbuilder_tui.diversity.lsh_index import LshIndex
from dsbuilder_tui.diversity.sign_index import SignIndex
from dsbuilder_tui.diversity.text_index import TextIndex

Members = NDArray[np.int64]


class Scope:
    """The cases that are compared with each other."""

    def __init__(self, dimensions: int) -> None:
        self.rows = np.empty(64, np.int64)  # member → row, growing
        self.length = 0
        self.lsh = LshIndex(BANDS + 1)
        self.signs = SignIndex(dimensions) if dimensions else None
        self.texts: dict[str, TextIndex] = {}  # of plug-ins' stages, by stage

    def extend(self, rows: Members, prints: NDArray[Any], dimensions: int) -> None:
        if self.length + len(rows) > len(self.rows):
            longer = np.empty(max(self.length + len(rows), len(self.rows) * 3 // 2), np.int64)
            longer[: self.length] = self.rows[: self.length]
            self.rows = longer
        self.rows[self.length : self.length + len(rows)] = rows
        self.length += len(rows)
        self.lsh.extend(hashes_of(prints))
        if self.signs is not None:
            self.signs.extend(prints["vector"][:, :dimensions])

    def add(self, row: int, hashes: NDArray[np.uint32], signs: NDArray[np.uint64] | None) -> None:
        """As ``extend``, for one row whose hashes and signs are known."""
        if self.length == len(self.rows):
            self.rows = np.concatenate([self.rows, np.empty(len(self.rows) // 2, np.int64)])
        self.rows[self.length] = row
        self.length += 1
        self.lsh.add(hashes)
        if self.signs is not None and signs is not None:
            self.signs.extend_signs(signs)


def hashes_of(prints: NDArray[Any]) -> NDArray[np.uint32]:
    """The columns under which texts are looked up: one for the whole text, one a band."""
    whole = (prints["text"].astype(np.uint64) & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    return np.concatenate([whole[:, np.newaxis], prints["bands"]], axis=1)
