"""Rows and details of worker calls."""

from __future__ import annotations

from dsbuilder_tui.domain.batch_job import BatchJob, BatchJobState
from dsbuilder_tui.domain.batch_job_words import job_words
from dsbuilder_tui.domain.batch_words import BatchFigures, batch_words
from dsbuilder_tui.domain.call_outcome import CALL_ENDINGS, CallOutcome
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.runner_place import PlaceState, RunnerPlace
from dsbuilder_tui.session import CallTrace
from dsbuilder_tui.session.call_answers import batch_facts
from dsbuilder_tui.session.calls import WorkerCall
from dsbuilder_tui.tui.paint.line import EMPTY, Line, Span, clip, cut, fit, wrap
from dsbuilder_tui.wording import WAITS, clock_time

_AT_WORK = {
    CallRole.WORKER: "", CallRole.EVOLVE: ", evolves drafts", CallRole.CRITIQUE: ", criticises drafts",
    CallRole.REVISE: ", revises drafts", CallRole.TEMPLATES: ", writes templates", CallRole.JUDGE: ", the judge",
}  # fmt: skip
_SHOWN_LINES, _SHOWN_THOUGHTS = 400, 40


def call_row(call: CallTrace | WorkerCall, width: int, chosen: bool, now: float) -> Line:
    """Batch, category, cases, seconds, tokens, how it ended."""
    if isinstance(call, CallTrace):
        size, seconds = len(call.slots), (call.ended or now) - call.started
        tokens, flying = call.prompt_tokens + call.completion_tokens, call.ended is None
        retries = len(call.retries)
    else:
        size, seconds, flying = call.size, call.seconds, False
        tokens, retries = call.usage.prompt_tokens + call.usage.completion_tokens, call.retries
    words = CALL_ENDINGS[call.outcome] if call.outcome else "in flight"
    role = "good" if flying else "muted" if call.outcome in (CallOutcome.OK, CallOutcome.CANCELLED) else "bad"
    category = max(8, min(20, width // 5))
    spans: list[Span] = [
        (fit(f"b{call.batch}", 7), "faint"),
        (
            fit(call.role.of(call.category), category),
            "strong" if chosen else "text",
        ),
    ]
    asked = f"/{size:<3}" if size else " " * 4  # templates are asked for by no slots
    spans += [(f" {call.delivered:>3}{asked}", "text"), (f" {seconds:>6.1f} s ", "muted")]
    if width >= 64:
        spans.append((fit(f"{tokens:,} tok" if tokens else "", 11, "right") + "  ", "faint"))
    if retries and width >= 60:
        words += f" · {counted(retries, 'retry')}"
    spans.append((clip(words, width - sum(len(s[0]) for s in spans)), role))
    return cut(tuple(spans), width)


def job_row(job: BatchJob, width: int, now: float) -> Line:
    """A batch job: how it stands, how far it is, since when, and when it is looked at again."""
    name, state, *rest = job_words(job, now).split(" · ")
    role = "bad" if job.state is BatchJobState.DROPPED else "warn" if job.trouble or job.cancelled else "info"
    return cut(((f"{name} ", "strong"), (f"{state} ", role), (clip(" · ".join(rest), width), "muted")), width)


_PLACE_ROLES = {
    PlaceState.STARTING: "info", PlaceState.WORKING: "good", PlaceState.RESTING: "warn", PlaceState.UNFIT: "bad",
    PlaceState.LOST: "bad",
}  # fmt: skip


def place_row(place: RunnerPlace, width: int) -> Line:
    """A node: its name, what it does, its calls, and what stands against it."""
    again = f" · {place.given_again:,} made again elsewhere" if place.given_again else ""
    detail = f" · {place.detail}" if place.detail and place.state is not PlaceState.WORKING else ""
    following = f" · {place.waiting:,} next" if place.waiting else ""
    figures = f"{place.calls:,} in flight{following} · {place.done:,} done{again}{detail}"
    name = (fit(place.name, max(8, min(24, width // 4))), "strong")
    return cut((name, (fit(f" {place.state}", 10), _PLACE_ROLES[place.state]), (clip(figures, width), "muted")), width)


def call_detail(
    call: CallTrace | WorkerCall, trace: CallTrace | None, width: int, now: float, figures: BatchFigures | None = None
) -> list[Line]:
    """What happened in words, then figures, retries, what came back and what was asked; ``figures`` are of its cases."""
    lines: list[Line] = [((row, "text"),) for row in wrap(batch_words(batch_facts(call, now), figures), width)]
    lines.append(EMPTY)

    def pair(name: str, value: object) -> None:
        lines.append(((fit(name, 14), "muted"), (clip(value, max(4, width - 14)), "text")))

    pair("model", call.model + _AT_WORK[call.role])
    if trace is not None:
        pair("worker", f"{trace.worker}, attempt {trace.attempt + 1}" if trace.attempt else trace.worker)
        pair("slots", ", ".join(map(str, trace.slots)))
        pair("started", clock_time(trace.started))
        seconds = (trace.ended or now) - trace.started
        first = f", first text after {trace.first_text:.2f} s" if trace.first_text is not None else ""
        pair("time", f"{seconds:.2f} s{first}")
        tokens, about = (trace.prompt_tokens, trace.completion_tokens), trace.estimated
    else:
        assert isinstance(call, WorkerCall)
        pair("ended", clock_time(call.created_at))
        pair("time", f"{call.seconds:.2f} s")
        tokens, about = (call.usage.prompt_tokens, call.usage.completion_tokens), call.usage.estimated
    pair("tokens", f"{'about ' if about else ''}{tokens[0]:,} in, {tokens[1]:,} out" if any(tokens) else "not reported")
    pair("outcome", CALL_ENDINGS[call.outcome] if call.outcome else "in flight")
    if call.detail:
        lines += [((row, "warn"),) for row in wrap(call.detail, width)]
    if trace is None:
        lines += [
            EMPTY,
            *[
                ((row, "muted"),)
                for row in wrap(
                    "Prompts and answers are kept for the latest 100 calls while the app is open; this one is older.",
                    width,
                )
            ],
        ]
        return lines
    if trace.retries:
        lines += [EMPTY, (("retries", "info"),)]
        for retry in trace.retries:
            what = WAITS.get(retry.kind, clip(retry.kind, 20))
            lines.append(
                cut(
                    (
                        (f"{clock_time(retry.ts)} ", "faint"),
                        (f"{what}, waited {retry.wait_s:.1f} s  ", "warn"),
                        (clip(retry.detail, width), "muted"),
                    ),
                    width,
                )
            )
    if thoughts := trace.thoughts:
        rows = wrap(thoughts, width)
        lines += [EMPTY, (("thoughts, apart from the answer", "info"),)]
        lines += [((row, "muted"),) for row in rows[:_SHOWN_THOUGHTS]]
        if len(rows) > _SHOWN_THOUGHTS:
            lines.append((("… the rest is not shown", "faint"),))
    lines += [EMPTY, (("answer, as it came", "info"),)]
    answer = trace.answer
    shown = wrap(answer, width) if answer else []
    lines += [((row, "text"),) for row in shown[:_SHOWN_LINES]] or [(("nothing yet", "faint"),)]
    if trace.answer_cut or len(shown) > _SHOWN_LINES:
        lines.append((("… the rest is not shown", "faint"),))
    for name, text in (("prompt", trace.prompt), ("instructions", trace.system)):
        lines += [EMPTY, ((name, "info"),), *[((row, "muted"),) for row in wrap(text, width)[:_SHOWN_LINES]]]
    return lines
