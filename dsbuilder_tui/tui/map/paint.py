"""The map as lines: points in Braille, eight to a cell, groups by their telling words, and the box that is drawn on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len

from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.tui.paint.category_looks import mark_of, role_of
from dsbuilder_tui.tui.paint.line import Line, Span, clip, cut, fit, plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dsbuilder_tui.domain.case import AcceptedCase
    from dsbuilder_tui.session.case_map import CaseMap, MapArea, MapGroup

MORE = 10  # cases that are asked for
_BRAILLE = 0x2800
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint8)  # by row and column within a cell
_NAME_WIDTH = 24
_QUOTED = 60


@dataclass(frozen=True, slots=True)
class Box:
    """Cells of the plane, both corners included."""

    left: int
    top: int
    right: int
    bottom: int

    def area(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Its part of a plane that is ``width`` by ``height`` cells: left, top, right, bottom of 0 to 1."""
        return self.left / width, self.top / height, (self.right + 1) / width, (self.bottom + 1) / height


def box_of(one: tuple[int, int], other: tuple[int, int]) -> Box:
    """The box between two cells (column, row)."""
    return Box(min(one[0], other[0]), min(one[1], other[1]), max(one[0], other[0]), max(one[1], other[1]))


def around(cell: tuple[int, int], width: int, height: int) -> Box:
    """What is under the cursor: its cell, and those beside it."""
    column, row = cell
    return Box(max(0, column - 2), max(0, row - 1), min(width - 1, column + 2), min(height - 1, row + 1))


