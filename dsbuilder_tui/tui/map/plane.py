"""The plane of the map: a cursor that the arrows move, and a box that space or the mouse draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from dsbuilder_tui.session.case_map import CaseMap
from dsbuilder_tui.tui.map.paint import Box, PointGrid, around, box_of, legend, nothing_drawn
from dsbuilder_tui.tui.paint.line import EMPTY, Line
from dsbuilder_tui.tui.widgets.painted import Painted

_FAR = 5  # cells that shift and an arrow go


class MapPlane(Painted, can_focus=True):
    """Paints a map; says when another area is looked at."""

    DEFAULT_CSS = "MapPlane { height: 1fr; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(0, -1)", "up", show=False),
        Binding("down", "move(0, 1)", "down", show=False),
        Binding("left", "move(-1, 0)", "left", show=False),
        Binding("right", "move(1, 0)", "right", show=False),
        Binding("shift+up", f"move(0, -{_FAR})", "five up", show=False),
        Binding("shift+down", f"move(0, {_FAR})", "five down", show=False),
        Binding("shift+left", f"move(-{_FAR}, 0)", "five left", show=False),
        Binding("shift+right", f"move({_FAR}, 0)", "five right", show=False),
        Binding("space", "box", "box"),
        Binding("m", "marks", "shapes"),
    ]

    class Looked(Message):
        """Another area is looked at."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._drawn: CaseMap | None = None
        self._grid: PointGrid | None = None
        self._at = (0.5, 0.5)  # the cursor, of 0 to 1: it stays on its spot when the size changes
        self._corner: tuple[float, float] | None = None  # where a box was begun
        self._open = False  # the box still follows the cursor
        self._dragged = False
        self.marks = False

    def renew(self, drawn: CaseMap) -> None:
        """Show this map; cursor and box stay where they are."""
        if self._drawn is None and drawn.groups:
            largest = max(drawn.groups, key=lambda group: group.cases)
            self._at = (largest.x, largest.y)
        self._drawn, self._grid = drawn, None
        self.repaint()

    @property
    def cursor(self) -> tuple[float, float]:
        """Where the cursor is, of 0 to 1."""
        return self._at

    @property
    def boxed(self) -> bool:
        """Whether a box is drawn, and not just the cursor looked under."""
        return self._corner is not None

    @property
    def box(self) -> Box | None:
        """The cells that are looked at: those of the box, or those under the cursor."""
        width, height = self._extent()
        if not width or not height:
            return None
        here = self._cell(self._at)
        return around(here, width, height) if self._corner is None else box_of(self._cell(self._corner), here)

    @property
    def area(self) -> tuple[float, float, float, float] | None:
        """What is looked at as a part of the plane: left, top, right, bottom of 0 to 1."""
        box = self.box
        return box.area(*self._extent()) if box is not None else None

    def forget_box(self) -> bool:
        """Take the box away. Whether there was one."""
        had = self._corner is not None
        self._corner, self._open = None, False
        if had:
            self._changed()
        return had

    def _extent(self) -> tuple[int, int]:
        width, height = self.content_size
        return width, max(0, height - 1)  # the first row is the legend

    def _cell(self, spot: tuple[float, float]) -> tuple[int, int]:
        width, height = self._extent()
        return min(width - 1, int(spot[0] * width)), min(height - 1, int(spot[1] * height))

    def _spot(self, column: int, row: int) -> tuple[float, float]:
        width, height = self._extent()
        column, row = max(0, min(width - 1, column)), max(0, min(height - 1, row))
        return (column + 0.5) / width, (row + 0.5) / height

    def _changed(self) -> None:
        self.repaint()
        self.post_message(self.Looked())

    def action_move(self, right: int, down: int) -> None:
        if all(self._extent()):
            column, row = self._cell(self._at)
            if self._corner is not None and not self._open:
                self._corner = None
            self._at = self._spot(column + right, row + down)
            self._changed()

    def action_box(self) -> None:
        """Begin a box, or end the one that follows the cursor."""
        if self._open:
            self._open = False
        else:
            self._corner, self._open = self._at, True
        self._changed()

    def action_marks(self) -> None:
        self.marks = not self.marks
        self.repaint()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.y > 0 and all(self._extent()):
            self._at = self._spot(offset.x, offset.y - 1)
            self._corner, self._open, self._dragged = None, False, True
            self.capture_mouse()
            self._changed()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragged:
            offset = event.offset - self.gutter.top_left
            here = self._spot(offset.x, offset.y - 1)
            if here != self._at:
                self._corner = self._corner or self._at
                self._at = here
                self._changed()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._dragged = False
        self.release_mouse()

    def paint(self, width: int, height: int) -> Sequence[Line]:
        drawn = self._drawn
        if drawn is None or not len(drawn.seqs):
            return [EMPTY, *nothing_drawn(drawn, width)]
        if self._grid is None or (self._grid.width, self._grid.height) != self._extent():
            self._grid = PointGrid(drawn, *self._extent())
        cursor = self._cell(self._at) if self.has_focus else None
        head = legend(drawn.names, width, rejected=bool(len(drawn.rejected)))
        return [head, *self._grid.lines(cursor, self.box if self.boxed else None, marks=self.marks)]
