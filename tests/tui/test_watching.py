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
from tests.support.studio import NARROW, User, built, covers, studio

Plans = Callable[..., DatasetPlanInput]
ONLY_WATCHES = "This window only watches"
PLAN = "dataset_name: shop\ncategories: [{name: orders, count: 100, example_inputs: Where is my order}]\n"


def followed(user: User) -> FollowedSession:
    assert user.app.watching.session is not None
    return user.app.watching.session


@covers("Home", "w")
@covers("Studio", "o")
async def test_what_another_process_accepts_is_seen_here_and_can_be_taken_over() -> None:
    Path("plan.yaml").write_text(PLAN, encoding="utf-8")
    process = start("run", "plan.yaml", "--json", cwd=Path.cwd(), env={"DSBUILDER_OFFLINE_PACE": "3"})
    try:
        read_until(process, "case_accepted")
        async with studio() as user:
            await user.sees("shop", "open in another window", "enter watch")
            await user.press("w")
            await user.at("StudioScreen")
            await user.sees("watching", f"process {process.pid} has it open", "● running", "orders")
            before = followed(user).view.accepted
            await user.until(lambda: followed(user).view.accepted >= before + 4)
            await user.until(lambda: any(worker.judged for worker in followed(user).view.workers.values()))
            newest = user.one("#panel-cases")
            await user.until(lambda: newest.count > 4)
            await user.press("ctrl+p")
            await user.until(lambda: ONLY_WATCHES in user.told)
            assert user.told.count(ONLY_WATCHES) == 1 and process.poll() is None
            await user.press("ctrl+p")
            assert user.told.count(ONLY_WATCHES) == 1  # it can be read already
            process.send_signal(signal.SIGTERM)
            await user.sees("nobody has it open now", "o open it here")
            rest(process)
            there = followed(user).view.accepted
            await user.press("o")
            await user.until(lambda: user.app.live is not None, timeout=60)
            await user.at("StudioScreen", "prompt")
            assert user.live.view.accepted >= there > before and user.app.watching.session is None
            await user.press("ctrl+p")
            await user.until(lambda: user.live.view.accepted > there)
    finally:
        process.kill()


async def test_who_only_opens_what_a_kill_has_left_is_not_at_work() -> None:
    Path("plan.yaml").write_text(PLAN, encoding="utf-8")
    process = start("run", "plan.yaml", "--json", cwd=Path.cwd(), env={"DSBUILDER_OFFLINE_PACE": "3"})
    read_until(process, "case_accepted")
    process.kill()
    rest(process)
    async with await Session.open("shop", load_config(offline_pace=0)) as other, studio() as user:
        await user.sees("shop", "open in another window")
        await user.press("w")
        await user.at("StudioScreen")
        await user.sees("watching", f"process {os.getpid()} has it open", "‖ paused")
        assert not followed(user).view.workers and "● running" not in user.text
        run = asyncio.create_task(other.run())
        await user.sees("✓ finished")
        await run


async def test_no_key_changes_what_is_only_watched(make_plan: Plans) -> None:
    await built(make_plan(12, name="shop"))
    async with await Session.open("shop", load_config()) as other, studio() as user:
        await user.sees("open in another window")
        assert user.app.screen.check_action("trash", ()) is False
        files = [
            path for path in sorted(other.folder.iterdir()) if path.name.startswith(("session.db", "session.lock"))
        ]
        before = [path.read_bytes() for path in files]
        await user.press("enter")
        await user.at("StudioScreen")
        await user.until(lambda: user.app.screen.opened.is_set())
        for row in ("studio", *(row.name for row in session_screens())):
            if row != "studio":
                user.app.show_screen(row, followed(user))
                await user.until(lambda row=row: user.app.screen.screen_name == row and user.app.screen.query("KeyBar"))
                await user.pilot.pause()
            screen = user.app.screen
            assert isinstance(screen, SessionScreen)
            nodes = [screen, *(node for node in screen.query("*") if getattr(node, "ACTS", ()))]
            for node in nodes:
                bound = [binding for binding in type(node).BINDINGS if isinstance(binding, Binding)]
                acts = [binding.action for binding in bound if binding.action.partition("(")[0] in node.ACTS]  # type: ignore[attr-defined]
                for act in acts:
                    user.app.clear_notifications()
                    await user.pilot.pause()
                    assert await user.app.run_action(act, node)
                    await user.until(lambda: ONLY_WATCHES in user.told)
                    assert user.app.screen is screen
            if row != "studio":
                screen.dismiss()
                await user.at("StudioScreen")
        assert [path.read_bytes() for path in files] == before
        user.app.draft("more of these")
        await user.until(lambda: ONLY_WATCHES in user.told)
        await user.write("delete all")
        await user.press("escape")
        await user.at("HomeScreen")
        assert [path.read_bytes() for path in files] == before


@covers("Studio", "down", "up")
async def test_a_narrow_terminal_shows_what_was_made(make_plan: Plans) -> None:
    """Where it is watched, and where it is opened as finished: then letters go to the prompt until the list is entered."""
    await built(make_plan(6, name="shop"))
    async with studio(size=NARROW) as user:
        await user.sees("shop")
        await user.press("enter")
        await user.at("StudioScreen")
        await user.sees("▌Cases", "category_1")
        await user.press("down")
        await user.at("StudioScreen", "panel-cases")
        await user.press("escape")
        await user.at("StudioScreen", "prompt")
    async with studio(size=NARROW, open_first="shop") as user:
        await user.sees("▌Cases", "category_1")
        await user.press("up")
        await user.at("StudioScreen", "panel-cases")
        await user.press("escape")
        await user.at("StudioScreen", "prompt")
    async with studio(size=NARROW, open_first="shop") as user:
        await user.sees("▌Cases", "category_1")
        await user.write("pd")
        await user.at("StudioScreen", "prompt")
        assert user.one("#prompt").text == "pd"
    async with await Session.open("shop", load_config()), studio(size=NARROW, open_first="shop") as user:
        await user.sees("watching", "▌Cases", "category_1")
