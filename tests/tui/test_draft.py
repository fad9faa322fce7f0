"""What was typed and not sent: kept a moment after typing stops, and there again after a kill."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.session.chat import SessionChat
from tests.support.studio import Answers, begin, built, studio
from tests.support.terminal import Terminal
from tests.tui.test_conversation import talk

Plans = Callable[..., DatasetPlanInput]
PLACE = ("--checkpoint-dir", "s")


def on_disk() -> str:
    """The draft in the session's file."""
    (file,) = Path("s").glob("*/session.db")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as plain:
        row = plain.execute("SELECT value FROM meta WHERE key='draft'").fetchone()
    return str(json.loads(row[0])) if row else ""


def test_it_survives_a_kill() -> None:
    with Terminal(*PLACE) as terminal:
        terminal.wait("There is no session yet")
        terminal.press("e")
        terminal.wait("travel_assistant")
        terminal.press("enter")
        terminal.wait("raise the limit")
        terminal.press("enter")
        terminal.wait("⏎ approve")
        terminal.press("enter")
        terminal.wait("running")
        terminal.press("ctrl+p")
        terminal.wait("paused")
        terminal.press("only the sea routes")
        terminal.wait("only the sea routes")
        terminal.wait(lambda screen: on_disk() == "only the sea routes")
        terminal.child.kill(signal.SIGKILL)
        assert terminal.finish() == -signal.SIGKILL
    assert on_disk() == "only the sea routes"
    with Terminal(*PLACE) as terminal:
        terminal.wait(lambda screen: re.search(r"\d+ safe|paused", screen))
        terminal.press("enter")
        terminal.wait("only the sea routes")
        terminal.press("ctrl+q")
        assert terminal.finish() == 0
    assert on_disk() == "only the sea routes"


async def test_it_is_not_written_with_every_key(make_plan: Plans, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[str] = []

    async def save(chat: SessionChat, text: str) -> None:
        saved.append(text)
        await real(chat, text)

    real = SessionChat.save_draft
    monkeypatch.setattr(SessionChat, "save_draft", save)
    text = "a question about the weather"
    async with studio(responder=Answers("Rain.")) as user:
        await begin(user, make_plan(4))
        box = await talk(user)
        await user.write(text)
        await user.until(lambda: bool(saved) and saved[-1] == text)
        assert len(saved) < len(text) // 2 and not box._resting, "nothing ticks when nobody types"
        await user.write("\n")
        await user.until(lambda: saved[-1] == "")
        await user.sees("Rain.")
        assert saved.count(text) == 1


async def test_a_card_leaves_what_is_typed_alone(make_plan: Plans) -> None:
    async with studio(responder=Answers("Yes.")) as user:
        await begin(user, make_plan(4))
        box = await talk(user)
        await user.write("first")
        await user.until(lambda: user.app.live is not None and user.app.live.session.chat.draft == "first")
        await user.write(" and more")
        user.app.screen.cards.focus_first()  # type: ignore[attr-defined]  # as when a card wants the keys
        assert box.text == "first and more"


async def test_the_end_of_what_is_pasted_is_in_view(make_plan: Plans) -> None:
    await built(make_plan(6))
    async with studio(open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        user.one("#prompt").fill("drafted before, and longer than a single line of the prompt is")
        await user.paste("".join(f"{n} words that fill a line\n" for n in range(8)) + "and the last of them")
        await user.sees("last of them")
        assert user.one("#prompt").cursor_location == user.one("#prompt").document.end
