"""How the panels share the rooms of a terminal, and what lies over them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.tui.layout import MADE, PANELS, PROGRESS, WIDE, WIDEST, Arrangement, PanelContents, arrange
from tests.support.studio import NARROW, built, studio
from tests.support.studio import WIDE as WIDE_SIZE

Plans = Callable[..., DatasetPlanInput]

ROOMS = range(2, 90)
CONTENTS = [
    PanelContents(state=state, categories=categories, workers=workers, values=values, cases=cases, rejected=cases // 4)
    for state, (categories, workers), values, cases in product(
        RunState, [(0, 1), (1, 1), (3, 5), (12, 8), (60, 40)], [0, 9, 300], [0, 4, 40_000]
    )
]


@pytest.mark.parametrize("width", [WIDE, 120, WIDEST, 250])
def test_panels_fill_their_columns(width: int) -> None:
    for room, contents in product(ROOMS, CONTENTS):
        made = arrange(width, room, contents)
        assert set(made.heights) == set(PANELS)
        for column in (PROGRESS, MADE) if made.columns == 3 else (PANELS,):
            rows = [made.heights[name] for name in column]
            assert sum(rows) == room, (room, contents, made)
            # A line, or a box with room for something in it, but where one line takes all that is left over.
            odd = [height for height in rows if height in (2, 3)]
            assert not odd or (len(odd) == 1 and max(rows) < 4), (room, contents, made)


def test_a_narrow_terminal_has_one_column() -> None:
    for width, contents in product((40, 80, WIDE - 1), CONTENTS):
        assert arrange(width, 22, contents) == Arrangement(1, dict.fromkeys(PANELS, 22))


def test_three_columns_need_room_and_something_to_show() -> None:
    running = PanelContents(state=RunState.RUNNING, categories=3)
    assert arrange(WIDEST, 48, running).columns == 3
    assert arrange(WIDEST - 1, 48, running).columns == 2
    assert arrange(WIDEST, 48, PanelContents(categories=3)).columns == 2, "nothing was made yet"
    assert arrange(WIDEST, 48, PanelContents(categories=3, cases=4)).columns == 3, "rows that came with a file"


def contents(state: RunState, cases: int = 200, **more: int) -> PanelContents:
    busy = state in (RunState.RUNNING, RunState.PAUSING)
    given = {"categories": 3, "workers": 5 if busy else 1, "values": 9, "cases": cases, "rejected": cases // 5} | more
    return PanelContents(state=state, **given)


@pytest.mark.parametrize(("width", "room"), [(120, 34), (200, 48), (100, 28)])
def test_what_matters_now_has_the_room(width: int, room: int) -> None:
    def heights(state: RunState, **more: int) -> dict[str, int]:
        return dict(arrange(width, room, contents(state, **more)).heights)

    running, paused, finished = (heights(state) for state in (RunState.RUNNING, RunState.PAUSED, RunState.FINISHED))
    assert running["workers"] == 8 and running["cases"] >= 8
    assert paused["workers"] == 1 and paused["checkpoints"] >= 4, "at rest it tells what is saved"
    assert finished["workers"] == 1, "nobody works any more"
    assert finished["cases"] == max(finished.values())
    assert finished["cases"] >= running["cases"]
    planned = heights(RunState.IDLE, cases=0)
    assert planned["plan"] >= 3 * 3 + 3, "each category is told in words"
    assert planned["coverage"] >= 9 and planned["cases"] == 1
    assert heights(RunState.IDLE, cases=0, categories=0) == {**dict.fromkeys(PANELS, 0), "plan": room}


def test_of_a_run_at_work_the_cases_stay_longest() -> None:
    order = ("checkpoints", "rejected", "workers", "plan", "cases")
    for room in range(5, 81):
        given = arrange(120, room, contents(RunState.RUNNING)).heights
        folded = [name for name in order if given[name] < 4]
        assert folded == list(order[: len(folded)]), (room, given)


def test_nothing_is_folded_without_need() -> None:
    assert arrange(100, 20, contents(RunState.RUNNING)).heights["rejected"] >= 4, "100×22 has room for it"
    assert arrange(100, 17, contents(RunState.RUNNING)).heights["workers"] >= 4
    assert arrange(120, 60, contents(RunState.RUNNING)).heights["checkpoints"] >= 4


def test_more_room_takes_nothing_away() -> None:
    for width, state, room in product((120, 200), RunState, range(24, 80)):
        if room + 1 in (40, 50):  # from here on there is more to show
            continue
        before, after = (arrange(width, r, contents(state)).heights for r in (room, room + 1))
        for name in ("plan", "cases", "workers"):
            assert after[name] >= before[name] - 1, (width, state, room, before, after)


@pytest.mark.parametrize("size", [WIDE_SIZE, NARROW, (60, 16)])
async def test_toasts_cover_neither_the_prompt_nor_the_keys(size: tuple[int, int], make_plan: Plans) -> None:
    await built(make_plan(4))
    async with studio(size=size, open_first="support") as user:
        await user.to_work()
        for number in range(6):
            user.app.say(
                f"Something happened, and it takes some words to say what that was, for the {number}. time. " * 2
            )
        await user.sees("Something happened")
        await user.pilot.pause()
        for toast in user.app.screen.query("ToastRack"):
            for selector in ("#prompt-box", "KeyBar"):
                assert not toast.region.overlaps(user.one(selector).region), (toast.region, selector)
