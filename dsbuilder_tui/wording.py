"""The words for what happens, as a person reads them: shared by every display."""

from __future__ import annotations

import contextlib
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from dsbuilder_tui.domain.batch_job_words import batch_job_line
from dsbuilder_tui.domain.call_outcome import CALL_ENDINGS, CallOutcome
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.case_pair import PAIR_NAMES
from dsbuilder_tui.domain.conversation import TURNS
from dsbuilder_tui.domain.evaluation_words import results_words
from dsbuilder_tui.domain.events import (
    BatchJobChanged,
    BranchSwitched,
    CallHedged,
    CasesLogged,
    DiversityMeasured,
    Event,
    Notice,
    ResultsRead,
    RetryScheduled,
    RunFinished,
    RunPaused,
    RunPausing,
    RunStarted,
    SlotExhausted,
)
from dsbuilder_tui.domain.expectation import key_words
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.figures import DiversityReport, share_words
from dsbuilder_tui.domain.judging import JudgedCounts
from dsbuilder_tui.domain.node_events import NodeJoined, NodeLost
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plain_words import counted, dollar_words
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.run_state import WorkerState
from dsbuilder_tui.domain.sanitise import one_line, visible
from dsbuilder_tui.domain.session_state import BuilderState, SessionState
from dsbuilder_tui.domain.tracking_state import TrackingState
from dsbuilder_tui.domain.writing_stage import pipeline_words
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.settings.provider_names import OFFLINE
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.view import RunView, WorkerView

STATE_WORDS = {
    SessionState.NEW: "not started",
    SessionState.RUNNING: "open in another window",
    SessionState.PAUSED: "paused",
    SessionState.INTERRUPTED: "interrupted",
    SessionState.COMPLETE: "complete",
    SessionState.SHORT: "finished short",
    SessionState.DAMAGED: "unreadable",
}

WAITS = {
    FailureKind.RATE_LIMIT: "rate limit",
    FailureKind.SERVER: "server error",
    FailureKind.CONNECTION: "no connection",
    FailureKind.TIMEOUT: "timed out",
    FailureKind.LOADING: "loading model",
    FailureKind.MEMORY: "out of memory",
    FailureKind.BAD_ANSWER: "answer lost",
}


def writing_words(plan: DatasetPlanInput) -> str:
    """What is written for each case, in a line; empty when nothing is. Keys of some categories alone say of how many."""
    times = Counter(one.key for category in plan.categories for one in plan.written_for(category))
    if not times:
        return ""
    whole = len(plan.categories)
    said = [
        key_words(key) if number == whole else f"{key_words(key)} ({number} of {whole})"
        for key, number in times.items()
    ]
    return f"for each case: {', '.join(said)}"


def kind_words(plan: DatasetPlanInput) -> str:
    """Which categories hold other cases than single requests, in a line; empty where none does."""
    said = []
    for category in plan.categories:
        lengths = slot_axes(plan, category).get(TURNS, ())
        if category.kind is CaseKind.CONVERSATION:
            said.append(f"{category.name} conversations of {' or '.join(lengths)} messages")
        elif category.kind is CaseKind.SCENARIO:
            said.append(f"{category.name} scenarios for MLflow's simulator")
    return "; ".join(said)


def stages_lines(plan: DatasetPlanInput) -> list[str]:
    """In which stages cases are written, a line for each category that has some: ``refunds: draft → critique → revise``."""
    return [f"{c.name}: {pipeline_words(c.pipeline)}" for c in plan.categories if c.pipeline]


def row_words(plan: DatasetPlanInput) -> str:
    """Which categories are about rows of which file, in a line; empty where none is: ``prices products.csv (name, price)``."""
    return "; ".join(f"{c.name} {visible(c.rows.words)}" for c in plan.categories if c.rows is not None)


def pair_words(plan: DatasetPlanInput) -> str:
    """How many cases are partners of others, in a line; empty when none is."""
    said = []
    for category in plan.categories:
        counts = category.pairs.counts(category.count)
        if category.pairs:
            told = (
                " and ".join(counted(number, PAIR_NAMES[kind]) for kind, number in counts.items())
                or "no pair (too few cases)"
            )
            said.append(f"{category.name} {told}")
    return "; ".join(said)


def clock_time(ts: float, *, seconds: bool = True) -> str:
    """``14:02:11`` in the person's own time zone."""
    return datetime.fromtimestamp(ts).strftime("%H:%M:%S" if seconds else "%H:%M")


