"""Which earlier vectors point nearly the same way: signs compared first, bit by bit, then the cosine of the best."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 50  # of the nearest by sign whose cosine is taken
_FIRST = 4
_SMALL = 2000  # members up to which counting in numpy is as fast as the library
_WORD = 64


class SignIndex:
    """Members are numbered 0, 1, 2 … in the order in which they are added. Holds one bit a dimension and member."""

    def __init__(self, dimensions: int) -> None:
        self._bits = -(-dimensions // _WORD) * _WORD
        # A row for each word of 64 signs, a column for each member: so numpy counts few members in one go. Of many each is a row,
        # as the library wants them.
        self._codes = np.zeros((self._bits // _WORD, _FIRST), np.uint64)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def extend(self, vectors: NDArray[Any]) -> None:
        """Add members, (n, dimensions)."""
        self.extend_signs(self.signs(vectors))

    def extend_signs(self, codes: NDArray[np.uint64]) -> None:
        """As ``extend``, when the signs are known."""
        first, self._length = self._length, self._length + len(codes)
        if first > _SMALL:
            if self._length > len(
                self._codes
            ):  # in place: the system moves pages, there is no second array for a while
                room = max(self._length, len(self._codes) * 9 // 8)
                self._codes.resize((room, self._codes.shape[1]), refcheck=False)
            self._codes[first : self._length] = codes
            return
        room = self._codes.shape[1]
        if self._length > room:
            longer = np.zeros((len(self._codes), max(self._length, room * 2)), np.uint64)
            longer[:, :first] = self._codes[:, :first]
            self._codes = longer
        self._codes[:, first : self._length] = codes.T
        if self._length > _SMALL:
            self._codes = self._codes[:, : self._length].T.copy()

    def candidates(self, code: NDArray[np.uint64], first: int) -> NDArray[np.int64]:
        """The members from ``first`` on whose signs agree the most with these, (1, words); at most ``MOST``."""
        here = self._length - first
        if here <= MOST:
            return np.arange(first, self._length)
        # Of members that are as near as each other the oldest, on any machine.
        if self._length > _SMALL:
            return _nearest(code, self._codes[first : self._length]) + first
        apart = np.bitwise_count(self._codes[:, first : self._length] ^ code.T)
        # numpy sorts short numbers in linear time
        nearest = np.argsort(np.add.reduce(apart, axis=0, dtype=np.uint16), kind="stable")[:MOST]
        return nearest + first

    @staticmethod
    def signs(vectors: NDArray[Any]) -> NDArray[np.uint64]:
        """One bit a dimension of each vector, (n, words)."""
        count, dimensions = vectors.shape
        bits = np.zeros((count, -(-dimensions // _WORD) * _WORD), bool)
        bits[:, :dimensions] = vectors > 0
        return np.packbits(bits, axis=1).view(np.uint64)


def _nearest(code: NDArray[np.uint64], codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The places of the ``MOST`` codes with the fewest bits that differ, the nearest first."""
    import faiss

    faiss.omp_set_num_threads(1)  # one query at a time: more threads cost more than they bring
    _, found = faiss.knn_hamming(np.ascontiguousarray(code).view(np.uint8), codes.view(np.uint8), MOST)
    nearest: NDArray[np.int64] = found[0]
    return nearest
