"""Changes that a person makes to single cases: edit, annotate, withdraw, keep what was rejected; at rest and during a run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.diversity.compared_text import structure_hash
from dsbuilder_tui.domain.case import AcceptedCase, Rejection, Slot, case_id, display_text
from dsbuilder_tui.domain.case_change import CaseChange
from dsbuilder_tui.domain.case_pair import PairSide, pair_of
from dsbuilder_tui.domain.case_problems import CaseProblems
from dsbuilder_tui.domain.errors import (
    InputError,
)
from dsbuilder_tui.domain.evaluation import EASY
from dsbuilder_tui.domain.events import (
    TEXT_LENGTH,
    CaseAccepted,
    CaseEdited,
    CaseWithdrawn,
    Event,
    Notice,
)
from dsbuilder_tui.domain.evidence import evidence_of
from dsbuilder_tui.domain.judging import TAG, verdict_of
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.plan import MAX_TEXT_LENGTH, DatasetCategory
from dsbuilder_tui.domain.review import REVIEWED
from dsbuilder_tui.domain.row_axis import row_of
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.generation.ledger import SlotState
from dsbuilder_tui.generation.schema_check import fitting_case, unfit_fields
from dsbuilder_tui.generation.value_kinds import Unfit
from dsbuilder_tui.quality.validation import Validation
from dsbuilder_tui.registry import PlugInBroken
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.rows import CaseVerdict, Changes, HistoryRow, SlotFacts, Withdrawal

if TYPE_CHECKING:
    from dsbuilder_tui.generation.gate import Gate


_REJECTED_LENGTH = 500
_MARKS = ("note", "pinned", REVIEWED)  # a person's, among the tags
_SIDES = {PairSide.ORIGINAL: "the original of", PairSide.PARTNER: "the partner of"}
_PARTED = (
    "was taken out; the other one is a case of its own now. A partner that was taken out is written again; to have an original's "
    "partner written anew, take that out too"
)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What an act is based on; true until the next await."""

    gate: Gate | None  # of the run that is going on
    facts: SlotFacts
    accepted: int  # cases in all


