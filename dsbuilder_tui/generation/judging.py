"""The judge's part in a run: who is judged when, what comes of a verdict, and what is done when the judge fails."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import AcceptedCase, Candidate, Slot
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import EndpointRefused, EndpointUnavailable
from dsbuilder_tui.domain.events import BatchStarted, CaseJudged, Event, Notice
from dsbuilder_tui.domain.judge_modes import judge_modes
from dsbuilder_tui.domain.judging import TAG, JudgedCounts, Judgement, JudgeMode, Verdict, verdict_of
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.review import REVIEWED
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.budget import Budget
from dsbuilder_tui.generation.call_log import CallLog, CallTrace
from dsbuilder_tui.generation.call_reporter import CallReporter
from dsbuilder_tui.generation.call_retries import CallRetries
from dsbuilder_tui.generation.candidate_queue import JudgedCandidate
from dsbuilder_tui.generation.gate import Gate
from dsbuilder_tui.generation.judge_caller import JudgeCaller
from dsbuilder_tui.generation.judge_queue import JudgeItem, JudgeQueue, Verdicts
from dsbuilder_tui.generation.judge_sample import JudgeSample
from dsbuilder_tui.generation.ledger import Batch, SlotState
from dsbuilder_tui.generation.originals import as_written, partner_of, with_originals
from dsbuilder_tui.generation.schema_check import Fitted
from dsbuilder_tui.generation.validator_check import Fault, Validated
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency
from dsbuilder_tui.models.protocol import SlotRequest, TextModel, TransientError, WorkerModel
from dsbuilder_tui.models.providers import judge_model, require_judge
from dsbuilder_tui.quality.judge_prompt import JudgePrompter, PresentedCase
from dsbuilder_tui.quality.rubric import rubric_of
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.rows import CaseVerdict, LedgerRows
from dsbuilder_tui.store.session_store import SessionStore

_MOST_BARREN = 5  # calls in a row without a usable verdict
_PAGE = 100  # accepted cases that are read to be judged
_MOST_WAITING = 400  # of them at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHooks:
    """What the judging asks of the run that it is part of."""

    put_back: Callable[[JudgedCandidate], Awaitable[None]]
    pause: Callable[[Pause], None]
    fail: Callable[[BaseException], None]
    wake: Callable[[], None]
    charged: Callable[[], None]  # a call was paid for
    judged: Callable[[AcceptedCase, Verdict], None] = lambda case, verdict: None  # of a case that counts


def judge_of(plan: DatasetPlanInput, config: DatasetBuilderConfig, writer: WorkerModel) -> TextModel | None:
    """The judge's model for a run, when a category wants one; to be closed by the caller.

    Raises ``InputError`` when a judge is asked for by name and none can be had, or as ``worker_model``.
    """
    by_model = not writer.ordered
    if set(judge_modes(plan, config.judge, by_model=by_model).values()) <= {JudgeMode.OFF}:
        return None
    model = judge_model(config)
    asked_for = set(judge_modes(plan, config.judge, by_model=False).values()) - {JudgeMode.OFF}
    return require_judge(config) if model is None and asked_for else model


class Judging:
    """Judges candidates before they are let in (``all``), and cases that are there (``sample``). One instance a run."""

    def __init__(
        self,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig,
        model: TextModel | None,
        seed: int,
        *,
        modes: Mapping[str, JudgeMode],
        is_needed: bool = False,
        store: SessionStore,
        gate: Gate,
        limit: AdaptiveConcurrency,
        budget: Budget,
        calls: CallLog,
        clock: Clock,
        emit: Callable[[Event], None],
        hooks: RunHooks,
    ) -> None:
        """Without a ``model`` nothing is judged, whatever the ``modes`` of the categories say.

        A run that ``is_needed`` for its verdicts, or that judges all, does not go on without the judge.
        """
        self._plan, self._config, self._store, self._gate = plan, config, store, gate
        self._budget, self._calls, self._clock, self._hooks = budget, calls, clock, hooks
        self._name = model.name if model else ""
        self._modes = modes if model else {}
        self._is_needed = is_needed or JudgeMode.ALL in self._modes.values()
        self.is_on = any(mode is not JudgeMode.OFF for mode in self._modes.values())
        self._sample = JudgeSample({c.name: c.count for c in plan.categories}, config.judge_share, seed)
        self._categories = {category.name: category for category in plan.categories}
        self._counts: dict[str, JudgedCounts] = {}
        self._queue = JudgeQueue(self._ask, self._name, failed=self._failed, changed=hooks.wake)
        if model is not None:
            retries = CallRetries(
                limit, clock, random.Random(), config.max_retries, self._retry_scheduled,
                startup_timeout=config.startup_timeout,
            )  # fmt: skip
            self._caller = JudgeCaller(
                model, JudgePrompter(plan, rubric_of(plan)), limit, retries, clock, lambda: not budget.used_up
            )
            self._reporter = CallReporter(
                store, gate.journal, budget, clock, emit, keeps_answers=config.response_journal_mb > 0
            )  # fmt: skip
            gate.on_accepted = self.accepted
        self._flying: dict[int, tuple[int, BatchOutcome]] = {}  # by batch: the number of its judge, and how it goes
        self._free: list[int] = []
        self._barren = 0
        self._detail = ""  # of the last call
        self._of_batch: Counter[int] = Counter()  # candidates of workers' calls that wait for their verdict
        self._ends: dict[int, tuple[Batch, BatchOutcome]] = {}
        self._backlog: list[int] = []  # accepted cases to be judged, the last first
        self._reading: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def idle(self) -> bool:
        """Whether nothing waits for a verdict any more."""
        return not self._queue.waiting and (self._queue.closed or not self._backlog) and self._reading is None

    def is_over(self, *, pausing: bool) -> bool:
        """Whether a run need not wait for it: at a pause calls in flight alone are waited for."""
        return self._queue.calls == 0 if pausing else self.idle

    async def restore(self, rows: LedgerRows) -> None:
        """Take over what was judged before, and find the cases that are there and have no verdict yet."""
        if not self.is_on:
            return
        self._counts = await self._store.verdicts.counts()
        judged = await self._store.verdicts.judged()
        for name, filled in rows.filled.items():
            mode = self._modes.get(name, JudgeMode.OFF)
            if mode is JudgeMode.ALL:
                self._backlog += [seq for _, _, seq in filled if seq not in judged]
            elif mode is JudgeMode.SAMPLE:
                self._backlog += self._sample.unread(name, filled, judged)
        self._backlog.reverse()

    def notices(self) -> Iterator[tuple[NoticeLevel, str]]:
        """What a person should know beforehand."""
        if not self.is_on:
            return
        name = self._name
        if name == self._config.worker_model:
            text = (
                f"The judge is the model that writes, {name}: it is mild with its own cases. judge_model names another."
            )
            yield NoticeLevel.INFO, text
        if self._budget.limit is not None and self._budget.prices.price(name) is None:
            text = (
                f"The price of the judge's model {name} is unknown, so the budget cannot be kept; "
                "set the price under [prices] in the settings."
            )
            yield NoticeLevel.WARNING, text

    # -- before a case is let in

    async def take(self, screened: Sequence[tuple[Candidate, Validated]]) -> list[tuple[Candidate, Validated]]:
        """Keep what is to be judged first; it comes back with its verdict. Returns the others.

        What repeats a case that is there is turned away unread: a verdict on it would be paid for nothing.
        """
        others: list[tuple[Candidate, Validated]] = []
        read: list[tuple[Candidate, Validated]] = []
        for one in screened:
            is_read = self._modes.get(one[0].slot.category) is JudgeMode.ALL and isinstance(one[1].outcome, list)
            (read if is_read else others).append(one)
        for candidate, validated in await self._gate.without_repeats(read) if read else []:
            assert isinstance(validated.outcome, list)
            self._of_batch[candidate.batch] += 1
            self._put(candidate, validated.outcome, validated.faults)
        return others

    def _put(self, candidate: Candidate, fitted: list[Fitted], faults: tuple[Fault, ...]) -> None:
        first, *others = fitted

        async def deliver(verdict: Verdict) -> None:
            read = replace(first, tags={**first.tags, TAG: verdict.as_tag()})
            if verdict.finding is not Judgement.BAD:
                await self._put_back(candidate, Validated([read], faults))
                return
            fault = Fault(read, verdict.critique, Stage.JUDGE)
            if others:  # the writer gave several for this slot
                self._put(candidate, others, (*faults, fault))
            else:
                await self._put_back(candidate, Validated(fault, faults))

        def drop() -> None:
            self._gate.ledger.give_back(candidate.slot)
            self._of_batch[candidate.batch] -= 1

        case = _presented(candidate.slot, first.inputs, first.expectations)
        self._queue.put(JudgeItem(slot=candidate.slot, case=case, deliver=deliver, drop=drop))

    async def _put_back(self, candidate: Candidate, validated: Validated) -> None:
        await self._hooks.put_back(JudgedCandidate(candidate, validated))

    def holds_end(self, batch: Batch, result: BatchOutcome) -> bool:
        """Whether candidates of a worker's call still wait for their verdict; its end is then kept until they have it."""
        if self._of_batch[batch.number] <= 0:
            return False
        self._ends[batch.number] = batch, result
        return True

    def decided(self, candidate: Candidate) -> tuple[Batch, BatchOutcome] | None:
        """A judged candidate was let in or turned away. Returns the end of its call when it was the last of it."""
        self._of_batch[candidate.batch] -= 1
        if self._of_batch[candidate.batch] > 0:
            return None
        del self._of_batch[candidate.batch]
        return self._ends.pop(candidate.batch, None)

    def kept_ends(self) -> list[tuple[Batch, BatchOutcome]]:
        """The ends of calls whose candidates were dropped."""
        ends = list(self._ends.values())
        self._ends.clear()
        return ends

    # -- after a case was let in

    def accepted(self, case: AcceptedCase, slot: Slot) -> None:
        """A case was let in: its verdict is written, or it is to be judged now."""
        verdict = verdict_of(case.tags)
        if verdict is not None:
            self._record(case, verdict)
        elif self._modes[case.category] is JudgeMode.SAMPLE and self._sample.holds(case.category, case.ordinal):
            self._put_accepted(case, slot)

    def _put_accepted(self, case: AcceptedCase, slot: Slot) -> None:

        async def deliver(verdict: Verdict) -> None:
            if case.seq in self._gate.outdated:
                return
            if verdict.finding is Judgement.BAD and self._modes[case.category] is JudgeMode.ALL and not _kept(case):
                if self._gate.ledger.state(case.category, case.ordinal) is SlotState.FILLED:
                    self._gate.take_out(case, verdict)
            else:
                self._record(case, verdict)

        shown = _presented(slot, case.inputs, case.expectations)
        self._queue.put(JudgeItem(slot=slot, case=shown, deliver=deliver, drop=lambda: None))

    def _record(self, case: AcceptedCase, verdict: Verdict) -> None:
        self._hooks.judged(case, verdict)
        now, name = self._clock.now(), case.category
        counts = self._counts[name] = self._counts.get(name, JudgedCounts()).with_one(verdict.finding)
        judged = CaseVerdict(
            seq=self._store.next_seq(), category=name, ordinal=case.ordinal, case_seq=case.seq, inputs=case.inputs,
            expectations=case.expectations, verdict=verdict, created_at=now,
        )  # fmt: skip
        self._gate.journal.judge(
            judged,
            CaseJudged(
                ts=now, case_id=case.case_id, category=name, slot=case.ordinal, seq=case.seq, finding=verdict.finding,
                failed=verdict.failed, reason=verdict.reason, good=counts.good, bad=counts.bad,
                not_judged=counts.not_judged,
            ),
        )  # fmt: skip

    def look(self, written: Collection[str], *, quiet: bool, pausing: bool) -> None:
        """Have judged what waits where there will not soon be enough for a whole call.

        ``written`` are the categories that workers are writing for; ``quiet`` when no candidate waits for the gate.
        """
        room = self._queue.waiting < _MOST_WAITING // 2 and not self._queue.closed
        if self._backlog and room and self._reading is None and not pausing:
            self._reading = asyncio.create_task(self._read_backlog())
            self._reading.add_done_callback(self._read)
        if not written and quiet and not pausing:
            self._queue.flush()
        else:
            self._queue.flush([n for n, mode in self._modes.items() if mode is JudgeMode.ALL and n not in written])

    async def _read_backlog(self) -> None:
        """Put accepted cases into the queue that have no verdict yet, as many as it may hold."""
        while self._backlog and self._queue.waiting < _MOST_WAITING and not self._queue.closed:
            seqs = [self._backlog.pop() for _ in range(min(_PAGE, len(self._backlog)))]
            cases = await self._store.cases.by_seq(seqs)
            planned = [self._gate.ledger.slot(case.category, case.ordinal) for case in cases]
            slots = await with_originals(
                self._store.cases, [as_written(s, c) for s, c in zip(planned, cases, strict=True)]
            )
            for case, slot in zip(cases, slots, strict=True):
                if not case.damaged and case.seq not in self._gate.outdated:
                    self._put_accepted(case, slot)

    def _read(self, task: asyncio.Task[None]) -> None:
        self._reading = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._hooks.fail(error)
        self._hooks.wake()

    # -- calls

    async def _ask(self, items: list[JudgeItem]) -> Verdicts | None:
        ledger, category = self._gate.ledger, self._categories[items[0].slot.category]
        batch = Batch(ledger.take_number(), category, tuple(SlotRequest(item.slot, item.asked) for item in items), ())
        number = heapq.heappop(self._free) if self._free else self._config.workers + len(self._flying) + 1
        result = self._begin(batch, number, category)
        try:
            verdicts = await self._caller.execute(batch, [item.case for item in items], result)
        except BaseException as error:
            result.outcome = CallOutcome.FAILED if isinstance(error, Exception) else CallOutcome.CANCELLED
            result.detail = result.detail or (str(error) if isinstance(error, Exception) else "")
            raise
        finally:
            del self._flying[batch.number]
            heapq.heappush(self._free, number)
            self._end(batch, number, result)
        if verdicts is None and self._budget.used_up:
            self._hooks.charged()  # the run pauses, or goes on without the judge
            self._stopped = True
        self._detail = result.detail
        if result.outcome is not CallOutcome.CANCELLED:  # what a person has cut off says nothing of the judge
            self._look_at(verdicts, result)
        return verdicts

    def cancel(self, batch: int) -> bool:
        """Cut a call off; its cases are asked about once more. False when it is not one of the judge's in flight."""
        return self.is_on and self._caller.cut_off(batch)

    def _begin(self, batch: Batch, number: int, category: DatasetCategory) -> BatchOutcome:
        now, ordinals = self._clock.now(), tuple(wanted.slot.ordinal for wanted in batch.slots)
        attempt = max(wanted.attempt for wanted in batch.slots) - 1
        trace = CallTrace(
            batch=batch.number, worker=number, category=category.name, model=self._name, slots=ordinals,
            attempt=attempt, started=now, role=CallRole.JUDGE,
        )  # fmt: skip
        self._calls.begin(trace)
        result = BatchOutcome(trace=trace)
        self._flying[batch.number] = number, result
        self._reporter.tell(
            BatchStarted(
                ts=now, batch=batch.number, worker=number, category=category.name, slots=ordinals, attempt=attempt,
                role=CallRole.JUDGE,
            )
        )  # fmt: skip
        return result

    def _end(self, batch: Batch, number: int, result: BatchOutcome) -> None:
        trace, usage = result.trace, result.usage
        assert trace is not None
        trace.prompt_tokens, trace.completion_tokens = usage.prompt_tokens, usage.completion_tokens
        trace.estimated, trace.detail = usage.estimated, result.detail
        trace.arrivals = [self._clock.now()] * len(result.delivered)
        self._calls.end(trace, self._clock.now(), result.outcome)
        self._reporter.ended(batch, number, result)
        self._hooks.charged()

    def _retry_scheduled(self, batch: Batch, error: TransientError, wait: float, attempt: int) -> None:
        number, result = self._flying[batch.number]
        self._reporter.retry_scheduled(batch, number, result, error, wait, attempt)

    def retry_now(self, batch: int) -> bool:
        """End the wait of a call before its next try. False when it is not one of the judge's, or does not wait."""
        _, result = self._flying.get(batch, (0, None))
        if result is None or result.hurry is None or result.hurry.is_set():
            return False
        result.hurry.set()
        return True

    # -- trouble

    def _look_at(self, verdicts: Verdicts | None, result: BatchOutcome) -> None:
        """Stop a judge that says nothing of use, call after call."""
        if verdicts is None:
            return
        self._barren = 0 if result.delivered else self._barren + 1
        if self._barren < _MOST_BARREN:
            return
        words = f"{counted(self._barren, 'call')} of the judge in a row brought no usable verdict ({result.detail})"
        if self._is_needed:
            self._hooks.pause(Pause(words, PauseCause.NOTHING_USABLE))
        else:
            self.stop(words)

    def _failed(self, error: BaseException | None) -> None:
        if self._stopped:
            return
        down = error is None or isinstance(error, EndpointUnavailable)
        if error is None:
            error = EndpointUnavailable(
                f"The judge's model {self._name} kept failing ({self._detail}); the run stopped. Everything accepted is saved.",
                "Check the connection with `dsbuilder doctor`, then resume.",
            )
        if isinstance(error, EndpointRefused):
            error = EndpointRefused(
                error.problem, "It is the judge's: judge_model names another one, judge=off has none."
            )
        expected = down or isinstance(error, EndpointRefused)
        if not expected or self._is_needed or (down and self._gate.ledger.open):
            self._hooks.fail(error)
        else:
            self.stop(str(error))

    def stop(self, why: str) -> None:
        """The run goes on without the judge; what it has not judged is said."""
        if self._stopped:
            return
        self._stopped = True
        left = self._queue.waiting + len(self._backlog)
        self._queue.give_up()
        self._backlog.clear()
        text = (
            f"The judge stops: {why.rstrip('.')}. {counted(left, 'case')} that it was to read stay without a verdict."
        )
        self._reporter.tell(Notice(ts=self._clock.now(), level=NoticeLevel.WARNING, text=text))
        self._hooks.wake()

    async def close(self) -> None:
        """Make no more calls; what waits is dropped."""
        if self._reading is not None:
            self._reading.cancel()
        await self._queue.close()


def _presented(slot: Slot, inputs: Mapping[str, Any], expectations: Mapping[str, Any]) -> PresentedCase:
    return PresentedCase(
        inputs=inputs, expectations=expectations, attributes=slot.attributes, source=slot.source,
        partner_of=partner_of(slot),
    )  # fmt: skip


def _kept(case: AcceptedCase) -> bool:
    """Whether a person has decided that the case stays as it is."""
    return any(case.tags.get(mark) for mark in ("pinned", "edited", REVIEWED))
