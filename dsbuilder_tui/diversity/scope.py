"""The cases that are compared with each other, and the indexes by which like ones are found."""

from __future__ import annotations

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.halves import from_halves
from dsbuilder_tui.diversity.lsh_index import Hashes
from dsbuilder_tui.diversity.sign_index import SignIndex
from dsbuilder_tui.diversity.static_embedding import Vectors
from dsbuilder_tui.diversity.text_index import TextIndex

Members = NDArray[np.int64]
_FIRST = 4
_APART = np.uint32(0x9E3779B1)  # odd: so scopes' numbers stay apart in the lowest bits, by which buckets are chosen
_NO_TEXTS: Final[Mapping[str, TextIndex]] = MappingProxyType({})
_NO_PASSAGES: Final[frozenset[int]] = frozenset()


def salted(hashes: Hashes, scopes: NDArray[np.int64]) -> Hashes:
    """Hashes, (n, columns), as they stand in an index that several scopes share; ``scopes`` has the scope's number of each."""
    return hashes ^ (scopes.astype(np.uint32) * _APART)[:, np.newaxis]


def cosines(stored: NDArray[Any], vector: Vectors) -> Vectors:
    """The cosines of a unit vector and of stored ones, (n, dimensions or more), each the same whatever stands beside it."""
    theirs = from_halves(stored)[:, : len(vector)]
    # Not `@`: it may go through a library that has threads of its own, and sums in an order of its own.
    scores: Vectors = np.round(np.einsum("ij,j->i", theirs, vector), 4)
    return scores


class Scope:
    """The cases that are compared with each other.

    ``number`` tells it from other scopes of one comparison. ``measured`` is the length of the vectors of the figures, where they
    are others than those that are compared. It takes some hundred bytes: there may be one for every few cases.
    """

    __slots__ = ("dimensions", "length", "measured", "measures", "number", "passages", "rows", "signs", "texts")

    def __init__(self, number: int, dimensions: int, measured: int = 0) -> None:
        self.rows = np.empty(_FIRST, np.uint32)  # member → row, growing
        self.length = 0
        self.number = number
        self.dimensions, self.measured = dimensions, measured
        self.signs = SignIndex(dimensions) if dimensions else None
        self.measures = SignIndex(measured) if measured else None
        self.texts: Mapping[str, TextIndex] = _NO_TEXTS  # of plug-ins' stages, by stage
        self.passages: Set[int] = _NO_PASSAGES  # hashes of the long parts of the cases here

    def extend(self, rows: Members, prints: NDArray[Any]) -> None:
        """Take in rows that are newer than all here, and have these fingerprints."""
        self._append(rows)
        self.note_passages(prints)
        if self.signs is not None:
            self.signs.extend(prints["vector"][:, : self.dimensions])
        if self.measures is not None:
            self.measures.extend(prints["measure"][:, : self.measured])

    def add(self, row: int, signs: NDArray[np.uint64] | None, measure: NDArray[np.uint64] | None) -> None:
        """As ``extend``, for one row of which the signs of both vectors are known."""
        self._append(np.array([row]))
        if self.signs is not None and signs is not None:
            self.signs.extend_signs(signs)
        if self.measures is not None and measure is not None:
            self.measures.extend_signs(measure)

    def _append(self, rows: Members) -> None:
        first, self.length = self.length, self.length + len(rows)
        if self.length > len(self.rows):
            self.rows.resize(max(self.length, len(self.rows) * 9 // 8 + _FIRST), refcheck=False)
        self.rows[first : self.length] = rows

    def members(self, rows: Members, first: int = 0) -> Members:
        """Those of some rows that are here, from member ``first`` on."""
        here = self.rows[first : self.length]
        places = np.searchsorted(here, rows.astype(np.uint32))
        found = places < len(here)
        found[found] = here[places[found]] == rows[found]
        return rows[found]

    def note_passages(self, prints: NDArray[Any]) -> None:
        """Know the passages of these rows from now on."""
        found = set(prints["passages"].ravel().tolist()) - {0}
        if isinstance(self.passages, set):
            self.passages.update(found)
        elif found:
            self.passages = found

    def closest(
        self, index: SignIndex, code: NDArray[np.uint64], vector: Vectors, stored: NDArray[Any], first: int
    ) -> tuple[Members, Vectors]:
        """The rows whose vectors are nearest to one, of members from ``first`` on, and their cosines.

        ``code`` has its signs, ``index`` those of the members, ``stored`` the vectors of all rows. Signs of members before
        ``first``, which never goes back, are let go of.
        """
        index.forget_most(first)
        rows = self.rows[index.candidates(code, first)].astype(np.int64)
        return rows, cosines(stored[rows], vector)

    def newest(self, code: NDArray[np.uint64], until: int) -> tuple[Members, NDArray[np.uint16]]:
        """The rows from row ``until`` on whose vectors' signs are nearest to a code, and how many bits of each differ.

        Signs of older rows are let go of: with ``until`` never lower than before, nobody asks for them.
        """
        assert self.signs is not None
        first = int(np.searchsorted(self.rows[: self.length], np.uint32(until)))
        self.signs.forget_most(first)
        members = self.signs.candidates(code, first)
        return self.rows[members].astype(np.int64), self.signs.apart(code, members)
