"""The stages behind the draft: cases wait for them, are evolved, criticised and revised, and then go to the gate."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.call_role import STAGE_ROLES, CallRole
from dsbuilder_tui.domain.case import Candidate
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import EndpointUnavailable
from dsbuilder_tui.domain.events import Event, Notice
from dsbuilder_tui.domain.judging import Judgement, Verdict
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.domain.stage_record import StageRecord, StageResult
from dsbuilder_tui.domain.writing_stage import PlannedStage, WritingStage
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.generation.calls_in_flight import CallsInFlight
from dsbuilder_tui.generation.candidate_queue import StagedCandidate
from dsbuilder_tui.generation.gate import Gate
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.originals import with_originals
from dsbuilder_tui.generation.schema_check import Misfit
from dsbuilder_tui.generation.stage_callers import StageAnswers, StageCallers
from dsbuilder_tui.generation.unfinished_case import UnfinishedCase, made_for
from dsbuilder_tui.quality.verdict_reader import NoVerdict
from dsbuilder_tui.store.session_store import SessionStore

CASES_A_CALL = 10
_MOST_ASKED = 2  # calls of one stage that a case takes part in
_MOST_FAILURES = 5  # calls in a row that failed for good end the run
_ROLES = dict(zip((WritingStage.EVOLVE, WritingStage.CRITIQUE, WritingStage.REVISE), STAGE_ROLES, strict=True))
_ORDER = (CallRole.WORKER, *STAGE_ROLES)
# An answer that may be the fault of one case among those asked about: each is then asked about by itself.
_ONE_BAD_CASE = (CallOutcome.REFUSED, CallOutcome.TOO_LARGE, CallOutcome.TRUNCATED)
_ONE_BAD_VERDICT = (NoVerdict.REFUSED, NoVerdict.TOO_LARGE, NoVerdict.CUT_OFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageHooks:
    """What the stages ask of the run that they are part of."""

    finished: Callable[[StagedCandidate], Awaitable[None]]  # it goes to the gate
    ended: Callable[[Batch, BatchOutcome], None]  # a call has ended: remember what it cost
    tell: Callable[[Event], None]
    fail: Callable[[BaseException], None]
    endpoint_is_out: Callable[[], bool]


@dataclass(slots=True)
class _Tray:
    """The cases of one category that wait for one stage."""

    items: deque[UnfinishedCase] = field(default_factory=deque)

    def take(self, most: int, *, full: bool) -> list[UnfinishedCase]:
        """The next call's cases; none while there are not enough for a ``full`` one."""
        if self.items and self.items[0].alone:
            return [self.items.popleft()]
        group: list[UnfinishedCase] = []
        if full and len(self.items) < most and not any(item.asked for item in self.items):
            return group
        while self.items and len(group) < most and not self.items[0].alone:
            group.append(self.items.popleft())
        return group


