"""A case on its way through the stages of its category, and the form in which it outlives a kill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson
import xxhash

from dsbuilder_tui.domain.case import Candidate, Slot
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.domain.stage_record import TAG, StageRecord, StageResult
from dsbuilder_tui.domain.writing_stage import PlannedStage, WritingStage
from dsbuilder_tui.generation.candidate_queue import StagedCandidate
from dsbuilder_tui.generation.originals import partner_of
from dsbuilder_tui.generation.schema_check import Fitted, Misfit
from dsbuilder_tui.generation.validator_check import Fault
from dsbuilder_tui.models.protocol import SlotRequest
from dsbuilder_tui.quality.judge_prompt import PresentedCase
from dsbuilder_tui.store.rows import StagedCase

_ORDER = tuple(WritingStage)
# What of a category says nothing about the text of one case.
_NOT_OF_A_CASE = {"count", "pipeline", "judge", "validators", "diversity", "attributes", "example_inputs"}


@dataclass(eq=False, slots=True, kw_only=True)
class UnfinishedCase:
    """What the last finished stage has made for a slot. ``batch`` and ``model`` are those of the call that wrote it.

    ``asked`` counts the calls of the next stage that brought nothing for it; ``alone`` when it is to be asked for by itself.
    """

    wanted: SlotRequest
    fitted: Fitted
    trail: tuple[StageRecord, ...]
    batch: int
    model: str
    asked: int = 0
    alone: bool = False

    @classmethod
    def drafted(cls, candidate: Candidate, fitted: Fitted) -> UnfinishedCase:
        """A draft, as it came from a worker."""
        return cls(
            wanted=SlotRequest(candidate.slot, candidate.attempt), fitted=fitted, batch=candidate.batch,
            model=candidate.model, trail=(StageRecord(WritingStage.DRAFT, StageResult.DONE, candidate.model),),
        )  # fmt: skip

    @classmethod
    def restored(cls, staged: StagedCase, wanted: SlotRequest) -> UnfinishedCase:
        """A case out of the session file."""
        body = staged.body
        return cls(
            wanted=wanted, fitted=Fitted(body["inputs"], body["expectations"], body["tags"]), batch=staged.batch,
            model=staged.model, trail=tuple(StageRecord.from_tag(one) for one in staged.trail),
        )  # fmt: skip

    @property
    def critique(self) -> str:
        """What the critique found wrong; empty when it found nothing, or there was none."""
        last = self.trail[-1]
        return last.words if last.stage is WritingStage.CRITIQUE and last.result is StageResult.BAD else ""

    def next_stage(self, pipeline: Sequence[PlannedStage]) -> PlannedStage | None:
        """What is to be done to it next; None when it is finished. A partner is not evolved: its original has been."""
        done = max(_ORDER.index(record.stage) for record in self.trail)
        for planned in pipeline:
            if planned.stage is WritingStage.EVOLVE and self.wanted.slot.original is not None:
                continue
            if _ORDER.index(planned.stage) > done and (planned.stage is not WritingStage.REVISE or self.critique):
                return planned
        return None

    def note(self, record: StageRecord) -> None:
        """A stage has finished, and its text, if it wrote one, is in."""
        self.trail += (record,)
        self.asked, self.alone = 0, False

    def as_staged(self, made_for: str, now: float) -> StagedCase:
        """As it is kept."""
        slot = self.wanted.slot
        return StagedCase(
            category=slot.category, ordinal=slot.ordinal, made_for=made_for, body=self.fitted.whole(),
            trail=[record.as_tag() for record in self.trail], batch=self.batch, model=self.model, created_at=now,
        )  # fmt: skip

    def presented(self) -> PresentedCase:
        """As a critic reads it."""
        slot = self.wanted.slot
        return PresentedCase(
            inputs=self.fitted.inputs, expectations=self.fitted.expectations, attributes=slot.attributes,
            source=slot.source, partner_of=partner_of(slot),
        )  # fmt: skip

    def finished(self, misfit: Misfit | None = None) -> StagedCandidate:
        """For the gate: with a fault when what the critique found was not mended, or the ``misfit`` that a stage answered."""
        tags = {**self.fitted.tags, TAG: [record.as_tag() for record in self.trail]}
        fitted = replace(self.fitted, tags=tags)
        candidate = Candidate(self.wanted.slot, self.wanted.attempt, None, self.batch, self.model)
        if misfit is not None:
            return StagedCandidate(candidate, misfit)
        fault = Fault(fitted, self.critique, Stage.CRITIQUE) if self.critique else None
        return StagedCandidate(candidate, [fitted], fault)


def made_for(plan: DatasetPlanInput, category: DatasetCategory, slot: Slot) -> str:
    """A digest of what a slot asks for: what was written for another is of no use to it."""
    asked = [
        category.model_dump(mode="json", exclude=_NOT_OF_A_CASE), plan.input_fields, [*plan.sources_of(category)],
        [one.model_dump(mode="json") for one in plan.written_for(category)], dict(slot.attributes),
        [passage.id for passage in slot.passages], slot.row and slot.row.as_tag(),
        None if slot.original is None else [slot.original.seq, slot.original.inputs, slot.original.expectations],
    ]  # fmt: skip
    return f"{xxhash.xxh3_64_intdigest(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)):016x}"
