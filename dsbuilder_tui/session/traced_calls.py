"""Calls of workers and of the judge, as they are told to MLflow."""

from __future__ import annotations

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.traced_call import TracedCall, begun_with
from dsbuilder_tui.generation.call_log import CallTrace


def traced_call(trace: CallTrace) -> TracedCall:
    """A call that has ended. Its answer is that of the latest try."""
    known = bool(trace.prompt_tokens or trace.completion_tokens) and not trace.estimated
    return TracedCall(
        caller=trace.role.value,
        model=trace.model,
        system=begun_with(trace.system),
        messages=(("user", begun_with(trace.prompt)),),
        answer=begun_with(trace.answer),
        started=trace.started,
        ended=trace.started if trace.ended is None else trace.ended,
        outcome=trace.outcome or CallOutcome.CANCELLED,
        usage=Usage(trace.prompt_tokens, trace.completion_tokens, known=known, estimated=trace.estimated),
        category=trace.category,
        batch=trace.batch,
        slots=trace.slots,
        delivered=trace.delivered,
        retries=tuple(f"{again.kind.value}: {again.detail}" for again in trace.retries),
        first_text=trace.first_text,
        detail=begun_with(trace.detail),
    )
