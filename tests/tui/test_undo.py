"""Undo and redo by key: the same acts on every screen, and the cursor goes where something comes back."""

from __future__ import annotations

from collections.abc import Callable

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.tui.cases.screen import CasesScreen
from dsbuilder_tui.tui.widgets.rows import RowList
from tests.support.studio import User, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
C = "category_1"


async def pinned(user: User, *ordinals: int) -> None:
    """Until these cases, and no others, are pinned."""

    async def look() -> bool:
        found = [case async for case in user.session.cases.all() if case.tags.get("pinned")]
        return [case.ordinal for case in found] == list(ordinals)

    await user.until_async(look)


@covers("Cases", "u", "U")
@covers("Rejected", "u", "U")
@covers("Coverage", "u", "U")
@covers("Checkpoints", "u", "U")
@covers("Settings", "u", "U")
async def test_the_same_acts_on_every_screen(make_plan: Plans) -> None:
    await built(make_plan(6))
    async with studio(open_first="support") as user:
        await user.at("StudioScreen")
        await user.press("f2")
        await user.at("CasesScreen", "cases")
        screen = user.app.screen
        assert isinstance(screen, CasesScreen)
        await user.until(lambda: screen.chosen is not None)
        await user.press("down", "down", "p")
        await pinned(user, 3)
        await user.until(lambda: screen.chosen is not None and screen.chosen.tags.get("pinned"))
        await user.press("p")
        await pinned(user)
        await user.press("d")
        await user.at("QuestionDialog", "answers")
        await user.press("enter")
        await user.until(lambda: user.live.view.accepted == 5 and screen.rows.count == 5)
        assert user.live.view.stages == {"person": 1} and user.live.view.state == "paused"
        await user.press("end", "u")
        await user.until(lambda: user.live.view.accepted == 6 and user.live.view.rejected == 0)
        await user.until(lambda: screen.chosen is not None and screen.chosen.ordinal == 3)
        await user.until(lambda: "Undid: rejected category_1-00003." in user.told)
        await user.until(lambda: user.live.view.state == "finished")
        await user.press("u")
        await pinned(user, 3)
        await user.press("U")
        await pinned(user)
        await user.press("e", "u")  # in the form it is a letter
        await user.press("escape")
        await user.at("QuestionDialog")
        await user.press("down", "enter")
        await user.at("CasesScreen", "cases")
        await pinned(user)
        await user.press("escape")
        for key, place, left in (
            ("f3", "CoverageScreen", (3,)),
            ("f4", "CheckpointsScreen", (3,)),
            ("f5", "RejectedScreen", (3,)),
        ):
            await user.press(key)
            await user.at(place)
            await user.press("u")
            await pinned(user, *left)
            await user.press("U")
            await pinned(user)
            await user.press("escape")
            await user.at("StudioScreen")
        await user.app.use_settings({"max_workers": 3})
        assert user.session.config.max_workers == 3
        await user.command("/settings")
        await user.at("SettingsScreen", "settings")
        await user.press("u")
        await user.until(lambda: user.session.config.max_workers != 3 and "max_workers" not in user.app.changed)
        assert user.app.config.max_workers != 3
        await user.press("U")
        await user.until(lambda: user.session.config.max_workers == 3 and "max_workers" in user.app.changed)
        assert user.one("#settings", RowList).has_focus
        await user.press("escape")
        await user.said("↶ Undid: rejected category_1-00003")
        await user.said("↷ Redid: set max_workers = 3")
