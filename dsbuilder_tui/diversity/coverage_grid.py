"""Counters of attribute values: how many cases of a category were planned with each, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

# Axes have a few values. Beyond so many pairs of values in a category nobody looks at them, and they are not counted.
_MOST_PAIRS = 100_000


class Grid:
    """The counters of one category. A value that the plan does not have (any more) counts as other."""

    def __init__(self, axes: Mapping[str, Sequence[str]], planned: NDArray[np.int64]) -> None:
        """``planned`` has a row for each slot: the place of its value in each axis."""
        self.axes = {name: tuple(values) for name, values in axes.items()}
        self._places = [{value: place for place, value in enumerate(values)} for values in self.axes.values()]
        # Two more places for each axis: a value that is not in the plan, and no value at all.
        self._sizes = [len(values) + 2 for values in self.axes.values()]
        pairs = list(combinations(range(len(self._sizes)), 2))
        self._pairs = pairs if sum(self._sizes[a] * self._sizes[b] for a, b in pairs) <= _MOST_PAIRS else []
        self.counts_pairs = len(self._pairs) == len(pairs)
        self._planned, self._planned_pairs = self._counted(planned)
        self._held, self._held_pairs = self._counted(planned[:0])
        self.cases = 0

    def code(self, attributes: Mapping[str, object]) -> tuple[int, ...]:
        """The row for a case with these attribute values."""
        return tuple(
            len(places) + 1 if (value := attributes.get(name)) is None else places.get(str(value), len(places))
            for name, places in zip(self.axes, self._places, strict=True)
        )

    def add(self, rows: NDArray[np.int64], by: int = 1) -> None:
        """Count so many cases more (``by`` 1) or fewer (-1), a row for each."""
        self.cases += by * len(rows)
        values, pairs = self._counted(rows)
        for held, more in zip(self._held + self._held_pairs, values + pairs, strict=True):
            held += by * more

    def _counted(self, rows: NDArray[np.int64]) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
        sizes = self._sizes
        values = [np.bincount(rows[:, axis], minlength=size) for axis, size in enumerate(sizes)]
        pairs = [np.bincount(rows[:, a] * sizes[b] + rows[:, b], minlength=sizes[a] * sizes[b]) for a, b in self._pairs]
        return values, pairs

    def cells(self) -> dict[str, dict[str, tuple[int, int]]]:
        """Axis → value → (planned, there), in the plan's order; what the plan does not have stands under ``""``, if any."""
        found: dict[str, dict[str, tuple[int, int]]] = {}
        for (name, values), planned, held in zip(self.axes.items(), self._planned, self._held, strict=True):
            found[name] = {v: (int(p), int(h)) for v, p, h in zip(values, planned, held, strict=False)}
            if other := int(held[len(values)]):
                found[name][""] = (0, other)
        return found

    def filled(self) -> tuple[int, int]:
        """Planned cells (values that a slot has) that hold a case, and how many are planned."""
        return _both(self._planned, self._held)

    def filled_pairs(self) -> tuple[int, int] | None:
        """The same for pairs of values of two axes; None when there are too many to count."""
        return _both(self._planned_pairs, self._held_pairs) if self.counts_pairs else None

    def held(self) -> dict[str, NDArray[np.int64]]:
        """Axis → cases that hold each of its values, in the plan's order."""
        return {name: held[: len(values)] for (name, values), held in zip(self.axes.items(), self._held, strict=True)}


def _both(planned: Sequence[NDArray[np.int64]], held: Sequence[NDArray[np.int64]]) -> tuple[int, int]:
    cells = [(p > 0, h > 0) for p, h in zip(planned, held, strict=True)]
    return sum(int((p & h).sum()) for p, h in cells), sum(int(p.sum()) for p, _ in cells)


def evenness(counts: Sequence[int]) -> float | None:
    """How evenly values are used: entropy over that of equal shares, 0 to 1. None for one value, or no case."""
    whole = sum(counts)
    if len(counts) < 2 or whole <= 0:
        return None
    shares = np.array([count for count in counts if count > 0]) / whole
    return float(-(shares * np.log(shares)).sum() / np.log(len(counts))) + 0.0
