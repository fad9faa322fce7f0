"""The nearest of many rows by the signs of their vectors, found in parts: each part's nearest give those of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.sign_index import MOST
from dsbuilder_tui.diversity.static_embedding import Vectors

NOBODY = np.uint16(0xFFFF)  # bits apart: more than a vector has dimensions


@dataclass(frozen=True, slots=True)
class NearestRows:
    """For each of n texts the admitted rows of its scope whose signs are nearest to its own, (n, k) each.

    Attributes:
        apart: how many signs differ; ``NOBODY`` where there are fewer than k rows.
        rows: their numbers.
        scores: the cosines of the vectors.
    """

    apart: NDArray[np.uint16]
    rows: NDArray[np.uint32]
    scores: Vectors

    @classmethod
    def none(cls, texts: int, most: int = 0) -> NearestRows:
        """Nobody is near any of so many texts."""
        return cls(
            np.full((texts, most), NOBODY, np.uint16), np.zeros((texts, most), np.uint32), np.zeros((texts, most), np.float32)
        )  # fmt: skip


def merged(parts: Sequence[NearestRows]) -> NearestRows:
    """The nearest of all parts, of which there is one at least; of rows as near as each other the oldest.

    As every part has its own ``MOST``, none of the nearest of all is missing.
    """
    apart, rows, scores = (
        np.concatenate([getattr(part, name) for part in parts], axis=1) for name in ("apart", "rows", "scores")
    )
    order = np.argsort(apart.astype(np.uint64) << np.uint64(32) | rows, axis=1)[:, :MOST]
    return NearestRows(*(np.take_along_axis(each, order, axis=1) for each in (apart, rows, scores)))
