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
from tests.support.studio import Desk, Scripted, begin, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)], ids=["narrow", "wide", "large"])


async def film(desk: Desk) -> None:
    await desk.to_work()
    await desk.press("f4")
    await desk.at("CheckpointsScreen", "rail")
    await desk.until(lambda: desk.app.screen.point is not None)  # type: ignore[attr-defined]


def paragraph(desk: Desk) -> str:
    """What a dialog says, as one line."""
    return " ".join(str(desk.app.screen.query_one(".said", Static).content).split())


async def names(desk: Desk) -> list[str]:
    return [branch.name for branch in await desk.session.branches.all()]


@covers("Checkpoints", "left", "h", "home", "end", "tab", "x")
@SIZES
async def test_the_history_is_scrubbed_looked_at_and_exported(make_plan: Plans, size: tuple[int, int]) -> None:
    await built(make_plan(40), checkpoint_interval=10)
    async with studio(open_first="support", size=size) as desk:
        await film(desk)
        await desk.sees("Checkpoint 5 · main", "This is where the session stands now.")
        for key, point in (("left", 4), ("h", 3), ("right", 4), ("l", 5), ("home", 1), ("end", 5), ("home", 1)):
            await desk.press(key)
            await desk.sees(f"Checkpoint {point} ")
        await desk.sees("10 of 40 cases", "30 cases came after this point on main.")
        seen: set[str] = set()
        for _ in range(5):
            for view in ("Newest cases", "Coverage", "Rejected", "Conversation"):
                if f"─ {view} ─" in desk.text:
                    seen.add(view)
            await desk.press("tab")
        assert seen == {"Newest cases", "Coverage", "Rejected", "Conversation"}
        await desk.press("x")
        await desk.at("Ask", "line")
        await desk.press("enter")
        await desk.until(lambda: "Wrote 10 cases as of checkpoint 1" in desk.told)
        data = json.loads(Path("support-at-10_checkpoint.json").read_text(encoding="utf-8"))
        assert "10" in json.dumps(data)


@covers("Checkpoints", "enter", "f", "n", "d")
@SIZES
async def test_going_back_keeps_what_was_there_and_every_branch_can_be_worked_on(
    make_plan: Plans, size: tuple[int, int]
) -> None:
    await built(make_plan(40), checkpoint_interval=10)
    async with studio(open_first="support", size=size) as desk:
        await film(desk)
        await desk.press("enter")
        await desk.until(lambda: "stands at this point already" in desk.told)
        await desk.press("home", "right", "enter")
        await desk.at("QuestionDialog")
        await desk.until(lambda: "(40 of 40 cases, plan rev 1) stays as the branch main-1" in paragraph(desk))
        await desk.press("escape")
        await desk.at("CheckpointsScreen", "rail")
        assert await names(desk) == ["main"]
        await desk.press("enter")
        await desk.at("QuestionDialog")
        await desk.press("enter")
        await desk.until(lambda: desk.live.view.accepted == 20 and desk.live.view.branch == "main")
        await desk.sees("main-1", "Checkpoint 2 ")
        await desk.until(lambda: desk.app.screen.lines[0].branch.accepted == 20)  # type: ignore[attr-defined]
        assert await names(desk) == ["main", "main-1"]
        assert (await desk.session.summary()).instances_created == 20
        assert [point.accepted for point in desk.live.view.points] == [10, 20]
        await desk.said("what was here before stays as main-1: /branches main-1 returns to it")

        # The other branch, where it ends: working on it brings everything back.
        await desk.press("down")
        await desk.sees("▸ main-1", "enter work on it")
        await desk.press("enter")
        await desk.at("QuestionDialog")
        await desk.until(lambda: "main-1 has 40 of 40 cases. main stays as it is, with 20 of 40" in paragraph(desk))
        await desk.press("enter")
        await desk.until(lambda: desk.live.view.accepted == 40 and desk.live.view.branch == "main-1")
        await desk.until(lambda: desk.app.screen.chosen.branch == "main-1")  # type: ignore[attr-defined]

        # Under another name
        await desk.press("home", "enter")
        await desk.at("QuestionDialog")
        await desk.press("down", "enter")
        await desk.at("Ask", "line")
        desk.one("#line").value = "as it was"
        await desk.press("enter")
        await desk.until(lambda: desk.live.view.accepted == 10)
        assert await names(desk) == ["main", "main-1", "as it was"]

        # A fork; its name must be a new one
        await desk.until(lambda: desk.app.screen.point.id == 1)  # type: ignore[attr-defined]
        await desk.press("f")
        await desk.at("Ask", "line")
        desk.one("#line").value = "as it was"
        await desk.sees("There is a branch as it was already.")
        desk.one("#line").value = "angrier"
        await desk.press("enter")
        await desk.until(lambda: "angrier begins at checkpoint 1" in desk.told)
        await desk.sees("▸ angrier", "◉")
        await desk.press("enter")
        await desk.at("QuestionDialog")
        await desk.press("enter")
        await desk.until(lambda: desk.live.view.branch == "angrier")

        # A name and a note
        await desk.until(lambda: desk.app.screen.chosen.branch == "angrier")  # type: ignore[attr-defined]
        await desk.press("n")
        await desk.at("Ask", "line")
        desk.one("#line").value = "good start"
        await desk.press("enter")
        await desk.sees("Note for checkpoint 1")
        desk.one("#line").value = "the tone is right"
        await desk.press("enter")
        await desk.at("CheckpointsScreen", "rail")
        await desk.sees("“good start”", "the tone is right")
        # A branch is deleted, and the checkpoints that only it stood on with it.
        await desk.press("d")
        await desk.until(lambda: "The session is on the branch angrier." in desk.told)
        await desk.press("up")
        await desk.sees("▸ main-1")
        await desk.press("d")
        await desk.at("QuestionDialog")
        await desk.until(lambda: "“bring back branch main-1” restores it" in paragraph(desk))
        await desk.press("enter")
        await desk.until(lambda: "main-1 is deleted." in desk.told)
        await desk.until(lambda: desk.app.screen.chosen.branch == "angrier")  # type: ignore[attr-defined]
        assert await names(desk) == ["main", "as it was", "angrier"]
        places = []
        for key in ("j", "j", "k", "up"):
            await desk.press(key)
            places.append(desk.app.screen.chosen.branch)  # type: ignore[attr-defined]
        assert len(set(places)) >= 2
        await desk.press("escape")
        await desk.at("StudioScreen")


