"""How the panels share the rows of a terminal, and what lies over them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.tui.layout import PANELS, heights
from tests.support.studio import NARROW, WIDE, built, studio

Plans = Callable[..., DatasetPlanInput]

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


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 16)])
async def test_toasts_cover_neither_the_prompt_nor_the_keys(size: tuple[int, int], make_plan: Plans) -> None:
    await built(make_plan(4))
    async with studio(size=size, open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        for number in range(6):
            desk.app.say(
                f"Something happened, and it takes some words to say what that was, for the {number}. time. " * 2
            )
        await desk.sees("Something happened")
        await desk.pilot.pause()
        for toast in desk.app.screen.query("ToastRack"):
            for selector in ("#prompt-box", "KeyBar"):
                assert not toast.region.overlaps(desk.one(selector).region), (toast.region, selector)
