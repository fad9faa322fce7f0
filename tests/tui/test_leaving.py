"""A screen that is left while it still reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.agent.turn_events import Activity, TextDelta, ToolStarted, WordsWithdrawn
from dsbuilder_tui.domain.errors import SessionClosed
from dsbuilder_tui.domain.events import CaseRejected, CheckpointSaved, Event, MessageAdded, RunPaused
from dsbuilder_tui.domain.message import Message, MessageRole, NoticeContent
from dsbuilder_tui.domain.pause_cause import PauseCause
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.calls import SessionCalls
from dsbuilder_tui.session.cases import SessionCases
from dsbuilder_tui.session.checkpoints import SessionCheckpoints
from dsbuilder_tui.session.rejections import SessionRejections
from dsbuilder_tui.store.plan_file import load_example
from dsbuilder_tui.tui.app import StudioApp
from dsbuilder_tui.tui.registry import session_screens
from dsbuilder_tui.tui.screen_base import SessionScreen
from dsbuilder_tui.tui.studio.conversation_pane import ConversationPane, _TurnOver
from dsbuilder_tui.tui.studio.screen import StudioScreen
from tests.support.studio import built, studio

Plans = Callable[..., DatasetPlanInput]

HELLO = Message(seq=99, role=MessageRole.DSBUILDER, text="hello", content=NoticeContent(), created_at=0.0)
REJECTED = CaseRejected(
    ts=0.0, category="billing", slot=1, seq=1, batch=1, stage="near", reason="near", text="a text", attempt=1, score=0.9,
    threshold=0.8, nearest_case_id=None,
)  # fmt: skip
_READS: tuple[tuple[type[Any], str], ...] = (
    (SessionCheckpoints, "all"),
    (SessionRejections, "page"),
    (SessionRejections, "count"),
    (SessionCalls, "count"),
    (SessionCalls, "page"),
    (SessionCases, "page"),
    (SessionCases, "history"),
    (SessionCases, "counts_at"),
    (SessionRejections, "context"),
)


@pytest.mark.parametrize("key", ["f2", "f4", "f5", "f6"])
async def test_what_comes_too_late_is_let_go(tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = DatasetBuilderConfig(checkpoint_dir=tmp_path / "s", max_dataset_size=1000)
    async with await Session.create(load_example("travel_assistant"), config) as session:
        await session.run()
    gate, held = asyncio.Event(), 0

    def slow(part: type[Any], name: str) -> None:
        before = getattr(part, name)

        async def read(self: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal held
            held += 1
            await gate.wait()
            return await before(self, *args, **kwargs)

        monkeypatch.setattr(part, name, read)

    app = StudioApp({"checkpoint_dir": tmp_path / "s"}, open_first=session.id)
    async with app.run_test(size=(120, 36)) as pilot:
        while not isinstance(app.screen, StudioScreen):
            await pilot.pause()
        await pilot.pause()
        for part, name in _READS:
            slow(part, name)
        await pilot.press(key)
        while not held:
            await pilot.pause()
        screen = app.screen
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is not screen
        gate.set()
        await pilot.pause()
        await pilot.pause()
        assert app.is_running and app._exception is None


async def test_a_screen_that_is_taken_down_hears_nothing_more(
    make_plan: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts go before it does; a run tells of what happens all the while."""
    told: list[str] = []

    def tell_while_it_goes(screen: SessionScreen) -> None:
        told.append(screen.screen_name)
        now = screen.watched.now()
        for event in (
            Event(ts=now),
            REJECTED,
            CheckpointSaved(ts=now, checkpoint=1, seq=1, reason="interval", accepted=6, planned=6),
            MessageAdded(ts=now, message=HELLO),
            RunPaused(ts=now, accepted=6, planned=6, dropped_batches=0, reason="you", cause=PauseCause.ASKED),
        ):
            screen._heard(event)
        screen._flush()
        screen._found_places()
        stop_hearing(screen)

    stop_hearing = SessionScreen.on_unmount
    monkeypatch.setattr(SessionScreen, "on_unmount", tell_while_it_goes)
    await built(make_plan(6, name="shop"))
    async with studio() as user:
        await user.sees("shop")
        await user.press("enter")
        await user.at("StudioScreen")
        await user.until(lambda: user.app.screen.opened.is_set())
        for row in session_screens():
            await user.press(row.key)
            await user.until(
                lambda row=row: user.app.screen.screen_name == row.name and user.app.screen.query("KeyBar")
            )
            await user.pilot.pause()
            user.app.screen.dismiss()
            await user.at("StudioScreen")
            await user.until(lambda row=row: row.name in told)
        await user.press("f5")
        await user.at("RejectedScreen")
    assert told[-2:] == ["rejected", "studio"] or told[-2:] == ["studio", "rejected"]


async def test_what_was_read_for_a_session_that_is_left_is_no_error(make_plan: Plans) -> None:
    await built(make_plan(6, name="shop"))
    async with studio(open_first="shop") as user:
        await user.at("StudioScreen")
        session = user.session
        user.app.action_home()
        await user.at("HomeScreen")
        assert await user.app.guarded(session.cases.page(0, 5)) is None
        with pytest.raises(SessionClosed, match="is closed"):
            await session.cases.page(0, 5)
        assert not user.told


async def test_what_is_said_while_the_conversation_is_taken_down_is_drawn_on_nothing(
    make_plan: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts go before the task that draws a reply."""
    over: list[bool] = []
    end_turn = ConversationPane._end_turn

    async def end(pane: ConversationPane, stopped: bool) -> None:
        await end_turn(pane, stopped)
        over.append(stopped)

    monkeypatch.setattr(ConversationPane, "_end_turn", end)
    await built(make_plan(6, name="shop"))
    async with studio(open_first="shop") as user:
        await user.at("StudioScreen")
        await user.until(lambda: user.app.screen.opened.is_set())
        pane = user.app.screen.conversation
        user.app.screen.display = False  # as it is from the moment on that its parts go
        await pane.query("ChatLog, Hint, Queue").remove()
        for event in (
            Activity("thinking"),
            TextDelta("Hello"),
            ToolStarted("1", "export_dataset", "exporting"),
            MessageAdded(ts=0.0, message=HELLO),
            WordsWithdrawn(),
            _TurnOver(stopped=False),
        ):
            pane.post(event)
        await user.until(lambda: over)
        assert user.app._exception is None
