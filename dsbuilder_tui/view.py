"""Events in, view state out: one pure reducer behind every display of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from dsbuilder_tui.domain.batch_job import BatchJob
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import Checkpoint, Rejection
from dsbuilder_tui.domain.category_view import CategoryView
from dsbuilder_tui.domain.events import (
    AgentCalled,
    BatchFinished,
    BatchJobChanged,
    BatchStarted,
    CaseAccepted,
    CaseJudged,
    CaseRejected,
    CasesLogged,
    CaseWithdrawn,
    CheckpointSaved,
    ConcurrencyChanged,
    Event,
    HeadMoved,
    Notice,
    PlanRevised,
    RetryScheduled,
    RunFinished,
    RunPaused,
    RunPausing,
    RunStarted,
    SlotExhausted,
)
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.judging import JudgedCounts
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.run_state import RunState, WorkerState
from dsbuilder_tui.domain.session_state import BuilderState, SessionState
from dsbuilder_tui.domain.tracking_state import TrackingState
from dsbuilder_tui.domain.undo_event import ActUndone

# The rate is measured over the latest stretch of this many seconds.
_RATE_WINDOW = 30.0
_RATE_STEP = 1.0
_KEPT_ARRIVALS = 32  # per worker: what its sparkline is drawn from
_KEPT_REJECTIONS = 100
_KEPT_POINTS = 200
T = TypeVar("T", "RunView", "WorkerView")
_COUNTERS = ("accepted", "rejected", "exhausted")
_TELLING_SECONDS = 3.0
_TELLING = 10  # accepted cases from which on their cost says something about the others


@dataclass(frozen=True)
class WorkerView:
    """One worker. ``state``: what it does, or how its last call ended."""

    number: int
    batch: int
    category: str
    size: int
    started: float
    attempt: int = 0
    state: WorkerState | CallOutcome = WorkerState.STREAMING
    judged: int = 0  # candidates of this batch that the gate has seen
    retry_at: float = 0.0
    retry_kind: FailureKind | None = None
    seconds: float = 0.0
    detail: str = ""
    arrivals: tuple[float, ...] = ()  # when its latest candidates came, oldest first
    role: CallRole = CallRole.WORKER

    @property
    def busy(self) -> bool:
        return isinstance(self.state, WorkerState)


@dataclass(frozen=True, slots=True)
class Point:
    """A checkpoint on the timeline."""

    number: int
    accepted: int
    reason: str
    ts: float
    forked: bool = False  # another branch begins here


@dataclass(frozen=True, slots=True)
class Turned:
    """A rejection as the feed shows it."""

    ts: float
    seq: int
    category: str
    stage: str
    reason: str
    text: str
    score: float | None
    nearest: str | None


@dataclass(frozen=True)
class RunView:
    """What a display shows of a run. Times in seconds."""

    session: str = ""
    dataset_name: str = ""
    provider: str = ""
    worker_model: str = ""
    state: RunState = RunState.IDLE
    planned: int = 0
    accepted: int = 0
    rejected: int = 0
    exhausted: int = 0
    categories: Mapping[str, CategoryView] = field(default_factory=dict)
    workers: Mapping[int, WorkerView] = field(default_factory=dict)
    workers_limit: int = 0
    limit_reason: str = ""
    revision: int = 1
    stages: Mapping[str, int] = field(default_factory=dict)  # rejections by stage
    feed: tuple[Turned, ...] = ()  # the newest rejections, newest last
    points: tuple[Point, ...] = ()  # the newest checkpoints of the branch, newest last
    branch: str = ""  # the one that is worked on, where there are several
    prompt_tokens: int = 0
    completion_tokens: int = 0
    agent_tokens: int = 0  # of the main agent, in and out
    agent_dollars: float = 0.0  # known dollars, here and below
    worker_dollars: float = 0.0
    judge_tokens: int = 0  # in and out
    judge_dollars: float = 0.0
    judged: Mapping[str, JudgedCounts] = field(default_factory=dict)  # by category
    unpriced: bool = False  # tokens were used whose price is not known
    notice: str = ""
    notice_level: NoticeLevel = NoticeLevel.INFO
    calls: int = 0  # worker calls that have ended
    started: float = 0.0
    began_with: int = 0  # accepted cases when the run began
    batch_jobs: Mapping[int, BatchJob] = field(default_factory=dict)  # those that are open, and the last that ended
    tracking: TrackingState | None = None  # None while the session is not logged to MLflow
    samples: tuple[tuple[float, int], ...] = ()  # (time, accepted), oldest first

    @property
    def workers_busy(self) -> int:
        return sum(worker.busy for worker in self.workers.values())

    @property
    def waiting(self) -> dict[int, float]:
        """Batches that wait before another try, and when it begins."""
        return {w.batch: w.retry_at for w in self.workers.values() if w.state is WorkerState.WAITING}

    @property
    def busy(self) -> bool:
        return self.state in (RunState.RUNNING, RunState.PAUSING)

    @property
    def tokens(self) -> int:
        """All that were used, by workers, judge and main agent."""
        return self.prompt_tokens + self.completion_tokens + self.agent_tokens + self.judge_tokens

    @property
    def dollars(self) -> float:
        """What is known to have been spent."""
        return self.agent_dollars + self.worker_dollars + self.judge_dollars

    def forecast(self) -> float | None:
        """Dollars when all cases are there, if the rest costs what these did; None while that says nothing."""
        if self.unpriced or self.left <= 0 or self.accepted < _TELLING or not self.worker_dollars:
            return None
        return (self.worker_dollars + self.judge_dollars) / self.accepted * self.planned + self.agent_dollars

    @property
    def left(self) -> int:
        return self.planned - self.accepted - self.exhausted

    def rate(self) -> float:
        """Cases per second over the last seconds that tell, 0 while unknown."""
        if len(self.samples) < 2:
            return 0.0
        t1, n1 = self.samples[-1]
        told = (s for s in reversed(self.samples) if n1 - s[1] >= _TELLING and t1 - s[0] >= _TELLING_SECONDS)
        t0, n0 = next(told, self.samples[0])
        return (n1 - n0) / (t1 - t0) if t1 > t0 else 0.0

    def eta(self) -> tuple[float, float] | None:
        """Seconds left, as a range from the latest rate, and while few cases are there that since the start; or None."""
        if not self.samples or self.left <= 0:
            return None
        now, count = self.samples[-1]
        overall = (count - self.began_with) / (now - self.started) if now > self.started else 0.0
        few = count - self.samples[0][1] < 2 * _TELLING  # a slow start says nothing of the end
        rates = sorted(rate for rate in (self.rate(), overall if few else 0.0) if rate > 0)
        return (self.left / rates[-1] * 0.9, self.left / rates[0] * 1.2) if rates else None


def opening_view(
    summary: BuilderState,
    points: Sequence[Checkpoint] = (),
    rejections: Sequence[Rejection] = (),
    *,
    revision: int = 1,
    workers_limit: int = 0,
) -> RunView:
    """The view of a session at rest, as it is when opened. ``rejections`` are the newest, newest first."""
    states = {
        SessionState.NEW: RunState.IDLE,
        SessionState.COMPLETE: RunState.FINISHED,
        SessionState.SHORT: RunState.FINISHED,
        SessionState.RUNNING: RunState.RUNNING,
    }
    cost = summary.cost
    return RunView(
        session=summary.session,
        dataset_name=summary.dataset_name,
        provider=summary.provider,
        worker_model=summary.worker_model,
        state=states.get(summary.state, RunState.PAUSED),
        planned=summary.total_instances_planned,
        accepted=summary.instances_created,
        rejected=sum(summary.rejections.values()),
        exhausted=summary.exhausted_slots,
        categories={name: CategoryView(**counts) for name, counts in summary.categories.items()},
        workers_limit=workers_limit,
        revision=revision,
        stages=dict(summary.rejections),
        feed=tuple(_turned(r.created_at, r) for r in reversed(rejections[:_KEPT_REJECTIONS])),
        points=tuple(Point(p.id, p.accepted, p.reason, p.created_at) for p in points[-_KEPT_POINTS:]),
        prompt_tokens=summary.prompt_tokens,
        completion_tokens=summary.completion_tokens,
        agent_tokens=sum(m["prompt_tokens"] + m["completion_tokens"] for m in cost["main_agent"]["models"]),
        agent_dollars=cost["main_agent"]["known_dollars"],
        worker_dollars=cost["workers"]["known_dollars"],
        judge_tokens=sum(m["prompt_tokens"] + m["completion_tokens"] for m in cost["judge"]["models"]),
        judge_dollars=cost["judge"]["known_dollars"],
        judged=summary.judged_counts,
        unpriced=cost["dollars"] is None,
    )


def reduce(view: RunView, event: Event) -> RunView:
    """The view after one more event. Pure: the same events give the same view, live or replayed."""
    match event:
        case RunStarted():
            return replace(
                view,
                session=event.session,
                dataset_name=event.dataset_name,
                provider=event.provider,
                worker_model=event.worker_model,
                state=RunState.RUNNING,
                planned=event.planned,
                accepted=event.accepted,
                rejected=sum(c["rejected"] for c in event.categories.values()),
                exhausted=sum(c["exhausted"] for c in event.categories.values()),
                categories={name: CategoryView(**counts) for name, counts in event.categories.items()},
                workers={},
                workers_limit=event.max_workers,
                limit_reason="",
                notice="",
                started=event.ts,
                began_with=event.accepted,
                samples=((event.ts, event.accepted),),
            )
        case CaseAccepted():
            counts = _counts(view, event.category, accepted=1, batch=event.batch, ts=event.ts)
            return _changed(view, samples=sampled(view.samples, event.ts, view.accepted + 1), **counts)
        case CaseJudged():
            cases = view.categories.get(event.category, CategoryView()).accepted
            found = JudgedCounts(event.good, event.bad, event.not_judged, cases)
            return replace(view, judged={**view.judged, event.category: found})
        case CaseWithdrawn():
            return replace(view, **_counts(view, event.category, accepted=-1, rejected=1))
        case PlanRevised() | HeadMoved():
            categories = {name: CategoryView(**counts) for name, counts in event.categories.items()}
            exhausted = sum(category.exhausted for category in categories.values())
            view = replace(
                view, revision=event.revision, planned=event.planned, exhausted=exhausted, categories=categories
            )
            if isinstance(event, PlanRevised):
                return view
            moved = RunState.FINISHED if SessionState(event.state).is_settled else RunState.PAUSED
            view = replace(view, state=moved, samples=(), feed=(), began_with=event.accepted, stages=dict(event.stages))
            points = tuple(point for point in view.points if point.number <= event.checkpoint)
            rejected = sum(event.stages.values())
            return replace(view, accepted=event.accepted, rejected=rejected, branch=event.branch, points=points)
        case ActUndone():
            return _returned(view, event)
        case CaseRejected():
            return _changed(
                view,
                feed=(*view.feed[-_KEPT_REJECTIONS + 1 :], _turned(event.ts, event)),
                stages={**view.stages, event.stage: view.stages.get(event.stage, 0) + 1},
                **_counts(view, event.category, rejected=1, batch=event.batch, ts=event.ts),
            )
        case SlotExhausted():
            return replace(view, **_counts(view, event.category, exhausted=1))
        case BatchStarted() | BatchFinished() | RetryScheduled():
            return _worked(view, event)
        case BatchJobChanged():
            jobs = {number: job for number, job in view.batch_jobs.items() if job.state.is_open}
            return replace(view, batch_jobs={**jobs, event.job: _job_of(event)})
        case CheckpointSaved():
            point = Point(event.checkpoint, event.accepted, event.reason, event.ts)
            return replace(view, points=(*view.points[-_KEPT_POINTS + 1 :], point))
        case ConcurrencyChanged():
            return replace(view, workers_limit=event.limit, limit_reason=event.reason)
        case RunPausing():
            return replace(view, state=RunState.PAUSING)
        case RunPaused():
            jobs = {
                number: replace(job, next_look=None) for number, job in view.batch_jobs.items() if job.state.is_open
            }
            return replace(view, state=RunState.PAUSED, workers={}, batch_jobs=jobs)
        case AgentCalled():
            used = event.prompt_tokens + event.completion_tokens
            return replace(
                view,
                agent_tokens=view.agent_tokens + used,
                agent_dollars=view.agent_dollars + (event.dollars or 0.0),
                unpriced=view.unpriced or (event.dollars is None and used > 0),
            )
        case RunFinished():
            view = replace(view, state=RunState.FINISHED, workers={})
            if event.dollars is None:
                return view
            # It counts what was spent before this view began, too.
            others = view.agent_dollars + view.judge_dollars
            return replace(view, worker_dollars=max(0.0, event.dollars - others))
        case CasesLogged():
            state = {name: getattr(event, name) for name in TrackingState.__slots__}
            return replace(view, tracking=TrackingState(**state))
        case Notice():
            return replace(view, notice=event.text, notice_level=event.level)
        case _:
            return view


def _changed(shown: T, **changes: Any) -> T:
    """``replace`` for what comes with every case: that runs through all fields, and took half of what a case costs here."""
    made = object.__new__(type(shown))
    made.__dict__.update(shown.__dict__, **changes)
    return made


def _job_of(event: BatchJobChanged) -> BatchJob:
    return BatchJob(
        number=event.job, branch=0, round=event.round, model=event.model, state=event.state, requests=event.requests,
        created_at=event.since, remote_id=event.remote_id, status=event.status, done=event.done, failed=event.failed,
        cancelled=event.cancelled, trouble=event.trouble, next_look=event.next_look,
    )  # fmt: skip


def _worked(view: RunView, event: BatchStarted | BatchFinished | RetryScheduled) -> RunView:
    before = view.workers.get(event.worker)
    arrivals = before.arrivals if before else ()
    if isinstance(event, BatchStarted):
        worker = WorkerView(
            number=event.worker, batch=event.batch, category=event.category, size=len(event.slots), started=event.ts,
            attempt=event.attempt, role=event.role, arrivals=arrivals,
        )  # fmt: skip
        return replace(view, workers={**view.workers, event.worker: worker})
    if isinstance(event, BatchFinished) and event.role is CallRole.JUDGE:
        used = event.prompt_tokens + event.completion_tokens
        view = replace(
            view,
            judge_tokens=view.judge_tokens + used,
            judge_dollars=view.judge_dollars + (event.dollars or 0.0),
            unpriced=view.unpriced or (event.dollars is None and used > 0),
        )
    elif isinstance(event, BatchFinished):
        view = replace(
            view,
            calls=view.calls + 1,
            prompt_tokens=view.prompt_tokens + event.prompt_tokens,
            completion_tokens=view.completion_tokens + event.completion_tokens,
            worker_dollars=view.worker_dollars + (event.dollars or 0.0),
            unpriced=view.unpriced or (event.dollars is None and event.prompt_tokens + event.completion_tokens > 0),
        )
    if before is None or before.batch != event.batch:
        return view  # the worker may have its next batch by the time that the end of this one is told
    if isinstance(event, RetryScheduled):
        at, waits = event.ts + event.wait_s, WorkerState.WAITING
        worker = replace(before, state=waits, retry_at=at, retry_kind=event.kind, detail=event.detail)
        return replace(view, workers={**view.workers, event.worker: worker})
    worker = replace(before, state=event.outcome, seconds=event.seconds, detail=event.detail)
    return replace(view, workers={**view.workers, event.worker: worker})


def _counts(
    view: RunView,
    category: str,
    *,
    accepted: int = 0,
    rejected: int = 0,
    exhausted: int = 0,
    batch: int = 0,
    ts: float = 0.0,
) -> dict[str, Any]:
    """The counters after one more; only what changes, since copying a view is what costs."""
    old = view.categories.get(category, CategoryView())
    if accepted > 0 and old.planned and old.accepted + old.exhausted >= old.planned:
        exhausted -= 1  # an exhausted slot has its case after all
    new = CategoryView(old.planned, old.accepted + accepted, old.rejected + rejected, old.exhausted + exhausted)
    workers = view.workers
    for number, worker in workers.items():
        if batch and worker.batch == batch:
            state = WorkerState.STREAMING if worker.state is WorkerState.WAITING else worker.state
            arrivals = (*worker.arrivals[-_KEPT_ARRIVALS + 1 :], ts)
            workers = {**workers, number: _changed(worker, judged=worker.judged + 1, arrivals=arrivals, state=state)}
            break
    changes: dict[str, Any] = {"categories": {**view.categories, category: new}}
    if workers is not view.workers:
        changes["workers"] = workers
    for name, change in (("accepted", accepted), ("rejected", rejected), ("exhausted", exhausted)):
        if change:
            changes[name] = getattr(view, name) + change
    return changes


def _turned(ts: float, told: Rejection | CaseRejected) -> Turned:
    return Turned(
        ts=ts, seq=told.seq, category=told.category, stage=told.stage, reason=told.reason, text=told.text, score=told.score,
        nearest=told.nearest_case_id,
    )  # fmt: skip


def _returned(view: RunView, event: ActUndone) -> RunView:
    """The view after an act was undone: its counters change by what the event says."""
    for name, by in event.counts.items():
        old, new = view.categories.get(name, CategoryView()), {what: by.get(what, 0) for what in _COUNTERS}
        category = replace(old, **{what: getattr(old, what) + number for what, number in new.items()})
        sums: dict[str, Any] = {what: getattr(view, what) + number for what, number in new.items()}
        view = replace(view, categories={**view.categories, name: category}, **sums)
    stages = {stage: view.stages.get(stage, 0) + by for stage, by in event.stages.items()}
    return replace(view, stages={stage: count for stage, count in {**view.stages, **stages}.items() if count})


def sampled(samples: tuple[tuple[float, int], ...], now: float, count: int) -> tuple[tuple[float, int], ...]:
    """At most one sample a second, none older than the window."""
    if len(samples) > 1 and now - samples[-2][0] < _RATE_STEP:
        return (*samples[:-1], (now, count))
    start = 0
    while start < len(samples) - 1 and samples[start][0] < now - _RATE_WINDOW:
        start += 1
    return (*samples[start:], (now, count))
