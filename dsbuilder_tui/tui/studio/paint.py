"""The studio's panels: plan, workers, checkpoints, rejected. Each as a box, or as one line where there is no room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dsbuilder_tui.domain.batch_job_words import job_words, jobs_words
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.category_view import CategoryView, fitting
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.run_state import RunState, WorkerState
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.tui.paint.line import (
    EMPTY,
    Line,
    Span,
    bar,
    clip,
    cut,
    fit,
    frame,
    length,
    longest,
    sides,
    sparkline,
    wrap,
)
from dsbuilder_tui.tui.paint.stages import STAGE_ROLES, stage_words
from dsbuilder_tui.tui.paint.timeline import timeline
from dsbuilder_tui.tui.places.links import link_span, visit_action
from dsbuilder_tui.tui.places.place import Place, PlaceKind
from dsbuilder_tui.view import RunView, Turned, WorkerView
from dsbuilder_tui.wording import clock_time, eta_words, rate_words, worker_words

_STEPS = (
    ("The plan", "Categories, how many cases of each, and in what they differ. Nothing is written before your yes."),
    (
        "What it starts from",
        "Name a folder or a file (“the bot in ./my_bot”, “questions in faq.csv”), or paste a prompt.",
    ),
    (
        "The cases",
        "Workers write them side by side, and a gate turns repeats away. They come here as they are accepted.",
    ),
    ("Always safe", "What is accepted is on disk at once: pause, close, or lose the power, and go on later."),
    ("The dataset", "/export writes JSONL, CSV or Parquet; with MLflow it grows there while you watch."),
)  # what comes, for who sees the studio for the first time
_NAME_SHARE = 0.3
_MOST_NAME = 26


def one_line_panel(title: str, words: Sequence[Span], width: int, *, focused: bool) -> list[Line]:
    """A panel folded to a single row."""
    mark: Span = ("▸ ", "accent") if focused else ("▸ ", "faint")
    head: list[Span] = [mark, (f"{title}  ", "strong" if focused else "text")]
    hint: list[Span] = [("enter maximise", "faint")] if focused else []
    return [sides(cut((*head, *words), width), hint, width)]


def said(words: str, width: int) -> list[Line]:
    """A sentence of ours in place of what is not there yet."""
    return [((row, "muted"),) for row in wrap(words, width)]


def plan_panel(
    view: RunView,
    width: int,
    height: int,
    *,
    focused: bool,
    grown: bool = False,
    about: Mapping[str, str] | None = None,
) -> list[Line]:
    """A bar, counts and rejections a category. ``about`` has a line for each, shown where there is room."""
    if not view.categories:
        return _no_plan(width, height, focused=focused)
    title: list[Span] = [(f"Plan · rev {view.revision}", "strong" if focused else "text")]
    percent = 100 * view.accepted // view.planned if view.planned else 0
    if height < 3:
        words: list[Span] = [(f"{view.accepted:,}/{view.planned:,}", "strong"), (f" · {percent} %", "muted")]
        pace = " · ".join(filter(None, (rate_words(view), eta_words(view)))) if view.state is RunState.RUNNING else ""
        return one_line_panel("Plan", [*words, (f" · {pace}" if pace else "", "muted")], width, focused=focused)
    inner, room = width - 4, height - 2
    names = list(view.categories)
    at_work = {w.category for w in view.workers.values() if w.busy}
    shown, hidden = fitting(view.categories, room - 1, at_work)
    name_width = min(longest(names), inner // 3 if grown else min(_MOST_NAME, max(8, int(inner * _NAME_SHARE))))
    digits = max(len(f"{view.accepted:,}/{view.planned:,}"), 7)
    tail = 13 if inner >= 50 else 8
    bar_width = max(4, inner - name_width - digits - tail - 3)
    lines = [
        _to_category(name, _plan_row(fit(name, name_width), view.categories[name], bar_width, digits, tail, "text"))
        for name in shown
    ]
    if about and not hidden and room >= 3 * len(names) + 2:
        told = [((f"  {clip(about.get(name, ''), inner - 2)}", "muted"),) for name in shown]
        lines = [line for pair in zip(lines, told, [EMPTY] * len(shown), strict=True) for line in pair]
    if hidden:
        lines.append(((f"and {counted(hidden, 'category')} more", "faint"),))
    total = CategoryView(view.planned, view.accepted, view.rejected, view.exhausted)
    if len(names) > 1:
        lines.append(_plan_row(fit("total", name_width), total, bar_width, digits, tail, "strong"))
    lost: list[Span] = []
    if view.exhausted:
        lost = [(f"{counted(view.exhausted, 'slot')} exhausted", "warn"), (" · /retry tries again", "muted")]
    if lost and view.state is not RunState.FINISHED and len(lines) < room:
        lines.append(cut(tuple(lost), inner))
    hint: list[Span] = []
    if view.state is RunState.RUNNING:
        said = [part for part in (rate_words(view), eta_words(view)) if part]
        hint = [(" · ".join(said) if said else "starting …", "muted")]
    elif view.state is RunState.FINISHED:
        hint = lost or [("finished", "good") if view.accepted == view.planned else ("finished short", "warn")]
    elif focused and not grown:
        hint = [("enter maximise", "muted")]
    info: list[Span] = [(f"{view.accepted:,}/{view.planned:,}", "strong"), (f" · {percent} %", "muted")]
    return frame(lines, width, height, title=title, info=info, hint=hint, focused=focused)


def _no_plan(width: int, height: int, *, focused: bool) -> list[Line]:
    if height < 3:
        return one_line_panel("Plan", [("none yet", "muted")], width, focused=focused)
    inner = width - 4
    lines = said("No plan yet. Say what the dataset is for, or /plan edit.", inner)
    for heading, words in _STEPS if height >= 20 else ():
        lines += [EMPTY, ((heading, "info"),), *(((f"  {row}", "muted"),) for row in wrap(words, inner - 2))]
    return frame(lines, width, height, title=[("Plan", "strong" if focused else "text")], focused=focused)


def _to_category(name: str, row: Line) -> Line:
    """The row of a category, whose name goes to its cases."""
    first = row[0]
    return ((first[0], first[1], visit_action(Place(kind=PlaceKind.CATEGORY, name=name))), *row[1:])


def _plan_row(name: str, c: CategoryView, bar_width: int, digits: int, tail: int, role: str) -> Line:
    done = c.accepted + c.exhausted >= c.planned
    bar_role = "good" if done or role == "strong" else "accent"
    heavy = c.rejected > 20 and c.rejected * 4 > c.accepted + c.rejected
    rejected = (f"{c.rejected:>5,} rej" if tail < 13 else f"{c.rejected:>4,} rejected") if c.rejected else ""
    return (
        (name, role),
        (" ", "text"),
        *bar(c.accepted, c.planned, bar_width, bar_role, exhausted=c.exhausted),
        (" ", "text"),
        (fit(f"{c.accepted:,}/{c.planned:,}", digits, "right"), role),
        (" ", "text"),
        (f"{rejected:<{tail}}", "warn" if heavy else "muted"),
    )


def workers_panel(
    view: RunView,
    width: int,
    height: int,
    now: float,
    *,
    focused: bool,
    pace: float = 0.0,
    opens: bool = False,
    acts: bool = True,
) -> list[Line]:
    """``acts`` is whether anything can be done here about how it stands."""
    busy, limit = view.workers_busy, view.workers_limit
    waiting = [w for w in view.workers.values() if w.state is WorkerState.WAITING]
    count = f"Workers {busy} of {limit}" if limit else "Workers"
    if busy > limit:  # others go on in place of those that wait
        count = f"Workers {busy - len(waiting)} of {limit}"
    if busy - len(waiting) > limit:  # it was lowered while they were at work
        count = f"Workers {busy} · at most {limit} from now on"
    if height < 3:
        told = jobs_words(view.batch_jobs.values(), now)
        at_work = view.busy and (busy or not told)
        words: list[Span] = [
            (f"{busy} of {limit} at work" if at_work else told or _rest_words(view, acts=acts), "muted")
        ]
        if waiting:
            words.append((f" · {len(waiting)} wait, the next for {_soonest(waiting, now):.0f} s", "warn"))
        return one_line_panel("Workers", words, width, focused=focused)
    inner, room = width - 4, height - 2
    lines: list[Line] = []
    jobs = [job for job in view.batch_jobs.values() if job.is_waiting]
    lines += [cut(((clip(job_words(job, now), inner), "info"),), inner) for job in jobs[: max(1, room - 2)]]
    if not view.workers:
        lines += said(_rest_words(view, acts=acts), inner) if not (jobs and view.busy) else []
    else:
        if waiting and room > 3:
            free = max(1, room - 1 - len(lines) - len(view.workers))
            lines += [((row, "warn"),) for row in _wait_sentence(waiting, now, inner, free)]
        ordered = sorted(view.workers.values(), key=lambda w: (not w.busy, w.number))
        ordered = sorted(ordered[: max(1, room - 1 - len(lines))], key=lambda w: w.number)
        lines += [_worker_head(inner), *(_worker_row(w, inner, now) for w in ordered)]
    hint: list[Span] = []
    if focused:
        hint = [("enter details" if opens else "enter maximise", "muted")]
    elif pace and view.busy:
        hint = [(f"paced at {pace:g} {'case' if pace == 1 else 'cases'}/s · /pace off", "muted")]
    elif view.limit_reason and view.busy and not waiting:
        hint = [(clip(view.limit_reason, inner // 2), "warn")]
    return frame(lines, width, height, title=[(count, "strong" if focused else "text")], hint=hint, focused=focused)


def _rest_words(view: RunView, *, acts: bool) -> str:
    if not acts and not view.busy:
        return "At rest." if view.accepted else "No worker yet."
    words = {
        RunState.IDLE: "No worker yet. Approve the plan, or press ^P.",
        RunState.PAUSED: "At rest. ^P resumes: only the open slots are written.",
        RunState.FINISHED: "All done. F2 shows the cases, /export writes them.",
        RunState.RUNNING: "Waiting for the first batch …",
        RunState.PAUSING: "Draining …",
    }
    if view.state is RunState.FINISHED and view.accepted < view.planned:
        return f"Done but for {counted(view.planned - view.accepted, 'case')}. /retry tries the exhausted slots again."
    if view.state is RunState.PAUSED and view.notice_level is NoticeLevel.ERROR and view.notice:
        return "Stopped by the error that the conversation tells of. ^P tries again: only the open slots are written."
    if view.state is RunState.IDLE and not view.planned:
        return "No worker yet. They begin when there is a plan and you approve it."
    return words.get(view.state, "")


def _soonest(waiting: Sequence[WorkerView], now: float) -> float:
    return max(0.0, min(w.retry_at for w in waiting) - now)


def _wait_sentence(waiting: Sequence[WorkerView], now: float, width: int, rows: int) -> list[str]:
    """Who waits and why, in at most so many rows; what it means is said where there is room."""
    soonest = _soonest(waiting, now)
    left = f"{soonest:.0f} s" if soonest >= 0.5 else "a moment"
    who = counted(len(waiting), "worker")
    verb = "waits" if len(waiting) == 1 else "wait"
    if all(w.retry_kind is FailureKind.RATE_LIMIT for w in waiting):
        short = f"Rate-limited by the endpoint: {who} {verb} {left}"
        words = f"{short} (this is normal; a lower max_workers avoids it)"
    else:
        short = f"The endpoint fails: {who} {verb} {left}"
        words = f"{short}, then it is tried again"
    lines = wrap(words, width)
    return lines if len(lines) <= rows else [clip(short, width)]


def _columns(inner: int) -> tuple[int, int, bool, bool]:
    """Widths of category and state, and whether batch and sparkline have room."""
    batch, spark = inner >= 46, inner >= 58
    fixed = 3 + (6 if batch else 0) + (9 if spark else 0) + 6 + 8
    free = max(12, inner - fixed)
    category = max(6, min(24, free * 2 // 5))
    return category, max(6, free - category - 1), batch, spark


def _worker_head(inner: int) -> Line:
    category, state, batch, spark = _columns(inner)
    words = f"{'#':<3}{fit('category', category)} "
    words += f"{'batch':<6}" if batch else ""
    words += f"{'rate':<9}" if spark else ""
    words += f"{'cases':>6}{'time':>7} "
    return ((words, "faint"), (f" {fit('state', state - 1)}", "faint"))


def _worker_row(w: WorkerView, inner: int, now: float) -> Line:
    category, state, batch, spark = _columns(inner)
    role = "muted"
    if w.state is WorkerState.STREAMING:
        role = "good"
    elif w.state is WorkerState.WAITING:
        role = "warn"
    elif w.state not in (CallOutcome.OK, CallOutcome.CANCELLED):
        role = "bad"
    seconds = max(0.0, now - w.started) if w.busy else w.seconds
    time = f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
    spans: list[Span] = [
        (f"{w.number:<3}", "muted"),
        (
            fit(w.role.of(w.category), category),
            "text" if w.busy else "muted",
        ),
        (" ", "text"),
    ]
    if batch:
        number = link_span(clip(f"b{w.batch}", 5), "muted", Place(kind=PlaceKind.BATCH, name=str(w.batch)))
        spans += [number, (" " * (6 - length((number,))), "text")]
    if spark:
        spans.append(
            (
                sparkline(w.arrivals, now if w.busy else w.arrivals[-1] if w.arrivals else now, 8) + " ",
                "accent" if w.busy else "faint",
            )
        )
    spans.append((f"{f'{min(w.judged, w.size)}/{w.size}':>6}", "text" if w.busy else "muted"))
    spans += [(f"{time:>7} ", "muted"), (" " + clip(worker_words(w, now), state - 1), role)]
    return tuple(spans)


def checkpoints_panel(
    view: RunView, width: int, height: int, *, focused: bool, interval: int | None, opens: bool = False
) -> list[Line]:
    points = view.points
    saved = f"saved {clock_time(points[-1].ts)}" if points else ""
    if height < 3:
        words = (
            f"{len(points)} · the last at {counted(points[-1].accepted, 'case')} · {saved}" if points else "none yet"
        )
        return one_line_panel("Checkpoints", [(words, "muted")], width, focused=focused)
    inner, room = width - 4, height - 2
    if points:
        # One at the end of a run may stand where the last one stood.
        told = [
            p
            for p, after in zip(points, (*points[1:], None), strict=True)
            if not after or after.accepted != p.accepted or p.forked
        ]
        places = [point for point in told if point.accepted] or told  # the line begins at 0 by itself
        lines = timeline(places, inner, view.planned, interval if view.left else None)
        if room >= 4:
            lines = [EMPTY, *lines]
    elif interval:
        lines = said(
            f"The first one comes after {counted(interval, 'case')}. Cases are saved all the time, not only then.",
            inner,
        )
    else:
        lines = said("Checkpoint rows are switched off; the cases are saved all the same.", inner)
    hint: list[Span] = [(saved, "muted")] if saved else []
    if focused:
        hint = [*hint, (" · " if hint else "", "muted"), ("enter open" if opens else "enter maximise", "muted")]
    elif points:
        hint = [*hint, (" · F4 open", "faint")]
    title: list[Span] = [("Checkpoints", "strong" if focused else "text")]
    if points:
        title.append((f" {points[-1].number}", "muted"))
    if view.branch:
        title.append((f" · {clip(view.branch, 24)}", "accent"))
    return frame(lines, width, height, title=title, hint=hint, focused=focused)


def rejected_panel(view: RunView, width: int, height: int, *, focused: bool, opens: bool = False) -> list[Line]:
    candidates = view.accepted + view.rejected
    share = f" · {100 * view.rejected / candidates:.0f} %" if candidates and view.rejected else ""
    if height < 3:
        folded: list[Span] = [(f"{view.rejected:,}{share}", "muted")]
        if view.feed:
            folded.append((f" · {clip(view.feed[-1].stage, 20)}: {clip(view.feed[-1].text, width)}", "faint"))
        return one_line_panel("Rejected", folded, width, focused=focused)
    inner, room = width - 4, height - 2
    lines = [feed_row(turned, inner) for turned in reversed(view.feed[-room:])]
    if not lines:
        words = "Nothing was turned away yet. Repeats show up here, with what they repeat." if not view.rejected else ""
        lines = said(words, inner)
    title: list[Span] = [(f"Rejected {view.rejected:,}", "strong" if focused else "text"), (share, "muted")]
    hint: list[Span] = [("enter compare" if opens else "enter maximise", "muted")] if focused else []
    if not focused and view.feed:
        hint = [("F5 compare", "faint")]
    return frame(lines, width, height, title=title, hint=hint, focused=focused)


def feed_row(turned: Turned, width: int) -> Line:
    """Time, category, stage with score, nearest case or what a validator found wrong, text."""
    category = max(6, min(16, width // 5))
    spans: list[Span] = []
    if width >= 50:
        spans.append((clock_time(turned.ts) + " ", "faint"))
    spans += [(fit(turned.category, category), "text"), (" ", "text")]
    spans += [(fit(stage_words(turned.stage, turned.score), 12), STAGE_ROLES.get(turned.stage, "bad")), (" ", "text")]
    if turned.nearest and width >= 44:
        sign = "=" if turned.score is None or turned.score >= 1 else "≈"
        number = f"#{turned.nearest.rpartition('-')[2].lstrip('0')}"
        near = link_span(clip(number, 6), "muted", Place(kind=PlaceKind.CASE, name=turned.nearest))
        spans += [(f"{sign} ", "muted"), near, (" " * (7 - length((near,))), "text")]
    elif turned.stage in (Stage.VALIDATORS, Stage.CRITIQUE) and width >= 60:
        spans.append((f"{fit(turned.reason, width // 3)} ", "muted"))
    used = sum(len(s[0]) for s in spans)
    compare = visit_action(Place(kind=PlaceKind.REJECTION, name=str(turned.seq)))
    role = "text" if turned.text else "muted"
    spans.append((clip(turned.text or turned.reason, max(4, width - used)), role, compare))
    return cut(tuple(spans), width)


def watching_lines(owner: int | None, error: DsbuilderError | None) -> Sequence[Line]:
    """Where a session is only watched: who works on it, and what can be done here."""
    if error is not None:
        return [((f"! {error.problem}", "bad"),), (("esc  back to the list", "muted"),)]
    if owner is not None:
        return [
            (("● ", "good"), ("only watching", "strong"), (f" · process {owner} has it open", "muted")),
            (("Change it there. What is accepted shows here at once.", "faint"),),
        ]
    return [
        (("○ ", "warn"), ("only watching", "strong"), (" · nobody has it open now", "muted")),
        (("o", "key", "screen.take_over"), (" opens it here", "muted", "screen.take_over")),
    ]
