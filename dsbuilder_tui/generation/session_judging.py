"""A judge over the cases that a session has: each without a verdict gets one. No case is written or taken out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol, runtime_checkable

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.judging import JudgeMode
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.runner_place import RunnerPlace
from dsbuilder_tui.generation.budget import Budget
from dsbuilder_tui.generation.call_log import CallLog
from dsbuilder_tui.generation.candidate_queue import JudgedCandidate
from dsbuilder_tui.generation.gate_setup import gate_for, restore_gate
from dsbuilder_tui.generation.journal import Journal
from dsbuilder_tui.generation.judging import Judging, RunHooks
from dsbuilder_tui.generation.pipeline_result import PipelineResult
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency
from dsbuilder_tui.models.protocol import TextModel
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.session_store import SessionStore


@runtime_checkable
class JudgeElsewhere(TextModel, Protocol):
    """A judge's model that others ask, once it is open."""

    async def open(self) -> None: ...
    def places(self) -> tuple[RunnerPlace, ...]: ...


class SessionJudging:
    """Has the cases of some categories judged. One instance a run; a driver as ``RunDriver`` says."""

    rounds = None  # it makes no calls that wait

    def __init__(
        self,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig,
        store: SessionStore,
        clock: Clock,
        emit: Callable[[Event], None],
        seed: int,
        calls: CallLog,
        budget: Budget,
        judge: TextModel,
        categories: Collection[str],
    ) -> None:
        """Without ``categories`` all are judged. A ``JudgeElsewhere`` is opened when there is something to judge.

        Raises ``InputError`` for a category that the plan does not have.
        """
        names = [category.name for category in plan.categories]
        if unknown := sorted(set(categories) - set(names)):
            raise InputError(f"There is no category {unknown[0]!r}.", f"There are: {', '.join(names)}.")
        modes = {name: JudgeMode.SAMPLE if name in (categories or names) else JudgeMode.OFF for name in names}
        config = config.model_copy(update={"judge_share": 1.0})  # a sample of all: nothing is taken out
        self._plan, self._store, self._seed, self._budget = plan, store, seed, budget
        self.gate = gate_for(plan, config, store, clock, emit, seed)
        self._journal, self._ledger = self.gate.journal, self.gate.ledger
        self._wake = asyncio.Event()
        limit = AdaptiveConcurrency(
            config.workers, clock, lambda number, reason: None,
            requests_per_minute=config.requests_per_minute, tokens_per_minute=config.tokens_per_minute,
        )  # fmt: skip
        self._judging = Judging(
            plan, config, judge, seed, modes=modes, is_needed=True, store=store, gate=self.gate, limit=limit,
            budget=budget, calls=calls, clock=clock, emit=emit,
            hooks=RunHooks(
                put_back=_nothing_comes_back, pause=self.pause, fail=self._fail, wake=self.wake, charged=self.keep_budget
            ),
        )  # fmt: skip
        self._elsewhere = judge if isinstance(judge, JudgeElsewhere) else None
        self._failure: BaseException | None = None
        self._pause: Pause | None = None
        self._clock, self._drain, self._deadline = clock, config.drain_timeout, float("inf")
        self.live = False  # a decision of a person waits for its end
        self.ready = asyncio.Event()
        self.journal: Journal | None = None

    async def run(self) -> PipelineResult:
        """Judge until every case has its verdict or a pause is asked for; all of it is on disk when this returns.

        Raises as ``Pipeline.run``, and as a ``JudgeElsewhere`` when it is opened.
        """
        try:
            await self._judging.restore(
                await restore_gate(self.gate, self._plan, self._store, self._seed, admits=False)
            )
            if self._elsewhere is not None and not self._judging.idle:
                await self._elsewhere.open()
            self.journal = self._journal
            keeper = asyncio.create_task(self._journal.run())
            keeper.add_done_callback(self._keeper_ended)
            try:
                await self._drive()
            finally:
                await self._judging.close()
                self._journal.stop()
                await asyncio.gather(keeper, return_exceptions=True)
                await self._journal.settle()
            await self._journal.flush()
        finally:
            await self.gate.close()
        if self._failure is not None:
            raise self._failure
        open_slots = self._ledger.open
        pause = self._pause or (Pause("the cases were judged", PauseCause.ANSWERS_JUDGED) if open_slots else None)
        return PipelineResult(finished=not open_slots, dropped=0, pause=pause)

    async def _drive(self) -> None:
        while self._failure is None:
            pausing = self._pause is not None
            self._judging.look((), quiet=True, pausing=pausing)
            left = self._deadline - self._clock.monotonic()
            if self._judging.is_over(pausing=pausing) or left <= 0:
                return
            try:
                async with asyncio.timeout(None if left == float("inf") else left):
                    await self._wake.wait()
            except TimeoutError:
                return
            self._wake.clear()

    def _keeper_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._wake.set()

    def pause(self, why: Pause) -> None:
        """Make no more calls; those in flight may end within ``drain_timeout`` seconds."""
        if self._pause is None:
            self._pause = why
            self._deadline = self._clock.monotonic() + self._drain
        self._wake.set()

    def stop_draining(self) -> None:
        self._deadline = self._clock.monotonic()
        self._wake.set()

    def wake(self) -> None:
        self._wake.set()

    def keep_budget(self) -> None:
        if self._budget.used_up and not self._judging.idle:
            self._judging.stop("the budget is used up")

    def cancel_call(self, batch: int) -> bool:
        return self._judging.cancel(batch)

    def places(self) -> tuple[RunnerPlace, ...]:
        return () if self._elsewhere is None else self._elsewhere.places()

    def retry_call_now(self, batch: int) -> bool:
        return self._judging.retry_now(batch)


async def _nothing_comes_back(judged: JudgedCandidate) -> None:
    """There are no candidates."""