class CaseChanges:
    """Makes the changes. The caller sees to it that there is one at a time, and that each goes to its end."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def edit(self, name: str, ordinal: int, inputs: dict[str, Any], expectations: dict[str, Any]) -> AcceptedCase:
        ground = await self._ground(name, ordinal)
        case = _intact(ground.facts, name, ordinal)
        category = self._category(name)
        try:
            inputs, expectations = fitting_case(self._context.plan, category, inputs, expectations)
        except Unfit as unfit:
            raise InputError(f"{case.case_id}: {unfit}.", "Mend that field; the case is as it was.") from None
        if (inputs, expectations) == (case.inputs, case.expectations):
            return case
        structure = _structure(category, inputs)
        tags = {
            key: value for key, value in case.tags.items() if key not in ("flags", TAG, EASY)
        }  # those were about what it said before
        new = replace(
            case, inputs=inputs, expectations=expectations, structure=structure, tags={**tags, "edited": True}
        )
        data = {
            "seq": case.seq,
            "structure": case.structure,
            "before": {"inputs": case.inputs, "expectations": case.expectations},
            "after": {"inputs": inputs, "expectations": expectations},
        }
        if ground.gate:
            ground.gate.remember(new)
        await self._change(ground, new, CaseChange.EDITED, "case_edited", data)
        await self._tell_of_pair(case, "was edited; see whether the two still are a pair")
        return new

    async def problems(
        self, case: AcceptedCase, inputs: dict[str, Any], expectations: dict[str, Any], passages: Sequence[Passage]
    ) -> CaseProblems:
        category = self._category(case.category)
        plan, attributes = self._context.plan, case.tags.get("attributes")
        bad_inputs, bad_expectations = unfit_fields(plan, category, inputs, expectations)
        if bad_inputs or bad_expectations:
            return CaseProblems(bad_inputs, bad_expectations)
        slot = Slot(
            case.category,
            case.ordinal,
            attributes=attributes if isinstance(attributes, dict) else {},
            passages=tuple(passages),
            row=row_of(case.tags),
        )

        def ask() -> tuple[str, ...]:
            validation = Validation(plan)
            return tuple(validation.faults(validation.case(slot, inputs, expectations, evidence_of(case.tags))))

        try:
            return CaseProblems(rules=await asyncio.to_thread(ask))
        except PlugInBroken as error:
            return CaseProblems(rules=(error.problem,))

    async def annotate(
        self, name: str, ordinal: int, note: str | None, pinned: bool | None, reviewed: bool | None
    ) -> AcceptedCase:
        if note is not None and len(note) > MAX_TEXT_LENGTH:
            raise InputError(f"The note has {len(note):,} characters.", f"Use at most {MAX_TEXT_LENGTH:,}.")
        ground = await self._ground(name, ordinal)
        case = _intact(ground.facts, name, ordinal)
        tags = dict(case.tags)
        if note is not None:
            tags["note"] = whole_characters(note).strip()
        if pinned is not None:
            tags["pinned"] = pinned
        if reviewed is not None:
            tags[REVIEWED] = reviewed
        tags = {key: value for key, value in tags.items() if key not in _MARKS or value}
        if tags == case.tags:
            return case
        new = replace(case, tags=tags)
        marks = [{key: c.tags[key] for key in _MARKS if key in c.tags} for c in (case, new)]
        await self._change(
            ground,
            new,
            CaseChange.ANNOTATED,
            "case_annotated",
            {"seq": case.seq, "before": marks[0], "after": marks[1]},
        )
        return new

    async def withdraw(self, name: str, ordinal: int, reason: str) -> None:
        ground = await self._ground(name, ordinal)
        case = _there(ground.facts, name, ordinal)
        _not_pinned(case)
        files, now = self._context.files, self._context.files.clock.now()
        seq, attempt, words = files.store.next_seq(), ground.facts.attempt + 1, reason or "taken out by a person"
        text = display_text(case.inputs)
        whole = {"inputs": case.inputs, "expectations": case.expectations, "tags": case.tags}
        # With the case itself as the nearest, the next worker is told what not to write.
        rejection = Rejection(
            seq=seq,
            category=name,
            ordinal=ordinal,
            attempt=attempt,
            stage=Stage.PERSON,
            reason=words,
            text=text[:_REJECTED_LENGTH],
            created_at=now,
            nearest_seq=case.seq,
            batch=case.batch,
            candidate=None if case.damaged else whole,
        )
        data = {"seq": case.seq, "reason": words, "text": text[:TEXT_LENGTH], "before": whole}
        changes = Changes(
            withdrawn=[Withdrawal(seq=case.seq, category=name, withdrawn_seq=seq, reason=words, withdrawn_at=now)],
            rejected=[rejection],
            history=[self._line("case_withdrawn", data, now, name, ordinal)],
        )
        if ground.gate:
            ground.gate.outdated.add(case.seq)
            ground.gate.ledger.reopen(name, ordinal, attempt, case.seq)
        elif files.meta["state"] in (SessionState.COMPLETE, SessionState.SHORT):
            changes.meta["state"] = SessionState.PAUSED
        event = CaseWithdrawn(
            ts=now, case_id=case.case_id, category=name, slot=ordinal, seq=case.seq, text=text[:TEXT_LENGTH],
            reason=words, accepted=ground.accepted - 1, planned=self._context.plan.total_instances,
        )  # fmt: skip
        await self._decide(ground, changes, event, -1)
        await self._tell_of_pair(case, _PARTED)

    async def keep_rejected(self, rejection_seq: int) -> AcceptedCase:
        await self._context.written()
        rejection = await self._context.files.store.rejections.at(rejection_seq)
        if rejection is None:
            raise InputError(f"There is no rejection with the number {rejection_seq}.", "Choose one from the list.")
        name, ordinal, candidate = rejection.category, rejection.ordinal, rejection.candidate
        own = case_id(name, ordinal)
        if candidate is None:
            raise InputError(
                f"What was turned away for {own} was no whole case ({rejection.reason}).",
                "Only a candidate that fits the plan can be kept.",
            )
        count = next((c.count for c in self._context.plan.categories if c.name == name), 0)
        if not await self._context.files.store.slots.exists(name, count, ordinal):
            raise InputError(f"The plan no longer has a place for {own}.", "Raise the category's count first.")
        plan = self._context.plan
        if self._category(name).kind.odd_fields(plan.input_fields, candidate["inputs"]):
            raise InputError(
                f"What was turned away for {own} has other fields than the plan has now.", "It cannot be kept."
            )
        ground = await self._ground(name, ordinal)
        gate, old = ground.gate, ground.facts.case
        if gate and gate.ledger.state(name, ordinal) is SlotState.LEASED:
            raise InputError(f"{own} is being written again right now.", "Wait a moment, or pause.")
        if old is not None:
            _not_pinned(old)
            if (old.inputs, old.expectations) == (candidate["inputs"], candidate["expectations"]):
                raise InputError(f"{own} says this already.", "There is nothing to keep.")
        files, now = self._context.files, self._context.files.clock.now()
        seq, structure = files.store.next_seq(), _structure(self._category(name), candidate["inputs"])
        case = AcceptedCase(
            seq=seq,
            category=name,
            ordinal=ordinal,
            inputs=candidate["inputs"],
            expectations=candidate["expectations"],
            tags=candidate["tags"],
            created_at=now,
            structure=structure,
            batch=rejection.batch,
        )
        if gate:
            gate.remember(case)
            if old is None:
                gate.ledger.claim(name, ordinal)
        text = display_text(case.inputs)[:TEXT_LENGTH]
        data = {
            "seq": seq, "rejection": rejection.seq, "stage": rejection.stage, "replaced": old.seq if old else None,
            "was_given_up": ground.facts.exhausted, "text": text,
        }  # fmt: skip
        changes = Changes(accepted=[case], history=[self._line("kept_anyway", data, now, name, ordinal)])
        if (verdict := verdict_of(case.tags)) is not None:  # the judge has read it: it is not asked again
            changes.verdicts.append(
                CaseVerdict(
                    seq=files.store.next_seq(), category=name, ordinal=ordinal, case_seq=seq, inputs=case.inputs,
                    expectations=case.expectations, verdict=verdict, created_at=now,
                )
            )  # fmt: skip
        if ground.facts.exhausted:
            changes.reopened.append((name, ordinal))
        if old is not None:
            reason = "a rejected candidate was kept in its place"
            changes.withdrawn.append(
                Withdrawal(
                    seq=old.seq, category=name, withdrawn_seq=seq, reason=reason, withdrawn_at=now, replaced_by=seq
                )
            )
            event: Event = CaseEdited(
                ts=now, case_id=own, category=name, slot=ordinal, seq=seq, text=text, change=CaseChange.KEPT
            )
        else:
            event = CaseAccepted(
                ts=now, case_id=own, category=name, slot=ordinal, seq=seq, batch=case.batch, text=text,
                accepted=ground.accepted + 1, planned=self._context.plan.total_instances, flags=case.flag_kinds,
            )  # fmt: skip
        await self._decide(ground, changes, event, 0 if old else 1)
        if old is not None:
            await self._tell_of_pair(old, _PARTED)
        if gate is None:
            await self._context.settle()
        return case

    async def _change(
        self, ground: _Ground, new: AcceptedCase, change: CaseChange, kind: str, data: dict[str, Any]
    ) -> None:
        text, now = display_text(new.inputs)[:TEXT_LENGTH], self._context.files.clock.now()
        row = self._line(kind, {**data, "text": text}, now, new.category, new.ordinal)
        event = CaseEdited(
            ts=now, case_id=new.case_id, category=new.category, slot=new.ordinal, seq=new.seq, text=text, change=change
        )
        await self._decide(ground, Changes(edited=[new], history=[row]), event, 0)

    async def _tell_of_pair(self, case: AcceptedCase, what: str) -> None:
        """Say what a change of a case means for the other one of its pair."""
        pair = pair_of(case.tags)
        if pair is None:
            return
        text = f"{case.case_id}, which is {_SIDES[pair.side]} {pair.other}, {what}."
        files = self._context.files
        await files.tell(Notice(ts=files.clock.now(), level=NoticeLevel.INFO, text=text))

    async def _decide(self, ground: _Ground, changes: Changes, event: Event, accepted: int) -> None:
        """Write an act and announce it: through the journal of the run that is going on, or at once."""
        files = self._context.files
        if ground.gate:
            ground.gate.journal.decide(changes, event, accepted)
            if self._context.run:
                self._context.run.wake()
            await ground.gate.journal.flush()
            return
        await files.store.commit(changes)
        files.meta |= changes.meta
        files.emit(event)
        await files.note_status(running=False)

    async def _ground(self, name: str, ordinal: int) -> _Ground:
        """What there is about a slot. A run that is about to begin or end is waited for."""
        store = self._context.files.store
        while True:
            gate = await self._context.run.gate() if self._context.run else None
            if gate is not None:
                # What the run has decided must be on disk to be seen, and the slot must not have moved meanwhile.
                before = gate.ledger.state(name, ordinal)
                await gate.journal.flush()
                facts = await store.cases.slot_facts(name, ordinal)
                if self._context.run and self._context.run.live and gate.ledger.state(name, ordinal) is before:
                    return _Ground(gate, facts, gate.journal.accepted)
            elif self._context.run:
                await self._context.idle.wait()
            else:
                facts, totals = await store.cases.slot_facts(name, ordinal), await store.progress.totals()
                return _Ground(None, facts, totals.accepted)

    def _line(self, kind: str, data: dict[str, Any], now: float, name: str, ordinal: int) -> HistoryRow:
        return HistoryRow(
            seq=self._context.files.store.next_seq(),
            kind=kind,
            data=data,
            created_at=now,
            category=name,
            ordinal=ordinal,
        )

    def _category(self, name: str) -> DatasetCategory:
        return self._context.plan.category(name)


def _there(facts: SlotFacts, name: str, ordinal: int) -> AcceptedCase:
    if facts.case is None:
        raise InputError(f"There is no case {case_id(name, ordinal)} now.", "It may have been withdrawn; look again.")
    return facts.case


def _intact(facts: SlotFacts, name: str, ordinal: int) -> AcceptedCase:
    case = _there(facts, name, ordinal)
    if case.damaged:
        raise InputError(f"{case.case_id} is damaged.", "Withdraw it, so that it is written again.")
    return case


def _not_pinned(case: AcceptedCase) -> None:
    if case.tags.get("pinned"):
        raise InputError(f"{case.case_id} is pinned.", "Unpin it first.")


def _structure(category: DatasetCategory, inputs: dict[str, Any]) -> int | None:
    return structure_hash(inputs, category.kind) if category.compared else None
