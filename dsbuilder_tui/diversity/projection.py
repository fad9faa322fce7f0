"""A plane on which likeness can be seen: groups of like vectors beside one another, each spread by what sets its own apart.

The places of groups are classical scaling of the distances between their centres (Torgerson, 1952), and within a group its two
main directions count. Without chance: the same vectors give the same plane.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsbuilder_tui.diversity.spherical_kmeans import group_centres

Vectors = NDArray[np.float32]
_MOST_FITTED = 4096  # vectors that a plane is made of
_MOST_GROUPS = 16
_LEAST_OF_GROUP = 8  # vectors to a group, about
_PUSHES = 60
_PIECE = 8192


@dataclass(frozen=True, slots=True)
class Projection:
    """Where vectors go on a plane of 1 by 1. ``centres`` is (k, d) of unit rows, ``spots`` (k, 2) their places.

    ``axes`` is (k, 2, d), what is across and down in each group, ``reach`` (k, 2) how far its members lie along them (their
    95th percentile), ``radii`` (k,) what room it has.
    """

    centres: Vectors
    spots: Vectors
    axes: Vectors
    reach: Vectors
    radii: Vectors

    def place(self, vectors: NDArray[np.float16] | Vectors) -> tuple[Vectors, NDArray[np.int32]]:
        """The places (n, 2), each of 0 to 1, of unit rows (n, d), and the group of each."""
        places = np.zeros((len(vectors), 2), np.float32)
        groups = np.zeros(len(vectors), np.int32)
        for first in range(0, len(vectors), _PIECE):
            rows = np.asarray(vectors[first : first + _PIECE], np.float32)
            chosen = np.argmax(rows @ self.centres.T, axis=1)
            offset = np.einsum("nd,nad->na", rows - self.centres[chosen], self.axes[chosen]) / self.reach[chosen]
            # What lies far out is drawn near: a stray text must not leave the plane.
            offset = np.tanh(offset * 1.1) * self.radii[chosen, None]
            places[first : first + len(rows)] = self.spots[chosen] + offset
            groups[first : first + len(rows)] = chosen
        return np.clip(places, 0.0, 1.0), groups


def project(vectors: NDArray[np.float16] | Vectors) -> Projection:
    """A plane for unit rows (n, d), made of an even sample of at most 4,096 of them; n may not be 0."""
    step = max(1, -(-len(vectors) // _MOST_FITTED))
    rows = np.asarray(vectors[::step], np.float32)
    centres, groups = _grouped(rows)
    sizes = np.bincount(groups, minlength=len(centres)).astype(np.float32)
    axes, reach = _directions(rows, groups, centres)
    radii = np.sqrt(sizes / sizes.sum())
    spots, radii = _laid_out(centres, radii)
    return Projection(centres, spots, axes, reach, radii)


def _grouped(rows: Vectors) -> tuple[Vectors, NDArray[np.int64]]:
    """The centres of groups of like rows, and which each is in; none of the groups is empty."""
    wanted = int(np.clip(round((len(rows) / _LEAST_OF_GROUP) ** 0.5), 1, _MOST_GROUPS))
    centres, groups = group_centres(rows, wanted)
    kept = np.unique(groups)
    return centres[kept], np.searchsorted(kept, groups)


def _directions(rows: Vectors, groups: NDArray[np.int64], centres: Vectors) -> tuple[Vectors, Vectors]:
    """The two main directions of each group (k, 2, d), and how far its members lie along them (k, 2)."""
    count, size = centres.shape
    axes, reach = np.zeros((count, 2, size), np.float32), np.ones((count, 2), np.float32)
    for number in range(count):
        apart = rows[groups == number] - centres[number]
        values, directions = np.linalg.eigh(apart.T @ apart)
        for axis in range(min(2, size)):
            direction = directions[:, -1 - axis].astype(np.float32)
            direction *= 1.0 if direction[np.argmax(np.abs(direction))] > 0 else -1.0  # else it may be turned round
            axes[number, axis] = direction
            far = float(np.percentile(np.abs(apart @ direction), 95))
            reach[number, axis] = far if values[-1 - axis] > 1e-9 and far > 1e-6 else 1.0
    return axes, reach


def _laid_out(centres: Vectors, shares: Vectors) -> tuple[Vectors, Vectors]:
    """Places of groups in the plane with room for each, and how much: like ones are neighbours, none covers another."""
    count = len(centres)
    if count == 1:
        return np.full((1, 2), 0.5, np.float32), np.full(1, 0.45, np.float32)
    radii = shares * (0.42 / float(np.sqrt((shares**2).sum())))  # they fill about half of the plane
    radii = np.maximum(radii, 0.04).astype(np.float32)
    squared = 2.0 - 2.0 * (centres @ centres.T).astype(np.float64)
    centring = np.eye(count) - 1.0 / count
    values, directions = np.linalg.eigh(-0.5 * centring @ squared @ centring)
    spots = directions[:, -2:][:, ::-1] * np.sqrt(np.maximum(values[-2:][::-1], 1e-12))
    spots *= np.where(spots[np.argmax(np.abs(spots), axis=0), [0, 1]] > 0, 1.0, -1.0)
    span = np.ptp(spots, axis=0)
    spots = (spots - spots.min(axis=0)) / np.where(span > 1e-9, span, 1.0)
    spots += np.arange(count)[:, None] * np.array([1e-4, 2e-4])  # two in one spot have a way apart
    for _ in range(_PUSHES):
        for one in range(count):
            away = spots[one] - spots
            far = np.sqrt((away**2).sum(axis=1))
            close = (radii[one] + radii) - far
            close[one] = 0.0
            push = np.where(close > 0, close / 2, 0.0)
            spots[one] += (away / np.maximum(far, 1e-6)[:, None] * push[:, None]).sum(axis=0)
        spots = np.clip(spots, radii[:, None], 1.0 - radii[:, None])
    return spots.astype(np.float32), radii
