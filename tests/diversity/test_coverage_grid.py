"""Counters of attribute values against counting by hand."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from dsbuilder_tui.diversity.coverage_grid import Grid, evenness

AXES = {"tone": ("polite", "angry", "formal"), "length": ("short", "long")}
PLANNED = [("polite", "short"), ("angry", "long"), ("polite", "long"), ("angry", "short")]


def rows(values: list[tuple[str, str]]) -> Any:
    return np.array([[AXES["tone"].index(a), AXES["length"].index(b)] for a, b in values], dtype=np.int64)


@pytest.fixture
def grid() -> Grid:
    return Grid(AXES, rows(PLANNED))


def test_cells_say_what_is_planned_and_what_is_there(grid: Grid) -> None:
    assert grid.cells() == {
        "tone": {"polite": (2, 0), "angry": (2, 0), "formal": (0, 0)},
        "length": {"short": (2, 0), "long": (2, 0)},
    }
    assert grid.filled() == (0, 4) and grid.filled_pairs() == (0, 4)
    grid.add(np.array([grid.code({"tone": "angry", "length": "long"})] * 2))
    assert grid.cells()["tone"]["angry"] == (2, 2) and grid.cases == 2
    assert grid.filled() == (2, 4) and grid.filled_pairs() == (1, 4)
    grid.add(np.array([grid.code({"tone": "angry", "length": "long"})]), -1)
    assert grid.cells()["length"]["long"] == (2, 1) and grid.filled_pairs() == (1, 4) and grid.cases == 1


def test_values_that_are_not_in_the_plan_are_counted_apart(grid: Grid) -> None:
    for attributes in ({"tone": "sarcastic", "length": "short"}, {"tone": "rude"}, {}, {"length": 7, "tone": None}):
        grid.add(np.array([grid.code(attributes)]))
    assert grid.cells()["tone"] == {"polite": (2, 0), "angry": (2, 0), "formal": (0, 0), "": (0, 2)}
    assert grid.cells()["length"] == {"short": (2, 1), "long": (2, 0), "": (0, 1)}
    assert grid.cases == 4 and grid.filled() == (1, 4) and grid.filled_pairs() == (0, 4)


def test_a_value_that_no_slot_has_is_not_missed(grid: Grid) -> None:
    grid.add(rows([("formal", "short")]))
    assert grid.filled() == (1, 4), "formal is in the plan's axis, but no slot was given it"


def test_pairs_are_those_of_all_axes() -> None:
    rng = np.random.default_rng(3)
    axes = {name: tuple(f"{name}{n}" for n in range(size)) for name, size in (("a", 3), ("b", 4), ("c", 2))}
    planned, held = rng.integers(0, (3, 4, 2), size=(20, 3)), rng.integers(0, (3, 4, 2), size=(6, 3))
    grid = Grid(axes, planned)
    grid.add(held)

    def pairs(found: Any) -> set[tuple[int, int, int, int]]:
        return {(i, j, int(row[i]), int(row[j])) for row in found for i, j in combinations(range(3), 2)}

    assert grid.filled_pairs() == (len(pairs(planned) & pairs(held)), len(pairs(planned)))


def test_too_many_pairs_are_not_counted() -> None:
    axes = {f"axis{n}": tuple(map(str, range(100))) for n in range(12)}
    grid = Grid(axes, np.zeros((5, 12), dtype=np.int64))
    assert grid.filled_pairs() is None and grid.filled() == (0, 12)


def test_evenness_is_one_for_equal_shares_and_none_for_one_value() -> None:
    assert evenness([5, 5, 5]) == pytest.approx(1)
    assert evenness([9, 0, 0]) == 0.0
    assert 0 < (evenness([9, 1, 0]) or 0) < 0.5
    assert evenness([4]) is None and evenness([0, 0]) is None and evenness([]) is None
