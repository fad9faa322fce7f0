"""The gate for cases that were accepted on another branch: shape, validators, and the comparison with all that is here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from dsbuilder_tui.diversity.answer import Answer
from dsbuilder_tui.domain.branch_merge import UnmergedCase
from dsbuilder_tui.domain.case import AcceptedCase, Slot
from dsbuilder_tui.domain.evidence import evidence_of
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.generation.duplicate_check import CaseText, DuplicateCheck
from dsbuilder_tui.generation.schema_check import fitting_case
from dsbuilder_tui.generation.value_kinds import Unfit
from dsbuilder_tui.quality.validation import Validation
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.rows import CaseLikeness
from dsbuilder_tui.store.session_store import SessionStore


@dataclass(frozen=True, slots=True)
class OfferedCase:
    """A case as it stands on its branch, and the slot that it was written for, with passages and row; as the partner of a case
    that is here, with that as its original."""

    case: AcceptedCase
    slot: Slot


@dataclass(frozen=True, slots=True)
class MergeAnswer:
    """What the gate says of a case: ``turned_away``, or else what is known of an ``answer`` of the comparison, None where its
    category is not compared."""

    offered: OfferedCase
    turned_away: UnmergedCase | None = None
    answer: Answer | None = None


class MergeGate:
    """Lets cases of another branch in, or turns them away. ``close`` it."""

    def __init__(self, plan: DatasetPlanInput, config: DatasetBuilderConfig, store: SessionStore) -> None:
        """``plan`` has the categories of all cases. Raises ``PlanError`` or ``PlugInBroken`` as ``Validation``."""
        self._plan, self._store = plan, store
        self._compared = frozenset(category.name for category in plan.categories if category.compared)
        self._validation, self._duplicates = Validation(plan), DuplicateCheck(plan, config, store)

    async def load(self) -> None:
        """Raises as ``DuplicateCheck.load``."""
        await self._duplicates.load(await self._store.slots.ledger_rows())

    async def close(self) -> None:
        await self._duplicates.close()

    async def judge(self, offered: Sequence[OfferedCase]) -> list[MergeAnswer]:
        """One answer a case, in order; what is let in counts for those behind it. Whoever takes a case over calls ``name``."""
        found = await asyncio.to_thread(lambda: [self._fault(one) for one in offered])
        asked = [
            one for one, fault in zip(offered, found, strict=True) if not fault and one.case.category in self._compared
        ]
        texts = [[CaseText(o.case.category, o.case.inputs, o.case.expectations, o.slot)] for o in asked]
        compared = iter(await self._duplicates.judge(texts) if texts else [])
        answers = []
        for one, fault in zip(offered, found, strict=True):
            if fault is None and one.case.category in self._compared:
                answers.append(self._answer(one, next(compared)[0]))
            else:
                answers.append(MergeAnswer(one, fault))
        return answers

    def unfit(self, case: AcceptedCase) -> UnmergedCase | None:
        """What of a case has not the shape that the plan asks for."""
        try:
            fitting_case(self._plan, self._plan.category(case.category), case.inputs, case.expectations)
        except Unfit as unfit:
            return UnmergedCase(case_id=case.case_id, stage=Stage.SCHEMA, reason=str(unfit))
        return None

    def name(self, answer: Answer, case: AcceptedCase) -> CaseLikeness:
        """Say which case was let in; returns how like the others it is."""
        assert answer.row is not None
        self._duplicates.name(answer.row, case.seq, case.category, case.ordinal)
        return self._duplicates.likeness(answer, case.seq)

    def tags(self, answer: Answer) -> dict[str, object]:
        """What the tags of a case that was let in say of those that it was compared with."""
        return self._duplicates.tags(answer)

    def _fault(self, offered: OfferedCase) -> UnmergedCase | None:
        case = offered.case
        if (unfit := self.unfit(case)) is not None:
            return unfit
        checked = self._validation.case(offered.slot, case.inputs, case.expectations, evidence_of(case.tags))
        reason = self._validation.fault(checked)
        return None if reason is None else UnmergedCase(case_id=case.case_id, stage=Stage.VALIDATORS, reason=reason)

    def _answer(self, offered: OfferedCase, answer: Answer) -> MergeAnswer:
        if answer.broken is not None:
            raise answer.broken
        if (match := answer.match) is None:
            return MergeAnswer(offered, answer=answer)
        turned = UnmergedCase(
            case_id=offered.case.case_id, stage=match.stage, reason=self._duplicates.reason(match),
            nearest=self._duplicates.places.case_id(match.row),
        )  # fmt: skip
        return MergeAnswer(offered, turned)
