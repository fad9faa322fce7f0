"""Undo and redo by key: the same acts on every screen, and the cursor goes where something comes back."""

from __future__ import annotations

from collections.abc import Callable

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.tui.cases.screen import CasesScreen
from dsbuilder_tui.tui.widgets.rows import RowList
from tests.support.studio import Desk, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
C = "category_1"


async def pinned(desk: Desk, *ordinals: int) -> None:
    """Until these cases, and no others, are pinned."""

    async def look() -> bool:
        found = [case async for case in desk.session.cases.all() if case.tags.get("pinned")]
        return [case.ordinal for case in found] == list(ordinals)

    await desk.until_async(look)


@covers("Cases", "u", "U")
@covers("Rejected", "u", "U")
@covers("Coverage", "u", "U")
@covers("Checkpoints", "u", "U")
@covers("Settings", "u", "U")
async def test_the_same_acts_on_every_screen(make_plan: Plans) -> None:
    await built(make_plan(6))
    async with studio(open_first="support") as desk:
        await desk.at("StudioScreen")
        await desk.press("f2")
        await desk.at("CasesScreen", "cases")
        screen = desk.app.screen
        assert isinstance(screen, CasesScreen)
        await desk.until(lambda: screen.chosen is not None)
        await desk.press("down", "down", "p")
        await pinned(desk, 3)
        await desk.until(lambda: screen.chosen is not None and screen.chosen.tags.get("pinned"))
        await desk.press("p")
        await pinned(desk)
        await desk.press("d")
        await desk.at("QuestionDialog", "answers")
        await desk.press("enter")
        await desk.until(lambda: desk.live.view.accepted == 5 and screen.rows.count == 5)
        assert desk.live.view.stages == {"person": 1} and desk.live.view.state == "paused"
        await desk.press("end", "u")
        await desk.until(lambda: desk.live.view.accepted == 6 and desk.live.view.rejected == 0)
        await desk.until(lambda: screen.chosen is not None and screen.chosen.ordinal == 3)
        await desk.until(lambda: "Undid: rejected category_1-00003." in desk.told)
        await desk.until(lambda: desk.live.view.state == "finished")
        await desk.press("u")
        await pinned(desk, 3)
        await desk.press("U")
        await pinned(desk)
        await desk.press("e", "u")  # in the form it is a letter
        await desk.press("escape")
        await desk.at("QuestionDialog")
        await desk.press("down", "enter")
        await desk.at("CasesScreen", "cases")
        await pinned(desk)
        await desk.press("escape")
        for key, place, left in (
            ("f3", "CoverageScreen", (3,)),
            ("f4", "CheckpointsScreen", (3,)),
            ("f5", "RejectedScreen", (3,)),
        ):
            await desk.press(key)
            await desk.at(place)
            await desk.press("u")
            await pinned(desk, *left)
            await desk.press("U")
            await pinned(desk)
            await desk.press("escape")
            await desk.at("StudioScreen")
        await desk.app.use_settings({"max_workers": 3})
        assert desk.session.config.max_workers == 3
        await desk.command("/settings")
        await desk.at("SettingsScreen", "settings")
        await desk.press("u")
        await desk.until(lambda: desk.session.config.max_workers != 3 and "max_workers" not in desk.app.changed)
        assert desk.app.config.max_workers != 3
        await desk.press("U")
        await desk.until(lambda: desk.session.config.max_workers == 3 and "max_workers" in desk.app.changed)
        assert desk.one("#settings", RowList).has_focus
        await desk.press("escape")
        await desk.said("↶ Undid: rejected category_1-00003")
        await desk.said("↷ Redid: set max_workers = 3")