def span(seconds: float) -> str:
    """``06:41`` or ``1:06:41``"""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def ago(seconds: float) -> str:
    """``just now``, ``12 min ago``, ``yesterday``, ``3 days ago``"""
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds / 60)} min ago"
    if seconds < 86400:
        return f"{int(seconds / 3600)} h ago"
    days = int(seconds / 86400)
    return "yesterday" if days == 1 else f"{days} days ago"


def short_path(path: Path) -> str:
    """A path as a person writes it: ``~`` for their own folder."""
    with contextlib.suppress(ValueError, RuntimeError):
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    return str(path)


def writer_words(config: DatasetBuilderConfig) -> str:
    """Who writes the cases: the built-in writer, or the endpoint's address."""
    return provider_of(config).writer(config)


def writer_name(config: DatasetBuilderConfig) -> str:
    """Who writes the cases, by name: the built-in writer, or the workers' model."""
    return provider_of(config).writer_name(config)


def resume_command(session: str, root: Path) -> str:
    """The command that continues a session from this folder."""
    return f"dsbuilder resume {shlex.quote(session)}{place(root)}"


def retry_command(session: str, root: Path) -> str:
    """The command that tries a session's exhausted slots again."""
    return f"dsbuilder resume {shlex.quote(session)} --retry-exhausted{place(root)}"


def place(root: Path) -> str:
    """The flag that finds the sessions in ``root``; empty when they are where they are by default."""
    if root == DatasetBuilderConfig().checkpoint_root:
        return ""
    with contextlib.suppress(ValueError):
        root = root.relative_to(Path.cwd())
    return f" --checkpoint-dir {shlex.quote(str(root))}"


def rate_words(view: RunView) -> str:
    """``41 cases/min``, or empty while unknown."""
    rate = view.rate()
    if not rate:
        return ""
    return f"{counted(round(rate * 60), 'case')}/min" if rate < 10 else f"{counted(round(rate), 'case')}/s"


def worker_words(worker: WorkerView, now: float) -> str:
    """What a worker is doing: ``streaming``, ``rate limit · 4 s`` (until it is tried again), ``cut off · 8 back``."""
    if worker.state is WorkerState.WAITING:
        left = max(0.0, worker.retry_at - now)
        return f"{WAITS.get(worker.retry_kind, 'waits') if worker.retry_kind else 'waits'} · {left:.0f} s"
    if worker.state is WorkerState.STREAMING:
        return "streaming" if worker.judged else "writing"
    back = worker.size - worker.judged
    words = CALL_ENDINGS[worker.state]
    return f"{words} · {back} back" if back > 0 and worker.state is not CallOutcome.OK else words


def tracking_lines(state: TrackingState, session: str, root: Path, example: Sequence[str] = ()) -> list[str]:
    """What is in MLflow, where to look at it, and how to evaluate with it, as Python reads it; or how to send the rest."""
    lines = [f"MLflow:      {visible(state.words)}", f"Look at it:  {visible(state.link)}"]
    if state.waiting or state.given_up or not state.finished:
        again = f"dsbuilder mlflow sync {shlex.quote(session)}{place(root)}"
        return [*lines, f"Send all:    {visible(again)}"]
    return [*lines, *(["Evaluate:"] if example else []), *map(visible, example)]


def _tokens(total: int) -> str:
    """``12.3 k tokens``"""
    if total < 1000:
        return counted(total, "token")
    return f"{total / 1000:.1f} k tokens" if total < 1_000_000 else f"{total / 1_000_000:.2f} M tokens"


def spent_words(view: RunView, budget: float | None = None) -> str:
    """``$0.42 of $5.00 → ~$0.77``: spent, the budget if there is one, and the forecast if there can be one.

    Tokens when no price is known, ``at least $0.42`` when some are, empty when nothing was used.
    """
    if not view.tokens and not view.dollars:
        return ""
    if view.unpriced and not view.dollars:
        return _tokens(view.tokens) if view.tokens else ""
    words = ("at least " if view.unpriced else "") + dollar_words(view.dollars)
    if budget is not None:
        words += f" of {dollar_words(budget)}"
    total = view.forecast()
    return words if total is None else f"{words} → ~{dollar_words(total)}"


