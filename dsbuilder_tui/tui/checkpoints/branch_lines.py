"""The history of a session drawn as lines: one for each branch, hanging on the one that it left. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dsbuilder_tui.domain.branch import Branch, line_to
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.tui.paint.line import Line, Span, cut, fit, longest

_MOST_STEP = 10  # cells between two checkpoints where there is room
_MOST_NAME = 24
_HERE = " here"


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchLine:
    """A branch with all checkpoints from the beginning of the session to where it stands.

    The first ``shared`` of these are drawn on another line, ``parent``, the one that it hangs on; None where it hangs on none.
    """

    branch: Branch
    points: tuple[Checkpoint, ...]
    shared: int
    parent: str | None

    @property
    def tip(self) -> Checkpoint:
        """Where the branch stands."""
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class Selection:
    """A checkpoint as a point of a branch: one that several share is looked at as a part of one of them."""

    branch: str
    checkpoint: int


def branch_lines(branches: Iterable[Branch], points: Sequence[Checkpoint]) -> list[BranchLine]:
    """The lines in the order in which they are drawn: each below the one that it hangs on, those that left it last first, so that
    no line crosses another one. Branches without a checkpoint among ``points`` are left out."""
    owner: dict[int, str] = {}
    hanging: dict[str | None, list[BranchLine]] = {}
    for branch in branches:
        line = line_to(points, branch.tip)
        if not line:
            continue
        shared = next((place for place, point in enumerate(line) if point.id not in owner), len(line))
        parent = owner[line[shared - 1].id] if shared else None
        owner |= {point.id: branch.name for point in line[shared:]}
        hanging.setdefault(parent, []).append(
            BranchLine(branch=branch, points=tuple(line), shared=shared, parent=parent)
        )

    drawn: list[BranchLine] = []

    def draw(parent: str | None) -> None:
        for line in sorted(hanging.get(parent, ()), key=lambda line: line.shared, reverse=parent is not None):
            drawn.append(line)
            draw(line.branch.name)

    draw(None)
    return drawn


def as_of(lines: Iterable[BranchLine], until: float) -> list[BranchLine]:
    """The lines as they were at a time, in seconds: a replay has not come to the rest."""
    found = []
    for line in lines:
        points = tuple(point for point in line.points if point.created_at <= until)
        if points and (line.shared < len(points) or line.branch.created_at <= until):
            shared = min(line.shared, len(points))
            found.append(BranchLine(branch=line.branch, points=points, shared=shared, parent=line.parent))
    return found


class BranchDrawing:
    """Lines laid out in so many cells. Paints them, and says which point a cell stands for."""

    def __init__(self, lines: Sequence[BranchLine], chosen: Selection, width: int, height: int) -> None:
        self._lines, self._chosen = lines, chosen
        self._width, self._height = width, height
        self._row = next((row for row, line in enumerate(lines) if line.branch.name == chosen.branch), 0)
        self._name = min(_MOST_NAME, max(8, width // 4), longest((line.branch.name for line in lines), 4))
        self._digits = max(len(f"{line.branch.accepted:,}") for line in lines)
        self._room = max(4, width - self._name - self._digits - len(_HERE) - 4)
        steps = max(len(line.points) for line in lines) - 1
        self._scale = min(float(_MOST_STEP), (self._room - 2) / max(1, steps))
        if self._scale > 1:
            self._scale = float(int(self._scale))
        self._left = self._name + 3
        shown = max(1, height - 1)  # below them stand the numbers
        self._first = max(0, min(self._row - shown // 2, len(lines) - shown))
        self._last = min(len(lines), self._first + shown)

    def _column(self, line: BranchLine, place: int) -> int:
        column = int(place * self._scale)
        if line.shared and place >= line.shared:  # behind the corner at which it leaves the other line
            column = max(column, int((line.shared - 1) * self._scale) + 1)
        return min(column, self._room - 1)

    @property
    def hidden(self) -> int:
        """How many lines there is no room for."""
        return len(self._lines) - (self._last - self._first)

    def at(self, x: int, y: int, branch: str = "") -> Selection:
        """The point that is nearest to a cell: of the line in that row, or of ``branch`` where one is held."""
        row = min(max(self._first, self._first + y), self._last - 1)
        line = next((line for line in self._lines if line.branch.name == branch), self._lines[row])
        places = range(len(line.points))
        place = min(places, key=lambda place: (abs(self._column(line, place) - (x - self._left)), -place))
        return Selection(line.branch.name, line.points[place].id)

    def paint(self) -> list[Line]:
        """The lines, and below them how many cases the points of the chosen one have."""
        cells = self._cells()
        painted = []
        for row in range(self._first, self._last):
            line = self._lines[row]
            chosen, current = row == self._row, line.branch.current
            role = "strong" if chosen else "accent" if current else "muted"
            spans: list[Span] = [
                ("▸ " if chosen else "  ", "accent"),
                (fit(line.branch.name, self._name), role),
                (" ", "text"),
            ]
            spans += _joined(cells[row])
            count = fit(f"{line.branch.accepted:,}", self._digits, "right")
            spans += [(f" {count}", "text" if chosen else "muted"), (_HERE if current else "", "accent")]
            painted.append(cut(tuple(spans), self._width))
        return [*painted, self._numbers()]

    def _cells(self) -> list[list[tuple[str, str]]]:
        chosen_line = self._lines[self._row]
        film = {point.id: place for place, point in enumerate(chosen_line.points)}
        here = film.get(self._chosen.checkpoint, len(film) - 1)
        rows = {line.branch.name: row for row, line in enumerate(self._lines)}
        forks = {line.points[line.shared - 1].id for line in self._lines if line.shared}
        cells = [[(" ", "text")] * self._room for _ in self._lines]
        dense = self._scale <= 1

        def role_at(place: int, point: Checkpoint) -> str:
            return "faint" if point.id not in film else "accent" if place <= here else "text"

        for row, line in enumerate(self._lines):
            own = range(line.shared, len(line.points))
            if line.shared:
                fork = int((line.shared - 1) * self._scale)
                on_film = row == self._row or (bool(own) and line.points[line.shared].id in film)
                role = "faint" if not on_film else "accent" if line.shared <= here else "text"
                for above in range(rows[line.parent or ""] + 1, row):
                    sign, before = cells[above][fork]
                    kept = role if on_film or sign == " " else before
                    cells[above][fork] = ("├" if sign in "╰├" else "│", kept)
                cells[row][fork] = ("╰", role)
                if not own:
                    mark = "◉" if row == self._row and here == len(film) - 1 else "○"
                    cells[row][fork + 1] = (mark, "good" if mark == "◉" else role)
            last = int((line.shared - 1) * self._scale) if line.shared else 0
            for place in own:
                point, column = line.points[place], self._column(line, place)
                role = role_at(place, point)
                for between in range(last + 1, column):
                    cells[row][between] = ("─", role)
                last = column
                if cells[row][column][0] in "◉◆" and place != here:
                    continue  # of several in one cell that which says more
                sign = "◆" if point.id in forks else "●" if not dense or place == len(line.points) - 1 else "━"
                cells[row][column] = (sign, "warn" if sign == "◆" and point.id in film else role)
        if len(chosen_line.points) > max(here + 1, chosen_line.shared) or here >= chosen_line.shared:
            for row, line in enumerate(self._lines):
                if any(point.id == chosen_line.points[here].id for point in line.points[line.shared :]):
                    cells[row][self._column(line, here)] = ("◉", "good")
        return cells

    def _numbers(self) -> Line:
        """The numbers of cases, as far as they do not touch: the chosen one first, then the ends, then the others."""
        line = self._lines[self._row]
        places = {point.id: place for place, point in enumerate(line.points)}
        here = places.get(self._chosen.checkpoint, len(line.points) - 1)
        taken: dict[int, tuple[str, str]] = {}
        free = [True] * (self._room + 2 * self._digits + len(_HERE))
        for place in dict.fromkeys((here, 0, len(line.points) - 1, *range(len(line.points)))):
            text = f"{line.points[place].accepted:,}"
            start = max(0, self._column(line, place) - len(text) // 2)
            if all(free[max(0, start - 1) : start + len(text) + 1]):
                free[start : start + len(text)] = [False] * len(text)
                taken[start] = (text, "strong" if place == here else "muted")
        spans: list[Span] = [(fit("  cases", self._left), "faint")]
        at = 0
        for start in sorted(taken):
            spans += [(" " * (start - at), "text"), taken[start]]
            at = start + len(taken[start][0])
        return cut(tuple(spans), self._width)


def _joined(cells: Sequence[tuple[str, str]]) -> list[Span]:
    """Cells of one role that stand side by side as one span."""
    spans: list[tuple[str, str]] = []
    for sign, role in cells:
        if spans and spans[-1][1] == role:
            spans[-1] = (spans[-1][0] + sign, role)
        else:
            spans.append((sign, role))
    return list(spans)