class PointGrid:
    """The points of a map on so many cells: worked out once for a size, painted many times."""

    def __init__(self, drawn: CaseMap, width: int, height: int) -> None:
        self.drawn, self.width, self.height = drawn, width, height
        self._bits, self._category = np.zeros((height, width), np.uint8), np.full((height, width), -1, np.int16)
        self._faint = np.zeros((height, width), np.uint8)
        if width and height:
            self._set(self._faint, drawn.rejected)
            rows, columns = self._set(self._bits, drawn.places)
            if len(rows):
                kinds = int(drawn.categories.max()) + 1
                counts = np.zeros((height, width, kinds), np.int32)
                np.add.at(counts, (rows, columns, drawn.categories), 1)
                self._category = np.where(counts.any(axis=2), counts.argmax(axis=2), -1).astype(np.int16)

    def _set(self, bits: NDArray[np.uint8], places: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Set the dots of points; returns their rows and columns of cells."""
        x = np.minimum((places[:, 0] * self.width * 2).astype(np.int64), self.width * 2 - 1)
        y = np.minimum((places[:, 1] * self.height * 4).astype(np.int64), self.height * 4 - 1)
        np.bitwise_or.at(bits, (y // 4, x // 2), _DOTS[y % 4, x % 2])
        return y // 4, x // 2

    def lines(self, cursor: tuple[int, int] | None, box: Box | None, *, marks: bool) -> list[Line]:
        """The plane. ``marks`` shows a cell by its category's shape and not by its dots."""
        cells = [[self._cell(row, column, marks) for column in range(self.width)] for row in range(self.height)]
        self._put_names(cells)
        if box is not None:
            _put_box(cells, box)
        if cursor is not None:
            column, row = cursor
            text, role = cells[row][column]
            cells[row][column] = (text if text != " " else "·", f"{role}+reverse")
        return [_joined(row) for row in cells]

    def _cell(self, row: int, column: int, marks: bool) -> tuple[str, str]:
        number = int(self._category[row, column])
        if number >= 0:
            text = mark_of(number) if marks else chr(_BRAILLE + int(self._bits[row, column]))
            return text, role_of(number)
        faint = int(self._faint[row, column])
        return (chr(_BRAILLE + faint), "faint") if faint else (" ", "text")

    def _put_names(self, cells: list[list[tuple[str, str]]]) -> None:
        """The names of groups near their middles, the largest first; one that finds no room is left out."""
        taken: set[tuple[int, int]] = set()
        roles = {name: role_of(number) for number, name in enumerate(self.drawn.names)}
        for group in sorted(self.drawn.groups, key=lambda one: -one.cases):
            text = clip(group.name, min(_NAME_WIDTH, self.width - 2))
            if not text or cell_len(text) != len(text):  # wide letters would push what is behind them aside
                continue
            left = max(0, min(self.width - len(text), int(group.x * self.width) - len(text) // 2))
            middle = min(self.height - 1, int(group.y * self.height))
            for row in (middle, middle - 1, middle + 1, middle - 2, middle + 2):
                place = {(row, column) for column in range(left - 1, left + len(text) + 1)}
                if 0 <= row < self.height and not place & taken:
                    taken |= place
                    for at, letter in enumerate(text):
                        cells[row][left + at] = (letter, f"{roles.get(group.category, 'text')}+bold")
                    break


def _put_box(cells: list[list[tuple[str, str]]], box: Box) -> None:
    role = "focus"
    for column in range(box.left, box.right + 1):
        for row in (box.top, box.bottom):
            cells[row][column] = ("─", role)
    for row in range(box.top, box.bottom + 1):
        for column in (box.left, box.right):
            cells[row][column] = ("│", role)
    corners = (
        (box.top, box.left, "┌"),
        (box.top, box.right, "┐"),
        (box.bottom, box.left, "└"),
        (box.bottom, box.right, "┘"),
    )
    for row, column, text in corners:
        cells[row][column] = (text, role)


def _joined(cells: Sequence[tuple[str, str]]) -> Line:
    spans: list[Span] = []
    for text, role in cells:
        if spans and spans[-1][1] == role:
            spans[-1] = (spans[-1][0] + text, role)
        else:
            spans.append((text, role))
    return tuple(spans)


def legend(names: Sequence[str], width: int, *, rejected: bool) -> Line:
    """Which shape and colour is which category; what finds no room is cut."""
    spans: list[Span] = []
    for number, name in enumerate(names):
        spans += [(f"{mark_of(number)} ", role_of(number)), (f"{plain(name)}   ", "muted")]
    if rejected:
        spans.append(("· rejected", "faint"))
    return cut(tuple(spans), width)


def map_title(drawn: CaseMap | None, *, at_end: bool) -> str:
    """``Map · 500 cases by likeness``."""
    if drawn is None:
        return "Map"
    words = f"Map · {counted(len(drawn.seqs), 'case')} by likeness"
    if drawn.left_out:
        words += f" · {drawn.left_out:,} not compared"
    return words + (" · at the end" if at_end else "")


def nothing_drawn(drawn: CaseMap | None, width: int) -> list[Line]:
    """What stands in an empty map."""
    if drawn is None:
        return [(("the cases are being laid out …", "muted"),)]
    words = "The cases of these categories are not compared, so there is no likeness to show."
    if not drawn.left_out:
        words = "No case is accepted yet: each one that comes is a point here."
    return [((clip(words, width), "muted"),)]


def case_row(case: AcceptedCase, text: str, names: Sequence[str], width: int, chosen: bool) -> Line:
    """A case beside the map: the shape of its category, its number there, what it says."""
    number = names.index(case.category) if case.category in names else len(names)
    cursor = "+cursor" if chosen else ""
    label = f"#{case.ordinal}  "
    room = max(0, width - 2 - cell_len(label))
    return (
        (f"{mark_of(number)} ", f"{role_of(number)}{cursor}"),
        (label, f"muted{cursor}"),
        (fit(text, room), f"text{cursor}"),
    )


def area_lines(area: MapArea, rejected: int, width: int) -> list[Line]:
    """What lies in an area, in figures."""
    lines: list[Line] = []
    if area.likeness is not None:
        lines.append(
            (("how alike they are ", "muted"), (f"{area.likeness:.2f}".lstrip("0"), "text"), (" of 1", "faint"))
        )
    for axis, values in area.attributes:
        spans: list[Span] = [(f"{plain(axis)} ", "muted")]
        for at, (value, number) in enumerate(values):
            spans.append((f"{' · ' if at else ''}{plain(value)} {number}", "text"))
        lines.append(cut(tuple(spans), width))
    if rejected:
        lines.append((("rejected here ", "muted"), (f"{rejected}", "text")))
    return lines


def area_title(total: int, shown: int, *, box: bool) -> str:
    """``31 cases in the box``."""
    where = "in the box" if box else "here"
    more = f", {shown} shown" if shown < total else ""
    return f"{counted(total, 'case')} {where}{more}"


def vary_request(area: MapArea, texts: Sequence[str], *, in_words: bool) -> str:
    """What is drafted for cases that are much alike: others of their category; ``in_words`` says what they must not be like."""
    counts: dict[str, int] = {}
    for case in area.cases:
        counts[case.category] = counts.get(case.category, 0) + 1
    category = max(counts, key=lambda name: counts[name])
    example = clip(texts[0], _QUOTED).replace("”", '"')
    return f"Add {MORE} `{_quoted(category)}` cases" + (
        f" that say it differently than “{example}”" if in_words else ""
    )


def write_request(groups: Sequence[MapGroup], x: float, y: float, *, in_words: bool) -> str:
    """What is drafted for a spot: cases of the category around it; ``in_words`` says which groups they are to lie between."""
    near = sorted(groups, key=lambda group: (group.x - x) ** 2 + (group.y - y) ** 2)[:2]
    named = [f"those about “{plain(group.name)}”" for group in near if group.name]
    between = f" between {named[0]} and {named[1]}" if len(named) == 2 else f" near {named[0]}" if named else ""
    return f"Add {MORE} `{_quoted(near[0].category)}` cases" + (between if in_words else "")


def _quoted(name: str) -> str:
    return plain(name).replace("`", "'")