def cost_words(cost: Mapping[str, Any]) -> str:
    """What a session has cost, from the ``cost`` of its summary; empty when nothing was used.

    ``$0.42 (main agent $0.05, workers $0.37); $5.90 less than with gpt-4o throughout``, or
    ``12.3 k tokens, price of llama3.1 unknown (set it under [prices])``.
    """
    roles = {"main agent": cost["main_agent"], "workers": cost["workers"]}
    if cost["judge"]["models"]:
        roles["judge"] = cost["judge"]
    used = {name: sum(_used(model) for model in role["models"]) for name, role in roles.items()}
    by_stage = (f"{name} {dollar_words(role['known_dollars'])}" for name, role in cost.get("stages", {}).items())
    stages = f": {', '.join(by_stage)}" if cost.get("stages") else ""
    if not any(used.values()):
        return ""
    parts = []
    lost = {m["model"]: m for role in roles.values() for m in role["models"] if m["dollars"] is None}
    if cost["dollars"] is not None or cost["known_dollars"]:
        words = dollar_words(cost["known_dollars"])
        if (sum(map(bool, used.values())) > 1 or stages) and not lost:
            named = {name: dollar_words(role["known_dollars"]) for name, role in roles.items() if used[name]}
            shares = (f"{name} {spent}{stages if name == 'workers' else ''}" for name, spent in named.items())
            words += f" ({', '.join(shares)})"
        parts.append(words)
    if lost:
        tokens = sum(_used(m) for role in roles.values() for m in role["models"] if m["dollars"] is None)
        more = " more" if parts else ""
        parts.append(f"{_tokens(tokens)}{more}, price of {', '.join(lost)} unknown (set it under [prices])")
    if batched := cost.get("batch_saving"):
        parts.append(f"{dollar_words(batched)} saved by the Batch API")
    if saving := cost["saving"]:
        less = "less" if saving["dollars"] > 0 else "more"
        parts.append(f"{dollar_words(abs(saving['dollars']))} {less} than with {saving['model']} throughout")
    return visible("; ".join(parts))


def _used(model: Mapping[str, Any]) -> int:
    return int(model["prompt_tokens"] + model["completion_tokens"])


def opening_lines(event: RunStarted) -> list[str]:
    verb = "Going on with" if event.resumed else "Building"
    there = f"{event.accepted} of {event.planned} cases are there" if event.accepted else counted(event.planned, "case")
    lines = [f"{verb} {visible(event.session)}: {there}, {counted(len(event.categories), 'category')}."]
    if event.provider != OFFLINE:
        lines.append(f"Workers: {visible(event.worker_model)}, at most {counted(event.max_workers, 'call')} at once.")
    return lines


def progress_line(view: RunView) -> str:
    share = f"{100 * view.accepted / view.planned:.0f} %" if view.planned else ""
    parts = [f"{view.accepted}/{view.planned} ({share})", f"{view.rejected} rejected"]
    if view.exhausted:
        parts.append(f"{view.exhausted} exhausted")
    spent = spent_words(view) if view.dollars else ""
    return "  " + ", ".join(part for part in (*parts, rate_words(view), eta_words(view), spent) if part)


def eta_words(view: RunView) -> str:
    """``done in 4–6 min``"""
    eta = view.eta()
    if eta is None:
        return ""
    low, high = eta
    if high < 90:
        return f"done in {_range(low, high)} s"
    if high < 2 * 3600:
        return f"done in {_range(low / 60, high / 60)} min"
    return f"done in {_range(low / 3600, high / 3600)} h"


def _range(low: float, high: float) -> str:
    first, last = max(1, round(low)), max(1, round(high))
    return f"{first}–{last}" if last > first else f"about {first}"


def retry_line(event: RetryScheduled, limit: int) -> str:
    if event.kind is FailureKind.RATE_LIMIT:
        what = f"Rate-limited by the endpoint: now at most {counted(limit, 'call')} at once (lower max_workers to avoid it)"
    elif event.kind is FailureKind.LOADING:
        what = f"The endpoint is loading the model ({one_line(event.detail, 80)})"
    else:
        what = f"A call failed ({one_line(event.detail, 120)})"
    return f"  {what}; worker {event.worker} tries again in {event.wait_s:.1f} s"


def event_line(event: Event) -> str | None:
    """What a plain line says about an event, or None for those that only the counters show."""
    match event:
        case SlotExhausted():
            return f"  Slot {event.slot} of {visible(event.category)} is exhausted after {one_line(event.reason, 200)}"
        case RunPausing():
            words = f"draining {event.draining} in flight" if event.draining else "nothing is in flight"
            return f"Pausing ({visible(event.reason)}): {words} …"
        case RunPaused() if event.dropped_batches:
            return f"  {counted(event.dropped_batches, 'call')} cut off; the slots are open again"
        case RunFinished():
            tokens = event.prompt_tokens + event.completion_tokens
            used = f", {event.prompt_tokens:,} + {event.completion_tokens:,} tokens" if tokens else ""
            if tokens and event.dollars is not None:
                used += f", {dollar_words(event.dollars)}"
            return f"  {event.accepted} accepted, {event.rejected} rejected, {event.exhausted} exhausted{used}"
        case BatchJobChanged():
            return batch_job_line(event)
        case CallHedged():
            return f"  Worker {event.worker}'s call was silent for {event.silent_s:.1f} s; it is asked a second time"
        case NodeJoined() | NodeLost():
            return f"  {one_line(event.words, 160)}"
        case DiversityMeasured() if event.final:
            words = diversity_words(event)
            return f"  Diversity: {words}" if words else None
        case CasesLogged() if event.retry_in_s is not None:
            return f"  MLflow: {visible(event.error)}; tried again in {event.retry_in_s:.0f} s, {event.waiting:,} wait"
        case ResultsRead():
            return f"  {results_words(event)}"
        case Notice():
            head = "Warning: " if event.level is NoticeLevel.WARNING else ""
            return f"  {head}{visible(event.text)}" if event.level is not NoticeLevel.ERROR else None
        case _:
            return None


