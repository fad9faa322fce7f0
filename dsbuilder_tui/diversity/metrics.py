"""How different texts are from one another, as numbers kept up to date: by their fingerprints and by packing them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

_BLOCK = 512  # vectors taken in at once
MOST_TEXTS = 1000  # of a category that are packed
_LEAST_BYTES = 1000  # of text from which on packing it says something


@dataclass(slots=True)
class _Sums:
    """What is kept of the vectors of one group. Few are kept as they are; of many their second moment is smaller."""

    total: NDArray[np.float64]  # sum of the vectors
    few: list[NDArray[np.floating]] = field(default_factory=list)  # those that are not in the moment
    many: NDArray[np.float64] | None = None  # sum of the outer products of the others
    own: float = 0.0  # sum of the products of each vector with itself: about their number
    count: int = 0
    nearest: float = 0.0  # sum of the cosines to the nearest earlier case
    compared: int = 0  # vectors that have such a cosine
    spectrum: dict[int, float] = field(default_factory=dict)  # the score at a count, until the sums change

    def moment(self) -> NDArray[np.float64]:
        """The sum of the outer products of all vectors, as an array of the caller's own."""
        size = len(self.total)
        moment = np.zeros((size, size)) if self.many is None else self.many.copy()
        for vectors in self.few:
            _add_products(moment, vectors)
        return moment

    def take(self, vectors: NDArray[np.floating]) -> None:
        if self.many is None and self.count + len(vectors) <= len(self.total):
            self.few.append(vectors.copy())
        else:
            if self.many is None:
                self.many, self.few = self.moment(), []
            _add_products(self.many, vectors)
        for start in range(0, len(vectors), _BLOCK):  # a piece at a time: copies stay small
            exact = vectors[start : start + _BLOCK].astype(np.float64)
            self.total += exact.sum(axis=0)
            self.own += float((exact * exact).sum())
        self.count += len(vectors)


def _add_products(moment: NDArray[np.float64], vectors: NDArray[np.floating]) -> None:
    for start in range(0, len(vectors), _BLOCK):
        # Products in single precision are exact enough; what they are summed up in must not be.
        block = vectors[start : start + _BLOCK].astype(np.float32)
        moment += block.T @ block


class Spread:
    """The spread of unit vectors, by group and in all. At 256 dimensions a group takes at most 0.5 MB, whatever it holds."""

    def __init__(self) -> None:
        self._groups: dict[str, _Sums] = {}

    @property
    def groups(self) -> list[str]:
        return list(self._groups)

    def add(self, group: str, vectors: NDArray[np.floating], nearest: NDArray[np.floating] | None = None) -> None:
        """Take in vectors (n × d, unit rows); those of another length than before take their place.

        ``nearest`` has for each the cosine to its nearest earlier case, or nan.
        """
        if not vectors.size:  # nothing, or fingerprints that were made without vectors
            return
        size = vectors.shape[1]
        if self.dimensions() not in (0, size):  # of another embedding: the two cannot be compared
            self._groups.clear()
        sums = self._groups.setdefault(group, _Sums(np.zeros(size)))
        sums.take(vectors)
        if nearest is not None:
            known = nearest[~np.isnan(nearest)]
            sums.nearest += float(known.sum(dtype=np.float64))
            sums.compared += len(known)
        sums.spectrum.clear()

    def count(self, group: str | None = None) -> int:
        """Vectors in a group, or (None, here and below) in all."""
        return sum(sums.count for sums in self._of(group))

    def dimensions(self) -> int:
        """The length of a vector; 0 before there is one."""
        return next((len(sums.total) for sums in self._groups.values()), 0)

    def vendi(self, group: str | None = None) -> float | None:
        """How many entirely different texts would be as varied: 1 to the smaller of count and dimensions.

        The Vendi score with the cosine kernel (Friedman & Dieng 2023): exp of the entropy of the eigenvalues of K / n.
        Those of the n × n kernel are those of the d × d second moment. None for fewer than two vectors.
        """
        parts, count = self._of(group), self.count(group)
        if count < 2:
            return None
        kept = parts[0].spectrum if len(parts) == 1 else {}
        if count not in kept:
            moment = parts[0].moment()
            for sums in parts[1:]:
                moment += sums.moment()
            kept[count] = _effective_number(moment)
        return kept[count]

    def mean_similarity(self, group: str | None = None) -> float | None:
        """The mean cosine of two different vectors. None for fewer than two."""
        parts, count = self._of(group), self.count(group)
        if count < 2:
            return None
        total = np.sum([sums.total for sums in parts], axis=0)
        return float((total @ total - sum(sums.own for sums in parts)) / (count * (count - 1)))

    def nearest_similarity(self, group: str | None = None) -> float | None:
        """The mean cosine to the nearest earlier case. None when no vector has one."""
        parts = self._of(group)
        compared = sum(sums.compared for sums in parts)
        return sum(sums.nearest for sums in parts) / compared if compared else None

    def _of(self, group: str | None) -> list[_Sums]:
        parts = list(self._groups.values()) if group is None else [self._groups.get(group)]
        return [sums for sums in parts if sums is not None and sums.count > 0]


def _effective_number(moment: NDArray[np.float64]) -> float:
    shares = np.clip(np.linalg.eigvalsh(moment), 0, None)  # rounding may leave some a little below 0
    whole = shares.sum()
    if whole <= 0:
        return 1.0
    shares = shares[shares > 0] / whole
    return float(np.exp(-(shares * np.log(shares)).sum()))


def packed(texts: Sequence[str]) -> float | None:
    """How many times smaller the texts become when packed with zlib: the more they repeat each other, the more.

    It sees repeats within 32 KB and depends on the amount of text: compare samples of like size. None for too little.
    """
    raw = "\n".join(texts).encode("utf-8", "replace")
    return len(raw) / len(zlib.compress(raw, 6)) if len(texts) > 1 and len(raw) >= _LEAST_BYTES else None


def mixed(samples: Sequence[Sequence[str]], most: int = MOST_TEXTS) -> list[str]:
    """At most so many texts out of several samples, in turn; of long ones evenly spread."""
    step = max(1, -(-sum(map(len, samples)) // most))
    turns = zip_longest(*(sample[::step] for sample in samples))
    return [text for turn in turns for text in turn if text is not None][:most]
