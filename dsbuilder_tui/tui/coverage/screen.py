"""The coverage screen: what the cases cover, filling live, and how different they are from one another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from dsbuilder_tui.domain.cell_cause import CellFacts
from dsbuilder_tui.domain.evaluation import EvaluationFigures
from dsbuilder_tui.domain.events import (
    BranchSwitched,
    CaseAccepted,
    CaseEdited,
    CaseJudged,
    CaseRejected,
    CaseWithdrawn,
    Event,
    PlanRevised,
    ResultsRead,
)
from dsbuilder_tui.domain.figures import Coverage, DiversityReport
from dsbuilder_tui.domain.undo_event import ActUndone
from dsbuilder_tui.tui.coverage.evaluation_paint import evaluation_lines
from dsbuilder_tui.tui.coverage.heat_grid import HeatGrid
from dsbuilder_tui.tui.coverage.paint import (
    cause_lines,
    cell_words,
    figure_lines,
    judged_words,
    request_words,
    summary_line,
)
from dsbuilder_tui.tui.coverage.passage_paint import passage_request, passage_row, passages_title
from dsbuilder_tui.tui.coverage.row_paint import row_lines
from dsbuilder_tui.tui.paint.coverage_sheet import filled_words
from dsbuilder_tui.tui.paint.line import Line, clip
from dsbuilder_tui.tui.places.place import Place, PlaceKind
from dsbuilder_tui.tui.screen_base import SessionScreen
from dsbuilder_tui.tui.undo_actions import UndoActions
from dsbuilder_tui.tui.widgets.chrome import KeyBar
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.rows import RowList
from dsbuilder_tui.tui.widgets.safe import title
from dsbuilder_tui.wording import imported_words

if TYPE_CHECKING:
    from dsbuilder_tui.session.documents import PassageUse, RowUse
from dsbuilder_tui.tui.watched import Watched

_COUNT_EVERY = 0.5  # seconds between two looks at the cells while cases come
_MEASURE_EVERY = 5.0  # and at the figures
_COUNTED = (ActUndone, BranchSwitched, CaseAccepted, CaseWithdrawn, CaseEdited, PlanRevised)


class CoverageScreen(SessionScreen):
    CSS_PATH = "screen.tcss"
    title_words = "Coverage"
    ACTS: ClassVar[frozenset[str]] = frozenset({"undo", "redo"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_pane", "figures"),
        Binding("u", "undo", "undo"),
        Binding("U", "redo", "redo", show=False),
        Binding("escape", "back", "back"),
    ]

    def __init__(self, watched: Watched) -> None:
        super().__init__(watched)
        self.undo_actions = UndoActions(self, lambda result: None)  # what it shows follows the events
        self._report: DiversityReport | None = None
        self._evaluated = EvaluationFigures()
        self._agreement = ""  # of judge and person, in words
        self._imported = ""  # how many cases came with a file, in words
        self._uses: Sequence[PassageUse] = ()
        self._rows: Sequence[RowUse] = ()
        # What is read: how, and how many seconds apart at least.
        self._reading: Mapping[str, tuple[Callable[[], Awaitable[None]], float]] = {
            "count": (self._count, _COUNT_EVERY),
            "measure": (self._measure, _MEASURE_EVERY),
            "passages": (self._find_passages, _MEASURE_EVERY),
            "rows": (self._find_rows, _MEASURE_EVERY),
            "results": (self._read_results, _MEASURE_EVERY),
        }
        self._cause: CellFacts | None = None  # of the cell under the cursor, once it is known
        self._waits: set[str] = set()  # what is to be read when its time comes, or when the screen is seen again

    def compose(self) -> ComposeResult:
        yield self.top_line()
        with Horizontal(id="coverage-body"):
            with Vertical(id="grid-pane", classes="pane"):
                yield HeatGrid(id="grid")
            with Vertical(id="aside"):
                with Vertical(id="figures-pane", classes="pane"):
                    yield LineView(self._figures, id="figures")
                with Vertical(id="passages-pane", classes="pane"):
                    yield RowList(self._passage_row, id="passages")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#grid-pane").border_title = "Coverage"
        self.query_one("#figures-pane").border_title = "Figures"
        self.grid.focus()
        self._waits = set(self._reading)
        self._read_all()

    @property
    def grid(self) -> HeatGrid:
        return self.query_one(HeatGrid)

    def heard(self, event: Event) -> None:
        if isinstance(event, _COUNTED):
            self._want("count")
            self._want("passages")
            self._want("rows")
        if isinstance(event, (*_COUNTED, CaseRejected, CaseJudged)):
            self._want("measure")
        if isinstance(event, (ActUndone, BranchSwitched, ResultsRead, CaseEdited, CaseWithdrawn)):
            self._want("results")

    def _want(self, what: str) -> None:
        if what not in self._waits:
            self._waits.add(what)
            if self.is_attached:
                self.set_timer(self._reading[what][1], partial(self._read_one, what))

    def _read_all(self) -> None:
        for what in self._reading:
            self._read_one(what)

    def _read_one(self, what: str) -> None:
        if what in self._waits and self.is_current and not self.services.away:
            self._waits.discard(what)
            self.background(self._reading[what][0], group=what)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._read_all()

    async def _count(self) -> None:
        watched = self.watched
        until = watched.now() if watched.replaying else None
        coverage = await self.services.guarded(watched.session.diversity.coverage(until=until))
        if coverage is not None:
            self._show(coverage)

    def _show(self, coverage: Coverage) -> None:
        self.grid.renew(coverage)
        words = filled_words(coverage)
        self.query_one("#grid-pane").border_title = title(f"Coverage · {words}" if words else "Coverage")
        self._show_cell()

    async def _measure(self) -> None:
        report = await self.services.guarded(self.watched.session.diversity.figures())
        if report is not None:
            self._report = report
            agreement = await self.services.guarded(self.watched.session.verdicts.agreement())
            self._agreement = agreement.words if agreement else ""
            summary = await self.services.guarded(self.watched.session.summary())
            self._imported = imported_words(summary) if summary else ""
            at_end = " · at the end" if self.watched.replaying else ""
            self.query_one("#figures-pane").border_title = title(f"{summary_line(report)}{at_end}")
            self.query_one("#figures-pane").border_subtitle = judged_words(self.watched.view.judged)
            self.query_one("#figures", LineView).renew(keep=True)

    async def _read_results(self) -> None:
        """What evaluations in MLflow said, as far as it was read."""
        figures = await self.services.guarded(self.watched.session.results.figures())
        if figures is not None:
            self._evaluated = figures
            self.query_one("#figures", LineView).renew(keep=True)

    async def _find_rows(self) -> None:
        """How many rows of the plan's files have cases."""
        self._rows = await self.services.guarded(self.watched.session.documents.row_uses()) or ()
        self.query_one("#figures", LineView).renew(keep=True)

    async def _find_passages(self) -> None:
        """The passages of the plan's documents; the pane is there when there are some."""
        self._uses = await self.services.guarded(self.watched.session.documents.passages()) or ()
        rows, pane = self.query_one("#passages", RowList), self.query_one("#passages-pane")
        self.set_class(bool(self._uses), "-with-passages")
        at_end = " · at the end" if self.watched.replaying else ""
        pane.border_title = title(f"{passages_title(self._uses)}{at_end}")
        rows.set_keys([use.passage.id for use in self._uses])
        self.refresh_bindings()

    def _passage_row(self, index: int, width: int, chosen: bool) -> Line:
        return passage_row(self._uses[index], width, chosen)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        if self.watched.replaying or not self._uses or self.refuse():
            return
        chosen = self.grid.chosen
        self.services.draft(passage_request(self._uses[event.rows.cursor], chosen[0] if chosen else None))
        self.dismiss()

    def _show_cell(self) -> None:
        """What the cursor is on, in words, and the figures of its category."""
        pane, chosen = self.query_one("#grid-pane"), self.grid.chosen
        words = ""
        if chosen is not None:
            category, row, cell = chosen
            words = cell_words(category, row, cell)
        pane.border_subtitle = title(clip(words, max(20, pane.size.width - 6)))
        if self._cause is not None and not self._is_of_cursor(self._cause):
            self._cause = None
        self.query_one("#figures", LineView).renew(keep=True)
        self.refresh_bindings()
        if chosen is not None and not self.watched.replaying:
            self.instead("cause", self._find_cause)

    def _is_of_cursor(self, facts: CellFacts) -> bool:
        chosen = self.grid.chosen
        return chosen is not None and (facts.category, facts.value) == (chosen[0], chosen[1].value)

    async def _find_cause(self) -> None:
        """Why the cell under the cursor is not full."""
        chosen = self.grid.chosen
        if chosen is None or not chosen[1].value:
            return
        facts = await self.services.guarded(
            self.watched.session.diversity.cell(chosen[0], chosen[1].axis, chosen[1].value)
        )
        if facts is not None and self._is_of_cursor(facts):
            self._cause = facts
            self.query_one("#figures", LineView).renew(keep=True)

    def _figures(self, width: int) -> list[Line]:
        chosen = self.grid.chosen
        category = chosen[0] if chosen else None
        above = cause_lines(self._cause, width) + evaluation_lines(self._evaluated, category, width)
        above += row_lines(self._rows, category, width)
        return above + figure_lines(
            self._report,
            category,
            width,
            self.watched.view.judged,
            self._agreement,
            self._imported,
        )

    def on_heat_grid_cell_moved(self, event: HeatGrid.CellMoved) -> None:
        self._show_cell()

    def on_heat_grid_cell_chosen(self, event: HeatGrid.CellChosen) -> None:
        chosen = self.grid.chosen
        if chosen is None or self.watched.replaying or self.refuse():
            return
        category, row, _ = chosen
        if row.value:
            self.services.draft(request_words(category, row.value))
            self.dismiss()

    def action_undo(self) -> None:
        self.undo_actions.undo()

    def action_redo(self) -> None:
        self.undo_actions.redo()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return self.watched.acts if action in ("undo", "redo") else True

    @property
    def place(self) -> Place:
        chosen = self.grid.chosen if self.is_mounted else None
        if chosen is None or chosen[1].value is None:
            return super().place
        return Place(kind=PlaceKind.CELL, name=chosen[0], axis=chosen[1].axis, value=chosen[1].value)

    async def show_place(self, place: Place) -> bool:
        if place.kind is not PlaceKind.CELL:
            return await super().show_place(place)
        await self._count()
        self.grid.focus()
        return self.grid.go_to(place.name, place.axis, place.value)

    @property
    def _next_pane(self) -> str:
        """The pane that is behind the one that has the keys."""
        panes = ["grid", "figures", *(["passages"] if self._uses else [])]
        at = self.focused.id if self.focused is not None else ""
        return panes[(panes.index(at) + 1) % len(panes)] if at in panes else "grid"

    def action_next_pane(self) -> None:
        chosen = self._next_pane
        self.set_class(chosen == "passages", "-passages")  # where there is room for one of the two
        self.query_one(f"#{chosen}").focus()
        self.refresh_bindings()

    def key_words(self, binding: Binding) -> str:
        if binding.action == "choose":
            chosen = self.grid.chosen
            may = self.query_one("#passages").has_focus or (chosen and chosen[1].value)
            return "ask for more" if may and self.watched.acts else ""
        if binding.action == "next_pane":
            return self._next_pane
        return binding.description
