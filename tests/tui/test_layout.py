"""How the panels share the rows of a terminal."""

from __future__ import annotations

import pytest

from dsbuilder_tui.tui.layout import PANELS, heights

# What is folded first when rows are scarce, and stays folded longest.
ORDER = ("checkpoints", "rejected", "workers", "plan")


@pytest.mark.parametrize(("categories", "workers"), [(1, 1), (3, 5), (12, 8), (60, 40), (0, 0)])
def test_heights_add_up_to_the_room(categories: int, workers: int) -> None:
    for room in range(4, 81):
        given = heights(room, categories=categories, workers=workers)
        assert set(given) == set(PANELS)
        assert sum(given.values()) == room
        # Either a line, or a box with room for something in it.
        assert all(height == 1 or height >= 4 for height in given.values()) or room < 7, given


def test_panels_fold_in_their_order() -> None:
    for room in range(1, 81):
        given = heights(room, categories=3, workers=5)
        folded = [name for name in ORDER if given[name] < 4]
        assert folded == list(ORDER[: len(folded)])
        assert all(height >= 1 for height in given.values())


def test_nothing_is_folded_without_need() -> None:
    assert min(heights(16, categories=3, workers=5).values()) == 4
    assert heights(15, categories=3, workers=5)["checkpoints"] == 1
    assert heights(22, categories=3, workers=5)["checkpoints"] > 1, "80×24 has room for all four"


def test_more_room_takes_nothing_away() -> None:
    for room in range(16, 80):
        before, after = (heights(r, categories=5, workers=8) for r in (room, room + 1))
        assert sum(after.values()) - sum(before.values()) == 1
        assert after["plan"] >= before["plan"] - 1