def switched_words(event: BranchSwitched) -> str:
    """``Now on main at checkpoint 3, 100 of 500 cases · what was here before stays as main-1: /branches main-1 returns to it``"""
    where = f"{visible(event.branch)} at checkpoint {event.checkpoint}, {event.accepted:,} of {counted(event.planned, 'case')}"
    left = visible(event.left)
    return f"Now on {where} · what was here before stays as {left}: /branches {left} returns to it"


def diversity_words(event: DiversityMeasured) -> str:
    """The figures in a line: ``as varied as 41 different cases among 500, any two 0.31 alike, 57 of 60 cells hold a case``."""
    parts = []
    if event.variety is not None:
        parts.append(f"as varied as {counted(round(event.variety), 'different case')} among {event.cases:,}")
    if event.mean_likeness is not None:
        parts.append(f"any two {event.mean_likeness:.2f} alike")
    if event.nearest_likeness is not None:
        parts.append(f"the nearest {event.nearest_likeness:.2f}")
    if event.cells:
        parts.append(f"{event.cells_filled:,} of {event.cells:,} cells hold a case")
    return ", ".join(parts)


def judged_lines(judged: Mapping[str, JudgedCounts]) -> list[str]:
    """What the judge found, a line for each category: ``refunds: 91–97 % good: 112 of 120 judged``."""
    return [visible(f"{name}: {counts.sentence}") for name, counts in judged.items()]


def judged_advice(judged: Mapping[str, JudgedCounts]) -> str:
    """What to do about categories with too many bad cases; empty when there is none."""
    doubtful = [name for name, counts in judged.items() if counts.is_doubtful]
    if not doubtful:
        return ""
    return visible(f"Judge all of {', '.join(doubtful)} (judge: all): bad cases are then written again.")


def imported_words(summary: BuilderState) -> str:
    """How many cases came with a file of rows, and how many are new; empty when none did.

    With several categories also what share of those each has, beside its share of what is planned.
    """
    cases: Mapping[str, int] = summary.imported.get("cases", {})
    there = sum(cases.values())
    if not there or not summary.imported.get("name"):
        return ""
    new = max(0, summary.instances_created - there)
    asked: Mapping[str, int] = summary.imported.get("asked", cases)
    often = f" (asked {sum(asked.values()):,} times)" if asked != cases else ""
    words = f"{there:,} of the cases came with {summary.imported['name']}{often}, {new:,} {'is' if new == 1 else 'are'} new."
    if len(summary.categories) > 1:
        planned = sum(counts["planned"] for counts in summary.categories.values())
        shares = [
            f"{name} {share_words(asked.get(name, 0), sum(asked.values()))} (planned {share_words(counts['planned'], planned)})"
            for name, counts in summary.categories.items()
        ]
        words += f" Of those that came: {', '.join(shares)}."
    return visible(words)


def diversity_lines(report: DiversityReport) -> list[str]:
    """The figures in two lines, for the end of a run: how different the cases are, and what they cover."""
    f = report.overall
    first, second = [], []
    if f.variety is not None:
        first.append(f"as varied as {counted(round(f.variety), 'entirely different case')}")
    if f.mean_likeness is not None:
        first.append(f"two at random are {f.mean_likeness:.2f} alike (1.00 is the same text)")
    if f.cells:
        second.append(f"{share_words(f.cells_filled, f.cells)} of the planned cells hold a case")
    if f.pairs:
        second.append(f"{share_words(f.pairs_filled or 0, f.pairs)} of the pairs of axis values")
    if f.rejected:
        stages = sorted(f.rejections.items(), key=lambda pair: (-pair[1], pair[0]))
        second.append(f"turned away: {', '.join(f'{stage} {count:,}' for stage, count in stages)}")
    return [visible("; ".join(parts)) for parts in (first, second) if parts]
