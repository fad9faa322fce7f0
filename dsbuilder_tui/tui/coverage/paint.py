"""The heat grid (axis values × categories) and the figures beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from dsbuilder_tui.domain.figures import OTHER, Cell, Coverage, DiversityReport, Figures, share_words, told_figures
from dsbuilder_tui.domain.judging import JudgedCounts
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, clip, cut, fit, longest, plain, sides, wrap

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_HEATS = 5  # roles heat1 … heat5 of the palette
_LEAST_LABEL, _MOST_LABEL = 10, 30
_LEAST_COLUMN, _TELLING_COLUMN, _MOST_COLUMN = 9, 13, 20
MORE = 20  # cases that are asked for in a thin cell


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


def cell_words(category: str, row: GridRow, cell: Cell | None) -> str:
    """``refunds × angry: 3 of 12 planned``"""
    value = value_words(row.value or "")
    if cell is None:
        return f"{plain(category)} does not vary in {plain(row.axis)}: {value}"
    if not cell.planned:
        there = counted(cell.accepted, "case") if cell.accepted else "no case"
        return f"{plain(category)} × {value}: {there}, none planned"
    return f"{plain(category)} × {value}: {cell.accepted:,} of {cell.planned:,} planned"


def request_words(category: str, value: str) -> str:
    """What is drafted for a thin cell."""
    value = plain(value).replace("`", "'")
    return f"Write {MORE} more `{value}` cases in {plain(category)}"


def filled_words(coverage: Coverage) -> str:
    """``57 of 60 cells hold a case · 95 %``; empty when nothing is planned."""
    cells = [cell for axes in coverage.cells.values() for values in axes.values() for cell in values.values()]
    planned = [cell for cell in cells if cell.planned]
    filled = sum(1 for cell in planned if cell.accepted)
    return f"{filled:,} of {len(planned):,} cells hold a case · {share_words(filled, len(planned))}" if planned else ""


def no_grid(width: int) -> list[Line]:
    """What stands in place of the grid while there is no plan."""
    words = (
        "No plan yet. When there is one, each category has a column here and each value of its axes (tone, persona, "
        "length …) a row: the cells fill while the cases are written, and Enter on a thin one asks for more."
    )
    return [((row, "muted"),) for row in wrap(words, width)]


def figure_lines(
    report: DiversityReport | None,
    category: str | None,
    width: int,
    judged: Mapping[str, JudgedCounts] | None = None,
    agreement: str = "",
    imported: str = "",
) -> list[Line]:
    """How many cases came with a file; the figures of all cases and of one category: title and value, what it means, what to
    do about it; below them what a judge found in each category, the chosen one first."""
    origin: list[Line] = [((row, "muted"),) for row in wrap(imported, width) if row]
    figures = _diversity_lines(report, category, width)
    return [*origin, *([EMPTY] if origin else []), *figures, *_judged_lines(judged or {}, category, agreement, width)]


def _judged_lines(judged: Mapping[str, JudgedCounts], category: str | None, agreement: str, width: int) -> list[Line]:
    lines: list[Line] = []
    for name in sorted(judged, key=lambda name: name != category):
        counts = judged[name]
        role = "warn" if counts.is_doubtful else "accent"
        lines.append(sides([(plain(name), "strong")], [(counts.words or "–", role)], width))
        lines += [((row, "muted"),) for row in wrap(_judged_words(counts), width)]
        advice = "→ With `judge: all` for it in the plan bad cases are written again." if counts.is_doubtful else ""
        lines += [((row, "warn"),) for row in wrap(advice, width) if row]
    lines += [((row, "text"),) for row in wrap(agreement and f"The judge and you: {agreement}.", width) if row]
    return [EMPTY, ((clip("Judged", width), "info"),), *lines] if lines else []


def judged_words(judged: Mapping[str, JudgedCounts]) -> str:
    """What a judge found in all categories: ``judged: 88–97 % good``; empty before there is a verdict."""
    found = sum(judged.values(), JudgedCounts()).words
    return f"judged: {found}" if found else ""


def _judged_words(counts: JudgedCounts) -> str:
    words = (
        f"The judge read {counted(counts.judged + counts.not_judged, 'case')}: {counts.good:,} good, {counts.bad:,} bad"
    )
    return f"{words}, {counts.not_judged:,} without a verdict." if counts.not_judged else f"{words}."


def _diversity_lines(report: DiversityReport | None, category: str | None, width: int) -> list[Line]:
    if report is None:
        return [(("Measuring …", "muted"),)]
    if not report.overall.cases:
        words = (
            "The figures come with the second case: how varied the cases are, how alike any two, what was turned away."
        )
        return [((row, "muted"),) for row in wrap(words, width)]
    lines = _section(f"All {counted(report.overall.cases, 'case')}", report.overall, width)
    own = report.categories.get(category or "")
    if own is not None and len(report.categories) > 1:
        lines += [EMPTY, *_section(f"{plain(category)} · {counted(own.cases, 'case')}", own, width)]
    return lines


def _section(title: str, figures: Figures, width: int) -> list[Line]:
    lines: list[Line] = [((clip(title, width), "info"),)]
    if not figures.cases:
        return [*lines, (("no case yet", "muted"),)]
    for told in told_figures(figures):
        lines.append(sides([(told.title, "strong")], [(told.value, "warn" if told.advice else "accent")], width))
        lines += [((row, "muted"),) for row in wrap(told.sentence, width)]
        lines += [((row, "warn"),) for row in wrap(told.advice and f"→ {told.advice}", width) if row]
    return lines


def summary_line(report: DiversityReport | None) -> str:
    """The headline for the border of the figures."""
    if report is None or report.overall.variety is None:
        return "Figures"
    return f"Figures · as varied as {report.overall.variety:,.0f} of {report.overall.compared:,}"
