"""The prompt: several lines, history, undo, large pastes as chips, completion of slash commands and paths."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, fit
from dsbuilder_tui.tui.studio.completion import Completion
from dsbuilder_tui.tui.widgets.painted import Painted

# A paste larger than this becomes a chip: it is sent whole, but does not fill the prompt.
_LARGE_PASTE = 800
_LARGE_LINES = 12
_MOST_HISTORY = 200
_MOST_CHOICES = 8
_REST = 1.0  # seconds after the last key
_MEANT = 1.0  # seconds after the last change of the text from which on an undo means an act
_OWN_KEYS = {
    "enter": "send", "shift+enter": "newline", "alt+enter": "newline", "ctrl+j": "newline", "tab": "complete", "escape": "escape",
}  # fmt: skip
CHIP = re.compile(r"⟦paste (\d+): [^⟦⟧]*⟧")


class Prompt(TextArea):
    """Enter sends; shift+enter, alt+enter or ^J begins a new line; ↑ in the first line goes back in history."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send", show=False),
        Binding("shift+enter,alt+enter,ctrl+j", "newline", "new line", show=False),
        Binding("tab", "complete", "complete, or next panel", show=False),
        Binding("escape", "escape", "stop the answer", show=False),
        Binding("ctrl+z", "undo", "undo", show=False),
        Binding("ctrl+shift+z,alt+z", "redo", "redo", show=False),
    ]

    class Sent(Message):
        """The person sent ``text``; ``pastes`` are the large texts its chips stand for."""

        def __init__(self, text: str, pastes: dict[int, str]) -> None:
            super().__init__()
            self.text, self.pastes = text, pastes

    class Escaped(Message):
        """Esc was pressed and there was nothing to close."""

    class Rested(Message):
        """Typing has stopped for a moment, or nothing is left of what was typed: ``text`` is what a crash would cost."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Passed(Message):
        """Enter was pressed, and there is nothing to send."""

    class UndoAsked(Message):
        """There is nothing to undo, or redo, in what is typed: an act is meant."""

        def __init__(self, redo: bool) -> None:
            super().__init__()
            self.redo = redo

    class GotoAsked(Message):
        """A colon was typed into the empty prompt."""

    class Recall(Message):
        """↑ in an empty prompt: the queue is asked first, then history."""

    def __init__(self, choices: Callable[[str], Sequence[Completion]]) -> None:
        super().__init__(
            id="prompt", soft_wrap=True, tab_behavior="focus", show_line_numbers=False, compact=True,
            highlight_cursor_line=False, placeholder="Say what you need, / commands, : go anywhere",
        )  # fmt: skip
        self._choices_for = choices
        self.cursor_blink = False  # a blinking cursor is the only thing that would tick when nothing happens
        self.choices: list[Completion] = []
        self.choice = 0
        self._history: list[str] = []
        self._back = 0
        self._kept = ""
        self._pastes: dict[int, str] = {}
        self._next_paste = 1
        self._closed_for: str | None = None
        self._changed = 0.0
        self._resting = False

    def remember(self, texts: Sequence[str], pastes: Mapping[int, str]) -> None:
        """Texts sent before, oldest first, and what their chips stand for."""
        self._history = list(texts)[-_MOST_HISTORY:]
        self._back = 0
        self._pastes = dict(pastes)
        self._next_paste = max(pastes, default=0) + 1

    @property
    def whole(self) -> str:
        """The text with what its chips stand for in their places."""
        return CHIP.sub(lambda chip: self._pastes.get(int(chip[1]), chip[0]), self.text)

    def fill(self, text: str) -> None:
        """Put a text into the prompt, with the cursor at its end."""
        self.text = visible(text)
        self.move_cursor(self.document.end)

    @property
    def rests_empty(self) -> bool:
        """Whether nothing is in it, and nothing is on its way to it."""
        return not self.text and not self.message_queue_size

    async def _on_key(self, event: events.Key) -> None:
        if event.character == ":" and not self.text:
            self.post_message(self.GotoAsked())  # behind what was typed after it
        # A text area takes these keys for itself; priority bindings would have them, but would also let them overtake
        # characters that were typed before them and wait to be taken in.
        action = _OWN_KEYS.get(event.key)
        if action is not None:
            event.prevent_default()
            event.stop()
            getattr(self, f"action_{action}")()

    def action_undo(self) -> None:
        if self.history.undo_stack:
            super().action_undo()
        else:
            self._ask_undo(redo=False)

    def action_redo(self) -> None:
        if self.history.redo_stack:
            super().action_redo()
        else:
            self._ask_undo(redo=True)

    def _ask_undo(self, *, redo: bool) -> None:
        # A moment after the last change: whoever holds the key down has the typing in mind.
        if not self.text and time.monotonic() - self._changed > _MEANT:
            self.post_message(self.UndoAsked(redo))

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        if len(text) > _LARGE_PASTE or text.count("\n") >= _LARGE_LINES:
            number, self._next_paste = self._next_paste, self._next_paste + 1
            self._pastes[number] = text
            lines = text.count("\n") + 1
            size = f"{len(text):,} characters" + (f", {lines} lines" if lines > 1 else "")
            self.insert(f"⟦paste {number}: {size}⟧")
        else:
            self.insert(visible(text))

    def on_resize(self) -> None:
        # It grows with its text after the cursor was scrolled to; with the scroll bar lines are broken anew.
        self.call_after_refresh(self.scroll_cursor_visible)

    def on_text_area_changed(self) -> None:
        self.find_choices()
        self._changed = time.monotonic()
        if not self.text:
            self.post_message(self.Rested(""))
        elif not self._resting:  # one timer for all the keys of a moment
            self._resting = True
            self.set_timer(_REST, self._rest)

    def _rest(self) -> None:
        left = self._changed + _REST - time.monotonic()
        if left > 0.01:
            self.set_timer(left, self._rest)
        else:
            self._resting = False
            self.post_message(self.Rested(self.whole))

    def find_choices(self) -> None:
        """Look anew for what could complete the text, and show it."""
        if self.text != self._closed_for:
            self._closed_for = None
            at_end = self.cursor_location == self.document.end  # a path is completed where it is being typed
            self.choices = list(self._choices_for(self.text)) if at_end or self.text.startswith("/") else []
        self.choice = min(self.choice, max(0, len(self.choices) - 1))
        self._show_choices()

    def _show_choices(self) -> None:
        for widget in self.screen.query(Completions):
            widget.show(self.choices, self.choice)

    def _close_choices(self) -> None:
        self._closed_for = self.text
        self.choices, self.choice = [], 0
        self._show_choices()

    def action_send(self) -> None:
        self.find_choices()  # the message about the last characters may be on its way yet
        if self.choices and self.choices[self.choice].text.strip() != self.text.strip():
            self.action_complete()
            if self.text.endswith((" ", "/")) or not self.text.startswith("/"):
                return
        text = self.text.strip()
        if not text:
            self.post_message(self.Passed())
            return
        pastes = {int(n): self._pastes[int(n)] for n in CHIP.findall(text) if int(n) in self._pastes}
        self._history = [*self._history[-_MOST_HISTORY + 1 :], text]
        self._back, self._kept = 0, ""
        self.text = ""
        self._close_choices()
        self.post_message(self.Sent(text, pastes))

    def take(self, sent: Sequence[str], text: str) -> None:
        """What was typed while this was not there yet: messages that end with Enter, and the text behind them."""
        for message in sent:
            self.fill(self.text + message)
            self.action_send()
        self.fill(self.text + text)

    def action_newline(self) -> None:
        self.insert("\n")

    def action_complete(self) -> None:
        """Take the chosen completion; without one, Tab goes on to the next panel."""
        self.find_choices()
        if self.choices:
            self.fill(self.choices[self.choice].text)
        else:
            self.screen.focus_next()

    def action_escape(self) -> None:
        if self.choices:
            self._close_choices()
        else:
            self.post_message(self.Escaped())

    def action_cursor_up(self, select: bool = False) -> None:
        if self.choices:
            self.choice = (self.choice - 1) % len(self.choices)
            self._show_choices()
        elif not self.text:
            self.post_message(self.Recall())
        elif self.cursor_location[0] == 0 and not select:
            self.walk_history(1)
        else:
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if self.choices:
            self.choice = (self.choice + 1) % len(self.choices)
            self._show_choices()
        elif self._back and self.cursor_location[0] == self.document.line_count - 1 and not select:
            self.walk_history(-1)
        else:
            super().action_cursor_down(select)

    def walk_history(self, step: int) -> None:
        """Go back (1) or forth (-1) in what was sent."""
        back = self._back + step
        if not 0 <= back <= len(self._history):
            return
        if self._back == 0:
            self._kept = self.text
        self._back = back
        self.fill(self._history[-back] if back else self._kept)
        self._close_choices()


class Completions(Painted):
    """What is typed could become these: commands, or paths."""

    def __init__(self) -> None:
        super().__init__(id="completions")
        self.display = False
        self._choices: Sequence[Completion] = ()
        self._choice = 0

    def show(self, choices: Sequence[Completion], choice: int) -> None:
        self._choices, self._choice = choices, choice
        rows = min(len(choices), _MOST_CHOICES)
        self.display = bool(rows)
        self.styles.height = rows
        if rows:
            self.repaint()

    def paint(self, width: int, height: int) -> Sequence[Line]:
        first = max(0, min(self._choice - height + 1, len(self._choices) - height))
        name = min(max((len(c.shown) for c in self._choices), default=0) + 1, width // 2)
        lines: list[Line] = []
        for index, choice in enumerate(self._choices[first : first + height], first):
            here = index == self._choice
            mark: Span = ("❯ " if here else "  ", "accent")
            action = f"choose({index})"
            row: Line = (
                mark,
                (fit(choice.shown, name), "accent+bold" if here else "text", action),
                (clip(choice.words, width), "muted", action),
            )
            lines.append(cut(row, width))
        return lines

    def action_choose(self, index: int) -> None:
        prompt = self.screen.query_one(Prompt)
        prompt.choice = index
        prompt.action_complete()
        prompt.focus()
