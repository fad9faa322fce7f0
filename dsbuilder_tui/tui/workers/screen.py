"""Each worker call: what was asked, what came back, what it cost; cancel one, or end its wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from dsbuilder_tui.domain.batch_job_words import jobs_words
from dsbuilder_tui.domain.batch_words import BatchFigures
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.events import BatchFinished, BatchStarted, Event
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.run_state import WorkerState
from dsbuilder_tui.domain.runner_place import PlaceState
from dsbuilder_tui.session import CallTrace
from dsbuilder_tui.session.calls import WorkerCall
from dsbuilder_tui.tui.paint.line import Line, clip
from dsbuilder_tui.tui.places.place import Place, PlaceKind
from dsbuilder_tui.tui.screen_base import SessionScreen
from dsbuilder_tui.tui.widgets.chrome import KeyBar
from dsbuilder_tui.tui.widgets.line_view import LineView
from dsbuilder_tui.tui.widgets.rows import PagedRows, RowList
from dsbuilder_tui.tui.widgets.safe import title
from dsbuilder_tui.tui.workers.paint import call_detail, call_row, job_row, place_row

if TYPE_CHECKING:
    from dsbuilder_tui.tui.watched import Watched

_RELOAD = 0.5
_MOST_JOBS = 5  # lines
_MOST_NODES = 6  # lines


class WorkersScreen(SessionScreen):
    CSS_PATH = "screen.tcss"
    title_words = "Workers"
    ACTS: ClassVar[frozenset[str]] = frozenset({"cancel", "retry"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", "cancel the call"),
        Binding("r", "retry", "retry now"),
        Binding("y", "copy", "copy the answer"),
        Binding("l", "look", "look at the batch jobs now"),
        Binding("x", "cancel_batches", "cancel the batch jobs"),
        Binding("tab", "next_pane", "to the detail", show=False),
        Binding("escape", "back", "back"),
    ]

    def __init__(self, watched: Watched) -> None:
        super().__init__(watched)
        self._flying: list[CallTrace] = []
        self._stale = False
        self._ahead = 0  # calls that a replay has not come to yet
        self._figures: tuple[int, BatchFigures | None] = (0, None)  # of the cases of the batch that is shown

    def compose(self) -> ComposeResult:
        yield self.top_line()
        with Vertical(id="jobs-pane", classes="pane"):
            yield LineView(self._jobs, id="batch-jobs")
        with Horizontal(id="calls-body"):
            with Vertical(id="calls-list", classes="pane"):
                yield PagedRows(self._row, self._fetch, key=lambda call: call.batch, empty=self._empty, id="calls")
            with Vertical(id="call-pane", classes="pane"):
                yield LineView(self._detail, id="call")
        with Vertical(id="nodes-pane", classes="pane"):
            yield LineView(self._place_lines, id="nodes")
        yield KeyBar()

    def on_mount(self) -> None:
        self.rows.focus()
        self._show_jobs()
        self._show_nodes()
        self.background(self._read, group="read")

    @property
    def rows(self) -> PagedRows[CallTrace | WorkerCall]:
        return self.query_one("#calls", PagedRows)

    def heard(self, event: Event) -> None:
        if isinstance(event, BatchStarted | BatchFinished) and not self._stale:
            self._stale = True
            self.set_timer(_RELOAD, lambda: self.instead("read", self._read))

    def flush(self) -> None:
        super().flush()
        self._show_jobs()
        self._show_nodes()
        if self._flying:
            self.rows.refresh()
            self.query_one("#call", LineView).renew(keep=True)

    async def _read(self) -> None:
        """Those in flight first, then the finished ones, newest first; the cursor stays on its call."""
        self._stale = False
        calls = await self.services.guarded(self.watched.session.calls.count()) or 0
        if self.watched.replaying:
            self._ahead = max(0, calls - self.watched.view.calls)
            calls -= self._ahead
        self._flying = [trace for trace in self.watched.session.calls.live() if trace.ended is None]
        self.rows.reload(calls + len(self._flying))
        pane = self.query_one("#calls-list")
        pane.border_title = f"{counted(len(self._flying), 'call')} in flight · {calls:,} finished"
        self.query_one("#call", LineView).renew(keep=True)
        self.instead("figures", self._read_figures)
        self.refresh_bindings()

    @property
    def place(self) -> Place:
        batch = self._batch if self.is_mounted else None
        return super().place if batch is None else Place(kind=PlaceKind.BATCH, name=str(batch))

    async def show_place(self, place: Place) -> bool:
        if place.kind is not PlaceKind.BATCH:
            return await super().show_place(place)
        self.workers.cancel_group(self, "read")
        await self._read()
        batch, calls = int(place.name), self.watched.session.calls
        at = next((row for row, trace in enumerate(self._flying) if trace.batch == batch), None)
        if at is None and (ended := await calls.place(batch)) is not None and ended >= self._ahead:
            at = ended - self._ahead + len(self._flying)
        if at is not None:
            self.rows.reload_at(max(self.rows.count, at + 1), at)
            self.rows.focus()
        return at is not None

    @property
    def _batch(self) -> int | None:
        call = self.rows.chosen
        return call.batch if call is not None else None

    async def _fetch(self, offset: int, limit: int) -> Sequence[CallTrace | WorkerCall]:
        flying: list[CallTrace | WorkerCall] = list(self._flying[offset : offset + limit])
        rest = limit - len(flying)
        if rest:
            flying += await self.watched.session.calls.page(self._ahead + max(0, offset - len(self._flying)), rest)
        return flying

    def _row(self, call: CallTrace | WorkerCall, width: int, chosen: bool) -> Line:
        return call_row(call, width, chosen, self.watched.now())

    def _empty(self) -> Sequence[Line]:
        return [(("No worker was called yet.", "muted"),)]

    def _trace(self) -> CallTrace | None:
        batch = self._batch
        return next((trace for trace in self.watched.session.calls.live() if trace.batch == batch), None)

    def _detail(self, width: int) -> Sequence[Line]:
        call = self.rows.chosen
        if call is None:
            return []
        batch, figures = self._figures
        return call_detail(call, self._trace(), width, self.watched.now(), figures if batch == call.batch else None)

    async def _read_figures(self) -> None:
        """What became of the cases of the batch that is shown."""
        batch = self._batch
        if batch is not None and not self.watched.replaying:
            self._figures = batch, await self.services.guarded(self.watched.session.calls.figures(batch))
            self.query_one("#call", LineView).renew(keep=True)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        self.query_one("#call", LineView).renew()
        call = self.rows.chosen
        self.query_one("#call-pane").border_title = (
            title(clip(f"batch {call.batch} · {call.category}", 50)) if call else ""
        )
        self.instead("figures", self._read_figures)
        self.refresh_bindings()

    def _show_jobs(self) -> None:
        """Batch jobs stand above the calls, while there are some."""
        pane, jobs = self.query_one("#jobs-pane"), self.watched.view.batch_jobs
        pane.display = bool(jobs)
        if jobs:
            pane.styles.height = min(_MOST_JOBS, len(jobs)) + 2
            waiting = jobs_words(jobs.values(), self.watched.now())
            pane.border_title = waiting or "Batch jobs"
            self.query_one("#batch-jobs", LineView).renew(keep=True)
        self.refresh_bindings()

    def _jobs(self, width: int) -> Sequence[Line]:
        return [job_row(job, width, self.watched.now()) for job in self.watched.view.batch_jobs.values()]

    def action_look(self) -> None:
        if self.watched.session.batch_jobs.look_now():
            self.services.say("The provider is asked how the batch jobs stand.")

    def action_cancel_batches(self) -> None:
        self.background(self._cancel_batches, group="cancel")

    async def _cancel_batches(self) -> None:
        count = await self.services.guarded(self.watched.session.batch_jobs.cancel())
        if count:
            when = "" if self.watched.view.busy else " with the next run (^P)"
            self.services.say(f"{counted(count, 'batch job')} will be cancelled{when}; what is done is collected.")

    def _show_nodes(self) -> None:
        """The nodes of a cluster stand below the calls, while they make some."""
        pane, places = self.query_one("#nodes-pane"), self.watched.session.calls.places()
        pane.display = bool(places) and not self.watched.replaying
        if places:
            pane.styles.height = min(_MOST_NODES, len(places)) + 2
            working = sum(place.state is PlaceState.WORKING for place in places)
            pane.border_title = f"{working:,} of {counted(len(places), 'node')} at work"
            self.query_one("#nodes", LineView).renew(keep=True)

    def _place_lines(self, width: int) -> Sequence[Line]:
        return [place_row(place, width) for place in self.watched.session.calls.places()]

    def action_next_pane(self) -> None:
        (self.query_one("#call") if self.rows.has_focus else self.rows).focus()

    def action_cancel(self) -> None:
        trace = self._trace()
        if trace is not None and self.watched.session.calls.cancel(trace.batch):
            judges = trace.role is CallRole.JUDGE
            goes_on = (
                "the judge is asked about its cases once more" if judges else "its open slots go to another worker"
            )
            self.services.say(f"Batch {trace.batch} is cut off; {goes_on}.")

    def action_retry(self) -> None:
        trace = self._trace()
        if trace is not None and self.watched.session.calls.retry_now(trace.batch):
            self.services.say(f"Batch {trace.batch} is tried again now.")

    def action_copy(self) -> None:
        trace = self._trace()
        if trace is not None:
            self.app.copy_to_clipboard(trace.answer)
            self.services.say("The answer is copied.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return True
        if action in ("look", "cancel_batches"):
            waits = any(job.is_waiting and not job.cancelled for job in self.watched.view.batch_jobs.values())
            return waits and not self.watched.replaying and (action != "look" or self.watched.view.busy)
        trace = self._trace() if action in ("cancel", "retry", "copy") else None
        if action in ("cancel", "retry"):
            waiting = trace is not None and any(
                w.batch == trace.batch and w.state is WorkerState.WAITING for w in self.watched.view.workers.values()
            )
            return trace is not None and trace.ended is None and (action == "cancel" or waiting)
        return trace is not None if action == "copy" else True
