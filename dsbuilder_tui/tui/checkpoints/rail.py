"""The lines of the history as a widget: drawn, and scrubbed with the mouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.message import Message

from dsbuilder_tui.tui.checkpoints.branch_lines import BranchDrawing, BranchLine, Selection
from dsbuilder_tui.tui.paint.line import Line, wrap
from dsbuilder_tui.tui.widgets.painted import Painted

_NOTHING = "There is no checkpoint yet. Cases are saved all the time; checkpoints mark points to come back to."


class BranchRail(Painted, can_focus=True):
    """Draws what ``look`` gives: the lines, and the point that is chosen on them."""

    class Scrubbed(Message):
        """The mouse is at a point of a line."""

        def __init__(self, selection: Selection) -> None:
            super().__init__()
            self.selection = selection

    def __init__(self, look: Callable[[], tuple[Sequence[BranchLine], Selection | None]]) -> None:
        super().__init__(id="rail")
        self._look = look
        self._held = ""  # the branch along which the mouse drags

    def paint(self, width: int, height: int) -> Sequence[Line]:
        drawing = self.drawing(width, height)
        return [((row, "muted"),) for row in wrap(_NOTHING, width)] if drawing is None else drawing.paint()

    def drawing(self, width: int, height: int) -> BranchDrawing | None:
        """The lines as they lie in so many cells; None where there are none."""
        lines, chosen = self._look()
        return None if chosen is None else BranchDrawing(lines, chosen, width, height)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        drawing = self.drawing(*self.content_size)
        offset = event.get_content_offset(self)
        if event.button == 1 and drawing is not None and offset is not None:
            self.focus()
            self.capture_mouse()
            selection = drawing.at(offset.x, offset.y)
            self._held = selection.branch
            self.post_message(self.Scrubbed(selection))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        drawing = self.drawing(*self.content_size) if self._held else None
        if drawing is not None:
            self.post_message(self.Scrubbed(drawing.at(event.x, event.y, self._held)))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._held = ""
        self.release_mouse()
