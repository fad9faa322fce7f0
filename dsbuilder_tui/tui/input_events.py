"""Judging of raw input before the app deals it out: what types a text, and what points at nothing any more."""

from __future__ import annotations

from collections.abc import Collection

from textual import events
from textual.errors import NoWidget
from textual.screen import Screen


class TypedAhead:
    """Keys pressed while a conversation is on its way: what was sent with Enter, the text for its prompt behind that, and the
    key of the screen to show then."""

    def __init__(self, screen_keys: Collection[str]) -> None:
        self.sent: list[str] = []
        self.text, self.screen_key = "", ""
        self._screen_keys = screen_keys

    def take(self, event: events.Event) -> bool:
        """Keep an event, if it is one to be kept; says whether it was."""
        if isinstance(event, events.Paste):
            self.text += event.text
        elif not isinstance(event, events.Key):
            return False
        elif event.key == "backspace":
            self.text = self.text[:-1]
        elif event.key == "enter" and self.text.strip():
            self.sent.append(self.text)
            self.text = ""
        elif event.is_printable and event.character:
            self.text += event.character
        elif event.key in self._screen_keys:
            self.screen_key = self.screen_key or event.key
        else:
            return False
        return True


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
