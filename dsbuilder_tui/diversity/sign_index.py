"""Which earlier vectors point nearly the same way: signs compared first, bit by bit, then the cosine of the best."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 50  # of the nearest by sign whose cosine is taken
_FIRST = 4
_SMALL = 2000  # members up to which counting in numpy is as fast as the library
_WORD = 64
_LEAST_GONE = 256  # members whose signs are worth letting go of


class SignIndex:
    """Members are numbered 0, 1, 2 … in the order in which they are added. Holds one bit a dimension and member.

    Of members that are as near as each other the oldest count, on any machine.
    """

    __slots__ = ("_bits", "_codes", "_gone", "_length")  # there may be one for every few rows

    def __init__(self, dimensions: int) -> None:
        self._bits = -(-dimensions // _WORD) * _WORD
        # A row for each word of 64 signs, a column for each member: so numpy counts few members in one go. Of many each is a row,
        # as the library wants them.
        self._codes = np.zeros((self._bits // _WORD, _FIRST), np.uint64)
        self._length = self._gone = 0  # all members ever, and the oldest ones whose signs are held no more

    def __len__(self) -> int:
        return self._length

    def extend(self, vectors: NDArray[Any]) -> None:
        """Add members, (n, dimensions)."""
        self.extend_signs(self.signs(vectors))

    def extend_signs(self, codes: NDArray[np.uint64]) -> None:
        """As ``extend``, when the signs are known."""
        first, held = self._held, self._held + len(codes)
        self._length += len(codes)
        if first > _SMALL:
            if held > len(self._codes):  # in place: the system moves pages, there is no second array for a while
                room = max(held, len(self._codes) * 9 // 8)
                self._codes.resize((room, self._codes.shape[1]), refcheck=False)
            self._codes[first:held] = codes
            return
        room = self._codes.shape[1]
        if held > room:
            longer = np.zeros((len(self._codes), max(held, room * 2)), np.uint64)
            longer[:, :first] = self._codes[:, :first]
            self._codes = longer
        self._codes[:, first:held] = codes.T
        if held > _SMALL:
            self._codes = self._codes[:, :held].T.copy()

    @property
    def _held(self) -> int:
        return self._length - self._gone

    def forget_most(self, first: int) -> None:
        """Let go of the signs of members before ``first``, which nobody asks for any more, once they are the larger part."""
        if first - self._gone < max(_LEAST_GONE, self._held // 2):
            return
        codes = self._by_member(first)
        self._gone = first
        self._codes = codes.copy() if len(codes) > _SMALL else codes.T.copy()

    def candidates(self, code: NDArray[np.uint64], first: int) -> NDArray[np.int64]:
        """The members from ``first`` on whose signs agree the most with these, (1, words); at most ``MOST``."""
        here = self._length - first
        if here <= MOST:
            return np.arange(first, self._length)
        if self._held > _SMALL:
            nearest: NDArray[np.int64] = _nearest(code, self._by_member(first))[1][0] + first
            return nearest
        apart = np.bitwise_count(self._codes[:, first - self._gone : self._held] ^ code.T)
        # numpy sorts short numbers in linear time
        return np.argsort(np.add.reduce(apart, axis=0, dtype=np.uint16), kind="stable")[:MOST] + first

    def nearest(self, codes: NDArray[np.uint64], threads: int = 1) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """Of all members those whose signs agree the most with each of some codes, (n, words): how many bits differ, and
        which they are, both (n, k), k at most ``MOST``, in no order.
        """
        apart, found = _nearest(codes, np.ascontiguousarray(self._by_member(self._gone)), threads)
        return apart.astype(np.uint16), found + self._gone

    def apart(self, code: NDArray[np.uint64], members: NDArray[np.int64]) -> NDArray[np.uint16]:
        """How many bits of each of these members differ from a code, (1, words)."""
        theirs = self._by_member(self._gone)[members - self._gone]
        bits: NDArray[np.uint16] = np.bitwise_count(theirs ^ code).sum(axis=1, dtype=np.uint16)
        return bits

    def _by_member(self, first: int) -> NDArray[np.uint64]:
        """The codes from a member on, a row each."""
        if self._held > _SMALL:
            return self._codes[first - self._gone : self._held]
        return self._codes[:, first - self._gone : self._held].T

    @staticmethod
    def signs(vectors: NDArray[Any]) -> NDArray[np.uint64]:
        """One bit a dimension of each vector, (n, words)."""
        count, dimensions = vectors.shape
        bits = np.zeros((count, -(-dimensions // _WORD) * _WORD), bool)
        bits[:, :dimensions] = vectors > 0
        return np.packbits(bits, axis=1).view(np.uint64)


def _nearest(
    asked: NDArray[np.uint64], codes: NDArray[np.uint64], threads: int = 1
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Of the codes the ``MOST`` that differ in the fewest bits from each that is asked about: in how many, and their places."""
    import faiss

    faiss.omp_set_num_threads(threads)  # for one query more than one cost more than they bring
    bits: NDArray[np.int32]
    found: NDArray[np.int64]
    bits, found = faiss.knn_hamming(
        np.ascontiguousarray(asked).view(np.uint8), codes.view(np.uint8), min(MOST, len(codes))
    )
    return bits, found
