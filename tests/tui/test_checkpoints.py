"""The history as film (F4): scrubbed, returned to, forked, named and exported, at each size, with keys and mouse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Static

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.tui.replay_session import ReplaySession
from tests.support.studio import Scripted, User, begin, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)], ids=["narrow", "wide", "large"])


async def film(user: User) -> None:
    await user.to_work()
    await user.press("f4")
    await user.at("CheckpointsScreen", "rail")
    await user.until(lambda: user.app.screen.point is not None)  # type: ignore[attr-defined]


def paragraph(user: User) -> str:
    """What a dialog says, as one line."""
    return " ".join(str(user.app.screen.query_one(".said", Static).content).split())


async def names(user: User) -> list[str]:
    return [branch.name for branch in await user.session.branches.all()]


@covers("Checkpoints", "left", "h", "home", "end", "tab", "x")
@SIZES
async def test_the_history_is_scrubbed_looked_at_and_exported(make_plan: Plans, size: tuple[int, int]) -> None:
    await built(make_plan(40), checkpoint_interval=10)
    async with studio(open_first="support", size=size) as user:
        await film(user)
        await user.sees("Checkpoint 5 · main", "This is where the session stands now.")
        for key, point in (("left", 4), ("h", 3), ("right", 4), ("l", 5), ("home", 1), ("end", 5), ("home", 1)):
            await user.press(key)
            await user.sees(f"Checkpoint {point} ")
        await user.sees("10 of 40 cases", "30 cases came after this point on main.")
        seen: set[str] = set()
        for _ in range(5):
            for view in ("Newest cases", "Coverage", "Rejected", "Conversation"):
                if f"─ {view} ─" in user.text:
                    seen.add(view)
            await user.press("tab")
        assert seen == {"Newest cases", "Coverage", "Rejected", "Conversation"}
        await user.press("x")
        await user.at("Ask", "line")
        await user.press("enter")
        await user.until(lambda: "Wrote 10 cases as of checkpoint 1" in user.told)
        data = json.loads(Path("support-at-10_checkpoint.json").read_text(encoding="utf-8"))
        assert "10" in json.dumps(data)


@covers("Checkpoints", "enter", "f", "n", "d")
@SIZES
async def test_going_back_keeps_what_was_there_and_every_branch_can_be_worked_on(
    make_plan: Plans, size: tuple[int, int]
) -> None:
    await built(make_plan(40), checkpoint_interval=10)
    async with studio(open_first="support", size=size) as user:
        await film(user)
        await user.press("enter")
        await user.until(lambda: "stands at this point already" in user.told)
        await user.press("home", "right", "enter")
        await user.at("QuestionDialog")
        await user.until(lambda: "(40 of 40 cases, plan rev 1) stays as the branch main-1" in paragraph(user))
        await user.press("escape")
        await user.at("CheckpointsScreen", "rail")
        assert await names(user) == ["main"]
        await user.press("enter")
        await user.at("QuestionDialog")
        await user.press("enter")
        await user.until(lambda: user.live.view.accepted == 20 and user.live.view.branch == "main")
        await user.sees("main-1", "Checkpoint 2 ")
        await user.until(lambda: user.app.screen.lines[0].branch.accepted == 20)  # type: ignore[attr-defined]
        assert await names(user) == ["main", "main-1"]
        assert (await user.session.summary()).instances_created == 20
        assert [point.accepted for point in user.live.view.points] == [10, 20]
        await user.said("what was here before stays as main-1: /branches main-1 returns to it")

        # The other branch, where it ends: working on it brings everything back.
        await user.press("down")
        await user.sees("▸ main-1", "enter work on it")
        await user.press("enter")
        await user.at("QuestionDialog")
        await user.until(lambda: "main-1 has 40 of 40 cases. main stays as it is, with 20 of 40" in paragraph(user))
        await user.press("enter")
        await user.until(lambda: user.live.view.accepted == 40 and user.live.view.branch == "main-1")
        await user.until(lambda: user.app.screen.chosen.branch == "main-1")  # type: ignore[attr-defined]

        # Under another name
        await user.press("home", "enter")
        await user.at("QuestionDialog")
        await user.press("down", "enter")
        await user.at("Ask", "line")
        user.one("#line").value = "as it was"
        await user.press("enter")
        await user.until(lambda: user.live.view.accepted == 10)
        assert await names(user) == ["main", "main-1", "as it was"]

        # A fork; its name must be a new one
        await user.until(lambda: user.app.screen.point.id == 1)  # type: ignore[attr-defined]
        await user.press("f")
        await user.at("Ask", "line")
        user.one("#line").value = "as it was"
        await user.sees("There is a branch as it was already.")
        user.one("#line").value = "angrier"
        await user.press("enter")
        await user.until(lambda: "angrier begins at checkpoint 1" in user.told)
        await user.sees("▸ angrier", "◉")
        await user.press("enter")
        await user.at("QuestionDialog")
        await user.press("enter")
        await user.until(lambda: user.live.view.branch == "angrier")

        # A name and a note
        await user.until(lambda: user.app.screen.chosen.branch == "angrier")  # type: ignore[attr-defined]
        await user.press("n")
        await user.at("Ask", "line")
        user.one("#line").value = "good start"
        await user.press("enter")
        await user.sees("Note for checkpoint 1")
        user.one("#line").value = "the tone is right"
        await user.press("enter")
        await user.at("CheckpointsScreen", "rail")
        await user.sees("“good start”", "the tone is right")
        # A branch is deleted, and the checkpoints that only it stood on with it.
        await user.press("d")
        await user.until(lambda: "The session is on the branch angrier." in user.told)
        await user.press("up")
        await user.sees("▸ main-1")
        await user.press("d")
        await user.at("QuestionDialog")
        await user.until(lambda: "“bring back branch main-1” restores it" in paragraph(user))
        await user.press("enter")
        await user.until(lambda: "main-1 is deleted." in user.told)
        await user.until(lambda: user.app.screen.chosen.branch == "angrier")  # type: ignore[attr-defined]
        assert await names(user) == ["main", "as it was", "angrier"]
        places = []
        for key in ("j", "j", "k", "up"):
            await user.press(key)
            places.append(user.app.screen.chosen.branch)  # type: ignore[attr-defined]
        assert len(set(places)) >= 2
        await user.press("escape")
        await user.at("StudioScreen")


async def test_letters_typed_in_a_row_ask_one_thing(make_plan: Plans) -> None:
    """What a key asks is read first, and other keys come meanwhile."""
    await built(make_plan(40), checkpoint_interval=10)
    async with studio(open_first="support") as user:
        await film(user)
        await user.press("left")
        await user.sees("Checkpoint 4 · main")
        await user.write("nfnx")
        await user.at("Ask", "line")
        await user.pilot.pause()
        assert [type(screen).__name__ for screen in user.app.screen_stack].count("Ask") == 1
        await user.press("escape")
        await user.at("CheckpointsScreen", "rail")
        await user.press(*["escape"] * 2)
        await user.at("StudioScreen")
        user.app.action_home()
        await user.at("HomeScreen", "session-list")
        await user.write("xrx")
        await user.at("Ask", "line")
        await user.pilot.pause()
        assert [type(screen).__name__ for screen in user.app.screen_stack].count("Ask") == 1


async def test_while_workers_write_nothing_is_returned_to(make_plan: Plans) -> None:
    async with studio(model=Scripted(hold=1), flags={"drain_timeout": 0, "max_workers": 1}) as user:
        await begin(user, make_plan(40))
        await user.answer("ctrl+y")
        await user.until(lambda: user.live.view.accepted > 0)
        await user.session.checkpoints.save("early")
        await user.press("f4")
        await user.at("CheckpointsScreen", "rail")
        await user.until(lambda: user.app.screen.point is not None)  # type: ignore[attr-defined]
        await user.press("home", "enter")
        await user.until(lambda: "Workers are writing on this branch. Pause first" in user.told.replace("\n", " "))
        assert user.place == "CheckpointsScreen" and await names(user) == ["main"]


async def test_a_replay_is_scrubbed_and_not_changed(make_plan: Plans) -> None:
    recorded = await Session.open(await built(make_plan(40), checkpoint_interval=10))
    async with studio(replay=ReplaySession(recorded, SystemClock(), 1000.0)) as user:
        await user.sees("replay · end")
        await user.press("f4")
        await user.at("CheckpointsScreen", "rail")
        await user.sees("Checkpoint 5 ")
        await user.press("left", "left")
        await user.sees("Checkpoint 3 ", "30 of 40 cases")
        seen: set[str] = set()  # all that the screen of a live session shows
        for _ in range(5):
            seen |= {
                view for view in ("Newest cases", "Coverage", "Rejected", "Conversation") if f"─ {view} ─" in user.text
            }
            await user.press("tab")
        assert seen == {"Newest cases", "Coverage", "Rejected", "Conversation"}
        for key in ("enter", "f", "n", "d"):
            await user.press(key)
            await user.until(lambda: "This is a replay: nothing in it can be changed." in user.told)
            assert user.place == "CheckpointsScreen"


async def test_the_mouse_scrubs(make_plan: Plans) -> None:
    await built(make_plan(40), checkpoint_interval=10)
    async with studio(open_first="support") as user:
        await film(user)
        row = next(line for line in user.text.split("\n") if "▸ main" in line)
        rail = user.one("#rail")
        first = row.index("●") - rail.content_region.x
        last = row.index("◉") - rail.content_region.x
        await user.pilot.mouse_down("#rail", offset=(first, 0))
        await user.sees("Checkpoint 1 ")
        await user.pilot.hover("#rail", offset=((first + last) // 2, 0))
        await user.sees("Checkpoint 3 ")
        await user.pilot.mouse_up("#rail", offset=((first + last) // 2, 0))
        await user.pilot.hover("#rail", offset=(first, 0))
        await user.sees("Checkpoint 3 ")
        await user.pilot.click("#rail", offset=(last, 0))
        await user.sees("Checkpoint 5 ")


async def test_every_screen_looks_again_when_the_session_stands_elsewhere(make_plan: Plans) -> None:
    await built(make_plan(40), checkpoint_interval=10)
    async with studio(open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        points = await user.session.checkpoints.all()
        for key, place, before, after in (
            ("f2", "CasesScreen", "40 cases", "20 cases"),
            ("f3", "CoverageScreen", "40/40", "20/40"),
            ("f7", "MapScreen", "40 cases", "20 cases"),
            ("f4", "CheckpointsScreen", "40 here", "20 here"),
        ):
            await user.press(key)
            await user.at(place)
            await user.until(lambda before=before: before in user.text, 60)
            left = (await user.session.branches.rewind(points[1].id)).left
            await user.until(lambda after=after: after in user.text, 60)
            await user.session.branches.switch(left)
            await user.until(lambda before=before: before in user.text, 60)
            await user.press("escape")
            await user.at("StudioScreen")
