"""The start of worker calls: open slots are leased while there is room, and each lease becomes one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.budget import Budget
from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.generation.call_review import CallReview
from dsbuilder_tui.generation.calls_in_flight import CallsInFlight
from dsbuilder_tui.generation.candidate_queue import CandidateQueue
from dsbuilder_tui.generation.case_stages import CaseStages
from dsbuilder_tui.generation.gate import Gate
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.originals import to_be_written
from dsbuilder_tui.generation.prompts import Prompter
from dsbuilder_tui.generation.run_models import RunModels
from dsbuilder_tui.generation.runners import RunnerPool, RunnersInRounds
from dsbuilder_tui.generation.templating import Templating
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency
from dsbuilder_tui.models.prices import BUILT_IN
from dsbuilder_tui.models.protocol import WorkerModel, WorkerRequest
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.session_store import SessionStore

if TYPE_CHECKING:
    from dsbuilder_tui.generation.adopted_call import AdoptedCall


class CallReleased(Exception):
    """A call was not made, or its answer is lost, or is collected another time: its slots are as if they had not been leased."""


class CallStarter:
    """Begins worker calls for open slots, and calls of the stages behind a draft. One instance a run."""

    def __init__(
        self,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig,
        store: SessionStore,
        models: RunModels,
        prompter: Prompter,
        runners: RunnerPool,
        *,
        gate: Gate,
        calls: CallsInFlight,
        limit: AdaptiveConcurrency,
        review: CallReview,
        templating: Templating,
        stages: CaseStages,
        intake: CandidateQueue,
        budget: Budget,
        tell: Callable[[Event], None],
        pause: Callable[[Pause], None],
    ) -> None:
        self._categories = frozenset(category.name for category in plan.categories)
        self._config, self._store, self._models, self._prompter, self._runners = (
            config,
            store,
            models,
            prompter,
            runners,
        )
        self._ledger, self._journal, self._calls, self._limit = gate.ledger, gate.journal, calls, limit
        self._review, self._templating, self._stages, self._intake = review, templating, stages, intake
        self._budget, self._tell, self._pause = budget, tell, pause
        self.rounds = runners.rounds if isinstance(runners, RunnersInRounds) else None

    async def restore(self) -> None:
        """Go on with calls that an earlier run has begun, whose answers are still to come. Raises as ``BatchRounds.restore``."""
        if self.rounds is None:
            if jobs := [job for job in await self._store.batch_jobs.open() if job.is_waiting]:
                raise InputError(
                    f"The provider has {counted(len(jobs), 'batch job')} of this session.",
                    "Collect them with --batch-api (the setting runner), or give them up: dsbuilder resume … --drop-batches.",
                )
            return
        for call in await self.rounds.restore():
            make = partial(self._adopted, call)
            self._calls.begin_waiting(call.batch, call.model, CallRole.WORKER, make, self._intake.finish, batched=True)

    def start(self) -> None:
        """Begin as many calls as there is room for."""
        while self._free_places > 0 and (come := self._calls.next_come()) is not None:
            self._tell(come)
        while not self._journal.congested:
            idle, room = self._idle, self._room
            if idle <= 0 and room <= 0:
                break
            free = min(idle, self._free_places) > 0
            if free and self._stages.begin():
                continue
            batch = self._lease(idle, room)
            if batch is None:
                if free and self._stages.begin(partial_groups=True):
                    continue
                stopped = self._templating.stuck or (self._review.brake.reason if self._review.brake.held else "")
                if not self._calls.unsettled and stopped and self._ledger.open:
                    self._pause(Pause(stopped, PauseCause.NOTHING_USABLE))  # the others are done
                break
            self._begin(batch)
        if self.rounds is not None and not self._journal.congested:
            self.rounds.seal()

    @property
    def is_collecting(self) -> bool:
        """Whether what calls have brought that waited for hours is being taken in."""
        return self.rounds is not None and self.rounds.is_collecting

    @property
    def _room(self) -> int:
        """Calls that may go out with the next round, which begins when all is done that the last one has brought."""
        rounds = self.rounds
        return rounds.room if rounds is not None and (rounds.is_filling or not self._calls.at_work) else 0

    @property
    def _idle(self) -> int:
        """Calls that may begin at once.

        What is done but not yet judged counts too: what is held back stays bounded, and calls that are not needed any more,
        or that the budget has no dollars for, are not made.
        """
        begun = self._calls.at_work + self._waiting
        # Those that wait where they are made are wanted only while what is not charged yet leaves something of the budget.
        waits = not self._templating.categories and self._budget.affords(begun + 1)
        ahead = self._limit.ahead if waits else 0
        most = self._config.workers if self._models.writer.ordered else self._limit.most_begun(ahead)
        idle = self._free_places + ahead - self._waiting
        return min(idle, most - begun) if begun < most else 0

    @property
    def _free_places(self) -> int:
        # A call that waits to be made again has given its place back.
        return self._limit.limit - len(self._calls) + self._limit.resting

    @property
    def _waiting(self) -> int:
        """Calls that wait for their turn where they are made."""
        return self._calls.waiting if self.rounds is None else 0

    def _lease(self, idle: int, room: int) -> Batch | None:
        held = self._review.brake.held | self._templating.held
        if self.rounds is None:
            return self._ledger.lease(self._size, idle, held)
        if room > 0:
            # All that is open goes out together: nothing is gained by smaller requests near the end.
            return self._ledger.lease(self._size, 1, held | (self._templating.categories if idle <= 0 else frozenset()))
        return self._ledger.lease(self._size, idle, held | (self._categories - self._templating.categories))

    def _size(self, category: str) -> int:
        return self._templating.size(category) or self._review.size(category)

    def _begin(self, batch: Batch) -> None:
        self._intake.expect(batch)
        if self._templating.writes(batch.category.name):
            made = partial(self._templating.expand, batch, partial(self._intake.put, batch.number))
            self._tell(self._calls.begin(batch, BUILT_IN, CallRole.WORKER, made, self._intake.finish))
            return
        name, make = self._models.drafter_of(batch.category).name, partial(self._call, batch)
        if self.rounds is not None:
            self.rounds.begun(batch.number)
            self._calls.begin_waiting(batch, name, CallRole.WORKER, make, self._intake.finish, batched=True)
        elif not self._limit.ahead and not self._waiting:
            self._tell(self._calls.begin(batch, name, CallRole.WORKER, make, self._intake.finish))
        else:
            # Nobody hears of it before its turn is come: others may be before it.
            self._calls.begin_waiting(batch, name, CallRole.WORKER, make, self._intake.finish, batched=False)

    async def _call(self, batch: Batch, trace: CallTrace, result: BatchOutcome) -> None:
        near = await self._store.cases.by_seq_or_withdrawn(batch.avoid) if batch.avoid else {}
        if len(near) < len(set(batch.avoid)):  # the case it was too close to is accepted, but not written yet
            await self._journal.flush()
            near = await self._store.cases.by_seq_or_withdrawn(batch.avoid)
        avoided = [display_text(case.inputs) for case in near.values()]
        batch = await self._with_originals(batch)
        request = self._prompter.request(batch.category, batch.slots, avoided)
        await self._execute(self._models.drafter_of(batch.category), batch, request, trace, result)

    async def _adopted(self, call: AdoptedCall, trace: CallTrace, result: BatchOutcome) -> None:
        result.delivered |= call.closed  # they take nothing of this answer
        await self._execute(self._models.drafter_of(call.batch.category), call.batch, call.request, trace, result)

    async def _execute(
        self, model: WorkerModel, batch: Batch, request: WorkerRequest, trace: CallTrace, result: BatchOutcome
    ) -> None:
        trace.system, trace.prompt = request.system, request.prompt
        runner = self._runners.runner_of(model)
        try:
            await runner.execute(batch, request, lambda candidate: self._intake.put(batch.number, candidate), result)
        except CallReleased:
            for place, wanted in enumerate(batch.slots):
                if place not in result.delivered:
                    self._ledger.give_back(wanted.slot)
            self._calls.leave(batch.number)

    async def _with_originals(self, batch: Batch) -> Batch:
        if all(wanted.slot.pair is None and wanted.slot.varies is None for wanted in batch.slots):
            return batch
        await self._journal.flush()  # an original is accepted, but may not be written yet
        slots = [wanted.slot for wanted in batch.slots]
        slots = await to_be_written(self._store, self._config.score_thresholds, slots)
        requests = (replace(wanted, slot=slot) for wanted, slot in zip(batch.slots, slots, strict=True))
        return replace(batch, slots=tuple(requests))
