"""Judging of raw input before the app deals it out: what types a text, and what points at nothing any more."""

from __future__ import annotations

from collections.abc import Collection

from textual import events
from textual.errors import NoWidget
from textual.screen import Screen


class TypedAhead:
    """Keys pressed while a conversation is on its way: what was sent with Enter, the text for its prompt behind that, and the
    key of the screen to show then.

    Those that had gone to the screen before come here late, when nothing there has wanted them: what counts is when each was
    pressed.
    """

    def __init__(self, screen_keys: Collection[str]) -> None:
        self._screen_keys = screen_keys
        self._taken: list[events.Key | events.Paste] = []
        self.sent: list[str] = []
        self.text, self.screen_key = "", ""

    def take(self, event: events.Event) -> bool:
        """Keep an event, if it is one to be kept; says whether it was."""
        if not isinstance(event, events.Key | events.Paste):
            return False
        kept = (
            isinstance(event, events.Paste)
            or event.key == "backspace"
            or (event.is_printable and bool(event.character))
            or event.key in self._screen_keys
            or (event.key == "enter" and bool(self.text.strip()))
        )
        if kept:
            self._taken.append(event)
            self._read()
        return kept

    def _read(self) -> None:
        """What the events come to, in the order in which they were pressed."""
        self.sent, self.text, self.screen_key = [], "", ""
        for event in sorted(self._taken, key=lambda event: event.time):
            if isinstance(event, events.Paste):
                self.text += event.text
            elif event.key == "backspace":
                self.text = self.text[:-1]
            elif event.key == "enter":
                self.sent += [self.text] if self.text.strip() else []
                self.text = ""
            elif event.is_printable and event.character:
                self.text += event.character
            else:
                self.screen_key = self.screen_key or event.key


def points_at_removed(screen: Screen[object], event: events.Event) -> bool:
    """Whether the mouse is pressed or moved on a widget that has just been removed and is still drawn.

    Textual finds the pointer's widget by its last layout, and begins or extends a selection in the parent of what it
    finds; between a removal and the next layout that parent is missing, and the app would end. A button that is let go
    is dealt out all the same, so that nothing stays pressed.
    """
    if not isinstance(event, events.MouseDown | events.MouseMove):
        return False
    try:
        widget, _ = screen.get_widget_at(event.x, event.y)
    except NoWidget:
        return False
    return widget is not screen and widget.parent is None
