"""The map screen: points, a cursor and a box, the cases in it beside, and what it asks for."""

from __future__ import annotations

import numpy as np
import pytest

from dsbuilder_tui import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.session.case_map import CaseMap, MapGroup
from dsbuilder_tui.tui.map.paint import Box, PointGrid, box_of, legend, map_title, write_request
from dsbuilder_tui.tui.map.plane import MapPlane
from dsbuilder_tui.tui.paint.line import length
from tests.support.studio import NARROW, WIDE, User, built, covers, studio

PLAN = DatasetPlanInput(
    dataset_name="shop",
    categories=[
        DatasetCategory(name="orders", count=40, example_inputs="Where is my order #12345?"),
        DatasetCategory(name="refunds", count=20, example_inputs="I want my $20 back"),
    ],
)


def plane(user: User) -> MapPlane:
    found: MapPlane = user.one("#plane")
    return found


async def opened(user: User) -> None:
    await user.to_work()
    await user.press("f7")
    await user.at("MapScreen", "plane")
    await user.sees("60 cases by likeness", "here")


async def everything_boxed(user: User) -> None:
    """A box from corner to corner."""
    width, height = plane(user).content_size
    await user.press(*["shift+up"] * (height // 5 + 1), *["shift+left"] * (width // 5 + 1), "space")
    await user.press(*["shift+down"] * (height // 5 + 1), *["shift+right"] * (width // 5 + 1))
    await user.sees("60 cases in the box")


@covers("Studio", "f7")
@covers("Map", "tab", "escape")
@covers("Map plane", "up", "down", "left", "right", "shift+up", "shift+down", "shift+left", "shift+right", "space", "m")
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_the_plane_is_walked_and_a_box_shows_its_cases(size: tuple[int, int]) -> None:
    await built(PLAN)
    async with studio(open_first="shop", size=size) as user:
        await opened(user)
        x, y = plane(user).cursor
        await user.press("right", "down")
        assert plane(user).cursor[0] > x and plane(user).cursor[1] > y
        await user.press("left", "up")
        await everything_boxed(user)
        await user.press("space", "tab")  # the box is done
        await user.at("MapScreen", "area")
        await user.press("down", "enter")
        await user.at("CasesScreen")
        await user.press("escape")
        while user.place == "CasesScreen":
            await user.press("escape")
        await user.at("MapScreen")
        await user.press("tab", "m")
        await user.until(lambda: plane(user).marks)
        await user.sees("●")
        await user.press("escape")  # the box first
        await user.until(lambda: not plane(user).boxed)
        await user.press("escape")
        await user.at("StudioScreen", "prompt")


@covers("Map", "v", "w")
async def test_more_cases_are_asked_for_in_words_that_the_planner_knows() -> None:
    await built(PLAN)
    async with studio(open_first="shop") as user:
        await opened(user)
        await user.press("w")
        await user.at("StudioScreen", "prompt")
        assert "Add 10 `" in user.one("#prompt").text
        user.one("#prompt").text = ""
        await opened(user)
        await everything_boxed(user)
        await user.press("v")
        await user.at("StudioScreen", "prompt")
        assert user.one("#prompt").text == "Add 10 `orders` cases"
        await user.press("enter")
        await user.sees("plan · ", "40 → 50")


async def test_the_mouse_draws_a_box() -> None:
    await built(PLAN)
    async with studio(open_first="shop") as user:
        await opened(user)
        width, height = plane(user).content_size
        await user.pilot.mouse_down("#plane", offset=(0, 1))
        await user.pilot.hover("#plane", offset=(width - 1, height - 1))
        await user.pilot.mouse_up("#plane", offset=(width - 1, height - 1))
        await user.sees("60 cases in the box")
        await user.pilot.click("#plane", offset=(3, 3))
        await user.until(lambda: not plane(user).boxed)


async def test_a_session_without_cases_says_so() -> None:
    await built(PLAN, until=1)
    async with studio(open_first="shop") as user:
        await user.at("StudioScreen", "prompt")
        for case in await user.session.cases.page(0, 100):
            await user.session.cases.withdraw(case.category, case.ordinal)
        await user.command("/map")
        await user.at("MapScreen", "plane")
        await user.sees("No case is accepted yet")
        await user.press("v", "w", "space", "right")
        assert user.place == "MapScreen"


def drawn(points: list[tuple[float, float, int]], groups: list[MapGroup] | None = None, faint: int = 0) -> CaseMap:
    places = np.array([(x, y) for x, y, _ in points], np.float32).reshape(-1, 2)
    return CaseMap(
        seqs=np.arange(1, len(points) + 1),
        places=places,
        categories=np.array([number for _, _, number in points], np.int16),
        rejected=np.full((faint, 2), 0.99, np.float32),
        names=("orders", "refunds"),
        groups=groups or [],
    )


def texts(grid: PointGrid, *, marks: bool = False, box: Box | None = None) -> list[str]:
    return ["".join(span[0] for span in line) for line in grid.lines(None, box, marks=marks)]


def test_points_are_dots_of_their_cell_and_shapes_where_colour_says_nothing() -> None:
    grid = PointGrid(drawn([(0.0, 0.0, 0), (1.0, 1.0, 1), (0.0, 0.99, 1), (0.05, 0.99, 1)], faint=1), 10, 3)
    assert texts(grid) == ["⠁         ", " " * 10, "⣀        ⢀"]
    assert texts(grid, marks=True) == ["●         ", " " * 10, "▲        ▲"]
    roles = [[span[1] for span in line] for line in grid.lines(None, None, marks=False)]
    assert roles[0][0] == "accent" and roles[2][0] == "warn"


def test_names_of_groups_find_a_place_or_are_left_out_and_a_box_is_drawn_over_them() -> None:
    groups = [MapGroup(f"name {n}", 0.5, 0.5, 10 - n, "orders") for n in range(8)]
    lines = texts(PointGrid(drawn([(0.5, 0.5, 0)], groups), 30, 5))
    assert all(f"name {n}" in "\n".join(lines) for n in range(5)) and "name 7" not in "\n".join(lines)
    assert {len(line) for line in lines} == {30}
    boxed = texts(PointGrid(drawn([(0.5, 0.5, 0)]), 6, 4), box=box_of((4, 3), (1, 1)))
    assert boxed[1] == " ┌──┐ " and boxed[3] == " └──┘ " and boxed[2].startswith(" │") and boxed[2].endswith("│ ")
    assert Box(0, 0, 5, 3).area(6, 4) == (0, 0, 1, 1)


def test_hostile_names_are_text() -> None:
    bad = "a\x1b[31m\u202e`b"
    groups = [MapGroup(bad, 0.5, 0.5, 3, bad)]
    lines = texts(PointGrid(drawn([(0.5, 0.5, 0)], groups), 40, 3))
    assert "\x1b" not in "".join(lines) and "\u202e" not in "".join(lines)
    assert length(legend([bad, "x" * 90], 30, rejected=True)) <= 30
    assert "\x1b" not in write_request(groups, 0.1, 0.1, in_words=True)
    assert "\x1b" not in map_title(drawn([(0.1, 0.1, 0)]), at_end=True)