async def test_letters_typed_in_a_row_ask_one_thing(make_plan: Plans) -> None:
    """What a key asks is read first, and other keys come meanwhile."""
    await built(make_plan(40), checkpoint_interval=10)
    async with studio(open_first="support") as desk:
        await film(desk)
        await desk.press("left")
        await desk.sees("Checkpoint 4 · main")
        await desk.write("nfnx")
        await desk.at("Ask", "line")
        await desk.pilot.pause()
        assert [type(screen).__name__ for screen in desk.app.screen_stack].count("Ask") == 1
        await desk.press("escape")
        await desk.at("CheckpointsScreen", "rail")
        await desk.press(*["escape"] * 2)
        await desk.at("StudioScreen")
        desk.app.action_home()
        await desk.at("HomeScreen", "session-list")
        await desk.write("xrx")
        await desk.at("Ask", "line")
        await desk.pilot.pause()
        assert [type(screen).__name__ for screen in desk.app.screen_stack].count("Ask") == 1


async def test_while_workers_write_nothing_is_returned_to(make_plan: Plans) -> None:
    async with studio(model=Scripted(hold=1), flags={"drain_timeout": 0, "max_workers": 1}) as desk:
        await begin(desk, make_plan(40))
        await desk.answer("ctrl+y")
        await desk.until(lambda: desk.live.view.accepted > 0)
        await desk.session.checkpoints.save("early")
        await desk.press("f4")
        await desk.at("CheckpointsScreen", "rail")
        await desk.until(lambda: desk.app.screen.point is not None)  # type: ignore[attr-defined]
        await desk.press("home", "enter")
        await desk.until(lambda: "Workers are writing on this branch. Pause first" in desk.told.replace("\n", " "))
        assert desk.place == "CheckpointsScreen" and await names(desk) == ["main"]


async def test_a_replay_is_scrubbed_and_not_changed(make_plan: Plans) -> None:
    recorded = await Session.open(await built(make_plan(40), checkpoint_interval=10))
    async with studio(replay=ReplaySession(recorded, SystemClock(), 1000.0)) as desk:
        await desk.sees("replay · end")
        await desk.press("f4")
        await desk.at("CheckpointsScreen", "rail")
        await desk.sees("Checkpoint 5 ")
        await desk.press("left", "left")
        await desk.sees("Checkpoint 3 ", "30 of 40 cases")
        seen: set[str] = set()  # all that the screen of a live session shows
        for _ in range(5):
            seen |= {
                view for view in ("Newest cases", "Coverage", "Rejected", "Conversation") if f"─ {view} ─" in desk.text
            }
            await desk.press("tab")
        assert seen == {"Newest cases", "Coverage", "Rejected", "Conversation"}
        for key in ("enter", "f", "n", "d"):
            await desk.press(key)
            await desk.until(lambda: "This is a replay: nothing in it can be changed." in desk.told)
            assert desk.place == "CheckpointsScreen"


async def test_the_mouse_scrubs(make_plan: Plans) -> None:
    await built(make_plan(40), checkpoint_interval=10)
    async with studio(open_first="support") as desk:
        await film(desk)
        row = next(line for line in desk.text.split("\n") if "▸ main" in line)
        rail = desk.one("#rail")
        first = row.index("●") - rail.content_region.x
        last = row.index("◉") - rail.content_region.x
        await desk.pilot.mouse_down("#rail", offset=(first, 0))
        await desk.sees("Checkpoint 1 ")
        await desk.pilot.hover("#rail", offset=((first + last) // 2, 0))
        await desk.sees("Checkpoint 3 ")
        await desk.pilot.mouse_up("#rail", offset=((first + last) // 2, 0))
        await desk.pilot.hover("#rail", offset=(first, 0))
        await desk.sees("Checkpoint 3 ")
        await desk.pilot.click("#rail", offset=(last, 0))
        await desk.sees("Checkpoint 5 ")


async def test_every_screen_looks_again_when_the_session_stands_elsewhere(make_plan: Plans) -> None:
    await built(make_plan(40), checkpoint_interval=10)
    async with studio(open_first="support") as desk:
        await desk.at("StudioScreen", "prompt")
        points = await desk.session.checkpoints.all()
        for key, place, before, after in (
            ("f2", "CasesScreen", "40 cases", "20 cases"),
            ("f3", "CoverageScreen", "40/40", "20/40"),
            ("f7", "MapScreen", "40 cases", "20 cases"),
            ("f4", "CheckpointsScreen", "40 here", "20 here"),
        ):
            await desk.press(key)
            await desk.at(place)
            await desk.until(lambda before=before: before in desk.text, 60)
            left = (await desk.session.branches.rewind(points[1].id)).left
            await desk.until(lambda after=after: after in desk.text, 60)
            await desk.session.branches.switch(left)
            await desk.until(lambda before=before: before in desk.text, 60)
            await desk.press("escape")
            await desk.at("StudioScreen")
