"""Judging of raw input before the app deals it out: what types a text, and what points at nothing any more."""

from __future__ import annotations

from textual import events
from textual.errors import NoWidget
from textual.screen import Screen


def typed(before: str, event: events.Event) -> str | None:
    """A text after one more key or paste; None for what does not type."""
    if isinstance(event, events.Paste):
        return before + event.text
    if not isinstance(event, events.Key):
        return None
    if event.key == "backspace":
        return before[:-1]
    return before + event.character if event.is_printable and event.character else None


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
