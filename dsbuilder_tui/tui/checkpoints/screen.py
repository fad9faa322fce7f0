"""The history of the session as film: every point of every branch is looked at, returned to, and forked from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.events import (
    BranchSwitched,
    CaseEdited,
    CaseWithdrawn,
    CheckpointSaved,
    Event,
    PlanRevised,
)
from dsbuilder_tui.domain.figures import Coverage
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.undo_event import ActUndone
from dsbuilder_tui.session.checkpoints import CheckpointPreview
from dsbuilder_tui.session.export_formats import SEED_SUFFIX
from dsbuilder_tui.tui.checkpoints.acts import HistoryActs
from dsbuilder_tui.tui.checkpoints.branch_lines import BranchLine, Selection, as_of, branch_lines
from dsbuilder_tui.tui.checkpoints.paint import (
    case_lines,
    chat_lines,
    coverage_lines,
    rejected_lines,
    then_lines,
)
from dsbuilder_tui.tui.checkpoints.rail import BranchRail
from dsbuilder_tui.tui.layout import WIDE, WIDEST
from dsbuilder_tui.tui.paint.line import Line, clip
from dsbuilder_tui.tui.places.place import Place, PlaceKind
from dsbuilder_tui.tui.places.references import OF_FOREIGN_TEXT
from dsbuilder_tui.tui.screen_base import SessionScreen
from dsbuilder_tui.tui.undo_actions import UndoActions
from dsbuilder_tui.tui.widgets.chrome import KeyBar
from dsbuilder_tui.tui.widgets.dialogs import Ask
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.safe import title

if TYPE_CHECKING:
    from dsbuilder_tui.tui.live_session import LiveSession
    from dsbuilder_tui.tui.watched import Watched

_RELOAD = 0.5  # seconds between two readings while checkpoints are written
_SETTLE = 0.15  # seconds at a point after which its coverage is counted, for which all of its cases are read
_PANES = 3
_LINKS = OF_FOREIGN_TEXT | {PlaceKind.CHECKPOINT, PlaceKind.BRANCH}
_MOST_POINTS = 5_000  # that are drawn; older ones are found with words, or from the command line
_SHOWN = 40  # of the cases, rejections and messages of then
_HEARD = (ActUndone, CaseEdited, CaseWithdrawn, CheckpointSaved, PlanRevised)


class ThenView(StrEnum):
    """What of a point of the history is looked at, as the title of its pane says."""

    POINT = "Checkpoint"
    CASES = "Newest cases"
    COVERAGE = "Coverage"
    REJECTED = "Rejected"
    CHAT = "Conversation"


class CheckpointsScreen(SessionScreen):
    CSS_PATH = "screen.tcss"
    title_words = "Checkpoints"
    ACTS: ClassVar[frozenset[str]] = frozenset({"travel", "fork", "name", "delete", "undo", "redo"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", "scrub", key_display="←→↑↓"),
        Binding("right,l", "step(1)", show=False),
        Binding("up,k", "branch(-1)", show=False),
        Binding("down,j", "branch(1)", show=False),
        Binding("home", "edge(0)", "first", show=False),
        Binding("end", "edge(1)", "newest", show=False),
        Binding("enter", "travel", "go back"),
        Binding("f", "fork", "fork"),
        Binding("n", "name", "name"),
        Binding("x", "export", "export"),
        Binding("d", "delete", "delete branch"),
        Binding("u", "undo", "undo"),
        Binding("U", "redo", "redo", show=False),
        Binding("tab", "next_view", "view"),
    ]

    def __init__(self, watched: Watched) -> None:
        super().__init__(watched)
        self.lines: list[BranchLine] = []
        self.chosen: Selection | None = None
        self.views = list(ThenView)
        self._looked: CheckpointPreview | None = None
        self._before: tuple[Checkpoint, DatasetPlanInput] | None = None
        self._after: tuple[Checkpoint, DatasetPlanInput] | None = None
        self._coverage: tuple[int, Coverage] | None = None
        self._stale = self._moved = False
        self._acts = HistoryActs(self, self._look_at)
        self.undo_actions = UndoActions(self, lambda result: self.background(self._read, group="read"))

    def compose(self) -> ComposeResult:
        yield self.top_line()
        with Vertical(id="rail-pane", classes="pane"):
            yield BranchRail(lambda: (self.lines, self.chosen))
        with Horizontal(id="then-body"):
            for number in range(_PANES):
                with Vertical(id=f"then-pane-{number}", classes="pane then-pane"):
                    yield LineView(self._drawing_of(number), links=_LINKS, id=f"then-{number}")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#rail-pane").border_title = "History"
        self.query_one(BranchRail).focus()
        self._lay_out()
        self.background(self._read, group="read")

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._lay_out()

    def _lay_out(self) -> None:
        """Give the lines as much height as they need, up to a third, and show as many panes as there is width for."""
        rows = max(1, min(len(self.lines), self.size.height // 3 - 3))
        rail = self.query_one("#rail-pane")
        rail.styles.height = 3 + rows
        rail.border_subtitle = self._rail_words(rows)
        for number in range(_PANES):
            self.query_one(f"#then-pane-{number}").display = number < self._shown and bool(self.lines)
        self._say_panes()

    def _rail_words(self, rows: int) -> str:
        points, branches = len({point.id for line in self.lines for point in line.points}), len(self.lines)
        parts = [counted(points, "point")] if points else []
        parts += [f"{counted(branches, 'branch')}"] if branches > 1 else []
        return " · ".join([*parts, f"↑↓ {branches - rows:,} more"] if branches > rows else parts)

    @property
    def _shown(self) -> int:
        return 1 if self.size.width < WIDE else 2 if self.size.width < WIDEST else _PANES

    def _view_of(self, number: int) -> ThenView:
        """What a pane shows: the point itself stands in the first one as long as there is another beside it."""
        if self._shown == 1:
            return self.views[0]
        return (
            ThenView.POINT if number == 0 else [view for view in self.views if view is not ThenView.POINT][number - 1]
        )

    def _say_panes(self) -> None:
        point, shown = self.point, [self._view_of(number) for number in range(self._shown)]
        for number, view in enumerate(shown):
            pane = self.query_one(f"#then-pane-{number}")
            where = f" {point.id} · {clip(point.branch, 40)}" if point is not None and view is ThenView.POINT else ""
            pane.border_title = title(f"{view}{where}")
            following = next(view for view in (*self.views[1:], *self.views) if view not in shown)
            pane.border_subtitle = f"tab {following.lower()}" if number == len(shown) - 1 else ""

    # Reading

    def heard(self, event: Event) -> None:
        if not self.is_attached:
            return
        if isinstance(event, BranchSwitched):
            self._moved = True
            self.background(self._read, group="read")
        elif isinstance(event, _HEARD) and not self._stale:
            self._stale = True
            self.set_timer(_RELOAD, lambda: self.background(self._read, group="read"))

    async def _read(self) -> None:
        """Read all lines again; what is looked at stays, and what followed the end of its line follows it."""
        self._stale = False
        session = self.watched.session
        branches = await self.services.guarded(session.branches.all()) or []
        points = await self.services.guarded(session.checkpoints.all(_MOST_POINTS)) or []
        held = self._line
        self.lines = branch_lines(branches, points)
        if self.watched.replaying:
            self.lines = as_of(self.lines, self.watched.now())
        self.chosen, self._moved = self._kept(held), False
        self._lay_out()
        self.query_one(BranchRail).repaint()
        await self._look()

    def _kept(self, held: BranchLine | None) -> Selection | None:
        """What is looked at among the lines that were read: the point as before, or the end of its line where it was the end of
        that line as it was ``held``; else where the session stands."""
        line = self._line
        if self._moved or line is None or self.chosen is None:
            line = next((line for line in self.lines if line.branch.current), next(iter(self.lines), None))
            return Selection(line.branch.name, line.tip.id) if line is not None else None
        there = any(point.id == self.chosen.checkpoint for point in line.points)
        at_end = held is not None and self.chosen == Selection(held.branch.name, held.tip.id)
        return Selection(line.branch.name, self.chosen.checkpoint if there and not at_end else line.tip.id)

    async def _look(self) -> None:
        """Read the point that is chosen, and the plans beside it."""
        point = self.point
        if point is not None:
            looked = await self.services.guarded(self.watched.session.checkpoints.preview(point.id, most_cases=_SHOWN))
            if looked is not None:
                self._before, self._after = await self._beside(-1), await self._beside(1)
                self._looked = looked
                self._renew()
        self.refresh_bindings()
        if point is not None and ThenView.COVERAGE in [self._view_of(number) for number in range(self._shown)]:
            self.instead("coverage", self._count)

    async def _beside(self, by: int) -> tuple[Checkpoint, DatasetPlanInput] | None:
        """The point before or after the chosen one on its line, with its plan."""
        line, place = self._line, self._place
        if line is None or not 0 <= place + by < len(line.points):
            return None
        point = line.points[place + by]
        plan = await self.services.guarded(self.watched.session.checkpoints.plan(point))
        return None if plan is None else (point, plan)

    async def _count(self) -> None:
        point = self.point
        if point is None or (self._coverage is not None and self._coverage[0] == point.id):
            return
        await asyncio.sleep(_SETTLE)
        coverage = await self.services.guarded(self.watched.session.checkpoints.coverage(point.id))
        if coverage is not None:
            self._coverage = point.id, coverage
            self._renew()

    def _renew(self) -> None:
        self._say_panes()
        for number in range(self._shown):
            self.query_one(f"#then-{number}", LineView).renew()

    # What is chosen

    @property
    def _line(self) -> BranchLine | None:
        chosen = self.chosen
        return next((line for line in self.lines if chosen is not None and line.branch.name == chosen.branch), None)

    @property
    def _place(self) -> int:
        """The place of the chosen point on its line, -1 where there is none."""
        line, chosen = self._line, self.chosen
        if line is None or chosen is None:
            return -1
        return next((place for place, point in enumerate(line.points) if point.id == chosen.checkpoint), -1)

    @property
    def point(self) -> Checkpoint | None:
        """The checkpoint that is looked at."""
        line, place = self._line, self._place
        return line.points[place] if line is not None and place >= 0 else None

    def _choose(self, chosen: Selection) -> None:
        if chosen != self.chosen:
            self.chosen = chosen
            self.query_one(BranchRail).repaint()
            self.instead("look", self._look)

    async def _look_at(self, chosen: Selection | None) -> None:
        """Read all lines again, for they have changed, and look at this point, or at the same as before."""
        self.chosen = chosen or self.chosen
        await self._read()

    def on_branch_rail_scrubbed(self, event: BranchRail.Scrubbed) -> None:
        self._choose(event.selection)

    def action_step(self, by: int) -> None:
        self._go(self._place + by)

    def action_edge(self, last: int) -> None:
        line = self._line
        self._go(len(line.points) - 1 if last and line is not None else 0)

    def _go(self, place: int) -> None:
        if (line := self._line) is not None:
            point = line.points[max(0, min(len(line.points) - 1, place))]
            self._choose(Selection(line.branch.name, point.id))

    def action_branch(self, by: int) -> None:
        """Go to the end of the next line."""
        if (line := self._line) is None:
            return
        row = self.lines.index(line) + by
        if 0 <= row < len(self.lines):
            other = self.lines[row]
            self._choose(Selection(other.branch.name, other.tip.id))

    def action_next_view(self) -> None:
        self.views = [*self.views[1:], self.views[0]]
        if self._shown > 1 and self.views[0] is ThenView.POINT:
            self.views = [*self.views[1:], self.views[0]]
        self._renew()
        self.instead("coverage", self._count)

    def _drawing_of(self, number: int) -> Callable[[int], Sequence[Line]]:
        return lambda width: self._drawn(self._view_of(number), width)

    def _drawn(self, view: ThenView, width: int) -> Sequence[Line]:
        looked, line = self._looked, self._line
        if looked is None or line is None:
            return ()
        counted_for = (
            self._coverage if self._coverage is not None and self._coverage[0] == looked.checkpoint.id else None
        )
        match view:
            case ThenView.POINT:
                here = self._here(looked, line)
                return then_lines(looked, line, width, before=self._before, after=self._after, here=here)
            case ThenView.CASES:
                return case_lines(looked, width)
            case ThenView.COVERAGE:
                return coverage_lines(counted_for[1] if counted_for is not None else None, width)
            case ThenView.REJECTED:
                return rejected_lines(looked, width)
            case ThenView.CHAT:
                return chat_lines(looked.messages, width)

    def _here(self, looked: CheckpointPreview, line: BranchLine) -> Mapping[str, int] | None:
        """The accepted cases by category of where the session stands, None where that is the point which is looked at."""
        view = self.watched.view
        if line.branch.current and looked.checkpoint.id == line.tip.id and view.accepted == looked.checkpoint.accepted:
            return None
        return {name: category.accepted for name, category in view.categories.items()}

    @property
    def place(self) -> Place:
        if self.chosen is None:
            return super().place
        return Place(kind=PlaceKind.CHECKPOINT, name=str(self.chosen.checkpoint))

    async def show_place(self, place: Place) -> bool:
        if place.kind not in (PlaceKind.CHECKPOINT, PlaceKind.BRANCH):
            return await super().show_place(place)
        self.workers.cancel_group(self, "read")
        if not self.lines:
            await self._read()
        wanted = next(iter(self._selections(place)), None)
        await self._look_at(wanted)
        return wanted is not None and self.chosen == wanted

    def _selections(self, place: Place) -> list[Selection]:
        """Where on the lines a place is; the line that a checkpoint was written on first."""
        if place.kind is PlaceKind.BRANCH:
            return [Selection(place.name, line.tip.id) for line in self.lines if line.branch.name == place.name]
        found = [
            (line.branch.name != point.branch, Selection(line.branch.name, point.id))
            for line in self.lines
            for point in line.points
            if str(point.id) == place.name
        ]
        return [selection for _, selection in sorted(found, key=lambda pair: pair[0])]

    # What is done

    def action_undo(self) -> None:
        self.undo_actions.undo()

    def action_redo(self) -> None:
        self.undo_actions.redo()

    def key_words(self, binding: Binding) -> str:
        if binding.action == "travel":
            line, point = self._line, self.point
            other = line is not None and point is not None and point.id == line.tip.id and not line.branch.current
            return "work on it" if other else "go back"
        return super().key_words(binding)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("undo", "redo"):
            return self.watched.acts
        acts = ("step", "edge", "branch", "travel", "fork", "name", "export", "delete", "next_view")
        return self.point is not None if action in acts else True

    def _act(self, work: Callable[[LiveSession, BranchLine, Checkpoint], Coroutine[Any, Any, None]]) -> None:
        """Do something with the chosen point; what stands in the way is said."""

        async def act() -> None:
            line, point = self._line, self.point
            if line is not None and point is not None:
                await work(self.live, line, point)

        self.services.attempt(act())

    def action_travel(self) -> None:
        self._act(self._acts.ask_to_travel)

    def action_fork(self) -> None:
        self._act(self._acts.ask_to_fork)

    def action_delete(self) -> None:
        self._act(self._acts.ask_to_delete)

    def action_name(self) -> None:
        self._act(self._acts.ask_for_name)

    def action_export(self) -> None:
        point, session = self.point, self.watched.session
        if point is None:
            return

        async def export(target: str | None) -> None:
            if target:
                kind = "checkpoint" if target.endswith(SEED_SUFFIX) else None
                count = await session.export(target, kind, at=point.id)
                where = session.dataset.where(Path(target), kind)
                self.services.say(f"Wrote {counted(count, 'case')} as of checkpoint {point.id} to {where}")

        ask = Ask(
            f"Export checkpoint {point.id}",
            "*_checkpoint.json is the original design's format and can be imported again; .jsonl, .json, .csv and "
            ".parquet work too.",
            f"{session.id}-at-{point.accepted}{SEED_SUFFIX}",
        )
        self.ask(ask, lambda target: self.services.attempt(export(target)))
