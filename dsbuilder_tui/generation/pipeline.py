"""The driver: leases batches to workers, lets the gate judge what comes back, and stops cleanly when asked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import AcceptedCase, Candidate
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import EndpointUnavailable, SessionDamaged, StorageError
from dsbuilder_tui.domain.events import Event, Notice, RunPausing
from dsbuilder_tui.domain.judge_modes import judge_modes
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.domain.plain_words import dollar_words
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.runner_place import RunnerPlace
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.budget import Budget
from dsbuilder_tui.generation.call_log import CallLog
from dsbuilder_tui.generation.call_reporter import CallReporter
from dsbuilder_tui.generation.call_review import CallReview
from dsbuilder_tui.generation.call_starter import CallStarter
from dsbuilder_tui.generation.calls_in_flight import CallsInFlight
from dsbuilder_tui.generation.candidate_queue import CandidateQueue, JudgedCandidate, StagedCandidate
from dsbuilder_tui.generation.case_stages import CaseStages, StageHooks
from dsbuilder_tui.generation.gate_setup import gate_for, restore_gate
from dsbuilder_tui.generation.journal import Journal
from dsbuilder_tui.generation.judging import Judging, RunHooks
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.output_limit import OutputLimit
from dsbuilder_tui.generation.pipeline_result import PipelineResult
from dsbuilder_tui.generation.prompts import Prompter
from dsbuilder_tui.generation.remote_vectors import VectorsGivenUp
from dsbuilder_tui.generation.run_models import RunModels
from dsbuilder_tui.generation.runners import RunnerContext, RunnersInRounds, open_unless, runner_kind
from dsbuilder_tui.generation.stage_callers import StageCallers
from dsbuilder_tui.generation.templating import Templating
from dsbuilder_tui.generation.validator_check import Validated
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency
from dsbuilder_tui.models.protocol import TellsLimits, TransientError
from dsbuilder_tui.registry import PlugInBroken
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.session_store import SessionStore

if TYPE_CHECKING:
    from dsbuilder_tui.generation.batch_rounds import BatchRounds

# So many batches in a row that brought nothing but network trouble end the run; each has been retried by then.
_MOST_FAILURES = 5
_CONGESTION_POLL = 0.05
# An answer that says so much about its slots, if it brings none of them, that they are asked for in smaller company.
_SAYS_NOTHING = (
    CallOutcome.REFUSED, CallOutcome.UNUSABLE, CallOutcome.EMPTY, CallOutcome.TRUNCATED, CallOutcome.TOO_LARGE,
)  # fmt: skip
_JUDGED_TOGETHER = 32  # candidates at most: embedding is cheaper in company, and a pause need not wait long


class Pipeline:
    """Fills a session's open slots once. One instance per run."""

    def __init__(
        self,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig,
        store: SessionStore,
        models: RunModels,
        clock: Clock,
        emit: Callable[[Event], None],
        seed: int,
        calls: CallLog,
        budget: Budget,
        *,
        waits: bool = True,
    ) -> None:
        """``models`` are those that plan and settings call for, made; they stay the caller's to close. Without ``waits`` it
        pauses where there is nothing to do but wait for what takes hours."""
        model = models.writer
        self._plan, self._config, self._store, self._model, self._seed = plan, config, store, model, seed
        self._clock, self._budget = clock, budget
        self._calls = CallsInFlight(calls, clock, changed=self.wake, failed=self._fail)
        self.gate = gate_for(
            plan, config, store, clock, emit, seed, ordered=model.ordered, on_broken=self._plug_in_failed
        )
        self._journal, self._ledger = self.gate.journal, self.gate.ledger
        room = OutputLimit(config.max_output_tokens * config.candidates_per_slot)
        self._models = models
        self._prompter = Prompter(plan, seed, room, config.candidates_per_slot)
        self._review = CallReview(
            (category.name for category in plan.categories), config.largest_batch, room, at_once=config.workers,
            brakes=not model.ordered,
        )  # fmt: skip
        self._intake = CandidateQueue(ordered=model.ordered, workers=config.workers)
        self._limit = AdaptiveConcurrency(
            config.workers, clock, self._limit_changed,
            requests_per_minute=config.requests_per_minute, tokens_per_minute=config.tokens_per_minute,
            advertised=model.limits if isinstance(model, TellsLimits) else None,
        )  # fmt: skip
        self._runners = runner_kind(config).make(
            RunnerContext(
                plan=plan, config=config, writer=model, store=store, limit=self._limit, clock=clock,
                tell=lambda event: self._reporter.tell(event), on_retry=self._retry_scheduled, on_hedge=self._hedged,
                waits=waits, prompter=self._prompter, gate=self.gate, calls=self._calls, budget=budget, emit=emit,
                pause=self.pause, fail=self._fail, wake=self.wake,
            )
        )  # fmt: skip
        at_once = self._runners.live if isinstance(self._runners, RunnersInRounds) else self._runners
        keeps = config.response_journal_mb > 0 and not model.ordered
        self._reporter = CallReporter(store, self._journal, budget, clock, emit, keeps_answers=keeps)
        self._templating = Templating(
            plan, config, models.templates, seed, store=store, gate=self.gate, limit=self._limit, calls=self._calls,
            budget=budget, clock=clock, emit=emit, on_retry=self._retry_scheduled, fail=self._fail,
            charged=self.keep_budget,
        )  # fmt: skip
        self._judging = Judging(
            plan, config, models.judge, seed, modes=judge_modes(plan, config.judge, by_model=not model.ordered), store=store,
            gate=self.gate, limit=self._limit, budget=budget, calls=calls, clock=clock, emit=emit,
            hooks=RunHooks(
                put_back=self._intake.put_back, pause=self.pause, fail=self._fail, wake=self.wake, charged=self.keep_budget,
                judged=self._templating.judged,
            ),
        )  # fmt: skip
        callers = StageCallers(
            plan, config, models, self._prompter, at_once.runner_of, limit=self._limit, budget=budget, clock=clock,
            on_retry=self._retry_scheduled,
        )  # fmt: skip
        self._stages = CaseStages(
            plan, callers, is_on=not model.ordered, most=config.largest_batch, store=store, gate=self.gate,
            calls=self._calls, clock=clock,
            hooks=StageHooks(
                finished=self._intake.put_back, ended=self._remember_call, tell=self._reporter.tell, fail=self._fail,
                endpoint_is_out=lambda: self._limit.gave_up(config.max_retries),
            ),
        )  # fmt: skip
        self._starter = CallStarter(
            plan, config, store, models, self._prompter, self._runners, gate=self.gate, calls=self._calls, limit=self._limit,
            review=self._review, templating=self._templating, stages=self._stages, intake=self._intake,
            budget=budget, tell=self._reporter.tell, pause=self.pause,
        )  # fmt: skip
        self.live = False  # decisions that a person makes can be taken in
        self.ready = asyncio.Event()  # it is live, or will never be (again)
        self._wake = asyncio.Event()
        self._accepted_of: dict[int, list[AcceptedCase]] = {}  # by batch, until it has ended
        self._failures_in_a_row = 0
        self._failure: BaseException | None = None
        self._pause: Pause | None = None
        self._pause_asked = asyncio.Event()
        self._end_of_patience: asyncio.TimerHandle | None = None
        self._deadline = float("inf")
        self.journal: Journal | None = None  # there is one as soon as the past is known

    async def run(self) -> PipelineResult:
        """Work until no slot is open or a pause is asked for.

        Everything judged is on disk when this returns. Raises ``InputError`` for documents that cannot be read,
        ``EndpointRefused``, ``EndpointUnavailable`` or ``StorageError``, also after saving what could be saved.
        """
        try:
            await open_unless(self._pause_asked, self._runners)
            rows = await restore_gate(self.gate, self._plan, self._store, self._seed)
            await self._judging.restore(rows)
            await self._stages.restore()
            await self._templating.restore()
            await self._starter.restore()
            return await self._run()
        except VectorsGivenUp:
            return PipelineResult(False, 0, self._pause)
        finally:
            if self._end_of_patience is not None:
                self._end_of_patience.cancel()
            await self._runners.close()
            await self.gate.close()

    async def _run(self) -> PipelineResult:
        self.journal = journal = self._journal
        dropped = 0
        keepers = [asyncio.create_task(journal.run()), asyncio.create_task(self._judge_all())]
        for keeper in keepers:
            keeper.add_done_callback(self._keeper_ended)
        self.live = True
        self.ready.set()
        self._stages.deliver_restored()
        with_budget = self._budget.limit is not None
        for level, text in (
            *self._judging.notices(),
            *self._templating.notices(by_model=not self._model.ordered),
            *self._models.notices(self._budget.prices, budget=with_budget),
        ):
            self._reporter.tell(Notice(ts=self._clock.now(), level=level, text=text))
        try:
            dropped = await self._drive()
        finally:
            self.live = False  # at once: what comes now would be left undone, so it waits for the end of the run
            await self._drop()
            joined = asyncio.ensure_future(self._intake.join())
            await asyncio.wait({joined, *keepers}, return_when=asyncio.FIRST_COMPLETED)
            joined.cancel()
            if not any(keeper.done() for keeper in keepers):
                for end in self._judging.kept_ends():
                    await self._settle(*end)
                for left in self._calls.cancel_left():
                    self._remember_call(left.batch, left.result)
                await self._templating.close()
            journal.stop()
            keepers[1].cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            await journal.settle()
        if not isinstance(self._failure, StorageError | SessionDamaged):
            await journal.flush()
        if self._failure is not None:
            raise self._failure
        return PipelineResult(self._ledger.open == 0, dropped, self._pause)

    def pause(self, why: Pause) -> None:
        """Lease nothing more; let work in flight end within ``drain_timeout`` seconds, then drop it."""
        if self._pause is None:
            self._pause = why
            self._pause_asked.set()
            patience = self._config.drain_timeout
            self._deadline = self._clock.monotonic() + patience
            self._end_of_patience = asyncio.get_running_loop().call_later(patience, self.gate.wait_no_longer)
            in_flight = len(self._calls)
            self._reporter.tell(
                RunPausing(ts=self._clock.now(), draining=in_flight, reason=why.reason, cause=why.cause)
            )
            self._wake.set()
            self._runners.pause()

    def keep_budget(self) -> None:
        """Pause when the session has cost what it may, unless there is nothing left to write."""
        budget = self._budget.limit
        if budget is None or not self._budget.used_up or self._pause is not None or not self.live:
            return
        if not self._ledger.open:
            if not self._judging.idle:
                self._judging.stop(f"the budget of {dollar_words(budget)} is used up")
            return
        text = (
            f"The budget of {dollar_words(budget)} is used up ({dollar_words(self._budget.known)} spent); the run pauses. "
            "Raise it with --budget, /budget N in the studio, or in the settings, then go on."
        )
        self._reporter.tell(Notice(ts=self._clock.now(), level=NoticeLevel.WARNING, text=text))
        self.pause(Pause(f"the budget of {dollar_words(budget)} is used up", PauseCause.BUDGET))

    def _plug_in_failed(self, error: PlugInBroken) -> None:
        """Pause: what a broken plug-in could not judge is written again when it is mended or gone."""
        if self._pause is None:
            self._reporter.tell(
                Notice(ts=self._clock.now(), level=NoticeLevel.WARNING, text=f"{error} The run pauses.")
            )
            self.pause(Pause(error.problem.rstrip("."), PauseCause.PLUG_IN))

    @property
    def rounds(self) -> BatchRounds | None:
        """The rounds of batch jobs, where that is how calls are made."""
        return self._starter.rounds

    def wake(self) -> None:
        """Look again at what there is to do."""
        self._wake.set()

    def cancel_call(self, batch: int) -> bool:
        """Cut a call off; what it has delivered counts. False when it is not in flight."""
        return self._judging.cancel(batch) or self._calls.cut_off(batch)

    def retry_call_now(self, batch: int) -> bool:
        """End the wait of a call before its next try. False when it is not waiting."""
        return self._judging.retry_now(batch) or self._calls.retry_now(batch)

    def places(self) -> tuple[RunnerPlace, ...]:
        return self._runners.places()

    def stop_draining(self) -> None:
        """Drop the work in flight at once."""
        self._deadline = self._clock.monotonic()
        self.gate.wait_no_longer()
        self._wake.set()

    async def _drive(self) -> int:
        while self._failure is None:
            if self._pause is None:
                self._templating.look()
                self._starter.start()
            pausing = self._pause is not None
            if self._judging.is_on:
                self._judging.look(self._calls.categories, quiet=self._intake.is_empty, pausing=pausing)
            done = pausing or self._ledger.open == 0
            if (
                done
                and not self._calls.unsettled
                and not self._starter.is_collecting
                and self._judging.is_over(pausing=pausing)
            ):
                break
            left = self._deadline - self._clock.monotonic()
            if left <= 0:
                return len(self._calls)
            if self._pause is None and not self._journal.congested:
                await self._wake.wait()
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_CONGESTION_POLL if self._journal.congested else left):
                        await self._wake.wait()
            self._wake.clear()
        return 0

    async def _drop(self) -> None:
        """Cut off the calls in flight; cases that have come in already still count."""
        if self.rounds is not None:
            for batch in self.rounds.detach():
                self._calls.leave(batch)
        self._calls.leave_waiting()
        await self._calls.drop()
        await self._stages.close()
        await self._judging.close()

    def _keeper_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._fail(task.exception())

    def _fail(self, error: BaseException | None) -> None:
        self._failure = self._failure or error
        self._wake.set()

    async def _judge_all(self) -> None:
        while True:
            items = await self._intake.get(_JUDGED_TOGETHER)
            try:
                if candidates := [item for item in items if isinstance(item, Candidate)]:
                    await self._judge(candidates)
                staged = [item for item in items if isinstance(item, StagedCandidate)]
                if staged:
                    await self._judge_staged(staged)
                judged = [item for item in items if isinstance(item, JudgedCandidate)]
                await self._admit([(one.candidate, one.validated) for one in judged])
                for end in [self._judging.decided(one.candidate) for one in judged]:
                    if end is not None:
                        await self._settle(*end)
                for item in items:  # a batch ends behind its last candidate
                    if isinstance(item, tuple) and not self._judging.holds_end(*item):
                        await self._settle(*item)
                for number in {one.candidate.batch for one in staged} | {one.candidate.batch for one in judged}:
                    if not self._calls.is_unsettled(number):  # it has been reviewed
                        self.gate.turned_away(number)
                if self._judging.is_on or staged:
                    self._wake.set()
            finally:
                for _ in items:
                    self._intake.done()

    async def _judge(self, candidates: list[Candidate]) -> None:
        drafts = [candidate for candidate in candidates if not self._stages.takes(candidate)]
        screened = list(zip(drafts, await self.gate.screen(drafts), strict=True))
        await self._admit(await self._judging.take(screened))

    async def _judge_staged(self, staged: list[StagedCandidate]) -> None:
        candidates = [one.candidate for one in staged]
        validated = await self.gate.validate(candidates, [one.fitted for one in staged])
        screened = [
            (one.candidate, found if one.fault is None else Validated(one.fault))
            for one, found in zip(staged, validated, strict=True)
        ]
        await self._admit(await self._judging.take(screened))

    async def _admit(self, screened: list[tuple[Candidate, Validated]]) -> None:
        if not screened:
            return
        cases = await self.gate.admit([candidate for candidate, _ in screened], [found for _, found in screened])
        for case in filter(None, cases):
            if self._calls.is_unsettled(case.batch):
                self._accepted_of.setdefault(case.batch, []).append(case)
            self._failures_in_a_row = 0

    async def _settle(self, batch: Batch, result: BatchOutcome) -> None:
        """Take back what a finished batch did not bring, and remember what the call cost."""
        if self._templating.writes(batch.category.name):
            self._templating.settle(batch, result, self._accepted_of.pop(batch.number, []))
            self._wake.set()
            return
        if result.drafts:
            await self._journal.flush()  # what is taken out must have been written
        staged = self._stages.settle_drafts(batch, result.drafts)
        accepted = staged + self.gate.take_out_drafts(self._accepted_of.pop(batch.number, []), batch, result.drafts)
        learned = self._review.take_in(batch, result, accepted, self.gate.turned_away(batch.number))
        fruitless = result.outcome in _SAYS_NOTHING and not result.delivered and not learned
        for index in range(len(batch.slots)):
            if index not in result.delivered:
                self.gate.give_back(batch, index, result.outcome, result.detail, fruitless=fruitless)
        self._remember_call(batch, result)
        self._wake.set()
        if self._review.brake.on:
            self.pause(Pause(self._review.brake.reason, PauseCause.NOTHING_USABLE))
        if result.outcome is CallOutcome.FAILED and not result.delivered and self.rounds is None:
            self._failures_in_a_row += 1
            if self._failures_in_a_row >= _MOST_FAILURES or self._limit.gave_up(self._config.max_retries):
                self._fail(
                    EndpointUnavailable(
                        f"The endpoint kept failing ({result.detail}); the run stopped. Everything accepted is saved.",
                        "Check the connection with `dsbuilder doctor`, then resume.",
                    )
                )

    def _remember_call(self, batch: Batch, result: BatchOutcome) -> None:
        if self._templating.writes(batch.category.name):
            self._templating.ended(batch, result)
            return
        self._reporter.ended(batch, self._calls.settle(batch.number).worker, result)
        if self.rounds is not None:
            self.rounds.settled(batch.number, result)
        self.keep_budget()

    def _limit_changed(self, limit: int, reason: str) -> None:
        self._reporter.limit_changed(limit, reason)
        self._wake.set()

    def _hedged(self, batch: Batch, silent: float) -> None:
        self._reporter.hedged(batch, self._calls.get(batch.number).worker, silent)

    def _retry_scheduled(self, batch: Batch, error: TransientError, wait: float, attempt: int) -> None:
        call = self._calls.get(batch.number)
        self._reporter.retry_scheduled(batch, call.worker, call.result, error, wait, attempt)
        self._wake.set()  # its place is free
