"""Events in, view state out: one pure reducer behind every display of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dsbuilder_tui.domain.events import (
    BatchFinished,
    BatchStarted,
    CaseAccepted,
    CaseRejected,
    ConcurrencyChanged,
    Event,
    Notice,
    RetryScheduled,
    RunFinished,
    RunPaused,
    RunPausing,
    RunStarted,
    SlotExhausted,
)

# The rate is measured over the latest stretch of this many seconds.
_RATE_WINDOW = 30.0
_RATE_STEP = 1.0


@dataclass(frozen=True, slots=True)
class CategoryView:
    planned: int = 0
    accepted: int = 0
    rejected: int = 0
    exhausted: int = 0


@dataclass(frozen=True, slots=True)
class RunView:
    """What a display shows of a run. ``state``: idle, running, pausing, paused, finished. Times in seconds."""

    session: str = ""
    dataset_name: str = ""
    provider: str = ""
    worker_model: str = ""
    state: str = "idle"
    planned: int = 0
    accepted: int = 0
    rejected: int = 0
    exhausted: int = 0
    categories: Mapping[str, CategoryView] = field(default_factory=dict)
    workers_busy: int = 0
    workers_limit: int = 0
    waiting: Mapping[int, float] = field(default_factory=dict)  # batch → when its next try begins
    wait_kind: str = ""
    notice: str = ""
    started: float = 0.0
    samples: tuple[tuple[float, int], ...] = ()  # (time, accepted), oldest first

    def rate(self) -> float:
        """Cases per second over the latest stretch, 0 while unknown."""
        if len(self.samples) < 2:
            return 0.0
        (t0, n0), (t1, n1) = self.samples[0], self.samples[-1]
        return (n1 - n0) / (t1 - t0) if t1 > t0 else 0.0

    def eta(self) -> tuple[float, float] | None:
        """Seconds left, as a range from the latest rate and the rate since the start; None while unknown."""
        left = self.planned - self.accepted - self.exhausted
        if not self.samples or left <= 0:
            return None
        (first, n0), (now, n1) = (self.started, self.samples[0][1]), self.samples[-1]
        overall = (n1 - n0) / (now - first) if now > first else 0.0
        rates = sorted(rate for rate in (self.rate(), overall) if rate > 0)
        return (left / rates[-1] * 0.9, left / rates[0] * 1.2) if rates else None


def reduce(view: RunView, event: Event) -> RunView:
    """The view after one more event. Pure: the same events give the same view, live or replayed."""
    match event:
        case RunStarted():
            return RunView(
                session=event.session,
                dataset_name=event.dataset_name,
                provider=event.provider,
                worker_model=event.worker_model,
                state="running",
                planned=event.planned,
                accepted=event.accepted,
                rejected=sum(c["rejected"] for c in event.categories.values()),
                exhausted=sum(c["exhausted"] for c in event.categories.values()),
                categories={name: CategoryView(**counts) for name, counts in event.categories.items()},
                workers_limit=event.max_workers,
                started=event.ts,
                samples=((event.ts, event.accepted),),
            )
        case CaseAccepted():
            return replace(
                _counted(view, event.category, accepted=1), samples=_sampled(view.samples, event.ts, view.accepted + 1)
            )
        case CaseRejected():
            return _counted(view, event.category, rejected=1)
        case SlotExhausted():
            return _counted(view, event.category, exhausted=1)
        case BatchStarted():
            return replace(view, workers_busy=view.workers_busy + 1)
        case BatchFinished():
            waiting = {batch: until for batch, until in view.waiting.items() if batch != event.batch}
            return replace(view, workers_busy=max(0, view.workers_busy - 1), waiting=waiting)
        case RetryScheduled():
            waiting = {**view.waiting, event.batch: event.ts + event.wait_s}
            return replace(view, waiting=waiting, wait_kind=event.kind)
        case ConcurrencyChanged():
            return replace(view, workers_limit=event.limit)
        case RunPausing():
            return replace(view, state="pausing")
        case RunPaused():
            return replace(view, state="paused", workers_busy=0, waiting={})
        case RunFinished():
            return replace(view, state="finished", workers_busy=0, waiting={})
        case Notice():
            return replace(view, notice=event.text)
        case _:
            return view


def _counted(view: RunView, category: str, *, accepted: int = 0, rejected: int = 0, exhausted: int = 0) -> RunView:
    old = view.categories.get(category, CategoryView())
    new = CategoryView(old.planned, old.accepted + accepted, old.rejected + rejected, old.exhausted + exhausted)
    return replace(
        view,
        accepted=view.accepted + accepted,
        rejected=view.rejected + rejected,
        exhausted=view.exhausted + exhausted,
        categories={**view.categories, category: new},
    )


def _sampled(samples: tuple[tuple[float, int], ...], now: float, count: int) -> tuple[tuple[float, int], ...]:
    """At most one sample a second, none older than the window."""
    if len(samples) > 1 and now - samples[-2][0] < _RATE_STEP:
        return (*samples[:-1], (now, count))
    start = 0
    while start < len(samples) - 1 and samples[start][0] < now - _RATE_WINDOW:
        start += 1
    return (*samples[start:], (now, count))