class CaseStages:
    """Takes drafts of categories with stages, and hands them to the gate when their last stage has finished. One a run.

    What a stage has finished is in the journal before the next begins. Calls are begun by ``begin`` alone, so that the run
    decides when there is room for one.
    """

    def __init__(
        self,
        plan: DatasetPlanInput,
        callers: StageCallers,
        *,
        is_on: bool,
        most: int,
        store: SessionStore,
        gate: Gate,
        calls: CallsInFlight,
        clock: Clock,
        hooks: StageHooks,
    ) -> None:
        """When it is not ``is_on``, drafts go to the gate as they are. ``most`` cases are written in one call."""
        self._plan, self._store, self._gate, self._calls = plan, store, gate, calls
        self._callers, self._clock, self._hooks = callers, clock, hooks
        self._is_on, self._most = is_on, min(most, CASES_A_CALL)
        self._categories = {category.name: category for category in plan.categories}
        self._drafted: dict[int, list[UnfinishedCase]] = {}  # by batch: drafts of calls that have not been settled
        self._trays: dict[tuple[str, CallRole], _Tray] = {}
        self._finished: list[UnfinishedCase] = []  # finished before this run, and not decided about
        self._delivery: asyncio.Task[None] | None = None
        self._failures: Counter[WritingStage] = Counter()  # calls in a row that failed for good

    async def restore(self) -> None:
        """Take over what earlier runs have left between two stages. After the gate has been restored."""
        if not self._is_on:
            return
        rows = await self._store.staged.all()
        self._gate.journal.take_staged((row.category, row.ordinal) for row in rows)
        for row in rows:
            category = self._categories.get(row.category)
            slot = None
            if category is not None and self._gate.ledger.is_open(row.category, row.ordinal):
                slot = self._gate.ledger.slot(row.category, row.ordinal)
                (slot,) = await with_originals(self._store.cases, [slot])
            if category is None or slot is None or made_for(self._plan, category, slot) != row.made_for:
                self._gate.journal.unstage(row.category, row.ordinal)  # filled, retired, or asked for otherwise by now
                continue
            wanted = self._gate.ledger.take(row.category, row.ordinal)
            assert wanted is not None
            item = UnfinishedCase.restored(row, replace(wanted, slot=slot))
            if not self._queue(item):
                self._finished.append(item)

    def deliver_restored(self) -> None:
        """Hand the gate what had finished before this run. When the gate is at work."""
        if self._finished:
            self._delivery = asyncio.create_task(self._deliver(self._finished))
            self._delivery.add_done_callback(self._delivered)
            self._finished = []

    async def close(self) -> None:
        """Deliver nothing more; what waits stays in the session file."""
        if self._delivery is not None:
            self._delivery.cancel()
            await asyncio.gather(self._delivery, return_exceptions=True)

    # -- drafts

    def takes(self, candidate: Candidate) -> bool:
        """Whether further stages take a draft. What has not the shape of a case goes to the gate."""
        if not self._is_on or not self._categories[candidate.slot.category].is_staged:
            return False
        fitted = self._gate.fit(candidate)
        if isinstance(fitted, Misfit):
            return False
        item = UnfinishedCase.drafted(candidate, fitted[0])
        if item.next_stage(self._categories[candidate.slot.category].pipeline) is None:
            return False
        self._drafted.setdefault(candidate.batch, []).append(item)
        self._keep(item)
        return True

    def settle_drafts(self, batch: Batch, superseded: Collection[int]) -> int:
        """The call that wrote drafts has ended: their next stage may begin. Returns how many there are.

        ``superseded`` are the indexes of slots for which the model wrote another version behind the draft.
        """
        gone = {batch.slots[index].slot.ordinal for index in superseded}
        left = 0
        for item in self._drafted.pop(batch.number, []):
            if item.wanted.slot.ordinal in gone:
                self._gate.journal.unstage(item.wanted.slot.category, item.wanted.slot.ordinal)
                self._gate.ledger.give_back(item.wanted.slot)
            else:
                self._queue(item)
                left += 1
        return left

    def _keep(self, item: UnfinishedCase) -> None:
        slot = item.wanted.slot
        digest = made_for(self._plan, self._categories[slot.category], slot)
        self._gate.journal.stage(item.as_staged(digest, self._clock.now()))

    def _queue(self, item: UnfinishedCase) -> bool:
        """Let a case wait for its next stage. False when there is none."""
        name = item.wanted.slot.category
        planned = item.next_stage(self._categories[name].pipeline)
        if planned is None:
            return False
        self._trays.setdefault((name, _ROLES[planned.stage]), _Tray()).items.append(item)
        return True

    # -- calls

    def begin(self, *, partial_groups: bool = False) -> bool:
        """Begin one call, the last stages first. False when there are not enough cases for one.

        With ``partial_groups`` fewer are enough where none are on their way from an earlier stage.
        """
        busy = self._calls.roles() if partial_groups else {}
        for role in reversed(STAGE_ROLES):
            for (name, waiting), tray in self._trays.items():
                if waiting is not role or not tray.items:
                    continue
                earlier = _ORDER[: _ORDER.index(role)]
                full = not partial_groups or any(
                    before in busy.get(name, ()) or self._waits(name, before) for before in earlier
                )
                if group := tray.take(self._most, full=full):
                    self._start(self._categories[name], role, group)
                    return True
        return False

    def _waits(self, category: str, role: CallRole) -> bool:
        tray = self._trays.get((category, role))
        return tray is not None and bool(tray.items)

    def _start(self, category: DatasetCategory, role: CallRole, items: list[UnfinishedCase]) -> None:
        planned = next(one for one in category.pipeline if _ROLES.get(one.stage) is role)
        batch = Batch(self._gate.ledger.take_number(), category, tuple(item.wanted for item in items), ())
        answers = StageAnswers()
        begun = self._calls.begin(
            batch, self._callers.model_name(planned), role, partial(self._call, batch, planned, items, answers),
            partial(self._ended, planned, items, answers),
        )  # fmt: skip
        self._hooks.tell(begun)

    async def _call(
        self,
        batch: Batch,
        planned: PlannedStage,
        items: Sequence[UnfinishedCase],
        answers: StageAnswers,
        trace: CallTrace,
        result: BatchOutcome,
    ) -> None:
        await self._gate.journal.flush()  # what the stage before has made is on disk before this one is paid for
        try:
            await self._callers.call(batch, planned, items, answers, result)
        except asyncio.CancelledError:
            self._take_in(planned, items, answers, result)  # what has come counts, also where nobody waits for more
            raise

    async def _ended(
        self,
        planned: PlannedStage,
        items: list[UnfinishedCase],
        answers: StageAnswers,
        batch: Batch,
        result: BatchOutcome,
    ) -> None:
        done, missing = self._take_in(planned, items, answers, result)
        done += self._without_answer(batch, planned, missing, answers, result)
        self._hooks.ended(batch, result)  # in one commit with what it brought
        await self._deliver([one for one in done if isinstance(one, StagedCandidate) or not self._queue(one)])

    async def _deliver(self, finished: Sequence[UnfinishedCase | StagedCandidate]) -> None:
        for one in finished:
            await self._hooks.finished(one if isinstance(one, StagedCandidate) else one.finished())

    def _delivered(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._hooks.fail(error)

    # -- answers

    def _take_in(
        self, planned: PlannedStage, items: Sequence[UnfinishedCase], answers: StageAnswers, result: BatchOutcome
    ) -> tuple[list[UnfinishedCase | StagedCandidate], list[UnfinishedCase]]:
        """Keep what came. Returns the cases that it came for, and those that there is nothing for."""
        done: list[UnfinishedCase | StagedCandidate] = []
        missing: list[UnfinishedCase] = []
        for index, item in enumerate(items):
            record: StageRecord | None = None
            if (verdict := answers.verdicts.pop(index, None)) is not None:
                record = _record_of(planned, verdict)
            elif (candidate := answers.candidates.pop(index, None)) is not None and index not in result.drafts:
                fitted = self._gate.fit(candidate, item.fitted.expectations)
                if isinstance(fitted, Misfit):  # as any candidate that has not the shape of a case
                    item.batch, item.model = candidate.batch, candidate.model
                    done.append(item.finished(fitted))
                    continue
                item.fitted, item.batch, item.model = fitted[0], candidate.batch, candidate.model
                record = StageRecord(planned.stage, StageResult.DONE, candidate.model, planned.how)
            if record is None:
                missing.append(item)
                continue
            item.note(record)
            self._keep(item)
            done.append(item)
        return done, missing

    def _without_answer(
        self,
        batch: Batch,
        planned: PlannedStage,
        missing: Sequence[UnfinishedCase],
        answers: StageAnswers,
        result: BatchOutcome,
    ) -> list[UnfinishedCase | StagedCandidate]:
        """Ask once more for what a call did not bring, or do without it. Returns the cases that do without."""
        failed = result.outcome is CallOutcome.FAILED
        self._failures[planned.stage] = self._failures[planned.stage] + 1 if failed and not result.delivered else 0
        if failed and (self._failures[planned.stage] >= _MOST_FAILURES or self._hooks.endpoint_is_out()):
            self._stop(planned, result)
            return []  # they stand in the session file as they are
        if answers.not_allowed:
            self._again(planned, missing)
            return []
        done: list[UnfinishedCase | StagedCandidate] = []
        why: Counter[str] = Counter()
        for item in missing:
            unusable = answers.unusable.get(batch.slots.index(item.wanted))
            item.asked += 1
            if item.asked < _MOST_ASKED:
                item.alone = unusable in _ONE_BAD_VERDICT or (unusable is None and result.outcome in _ONE_BAD_CASE)
                self._again(planned, [item])
                continue
            words = str(whole_characters(unusable or result.detail or result.outcome)).rstrip(".")
            why[words] += 1
            done.append(self._do_without(planned, item, words))
        for words, number in why.items():
            self._say(batch, planned, number, words)
        return done

    def _again(self, planned: PlannedStage, items: Sequence[UnfinishedCase]) -> None:
        for item in items:
            self._trays[item.wanted.slot.category, _ROLES[planned.stage]].items.append(item)

    def _do_without(self, planned: PlannedStage, item: UnfinishedCase, words: str) -> UnfinishedCase | StagedCandidate:
        if planned.stage is WritingStage.REVISE:
            return item.finished()  # it is known to be bad: its slot is written again, and the critique told
        result = StageResult.NOT_JUDGED if planned.stage is WritingStage.CRITIQUE else StageResult.KEPT
        item.note(StageRecord(planned.stage, result, self._callers.model_name(planned), planned.how, words))
        self._keep(item)
        return item

    def _say(self, batch: Batch, planned: PlannedStage, number: int, words: str) -> None:
        cases = f"{counted(number, 'case')} of {batch.category.name}"
        text = {
            WritingStage.EVOLVE: f"{cases} could not be evolved, so the draft is kept: {words}.",
            WritingStage.CRITIQUE: f"{cases} got no critique, and go on without: {words}.",
            WritingStage.REVISE: f"{cases} could not be revised, and are written again: {words}.",
        }[planned.stage]
        self._hooks.tell(Notice(ts=self._clock.now(), level=NoticeLevel.WARNING, text=text))

    def _stop(self, planned: PlannedStage, result: BatchOutcome) -> None:
        self._hooks.fail(
            EndpointUnavailable(
                f"The model {self._callers.model_name(planned)} of the stage {planned.stage} kept failing ({result.detail}); "
                "the run stopped. Everything that is finished is saved.",
                "Check the connection with `dsbuilder doctor`, then resume.",
            )
        )


def _record_of(planned: PlannedStage, verdict: Verdict) -> StageRecord:
    bad = verdict.finding is Judgement.BAD
    result = StageResult.BAD if bad else StageResult.GOOD
    return StageRecord(planned.stage, result, verdict.model, words=verdict.critique if bad else "")
