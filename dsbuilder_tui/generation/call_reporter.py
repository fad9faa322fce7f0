"""Reports about calls: what happens to them as events, and what they came to in the journal."""

from __future__ import annotations

from collections.abc import Callable

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import (
    TEXT_LENGTH,
    BatchFinished,
    CallHedged,
    ConcurrencyChanged,
    Event,
    RetryScheduled,
)
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.budget import Budget
from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.generation.journal import Journal
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.models.protocol import TransientError
from dsbuilder_tui.store.rows import WorkerAnswer, WorkerCall
from dsbuilder_tui.store.session_store import SessionStore


class CallReporter:
    """Announces what happens to calls, and has it remembered."""

    def __init__(
        self,
        store: SessionStore,
        journal: Journal,
        budget: Budget,
        clock: Clock,
        emit: Callable[[Event], None],
        *,
        keeps_answers: bool,
    ) -> None:
        """``keeps_answers`` says whether the response journal gets what the model says."""
        self._store, self._journal, self._budget = store, journal, budget
        self._clock, self._emit, self._keeps_answers = clock, emit, keeps_answers

    def tell(self, event: Event) -> None:
        """Announce what is no decision about a case, and have it remembered in passing."""
        self._emit(event)
        self._journal.note(event)

    def limit_changed(self, limit: int, reason: str) -> None:
        self.tell(ConcurrencyChanged(ts=self._clock.now(), limit=limit, reason=reason))

    def hedged(self, batch: Batch, worker: int, silent: float) -> None:
        """A call is asked a second time, after so many seconds of silence."""
        self.tell(CallHedged(ts=self._clock.now(), batch=batch.number, worker=worker, silent_s=round(silent, 2)))

    def retry_scheduled(
        self, batch: Batch, worker: int, result: BatchOutcome, error: TransientError, wait: float, attempt: int
    ) -> None:
        """A call failed and is made again in ``wait`` seconds."""
        event = RetryScheduled(
            ts=self._clock.now(), batch=batch.number, worker=worker, kind=error.kind, wait_s=round(wait, 2),
            attempt=attempt, detail=error.detail[:TEXT_LENGTH],
        )  # fmt: skip
        if result.trace is not None:
            result.trace.retries.append(event)
        self.tell(event)

    def ended(self, batch: Batch, worker: int, result: BatchOutcome) -> None:
        """A call has ended, and what it brought is judged. Its trace says who made it, in which role."""
        trace = result.trace
        assert trace is not None
        now, seq = self._clock.now(), self._store.next_seq()
        dollars = self._budget.charge(trace.model, result.usage, batched=trace.batched)
        self._journal.call(
            WorkerCall(
                seq=seq, category=batch.category.name, batch=batch.number, model=trace.model, size=len(batch.slots),
                outcome=result.outcome, delivered=len(result.delivered), retries=result.retries, usage=result.usage,
                seconds=result.seconds, detail=result.detail, created_at=now, worker=worker, role=trace.role,
                batched=trace.batched,
            ),
            BatchFinished(
                ts=now, batch=batch.number, worker=worker, category=batch.category.name,
                outcome=result.outcome, delivered=len(result.delivered), seconds=round(result.seconds, 3),
                prompt_tokens=result.usage.prompt_tokens, completion_tokens=result.usage.completion_tokens,
                detail=result.detail, dollars=dollars, estimated=result.usage.estimated, role=trace.role,
            ),
            self._kept_answer(seq, batch, trace),
        )  # fmt: skip

    def _kept_answer(self, seq: int, batch: Batch, trace: CallTrace) -> WorkerAnswer | None:
        """What the model said, for the response journal. One whose text depends on nothing but the slot can say it again."""
        text = trace.answer
        trace.shorten()
        if not text or not self._keeps_answers:
            return None
        ordinals = tuple(wanted.slot.ordinal for wanted in batch.slots)
        return WorkerAnswer(seq=seq, category=batch.category.name, ordinals=ordinals, text=text)
