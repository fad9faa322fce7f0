"""Groups of like vectors by spherical k-means (Dhillon and Modha, 2001), begun with vectors far from one another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
_ROUNDS = 12
_ALIKE = 0.999  # a cosine from which on another centre would say nothing new


def group_centres(rows: Rows, most: int) -> tuple[Rows, NDArray[np.intp]]:
    """At most so many unit centres (k, d) for unit rows (n, d), n not 0, and the number of the centre nearest to each row.

    A centre may have no row nearest to it.
    """
    chosen = [int(np.argmin(rows @ rows.mean(axis=0)))]  # what is least like the rest, then what is far from those
    nearest = rows @ rows[chosen[0]]
    while len(chosen) < most and float(nearest.min()) < _ALIKE:
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, rows @ rows[chosen[-1]])
    centres = rows[chosen]
    groups = np.argmax(rows @ centres.T, axis=1)
    for _ in range(_ROUNDS):
        for number in range(len(centres)):
            members = rows[groups == number]
            mean = members.mean(axis=0) if len(members) else centres[number]
            length = float(np.linalg.norm(mean))
            if length:
                centres[number] = mean / length
        before, groups = groups, np.argmax(rows @ centres.T, axis=1)
        if np.array_equal(before, groups):
            break
    return centres, groups
