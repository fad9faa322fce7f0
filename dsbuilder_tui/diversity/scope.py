"""The cases that are compared with each other, and the indexes by which like ones are found."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.fingerprints import BANDS, hashes_of
from dsbuilder_tui.diversity.halves import from_halves
from dsbuilder_tui.diversity.lsh_index import LshIndex
from dsbuilder_tui.diversity.sign_index import SignIndex
from dsbuilder_tui.diversity.static_embedding import Vectors
from dsbuilder_tui.diversity.text_index import TextIndex

Members = NDArray[np.int64]


class Scope:
    """The cases that are compared with each other.

    ``measured`` is the length of the vectors of the figures, where they are others than those that are compared.
    """

    def __init__(self, dimensions: int, measured: int = 0) -> None:
        self.rows = np.empty(64, np.int64)  # member → row, growing
        self.length = 0
        self.lsh = LshIndex(BANDS + 1)
        self.dimensions, self.measured = dimensions, measured
        self.signs = SignIndex(dimensions) if dimensions else None
        self.measures = SignIndex(measured) if measured else None
        self.texts: dict[str, TextIndex] = {}  # of plug-ins' stages, by stage
        self.passages: set[int] = set()  # hashes of the long parts of the cases here

    def extend(self, rows: Members, prints: NDArray[Any]) -> None:
        if self.length + len(rows) > len(self.rows):
            longer = np.empty(max(self.length + len(rows), len(self.rows) * 3 // 2), np.int64)
            longer[: self.length] = self.rows[: self.length]
            self.rows = longer
        self.rows[self.length : self.length + len(rows)] = rows
        self.length += len(rows)
        self.lsh.extend(hashes_of(prints))
        self.note_passages(prints)
        if self.signs is not None:
            self.signs.extend(prints["vector"][:, : self.dimensions])
        if self.measures is not None:
            self.measures.extend(prints["measure"][:, : self.measured])

    def add(
        self,
        row: int,
        hashes: NDArray[np.uint32],
        signs: NDArray[np.uint64] | None,
        measure: NDArray[np.uint64] | None,
    ) -> None:
        """As ``extend``, for one row whose hashes and signs, of both vectors, are known."""
        if self.length == len(self.rows):
            self.rows = np.concatenate([self.rows, np.empty(len(self.rows) // 2, np.int64)])
        self.rows[self.length] = row
        self.length += 1
        self.lsh.add(hashes)
        if self.signs is not None and signs is not None:
            self.signs.extend_signs(signs)
        if self.measures is not None and measure is not None:
            self.measures.extend_signs(measure)

    def note_passages(self, prints: NDArray[Any]) -> None:
        """Know the passages of these rows from now on."""
        self.passages.update(np.unique(prints["passages"]).tolist())
        self.passages.discard(0)

    def closest(
        self, index: SignIndex, code: NDArray[np.uint64], vector: Vectors, stored: NDArray[Any], first: int
    ) -> tuple[Members, Vectors]:
        """The rows whose vectors are nearest to one, of members from ``first`` on, and their cosines.

        ``code`` has its signs, ``index`` those of the members, ``stored`` the vectors of all rows.
        """
        rows = self.rows[index.candidates(code, first)]
        theirs = from_halves(stored[rows])[:, : len(vector)]
        # Not `@`: it may go through a library that has threads of its own, and sums in an order of its own.
        return rows, np.round(np.einsum("ij,j->i", theirs, vector), 4)
