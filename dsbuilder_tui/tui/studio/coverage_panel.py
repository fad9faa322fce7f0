"""The coverage beside the conversation: the sheet of F3 as far as there is room for it, filling live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.events import (
    BranchSwitched,
    CaseAccepted,
    CaseEdited,
    CaseWithdrawn,
    Event,
    PlanRevised,
)
from dsbuilder_tui.domain.figures import Coverage
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.undo_event import ActUndone
from dsbuilder_tui.tui.paint.coverage_sheet import filled_words, legend, sheet
from dsbuilder_tui.tui.paint.line import Line, Span, cut, frame, pad
from dsbuilder_tui.tui.studio.paint import one_line_panel
from dsbuilder_tui.tui.studio.panels import Panel

if TYPE_CHECKING:
    from dsbuilder_tui.tui.watched import Watched

_EVERY = 1.0  # seconds between two looks at the cells while cases come
_EVERY_REPLAYED = 4.0  # there each look reads all cases up to the time that is shown
_CHANGES = (CaseAccepted, CaseWithdrawn, CaseEdited, PlanRevised, BranchSwitched, ActUndone)


class CoveragePanel(Panel):
    """Asks for the coverage while it can be seen, and only then."""

    opens = "coverage"

    def __init__(self, name: str, watched: Watched) -> None:
        super().__init__(name, watched)
        self._coverage = Coverage()
        self._stale, self._reading = True, False
        self._read_at = float("-inf")

    def heard(self, event: Event) -> None:
        """Take note of an event; nothing is read yet."""
        if isinstance(event, _CHANGES):
            self._stale = True

    def repaint(self) -> None:
        now = self.services.clock.monotonic()
        every = _EVERY_REPLAYED if self.watched.replaying else _EVERY
        if self._stale and not self._reading and self.is_on_screen and now - self._read_at >= every:
            self._stale, self._reading, self._read_at = False, True, now
            self.run_worker(self._read(), group="coverage")
        super().repaint()

    async def _read(self) -> None:
        until = self.watched.now() if self.watched.replaying else None
        found = await self.services.guarded(self.watched.session.diversity.coverage(until=until))
        self._reading = False
        if found is not None:
            self._coverage = found
            super().repaint()

    def paint(self, width: int, height: int) -> Sequence[Line]:
        return coverage_panel(self._coverage, width, height, focused=self.has_focus, opens=self.alone)


def coverage_panel(coverage: Coverage, width: int, height: int, *, focused: bool, opens: bool = False) -> list[Line]:
    """The values of the axes and how many cases each category has of them; what has no room is counted."""
    words = filled_words(coverage)
    if height < 3:
        return one_line_panel("Coverage", [(words, "muted")], width, focused=focused)
    title: list[Span] = [("Coverage", "strong" if focused else "text")]
    hint: list[Span] = [("enter open" if opens else "enter maximise", "muted")] if focused else [("F3 open", "faint")]
    inner, room = width - 4, height - 2
    if not coverage.cells:
        return frame([], width, height, title=title, hint=hint, focused=focused)
    made = sheet(coverage, inner)
    columns = range(max(1, min(len(made.categories), (inner - made.label) // made.column)))
    lines: list[Line] = [(*pad((), made.label), *made.head(line, -1, columns)) for line in range(made.heading)]
    shown = len(made.rows) if len(made.rows) + made.heading <= room else max(0, room - made.heading - 1)
    lines += [(*pad(made.left(row, False), made.label), *made.right(row, None, columns)) for row in range(shown)]
    left = sum(row.value is not None for row in made.rows[shown:])
    gone = len(made.categories) - len(columns)
    more = [counted(left, "value")] if left else []
    more += [counted(gone, "category")] if gone else []
    if left or (gone and len(lines) < room):
        lines.append(((f"  and {' and '.join(more)} more", "faint"),))
    elif len(lines) + 2 <= room:
        lines += [(), legend(made, inner)]
    info: list[Span] = [(words, "muted")]
    return frame(
        [cut(line, inner) for line in lines], width, height, title=title, info=info, hint=hint, focused=focused
    )
