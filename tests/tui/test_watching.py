"""A session that is open in another window is watched from this one: it is followed, nothing in it is changed, and it can be
taken over when the other has left it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from textual.binding import Binding

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tui.followed_session import FollowedSession
from dsbuilder_tui.tui.registry import session_screens
from dsbuilder_tui.tui.screen_base import SessionScreen
from tests.support.process import read_until, rest, start
from tests.support.studio import NARROW, Desk, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
ONLY_WATCHES = "This window only watches"
PLAN = "dataset_name: shop\ncategories: [{name: orders, count: 100, example_inputs: Where is my order}]\n"


def followed(desk: Desk) -> FollowedSession:
    assert desk.app.watching.session is not None
    return desk.app.watching.session


@covers("Home", "w")
@covers("Studio", "o")
async def test_what_another_process_accepts_is_seen_here_and_can_be_taken_over() -> None:
    Path("plan.yaml").write_text(PLAN, encoding="utf-8")
    process = start("run", "plan.yaml", "--json", cwd=Path.cwd(), env={"DSBUILDER_OFFLINE_PACE": "3"})
    try:
        read_until(process, "case_accepted")
        async with studio() as desk:
            await desk.sees("shop", "open in another window", "enter watch")
            await desk.press("w")
            await desk.at("StudioScreen")
            await desk.sees("watching", f"process {process.pid} has it open", "● running", "orders")
            before = followed(desk).view.accepted
            await desk.until(lambda: followed(desk).view.accepted >= before + 4)
            await desk.until(lambda: any(worker.judged for worker in followed(desk).view.workers.values()))
            newest = desk.one("#panel-cases")
            await desk.until(lambda: newest.count > 4)
            await desk.press("ctrl+p")
            await desk.until(lambda: ONLY_WATCHES in desk.told)
            assert desk.told.count(ONLY_WATCHES) == 1 and process.poll() is None
            await desk.press("ctrl+p")
            assert desk.told.count(ONLY_WATCHES) == 1  # it can be read already
            process.send_signal(signal.SIGTERM)
            await desk.sees("nobody has it open now", "o open it here")
            rest(process)
            there = followed(desk).view.accepted
            await desk.press("o")
            await desk.until(lambda: desk.app.live is not None, timeout=60)
            await desk.at("StudioScreen", "prompt")
            assert desk.live.view.accepted >= there > before and desk.app.watching.session is None
            await desk.press("ctrl+p")
            await desk.until(lambda: desk.live.view.accepted > there)
    finally:
        process.kill()


async def test_who_only_opens_what_a_kill_has_left_is_not_at_work() -> None:
    Path("plan.yaml").write_text(PLAN, encoding="utf-8")
    process = start("run", "plan.yaml", "--json", cwd=Path.cwd(), env={"DSBUILDER_OFFLINE_PACE": "3"})
    read_until(process, "case_accepted")
    process.kill()
    rest(process)
    async with await Session.open("shop", load_config(offline_pace=0)) as other, studio() as desk:
        await desk.sees("shop", "open in another window")
        await desk.press("w")
        await desk.at("StudioScreen")
        await desk.sees("watching", f"process {os.getpid()} has it open", "‖ paused")
        assert not followed(desk).view.workers and "● running" not in desk.text
        run = asyncio.create_task(other.run())
        await desk.sees("✓ finished")
        await run


async def test_no_key_changes_what_is_only_watched(make_plan: Plans) -> None:
    await built(make_plan(12, name="shop"))
    async with await Session.open("shop", load_config()) as other, studio() as desk:
        await desk.sees("open in another window")
        assert desk.app.screen.check_action("trash", ()) is False
        files = [
            path for path in sorted(other.folder.iterdir()) if path.name.startswith(("session.db", "session.lock"))
        ]
        before = [path.read_bytes() for path in files]
        await desk.press("enter")
        await desk.at("StudioScreen")
        await desk.until(lambda: desk.app.screen.opened.is_set())
        for row in ("studio", *(row.name for row in session_screens())):
            if row != "studio":
                desk.app.show_screen(row, followed(desk))
                await desk.until(lambda row=row: desk.app.screen.screen_name == row and desk.app.screen.query("KeyBar"))
                await desk.pilot.pause()
            screen = desk.app.screen
            assert isinstance(screen, SessionScreen)
            nodes = [screen, *(node for node in screen.query("*") if getattr(node, "ACTS", ()))]
            for node in nodes:
                bound = [binding for binding in type(node).BINDINGS if isinstance(binding, Binding)]
                acts = [binding.action for binding in bound if binding.action.partition("(")[0] in node.ACTS]  # type: ignore[attr-defined]
                for act in acts:
                    desk.app.clear_notifications()
                    await desk.pilot.pause()
                    assert await desk.app.run_action(act, node)
                    await desk.until(lambda: ONLY_WATCHES in desk.told)
                    assert desk.app.screen is screen
            if row != "studio":
                screen.dismiss()
                await desk.at("StudioScreen")
        assert [path.read_bytes() for path in files] == before
        desk.app.draft("more of these")
        await desk.until(lambda: ONLY_WATCHES in desk.told)
        await desk.write("delete all")
        await desk.press("escape")
        await desk.at("HomeScreen")
        assert [path.read_bytes() for path in files] == before


@covers("Studio", "down", "up")
async def test_a_narrow_terminal_shows_what_was_made(make_plan: Plans) -> None:
    """Where it is watched, and where it is opened as finished: then letters go to the prompt until the list is entered."""
    await built(make_plan(6, name="shop"))
    async with studio(size=NARROW) as desk:
        await desk.sees("shop")
        await desk.press("enter")
        await desk.at("StudioScreen")
        await desk.sees("▌Cases", "category_1")
        await desk.press("down")
        await desk.at("StudioScreen", "panel-cases")
        await desk.press("escape")
        await desk.at("StudioScreen", "prompt")
    async with studio(size=NARROW, open_first="shop") as desk:
        await desk.sees("▌Cases", "category_1")
        await desk.press("up")
        await desk.at("StudioScreen", "panel-cases")
        await desk.press("escape")
        await desk.at("StudioScreen", "prompt")
    async with studio(size=NARROW, open_first="shop") as desk:
        await desk.sees("▌Cases", "category_1")
        await desk.write("pd")
        await desk.at("StudioScreen", "prompt")
        assert desk.one("#prompt").text == "pd"
    async with await Session.open("shop", load_config()), studio(size=NARROW, open_first="shop") as desk:
        await desk.sees("watching", "▌Cases", "category_1")
