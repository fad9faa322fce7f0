"""Kept answers, judged again by the gate of today: a dataset out of what was paid for already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import Candidate
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.runner_place import RunnerPlace
from dsbuilder_tui.generation.answer_versions import read_answer
from dsbuilder_tui.generation.gate_setup import gate_for, restore_gate
from dsbuilder_tui.generation.journal import Journal
from dsbuilder_tui.generation.originals import with_originals
from dsbuilder_tui.generation.pipeline_result import PipelineResult
from dsbuilder_tui.registry import PlugInBroken
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.response_journal import KeptAnswer
from dsbuilder_tui.store.session_store import SessionStore

_PAGE = 64  # answers that are read at once


@dataclass(slots=True)
class RegateCounts:
    """``cases`` were read out of ``answers``; ``surplus`` of them were for slots that are filled, or not planned any more."""

    answers: int = 0
    cases: int = 0
    surplus: int = 0


class Regate:
    """Fills open slots with what models answered in another session. One instance a run; nothing is asked of a model."""

    rounds = None  # it makes no calls that wait

    def __init__(
        self,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig,
        store: SessionStore,
        clock: Clock,
        emit: Callable[[Event], None],
        seed: int,
        theirs: SessionStore,
    ) -> None:
        """``theirs`` is the store of the other session."""
        self._theirs = theirs
        self._plan, self._store, self._answers, self._seed = plan, store, theirs.responses, seed
        several = config.candidates_per_slot > 1
        self._several = {c.name for c in plan.categories if several and not c.is_staged}
        self.gate = gate_for(plan, config, store, clock, emit, seed, on_broken=self._plug_in_broke)
        self._journal, self._ledger = self.gate.journal, self.gate.ledger
        self._fields = {category.name: plan.fields_of(category) for category in plan.categories}
        self.counts = RegateCounts()
        self._pause: Pause | None = None
        self.live = False  # it is over in moments: a decision of a person waits for its end
        self.ready = asyncio.Event()
        self.journal: Journal | None = None  # there is one as soon as the past is known

    async def run(self) -> PipelineResult:
        """Judge every kept answer, until no slot is open or a pause is asked for; all of it is on disk when this returns.

        Raises ``StorageError``, ``InputError`` for documents that cannot be read, or ``SessionDamaged`` for an answer.
        """
        try:
            await self._take_sources()
            await self._store.templates.take_over(await self._theirs.templates.all())
            await restore_gate(self.gate, self._plan, self._store, self._seed)
            self.journal = self._journal
            keeper = asyncio.create_task(self._journal.run())
            try:
                await self._judge_all()
            finally:
                self._journal.stop()
                await asyncio.gather(keeper, return_exceptions=True)
                await self._journal.settle()
            self._journal.notice(self._said())
            await self._journal.flush()
        finally:
            await self.gate.close()
        if self._ledger.open and self._pause is None:
            words = (
                f"every kept answer is judged, and {counted(self._ledger.open, 'slot')} {_are(self._ledger.open)} open"
            )
            self._pause = Pause(words, PauseCause.ANSWERS_JUDGED)
        return PipelineResult(finished=self._ledger.open == 0, dropped=0, pause=self._pause)

    async def _take_sources(self) -> None:
        """Keep documents and rows as they were when the answers were written from them."""
        read = await self._theirs.passages.sources()
        for source in self._plan.all_sources():
            if source in read:
                await self._store.passages.add(source, await self._theirs.passages.of([source]))
        for category in self._plan.categories:
            if category.rows and (rows := await self._theirs.source_rows.of(category.name, category.rows.file)):
                await self._store.source_rows.add(category.name, category.rows.file, rows)

    async def _judge_all(self) -> None:
        # Of a case that went through several stages what the last of them wrote comes first.
        for role in (CallRole.REVISE, CallRole.EVOLVE, CallRole.WORKER):
            await self._judge_role(role)

    async def _judge_role(self, role: CallRole) -> None:
        after = 0
        while self._pause is None and self._ledger.open and (page := await self._answers.page(after, _PAGE, role)):
            for answer in page:
                if self._pause is not None:
                    return
                await self._judge(answer)
                if self._journal.congested:
                    await self._journal.flush()
            after = page[-1].seq

    async def _judge(self, answer: KeptAnswer) -> None:
        self.counts.answers += 1
        fields = self._fields.get(answer.category, {})
        read = read_answer(answer.text, len(answer.ordinals), fields, several=answer.category in self._several)
        self.counts.cases += len(read.cases)
        candidates = []
        for index, raw in sorted(read.cases.items()):
            wanted = self._ledger.take(answer.category, answer.ordinals[index])
            if wanted is None:
                self.counts.surplus += 1
            else:
                slot = wanted.slot
                if slot.pair is not None:
                    await self._journal.flush()  # its original may be accepted, but not written yet
                    (slot,) = await with_originals(self._store.cases, [slot])
                candidates.append(Candidate(slot, wanted.attempt, raw, answer.batch, answer.model))
        await self.gate.judge(candidates)

    def _said(self) -> str:
        counts = self.counts
        words = f"{counted(counts.answers, 'kept answer')} judged again: {counted(counts.cases, 'case')} read"
        return f"{words}, {counts.surplus} of them for slots that had theirs" if counts.surplus else words

    def _plug_in_broke(self, error: PlugInBroken) -> None:
        self.pause(Pause(error.problem.rstrip("."), PauseCause.PLUG_IN))

    def pause(self, why: Pause) -> None:
        """Judge no further answer."""
        self._pause = self._pause or why

    def stop_draining(self) -> None:
        """There is nothing in flight."""

    def wake(self) -> None:
        """There is nothing that it waits for."""

    def keep_budget(self) -> None:
        """Nothing is spent."""

    def cancel_call(self, batch: int) -> bool:
        """There is no call."""
        return False

    def places(self) -> tuple[RunnerPlace, ...]:
        return ()

    def retry_call_now(self, batch: int) -> bool:
        """There is no call."""
        return False


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
