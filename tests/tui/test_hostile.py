"""Hostile text is text: in every widget, on every screen, whoever it comes from."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.tui.app import StudioApp
from dsbuilder_tui.tui.studio.conversation_pane import ConversationPane
from dsbuilder_tui.tui.studio.panels import Panel
from dsbuilder_tui.tui.studio.prompt import Prompt
from dsbuilder_tui.tui.widgets.dialogs import Ask, QuestionDialog
from tests.support.hostile import (
    ALL,
    CONTROLS,
    EVIL,
    FORBIDDEN,
    MARKUP,
    HostileAgent,
    HostileModel,
    any_name,
    hostile_session,
)

SIZES = [(120, 36), (60, 16)]
# Actions that our own lines and Textual's own Markdown may run on a click.
OURS = ("screen.", "approve", "edit", "ask", "decline", "unfold", "follow", "choose(", "link(")


@pytest.fixture
def names_of_any_kind() -> Iterator[None]:
    with any_name():
        yield


class Walk:
    """Goes through the app and looks at every cell after each step."""

    def __init__(self, app: StudioApp, pilot: Pilot[Any]) -> None:
        self.app, self.pilot = app, pilot
        self.opened: list[str] = []
        self.rung = self.copied = 0
        app.open_url = lambda url, **_: self.opened.append(url)  # type: ignore[method-assign]
        app.bell = self._ring  # type: ignore[method-assign]

    def _ring(self) -> None:
        self.rung += 1

    async def press(self, *keys: str, seen: str = "") -> None:
        await self.pilot.press(*keys)
        await self.look(seen)

    async def look(self, seen: str = "") -> None:
        """Every cell is harmless; ``seen`` must be there, so that the step showed what it is about."""
        for _ in range(400):
            text = self.check()
            if seen in text:
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"{seen!r} is not on {self.app.screen}:\n{text}")

    async def until(self, done: Callable[[], object]) -> None:
        """Look again and again until something has come about."""
        for _ in range(500):
            self.check()
            if done():
                return
            await self.pilot.pause(0.02)
        raise AssertionError(self.check())

    def check(self) -> str:
        lines = []
        for strip in self.app.screen._compositor.render_strips():
            line = ""
            for segment in strip:
                found = FORBIDDEN.search(segment.text)
                assert found is None, f"{found!r} in {segment.text!r} on {self.app.screen}"
                line += segment.text
                action = str(segment.style.meta.get("@click", "")) if segment.style and segment.style._meta else ""
                assert not action or action.startswith(OURS), f"{action!r} can be clicked on {self.app.screen}"
            lines.append(line)
        for widget in self.app.screen.walk_children():
            if isinstance(widget, Input) and widget.display:
                assert not FORBIDDEN.search(widget.value), f"{widget.value!r} in {widget}"
            if isinstance(widget, TextArea) and widget.display:
                assert not FORBIDDEN.search(re.sub("[\n\t]", "", widget.text)), f"{widget.text!r} in {widget}"
        assert self.app._exception is None and self.app.crash is None and self.app.is_running
        return "\n".join(lines)

    async def paste(self, text: str, seen: str = "") -> None:
        assert self.app.focused is not None
        self.app.post_message(events.Paste(text))
        await self.look(seen)


async def walked(app: StudioApp, size: tuple[int, int], steps: Callable[[Walk], Awaitable[None]]) -> None:
    app.get_line_filters = lambda: app._filters  # type: ignore[method-assign]  # without the net under all widgets
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        walk = Walk(app, pilot)
        await steps(walk)
        assert walk.opened == []
        await pilot.pause()
        assert app.is_running


@pytest.mark.usefixtures("names_of_any_kind")
@pytest.mark.parametrize("size", SIZES)
async def test_home_and_its_dialogs(tmp_path: Path, size: tuple[int, int]) -> None:
    root = tmp_path / "root\x1b]0;evil\x07[bold"
    await hostile_session(root)
    flags = {
        "checkpoint_dir": root,
        "worker_model": f"worker{EVIL}",
        "model": EVIL,
        "base_url": "http://127.0.0.1:9/v1",
    }

    async def steps(walk: Walk) -> None:
        await walk.look("␛]0;evil")
        await walk.press("r", seen="Rename")
        await walk.paste(ALL, seen="🏴 tab")
        await walk.press("ctrl+a", "enter")
        await walk.look()
        await walk.press("escape", "x", seen="Export")
        await walk.press("escape", "delete", seen="go to the trash")
        await walk.press("escape", "slash")
        await walk.paste(ALL, seen="No session matches" if size[0] > 80 else "")
        await walk.press("escape", "ctrl+k")
        await walk.paste(EVIL, seen="␛]52")
        await walk.press("escape", "f", seen="New session")
        await walk.paste(EVIL, seen="␛]52")
        await walk.press("tab", "tab")
        await walk.paste(ALL)
        await walk.press("ctrl+s", "escape", "c", seen="Settings")
        for _ in range(10):
            await walk.press("down")
        await walk.press("escape", "c", "down", "enter", seen="base_url")
        await walk.press("ctrl+a")
        await walk.paste(ALL)
        await walk.press("enter", "escape", "escape", "f1", seen="Help")
        await walk.press("end", seen="␛]0;evil" if size[0] > 80 else "")
        await walk.press("escape")
        walk.app.say(ALL)
        walk.app.complain(InputError(EVIL, ALL))
        await walk.look("␛]52")

    await walked(StudioApp(flags), size, steps)


@pytest.mark.usefixtures("names_of_any_kind")
@pytest.mark.parametrize("size", [SIZES[0], pytest.param(SIZES[1], marks=pytest.mark.slow)])
async def test_the_studio_and_its_screens(tmp_path: Path, size: tuple[int, int]) -> None:
    root = tmp_path / "s"
    folder = await hostile_session(root)
    agent = HostileAgent()
    app = StudioApp(
        {"checkpoint_dir": root, "max_workers": 2}, open_first=str(folder), make_talk=agent,
        make_model=lambda _: HostileModel(9, hang=True),
    )  # fmt: skip
    wide = size[0] > 80

    async def steps(walk: Walk) -> None:
        await walk.look("draft")
        prompt = walk.app.screen.query_one(Prompt)
        prompt.text = ""
        prompt.focus()
        await walk.paste(ALL[:700], seen="␛")
        await walk.press("enter")
        await walk.look()
        talk = walk.app.screen.query_one(ConversationPane)
        await walk.until(lambda: agent.answers == 1 and not talk.answering)
        log = walk.app.screen.query_one("#chat")
        for place in range(0, int(log.max_scroll_y), log.size.height):
            log.scroll_to(y=place, animate=False)
            await walk.pilot.pause(0)
            await walk.look()
        await walk.paste("x" + EVIL * 200)
        for words in (
            f"/nothing{EVIL}",
            f"/checkpoint {EVIL}",
            f"/model {EVIL}",
            f"/plan {EVIL}",
            "/status",
            f"/theme {EVIL}",
            f"/pace {EVIL}",
            "/plan",
            f"/export /nowhere/{EVIL}.csv",
        ):
            prompt.post_message(Prompt.Sent(words, {}))
            await walk.look()
        await walk.look()
        prompt.fill("/cases ")
        await walk.look()
        prompt.fill("")
        await walk.press("up", "up", "down")
        prompt.fill("")
        for _ in range(6):
            await walk.press("tab")
            if wide and isinstance(walk.app.focused, Panel):
                await walk.press("enter")
                await walk.press("escape")
        await walk.pilot.press("ctrl+p")
        live = walk.app.live
        assert live is not None
        await walk.until(lambda: live.view.rejected > 25)
        for key, title in (("f4", "Checkpoint"), ("f5", "rejected"), ("f6", "batch"), ("f2", "case")):
            await walk.press(key, seen=title)
            for step in ("down", "down", "left", "end", "home", "tab", "pagedown", "tab", "y"):
                await walk.press(step)
            if key in ("f5", "f2"):
                await walk.press("f", seen="Which")
                await walk.press("down", "down", "down", "down", "down", "enter")
                await walk.press("slash")
                await walk.paste(EVIL)
                await walk.press("escape")
            if key == "f5":
                await walk.press("f", seen="Which")
                await walk.press("enter")
                await walk.press("t", seen="what if")
                await walk.press("right")
                await walk.press("escape", "s", seen="Which")
                await walk.press("escape")
            if key == "f2":
                await walk.press("home", "e", seen="expectations")
                await walk.paste(ALL)
                await walk.press("ctrl+r")
                await walk.press("escape", seen="Leave the changes")
                await walk.press("down", "enter")
                await walk.press("d", seen="Reject this")
                await walk.press("escape", "n", seen="Note")
                await walk.press("escape")
            await walk.press("escape")
        live.pause()
        live.session.drop_in_flight()
        await live.wait()
        prompt.fill("/plan edit")
        await walk.press("escape", "enter", seen="The plan")
        await walk.press("pagedown", "pagedown", "escape")
        await walk.press("ctrl+k")
        await walk.paste(EVIL)
        await walk.press("escape")

    await walked(app, size, steps)


async def test_dialogs_take_any_words(tmp_path: Path) -> None:
    async def steps(walk: Walk) -> None:
        pieces = [" ".join(CONTROLS[:20]), " ".join(CONTROLS[20:]), *MARKUP[:9], EVIL, ALL]
        for piece in pieces:
            await walk.app.push_screen(QuestionDialog(piece, piece, [(piece, 1), (piece, 2)]))
            await walk.look("enter choose")
            await walk.app.push_screen(Ask(piece, piece, piece, check=lambda value: value))
            await walk.look("enter take it")

    await walked(StudioApp({"checkpoint_dir": tmp_path / "s"}), (120, 36), steps)
