"""Reports about calls: what happens to them as events, and what they came to in the journal."""

from __future__ import annotations

from collections.abc import Callable

from dsbuilder_tui.domain.call_role import CallRole
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
        model: str,
        clock: Clock,
        emit: Callable[[Event], None],
        *,
        keeps_answers: bool,
        role: CallRole = CallRole.WORKER,
    ) -> None:
        """``model`` is the name of whoever is called; ``keeps_answers`` says whether the response journal gets what it says."""
        self._store, self._journal, self._budget, self._model = store, journal, budget, model
        self._clock, self._emit, self._keeps_answers = clock, emit, keeps_answers
        self._role = role

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
        """A call has ended, and what it brought is judged."""
        now, seq = self._clock.now(), self._store.next_seq()
        dollars = self._budget.charge(self._model, result.usage)
        self._journal.call(
            WorkerCall(
                seq=seq, category=batch.category.name, batch=batch.number, model=self._model, size=len(batch.slots),
                outcome=result.outcome, delivered=len(result.delivered), retries=result.retries, usage=result.usage,
                seconds=result.seconds, detail=result.detail, created_at=now, worker=worker, role=self._role,
            ),
            BatchFinished(
                ts=now, batch=batch.number, worker=worker, category=batch.category.name,
                outcome=result.outcome, delivered=len(result.delivered), seconds=round(result.seconds, 3),
                prompt_tokens=result.usage.prompt_tokens, completion_tokens=result.usage.completion_tokens,
                detail=result.detail, dollars=dollars, estimated=result.usage.estimated, role=self._role,
            ),
            self._kept_answer(seq, batch, result),
        )  # fmt: skip

    def _kept_answer(self, seq: int, batch: Batch, result: BatchOutcome) -> WorkerAnswer | None:
        """What the model said, for the response journal. One whose text depends on nothing but the slot can say it again."""
        trace = result.trace
        if trace is None:
            return None
        text = trace.answer
        trace.shorten()
        if not text or not self._keeps_answers:
            return None
        ordinals = tuple(wanted.slot.ordinal for wanted in batch.slots)
        return WorkerAnswer(seq=seq, category=batch.category.name, ordinals=ordinals, text=text)
