"""Decisions about slots: the gate's, and those a person makes while a run is going on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dsbuilder_tui.diversity.answer import Answer, Match
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import (
    AcceptedCase,
    Candidate,
    Exhausted,
    Rejection,
    Slot,
    display_text,
    exhausted_words,
)
from dsbuilder_tui.domain.case_pair import TAG as PAIR_TAG
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import TEXT_LENGTH, CaseAccepted, CaseRejected, CaseWithdrawn, SlotExhausted
from dsbuilder_tui.domain.judging import TAG, Verdict
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.generation.duplicate_check import CaseText, DuplicateCheck
from dsbuilder_tui.generation.journal import Journal
from dsbuilder_tui.generation.ledger import Batch, Ledger, SlotState
from dsbuilder_tui.generation.schema_check import Fitted, Misfit, SchemaCheck
from dsbuilder_tui.generation.validator_check import Fault, Validated, ValidatorCheck
from dsbuilder_tui.generation.variation_check import VariationCheck
from dsbuilder_tui.registry import PlugInBroken
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.rows import Changes, HistoryRow, LedgerRows, Withdrawal
from dsbuilder_tui.store.session_store import SessionStore

_REJECTED_LENGTH = 500
_A_DRAFT = "a draft: the model wrote another version of it behind it"


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A slot's case that was turned away: at which stage, and why."""

    ordinal: int
    stage: str
    reason: str


