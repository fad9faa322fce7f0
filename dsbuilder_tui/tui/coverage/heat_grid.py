"""A grid of cells with a cursor; labels and headings stay where they are when it is scrolled."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from dsbuilder_tui.domain.figures import Cell, Coverage
from dsbuilder_tui.tui.coverage.paint import no_grid
from dsbuilder_tui.tui.paint.coverage_sheet import GridRow, Sheet, legend, sheet
from dsbuilder_tui.tui.paint.line import EMPTY, pad
from dsbuilder_tui.tui.services import Drawn


class HeatGrid(Drawn, ScrollView, can_focus=True):
    """How full each (axis value, category) is. Only the rows in view are painted."""

    DEFAULT_CSS = """
    HeatGrid {
        height: 1fr; width: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; scrollbar-gutter: stable;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1, 0)", "value above", show=False),
        Binding("down,j", "move(1, 0)", "value below", show=False),
        Binding("left,h", "move(0, -1)", "category before", show=False),
        Binding("right,l", "move(0, 1)", "category after", show=False),
        Binding("pageup", "page(-1)", "a page up", show=False),
        Binding("pagedown", "page(1)", "a page down", show=False),
        Binding("home", "edge(0)", "first value", show=False),
        Binding("end", "edge(1)", "last value", show=False),
        Binding("a", "axis", "next axis"),
        Binding("enter", "choose", "ask for more"),
    ]

    class CellMoved(Message):
        pass

    class CellChosen(Message):
        pass

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._coverage = Coverage()
        self._sheet: Sheet | None = None
        self._row = self._column = 0

    def renew(self, coverage: Coverage) -> None:
        """Show this coverage; the cursor stays on its value and category where they still are."""
        at = self.chosen
        self._coverage = coverage
        self._lay_out()
        if at is not None and self._sheet is not None:
            category, row, _ = at
            if row in self._sheet.rows:
                self._row = self._sheet.rows.index(row)
            if category in self._sheet.categories:
                self._column = self._sheet.categories.index(category)
        self._settle()
        self.refresh()

    def go_to(self, category: str, axis: str, value: str) -> bool:
        """Put the cursor on a cell; whether there is one."""
        made, row = self._sheet, GridRow(axis, value)
        if made is None or row not in made.rows or category not in made.categories:
            return False
        self._go(made.rows.index(row), made.categories.index(category))
        return True

    @property
    def chosen(self) -> tuple[str, GridRow, Cell | None] | None:
        """Category, value and cell under the cursor."""
        made = self._sheet
        if made is None or not made.rows or not made.categories:
            return None
        return made.categories[self._column], made.rows[self._row], made.cell(self._row, self._column)

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        self._sheet = sheet(self._coverage, width) if width and self._coverage.cells else None
        made = self._sheet
        self.virtual_size = Size(max(made.width, 1), made.heading + len(made.rows)) if made else Size(1, 1)

    def _settle(self) -> None:
        """See to it that the cursor is on a value."""
        made = self._sheet
        if made is None or not made.rows or not made.categories:
            self._row = self._column = 0
            return
        self._row = max(0, min(self._row, len(made.rows) - 1))
        self._column = max(0, min(self._column, len(made.categories) - 1))
        if made.rows[self._row].value is None:
            self._row += 1  # an axis has at least one value

    def _go(self, row: int, column: int, *, down: bool = True) -> None:
        made = self._sheet
        if made is None or not made.rows:
            return
        row, column = max(0, min(row, len(made.rows) - 1)), max(0, min(column, len(made.categories) - 1))
        if made.rows[row].value is None:  # headings are stepped over
            row = row + 1 if down or row == 0 else row - 1
        if (row, column) != (self._row, self._column):
            self._row, self._column = row, column
            self._show_cursor()
            self.refresh()
            self.post_message(self.CellMoved())

    def _show_cursor(self) -> None:
        made = self._sheet
        if made is None or not self.is_attached:
            return
        size = self.scrollable_content_region.size
        rows, room = max(1, size.height - made.heading), max(made.column, size.width - made.label)
        top = self._row - 1 if self._row and made.rows[self._row - 1].value is None else self._row  # its heading, too
        x, y = self.scroll_offset
        left = made.column * self._column
        x = min(x, left) if left < x else max(x, left + made.column - room)
        y = min(y, top) if top < y else max(y, self._row + 1 - rows)
        self.scroll_to(x, y, animate=False, force=True, immediate=True)

    def action_move(self, down: int, right: int) -> None:
        self._go(self._row + down, self._column + right, down=down >= 0)

    def action_page(self, direction: int) -> None:
        heading = self._sheet.heading if self._sheet else 0
        step = max(1, self.size.height - heading - 1)
        self._go(self._row + direction * step, self._column, down=direction > 0)

    def action_edge(self, last: int) -> None:
        self._go(len(self._sheet.rows) - 1 if last and self._sheet else 0, self._column)

    def action_axis(self) -> None:
        """To the first value of the next axis, after the last of the first."""
        made = self._sheet
        if made is not None:
            heads = [index for index, row in enumerate(made.rows) if row.value is None]
            self._go(next((index for index in heads if index > self._row), 0) + 1, self._column)

    def action_choose(self) -> None:
        if self.chosen is not None:
            self.post_message(self.CellChosen())

    def on_click(self, event: events.Click) -> None:
        made, offset = self._sheet, event.get_content_offset(self)
        if made is None or offset is None or offset.y < made.heading or offset.x < made.label:
            return
        row = offset.y - made.heading + self.scroll_offset.y
        column = (offset.x - made.label + self.scroll_offset.x) // made.column
        if not (row < len(made.rows) and column < len(made.categories)) or made.rows[row].value is None:
            return
        if (row, column) == (self._row, self._column):
            self.action_choose()
        else:
            self._go(row, column)

    def on_resize(self) -> None:
        self._lay_out()
        self._settle()
        self._show_cursor()
        self.refresh()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        region = self.scrollable_content_region
        width, palette, made = region.width, self.services.palette, self._sheet
        if made is None:
            lines = no_grid(width) if width else []
            return palette.strip(lines[y] if y < len(lines) else EMPTY, width)
        room = max(0, width - made.label)
        row = y - made.heading + self.scroll_offset.y
        x = self.scroll_offset.x
        first = x // made.column
        columns = made.columns[first : first + room // made.column + 2]  # those in view
        if y < made.heading:
            left, right = EMPTY, made.head(y, self._column, columns)
        elif row < len(made.rows):
            here = row == self._row
            left, right = made.left(row, here), made.right(row, self._column if here else None, columns)
        else:
            return palette.strip(legend(made, width) if row == len(made.rows) + 1 else EMPTY, width)
        begin = x - first * made.column
        cells = palette.strip(right, made.column * len(columns)).crop(begin, begin + room)
        shown = cells.adjust_cell_length(room, palette.style("text"))
        return Strip.join([palette.strip(pad(left, made.label), made.label), shown])

    def cell_region(self) -> Region:
        """Where the chosen cell is on the widget, for who wants to click on it."""
        made = self._sheet
        if made is None:
            return Region()
        x = made.label + made.column * self._column - self.scroll_offset.x
        return Region(x, made.heading + self._row - self.scroll_offset.y, made.column, 1)
