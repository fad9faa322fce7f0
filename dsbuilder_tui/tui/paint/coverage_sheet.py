"""A coverage laid out as a sheet: axis values × categories, a block and two numbers a cell. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from dsbuilder_tui.domain.figures import OTHER, Cell, Coverage, share_words
from dsbuilder_tui.tui.paint.line import Line, Span, cut, fit, longest, plain

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_HEATS = 5  # roles heat1 … heat5 of the palette
_LEAST_LABEL, _MOST_LABEL = 10, 30
_LEAST_COLUMN, _TELLING_COLUMN, _MOST_COLUMN = 9, 13, 20


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row of the grid: a value, or (``value`` None) the heading of an axis."""

    axis: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A coverage laid out: which rows and columns there are and how wide they are.

    The heading has ``heading`` lines: the names of the categories, in one line or two, and how many cases they have.
    """

    coverage: Coverage
    rows: tuple[GridRow, ...]
    categories: tuple[str, ...]
    label: int
    column: int
    heading: int

    @property
    def width(self) -> int:
        return self.label + self.column * len(self.categories)

    def cell(self, row: int, column: int) -> Cell | None:
        """The cell at a place; None in a heading, and where a category has no such value."""
        if not (0 <= row < len(self.rows) and 0 <= column < len(self.categories)):
            return None
        at = self.rows[row]
        if at.value is None:
            return None
        return self.coverage.cells[self.categories[column]].get(at.axis, {}).get(at.value)

    def left(self, row: int, chosen: bool) -> Line:
        """The label of a row."""
        at = self.rows[row]
        if at.value is None:
            return ((fit(f"{at.axis}", self.label), "info"),)
        mark: Span = ("❯ ", "accent+bold") if chosen else ("  ", "text")
        return (mark, (fit(value_words(at.value), self.label - 3), "strong" if chosen else "text"), (" ", "text"))

    def right(self, row: int, cursor: int | None, columns: range | None = None) -> Line:
        """The cells of a row, or some of them; ``cursor`` is the chosen column, if it is in this row."""
        spans: list[Span] = []
        for column in self.columns if columns is None else columns:
            name = self.categories[column]
            spans += _cell(
                self.cell(row, column), self.coverage.cases[name].share, self.column, column == cursor, self.rows[row]
            )
        return tuple(spans)

    def head(self, line: int, chosen: int, columns: range | None = None) -> Line:
        """A line of the heading, or a part of it."""
        spans: list[Span] = []
        room = self.column - 1
        for column in self.columns if columns is None else columns:
            name = self.categories[column]
            if line == self.heading - 1:
                text, role = _fraction(self.coverage.cases[name]), "muted"
            else:
                text, role = _halves(name, room, self.heading - 1)[line], "strong" if column == chosen else "text"
            spans.append((fit(text, room, "right") + " ", role))
        return tuple(spans)

    @property
    def columns(self) -> range:
        return range(len(self.categories))

    @property
    def lacking(self) -> bool:
        """Whether some category has not all of the values."""
        values = sum(row.value is not None for row in self.rows)
        return any(sum(map(len, axes.values())) < values for axes in self.coverage.cells.values())


def _halves(name: str, width: int, lines: int) -> list[str]:
    """A name in so many lines; of two, the first is filled up to a sign between words where there is one."""
    name = plain(name)
    if lines == 1 or cell_len(name) <= width:
        return [""] * (lines - 1) + [name]
    first = set_cell_size(name, width).rstrip()  # it may fill up half of a wide character with a space
    at = max(first.rfind(sign) for sign in "_- ") + 1
    first = first[:at].rstrip() if at > width // 3 else first
    return [first, name[len(first) :].lstrip()]


def sheet(coverage: Coverage, width: int) -> Sheet:
    """Lay a coverage out for so many cells; it may become wider, never so narrow that numbers are cut."""
    rows: list[GridRow] = []
    for axis, values in coverage.axes().items():
        rows += [GridRow(axis, None), *(GridRow(axis, value) for value in values)]
    names = tuple(coverage.cases)
    label = longest([value_words(row.value) for row in rows if row.value is not None], 0) + 3
    label = max(_LEAST_LABEL, min(label, _MOST_LABEL, max(_LEAST_LABEL, width // 3)))
    # As wide as the largest numbers can become, so that columns stay where they are while cells fill.
    cells = [cell for axes in coverage.cells.values() for values in axes.values() for cell in values.values()]
    most = max((max(cell.planned, cell.accepted) for cell in (*cells, *coverage.cases.values())), default=0)
    least = max(_LEAST_COLUMN, len(_fraction(Cell(most, most))) + 4)
    room = (width - label) // max(1, len(names))
    # When not all columns fit, names may as well be told apart.
    column = max(least, _TELLING_COLUMN if room < max(least, _TELLING_COLUMN) else min(_MOST_COLUMN, room))
    heading = 2 if longest(names, 0) < column else 3
    return Sheet(coverage=coverage, rows=tuple(rows), categories=names, label=label, column=column, heading=heading)


def legend(made: Sheet, width: int) -> Line:
    """What the cells mean; stands below the grid where there is room."""
    spans: list[Span] = [
        ("  █ ", "good"),
        ("full   ", "muted"),
        ("▁ 1/12 ", "warn"),
        ("lags behind its category", "muted"),
    ]
    if made.lacking:
        spans += [("   – ", "faint"), ("no such value there", "muted")]
    return cut(tuple(spans), width)


def value_words(value: str) -> str:
    """The name of an axis value, or of what stands for those that are not in the plan."""
    return "(not in the plan)" if value == OTHER else plain(value)


def _fraction(cell: Cell) -> str:
    return f"{cell.accepted:,}/{cell.planned:,}" if cell.planned else f"{cell.accepted:,}"


def _cell(cell: Cell | None, share: float, width: int, chosen: bool, at: GridRow) -> list[Span]:
    """One cell: a block that fills with its share, and the numbers. ``share`` is how full its category is."""
    block, ground = "", ""
    if cell is None:
        words, role = ("–" if at.value is not None else ""), "faint"
        body = fit(words, width - 2, "right")
    elif not cell.planned:
        body, role = fit(_fraction(cell), width - 2, "right"), "muted"
    else:
        thin, full = is_thin(cell, share), cell.share >= 1
        role = "strong" if full else "warn" if thin else "text" if cell.accepted else "muted"
        level = 8 if full else min(7, max(1, int(cell.share * 8))) if cell.accepted else 0
        block, body = _EIGHTHS[level], f" {fit(_fraction(cell), width - 4, 'right')}"
        if cell.accepted and not thin:
            ground = f"+heat{min(_HEATS, 1 + int(cell.share * (_HEATS - 1)))}"
    ground = "+cursor" if chosen else ground
    edges = [("[", "accent+bold+cursor"), ("]", "accent+bold+cursor")] if chosen else [(" ", "text"), (" ", "text")]
    lit = "good" if role == "strong" else "accent" if role == "text" else role
    return [edges[0], (block, f"{lit}{ground}"), (body, f"{role}{ground}"), edges[1]]


def is_thin(cell: Cell, share: float) -> bool:
    """Whether a cell lags behind its category: less than half as full."""
    return bool(cell.planned) and cell.share < share / 2


def filled_words(coverage: Coverage) -> str:
    """``57 of 60 cells hold a case · 95 %``; empty when nothing is planned."""
    cells = [cell for axes in coverage.cells.values() for values in axes.values() for cell in values.values()]
    planned = [cell for cell in cells if cell.planned]
    filled = sum(1 for cell in planned if cell.accepted)
    return f"{filled:,} of {len(planned):,} cells hold a case · {share_words(filled, len(planned))}" if planned else ""