class Gate:
    """Lets candidates in or turns them away, and keeps ledger, duplicate history and journal in step.

    A person's act is one more decision. Between what it was based on and its entry in the journal nothing may be
    awaited; the journal then writes it in its place among the others.
    """

    def __init__(
        self,
        plan: DatasetPlanInput,
        config: DatasetBuilderConfig,
        store: SessionStore,
        clock: Clock,
        journal: Journal,
        ledger: Ledger,
        on_broken: Callable[[PlugInBroken], None],
    ) -> None:
        """``on_broken`` is told of a validator or stage that fails at its work; the slot is open again then, without a mark.

        Raises ``PlanError`` or ``PlugInBroken`` for a validator that is missing or cannot be loaded.
        """
        self._store, self._clock = store, clock
        self.journal, self.ledger = journal, ledger
        self._on_broken = on_broken
        self.on_accepted: Callable[[AcceptedCase, Slot], None] = lambda case, slot: (
            None
        )  # is told of each case that is let in
        self._schema = SchemaCheck(plan)
        self._validators, self._variations = ValidatorCheck(plan), VariationCheck(plan)
        self._compared = frozenset(category.name for category in plan.categories if category.compared)
        self._duplicates = DuplicateCheck(plan, config, store, journal.notice)
        self._turned_away: dict[int, list[TurnedAway]] = {}  # by batch
        self._by_person: dict[tuple[str, int], AcceptedCase] = {}  # by slot, as a person gave them a text in this run
        self.outdated: set[int] = set()  # places of cases that a person has changed or taken out in this run

    async def restore(self, rows: LedgerRows, last_batch: int, *, admits: bool = True) -> None:
        """Take over what the session file says. Raises as ``DuplicateCheck.load``, unless nothing is to be admitted."""
        self.ledger.restore(rows, last_batch)
        if admits:
            await self._duplicates.load(rows)
        self.journal.accepted = self.ledger.filled

    def wait_no_longer(self) -> None:
        """Wait no longer for an endpoint's vectors; what is asked then raises ``VectorsGivenUp``."""
        self._duplicates.give_up()

    async def close(self) -> None:
        await self._duplicates.close()

    def remember(self, case: AcceptedCase) -> None:
        """A person gave a case this text. It counts from now on; what the case said before stays known."""
        self.outdated.add(case.seq)
        self._by_person[case.category, case.ordinal] = case
        if case.category in self._compared:
            self._duplicates.remember(CaseText(case.category, case.inputs, case.expectations), case.seq, case.ordinal)

    async def judge(self, candidates: Sequence[Candidate]) -> list[AcceptedCase | None]:
        """Let candidates in or turn them away, in order. Returns those that are in, as cases."""
        return await self.admit(candidates, await self.screen(candidates))

    async def screen(self, candidates: Sequence[Candidate]) -> list[Validated]:
        """What schema and validators make of candidates. Nothing is decided yet."""
        return await self.validate(candidates, [self.fit(candidate) for candidate in candidates])

    def fit(self, candidate: Candidate, before: Mapping[str, Any] | None = None) -> list[Fitted] | Misfit:
        """What the schema alone makes of a candidate; ``before`` is what was expected of it when it is another version."""
        return self._schema.fit(candidate, before)

    async def validate(
        self, candidates: Sequence[Candidate], fitted: Sequence[list[Fitted] | Misfit]
    ) -> list[Validated]:
        """What validators make of candidates in the plan's shape."""
        return await self._variations.judge(candidates, await self._validators.judge(candidates, fitted))

    async def without_repeats(
        self, screened: Sequence[tuple[Candidate, Validated]]
    ) -> list[tuple[Candidate, Validated]]:
        """Turn away screened candidates that repeat what is there already. Returns the others, of which nothing is decided."""
        asked = [
            (place, one)
            for place, (candidate, validated) in enumerate(screened)
            if candidate.slot.category in self._compared and isinstance(validated.outcome, list)
            for one in validated.outcome
        ]
        texts = [
            CaseText(slot.category, one.inputs, one.expectations, slot)
            for place, one in asked
            for slot in (screened[place][0].slot,)
        ]
        answers: dict[int, list[tuple[Fitted, Answer]]] = {}
        for (place, one), answer in zip(asked, await self._duplicates.ask(texts) if texts else [], strict=True):
            answers.setdefault(place, []).append((one, answer))
        left: list[tuple[Candidate, Validated]] = []
        for place, (candidate, validated) in enumerate(screened):
            found = answers.get(place, [])
            new = [one for one, answer in found if answer.match is None]
            broken = [answer for _, answer in found if answer.broken is not None]
            if broken:
                self._settle(candidate, validated, broken)
            elif not found or self._has_lost_original(candidate.slot):  # that is told when it is admitted
                left.append((candidate, validated))
            elif new:
                for one, answer in found:
                    if answer.match is not None:
                        self._record(
                            candidate, answer.match.stage, self._duplicates.reason(answer.match), one, answer.match
                        )
                left.append((candidate, replace(validated, outcome=new)))
            else:
                self._settle(candidate, validated, [answer for _, answer in found])
        return left

    async def admit(self, candidates: Sequence[Candidate], validated: Sequence[Validated]) -> list[AcceptedCase | None]:
        """Let in what is left of screened candidates and is new; turn the others away, in order. Returns those that are in."""
        fitted = [one.outcome for one in validated]
        late = [self._has_lost_original(candidate.slot) for candidate in candidates]
        asked = [
            place
            for place, candidate in enumerate(candidates)
            if isinstance(fitted[place], list) and candidate.slot.category in self._compared and not late[place]
        ]
        groups = [
            [
                CaseText(candidates[place].slot.category, one.inputs, one.expectations, candidates[place].slot)
                for one in found
            ]
            for place in asked
            if isinstance(found := fitted[place], list)
        ]
        answers = dict(zip(asked, await self._duplicates.judge(groups) if groups else [], strict=True))
        cases: list[AcceptedCase | None] = []
        for place, candidate in enumerate(candidates):
            if late[place]:
                self.ledger.give_back(candidate.slot)  # it is written again for the case that is there then
                cases.append(None)
            else:
                cases.append(self._settle(candidate, validated[place], answers.get(place)))
        return cases

    def _has_lost_original(self, slot: Slot) -> bool:
        """Whether the case that a partner was written for has left by now, or says something else."""
        original = slot.original
        if slot.pair is None or original is None:
            return False
        if self.ledger.state(original.category, original.ordinal) is not SlotState.FILLED:
            return True
        now = self._by_person.get((original.category, original.ordinal))
        if now is None:
            return original.seq in self.outdated
        return (now.seq, now.inputs, now.expectations) != (original.seq, original.inputs, original.expectations)

    def _settle(self, candidate: Candidate, validated: Validated, answers: list[Answer] | None) -> AcceptedCase | None:
        for fault in validated.faults:
            self._record(candidate, fault.stage, fault.reason, fault.fitted)
        fitted = validated.outcome
        if isinstance(fitted, PlugInBroken):
            self._leave_open(candidate, fitted)
            return None
        if isinstance(fitted, Fault):
            turned = fitted.fitted
            self.reject(
                candidate.slot, candidate.batch, fitted.stage, fitted.reason, turned.shown, candidate=turned.whole()
            )
            return None
        if isinstance(fitted, Misfit):
            self.reject(candidate.slot, candidate.batch, Stage.SCHEMA, fitted.reason, fitted.text)
            return None
        if answers is None:
            return self._accept(candidate, fitted[0], None)
        if answers[-1].broken is not None:
            self._leave_open(candidate, answers[-1].broken)
            return None
        for one, answer in zip(fitted, answers, strict=False):
            if answer.match is None:
                return self._accept(candidate, one, answer)
            if answer is not answers[-1]:  # there is another candidate for the slot
                self._record(candidate, answer.match.stage, self._duplicates.reason(answer.match), one, answer.match)
        turned_away = fitted[len(answers) - 1]
        match = answers[-1].match
        assert match is not None
        self.reject(
            candidate.slot,
            candidate.batch,
            match.stage,
            self._duplicates.reason(match),
            turned_away.shown,
            match,
            turned_away.whole(),
        )
        return None

    def _leave_open(self, candidate: Candidate, error: PlugInBroken) -> None:
        """Nobody can judge the candidate; the slot is open again, without a mark."""
        self.ledger.give_back(candidate.slot)
        self._on_broken(error)

    def _accept(self, candidate: Candidate, fitted: Fitted, answer: Answer | None) -> AcceptedCase:
        slot, now, seq = candidate.slot, self._clock.now(), self._store.next_seq()
        tags, likeness = fitted.tags, None
        if self._has_lost_original(slot):  # while the text was compared, out of which it cannot be taken again
            tags = {key: value for key, value in tags.items() if key != PAIR_TAG}
        if answer is not None:
            assert answer.row is not None
            self._duplicates.name(answer.row, seq, slot.category, slot.ordinal)
            tags, likeness = tags | self._duplicates.tags(answer), self._duplicates.likeness(answer, seq)
        case = AcceptedCase(
            seq=seq,
            category=slot.category,
            ordinal=slot.ordinal,
            inputs=fitted.inputs,
            expectations=fitted.expectations,
            tags=tags,
            created_at=now,
            structure=answer.text if answer else None,
            batch=candidate.batch,
        )
        self.ledger.fill(slot)
        self._by_person.pop((slot.category, slot.ordinal), None)
        self.journal.accept(
            case,
            CaseAccepted(
                ts=now, case_id=case.case_id, category=slot.category, slot=slot.ordinal, seq=seq, batch=candidate.batch,
                text=display_text(case.inputs)[:TEXT_LENGTH], accepted=self.journal.accepted + 1,
                planned=self.journal.planned, flags=case.flag_kinds,
            ),
            likeness,
        )  # fmt: skip
        self.on_accepted(case, slot)
        return case

    def take_out(self, case: AcceptedCase, verdict: Verdict) -> None:
        """The judge found a case bad that had been let in before: it leaves, and its slot is open again."""
        self._withdraw(case, Stage.JUDGE, verdict.critique, {**case.tags, TAG: verdict.as_tag()})

    def take_out_drafts(self, cases: Sequence[AcceptedCase], batch: Batch, indexes: Collection[int]) -> int:
        """Of a batch's accepted cases those are drafts whose slots have these indexes: they leave, and the slots are open.

        The model has written another version behind them. Returns how many of the cases are left.
        """
        ordinals = {batch.slots[index].slot.ordinal for index in indexes}
        drafts = [case for case in cases if case.ordinal in ordinals]
        for case in drafts:
            if case.seq not in self.outdated:  # else a person has decided
                self._withdraw(case, Stage.SCHEMA, _A_DRAFT, case.tags)
        return len(cases) - len(drafts)

    def _withdraw(self, case: AcceptedCase, stage: Stage, words: str, tags: dict[str, Any]) -> None:
        self.outdated.add(case.seq)
        slot, now, seq = self.ledger.slot(case.category, case.ordinal), self._clock.now(), self._store.next_seq()
        attempt, text = self.ledger.attempt(slot) + 1, display_text(case.inputs)
        whole = {"inputs": case.inputs, "expectations": case.expectations, "tags": tags}
        rejection = Rejection(
            seq=seq, category=case.category, ordinal=case.ordinal, attempt=attempt, stage=stage, reason=words,
            text=text[:_REJECTED_LENGTH], created_at=now, nearest_seq=case.seq, batch=case.batch, candidate=whole,
        )  # fmt: skip
        line = HistoryRow(
            seq=self._store.next_seq(), kind=CaseWithdrawn.type, created_at=now, category=case.category,
            ordinal=case.ordinal,
            data={"seq": case.seq, "reason": words, "text": text[:TEXT_LENGTH], "before": whole, "by": stage.value},
        )  # fmt: skip
        withdrawal = Withdrawal(seq=case.seq, category=case.category, withdrawn_seq=seq, reason=words, withdrawn_at=now)
        self.ledger.reopen(case.category, case.ordinal, attempt, case.seq, words)
        event = CaseWithdrawn(
            ts=now, case_id=case.case_id, category=case.category, slot=case.ordinal, seq=case.seq,
            text=text[:TEXT_LENGTH], reason=words, accepted=self.journal.accepted - 1, planned=self.journal.planned,
        )  # fmt: skip
        self.journal.decide(Changes(withdrawn=[withdrawal], rejected=[rejection], history=[line]), event, -1)
        if (partner := self.ledger.filled_partner(case.category, case.ordinal)) is not None:
            self.journal.notice(
                f"{case.case_id} was taken out; {partner} was its partner, and is a case of its own now."
            )

    def reject(
        self,
        slot: Slot,
        batch: int,
        stage: str,
        reason: str,
        text: str,
        match: Match | None = None,
        candidate: dict[str, Any] | None = None,
    ) -> None:
        """Turn a candidate away; its slot opens again, or is exhausted."""
        nearest = self._duplicates.places.seq(match.row) if match else None
        self._turned_away.setdefault(batch, []).append(TurnedAway(slot.ordinal, stage, reason))
        # What it was too like is shown to whoever writes it next; of anything else the reason is told.
        tries = self.ledger.reject(slot, nearest, "" if match else reason)
        seq, now = self._write(slot, batch, stage, reason, text, match, candidate)
        if tries is not None:
            self._exhaust(slot, seq, now, tries, exhausted_words(tries, stage, reason))

    def give_back(self, batch: Batch, index: int, outcome: CallOutcome, detail: str, *, fruitless: bool) -> None:
        """A call brought no case for a slot: it opens again without a mark, or is exhausted when that goes on."""
        slot = batch.slots[index].slot
        calls = self.ledger.give_back(slot, fruitless=fruitless, alone=len(batch.slots) == 1)
        if calls is not None:
            words = f"{counted(calls, 'call')} brought no case for it, the last one {outcome}: {detail}"
            event = self._exhaust(slot, self._store.next_seq(), self._clock.now(), calls, words)
            self.journal.note(event)  # there is no rejection that would tell of it

    def exhaust(self, slot: Slot, words: str) -> None:
        """Exhaust a leased slot for which nothing can be written, in so many words."""
        tries = self.ledger.give_up(slot)
        self.journal.note(self._exhaust(slot, self._store.next_seq(), self._clock.now(), tries, words))

    def turned_away(self, batch: int) -> list[TurnedAway]:
        """The cases of a batch that were turned away. Asked once, when it has ended."""
        return self._turned_away.pop(batch, [])

    def _exhaust(self, slot: Slot, seq: int, now: float, tries: int, words: str) -> SlotExhausted:
        event = SlotExhausted(ts=now, category=slot.category, slot=slot.ordinal, attempts=tries, reason=words)
        self.journal.exhaust(Exhausted(seq, slot.category, slot.ordinal, tries, words), event)
        return event

    def _record(
        self, candidate: Candidate, stage: str, reason: str, fitted: Fitted, match: Match | None = None
    ) -> None:
        """One of several candidates for a slot is turned away; that is no mark against the slot."""
        self._write(candidate.slot, candidate.batch, stage, reason, fitted.shown, match, fitted.whole())

    def _write(
        self,
        slot: Slot,
        batch: int,
        stage: str,
        reason: str,
        text: str,
        match: Match | None,
        candidate: dict[str, Any] | None,
    ) -> tuple[int, float]:
        now, seq, places = self._clock.now(), self._store.next_seq(), self._duplicates.places
        nearest, nearest_id = (places.seq(match.row), places.case_id(match.row)) if match else (None, None)
        score, threshold = (match.score, match.threshold) if match else (None, None)
        attempt = self.ledger.attempt(slot)
        rejection = Rejection(
            seq=seq,
            category=slot.category,
            ordinal=slot.ordinal,
            attempt=attempt,
            stage=stage,
            reason=reason,
            text=text,
            created_at=now,
            score=score,
            threshold=threshold,
            nearest_seq=nearest,
            nearest_case_id=nearest_id,
            batch=batch,
            candidate=candidate,
        )
        self.journal.reject(
            rejection,
            CaseRejected(
                ts=now, category=slot.category, slot=slot.ordinal, seq=seq, batch=batch, stage=stage, reason=reason,
                text=text[:TEXT_LENGTH], attempt=attempt, score=score, threshold=threshold, nearest_case_id=nearest_id,
            ),
        )  # fmt: skip
        return seq, now
