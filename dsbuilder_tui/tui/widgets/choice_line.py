"""One line of values of which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, length
from dsbuilder_tui.tui.widgets.painted import Painted


class ChoiceLine(Painted, can_focus=True):
    """``● true  ○ false``: the arrows or space choose, a click does, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "the value before", show=False),
        Binding("right,space", "move(1)", "the next value", show=False),
    ]

    class Changed(Message):
        pass

    def __init__(self, words: Sequence[str], chosen: int) -> None:
        """``words`` are foreign text, one for each value."""
        super().__init__(classes="choice-line")
        self._words, self.chosen = list(words), chosen
        self._before = 0  # values that are scrolled out to the left

    def choose(self, place: int) -> None:
        """Choose a value by its place."""
        if place != self.chosen:
            self.chosen = place
            self.post_message(self.Changed())
        self.repaint()

    def action_move(self, step: int) -> None:
        self.choose((self.chosen + step) % len(self._words))

    def on_click(self, event: events.Click) -> None:
        offset, at = event.get_content_offset(self), 0
        for place in range(self._before, len(self._words)):
            at += length(tuple(self._value(place)))
            if offset is not None and offset.x < at:
                self.choose(place)
                return

    def paint(self, width: int, height: int) -> Sequence[Line]:
        # The chosen one is always in view.
        self._before = min(self._before, self.chosen)
        while self._before < self.chosen and self._cells(self._before, self.chosen) > width:
            self._before += 1
        return [
            cut(tuple(span for place in range(self._before, len(self._words)) for span in self._value(place)), width)
        ]

    def _cells(self, first: int, last: int) -> int:
        return sum(length(tuple(self._value(place))) for place in range(first, last + 1))

    def _value(self, place: int) -> list[Span]:
        if place == self.chosen:
            return [
                ("● ", "accent"),
                (clip(self._words[place], 40), "strong+cursor" if self.has_focus else "strong"),
                ("   ", "text"),
            ]
        return [("○ ", "faint"), (clip(self._words[place], 40), "muted"), ("   ", "text")]
