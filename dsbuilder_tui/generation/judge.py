"""Decisions about slots: the gate's, and those a person makes while a run is going on."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.config import DatasetBuilderConfig
from dsbuilder_tui.diversity.stage import Match, Stage
from dsbuilder_tui.diversity.structural import StructuralStage
from dsbuilder_tui.domain.case import AcceptedCase, Candidate, Exhausted, Rejection, Slot, display_text, given_up_words
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import TEXT_LENGTH, CaseAccepted, CaseRejected, SlotExhausted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.gate import Admitted, Gate
from dsbuilder_tui.generation.journal import Journal
from dsbuilder_tui.generation.ledger import AcceptedIndex, Ledger
from dsbuilder_tui.store.rows import LedgerRows
from dsbuilder_tui.store.session_store import SessionStore


class Judge:
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
    ) -> None:
        self._store, self._clock = store, clock
        self.journal, self.ledger = journal, ledger
        self._gate = Gate(plan, _stages(config), compare=config.enable_diversity_check)
        self._index = AcceptedIndex()

    def restore(self, rows: LedgerRows, last_batch: int) -> None:
        """Take over what the session file says."""
        self.ledger.restore(rows, last_batch)
        history: list[tuple[int, int, str, int]] = [
            (seq, key, name, ordinal)
            for name, filled in rows.filled.items()
            for ordinal, key, seq in filled
            if key is not None
        ]
        for seq, key, name, ordinal in sorted([*rows.gone, *history]):
            self.remember(seq, key, name, ordinal)
        self.journal.accepted = self.ledger.filled

    def remember(self, seq: int, structure: int, category: str, ordinal: int) -> None:
        """Put a text into the duplicate history; ``seq`` must not be lower than any before."""
        self._index.note(seq, category, ordinal)
        self._gate.admit((structure,), seq)

    def revise(self, seq: int, structure: int) -> None:
        """The case at ``seq`` has another text now. The old one stays known, so that it does not come back."""
        self._gate.admit((structure,), seq)

    async def judge(self, candidate: Candidate) -> bool:
        """Let a candidate in or turn it away. Returns whether it is in."""
        slot, now = candidate.slot, self._clock.now()
        verdict = await self._gate.judge(candidate)
        if not isinstance(verdict, Admitted):
            self.reject(
                slot, candidate.batch, verdict.stage, verdict.reason, verdict.text, verdict.match, verdict.candidate
            )
            return False
        seq = self._store.next_seq()
        self._gate.admit(verdict.keys, seq)
        self._index.note(seq, slot.category, slot.ordinal)
        case = AcceptedCase(
            seq, slot.category, slot.ordinal, verdict.inputs, verdict.expectations, verdict.tags, now,
            verdict.keys[0] if verdict.keys else None, candidate.batch,
        )  # fmt: skip
        self.ledger.fill(slot)
        self.journal.accept(
            case,
            CaseAccepted(
                ts=now, case_id=case.case_id, category=slot.category, slot=slot.ordinal, seq=seq, batch=candidate.batch,
                text=display_text(case.inputs)[:TEXT_LENGTH], accepted=self.journal.accepted + 1,
                planned=self.journal.planned,
            ),
        )  # fmt: skip
        return True

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
        """Turn a candidate away; its slot opens again, or is given up."""
        now, seq = self._clock.now(), self._store.next_seq()
        nearest = match.nearest_seq if match else None
        score, threshold = (match.score, match.threshold) if match else (None, None)
        tries = self.ledger.reject(slot, nearest)
        attempt = self.ledger.attempt(slot)
        nearest_id = self._index.case_id(nearest) if nearest is not None else None
        rejection = Rejection(
            seq, slot.category, slot.ordinal, attempt, stage, reason, text, now, score, threshold, nearest, nearest_id,
            batch, candidate,
        )  # fmt: skip
        self.journal.reject(
            rejection,
            CaseRejected(
                ts=now, category=slot.category, slot=slot.ordinal, seq=seq, batch=batch, stage=stage, reason=reason,
                text=text[:TEXT_LENGTH], attempt=attempt, score=score, threshold=threshold, nearest_case_id=nearest_id,
            ),
        )  # fmt: skip
        if tries is not None:
            words = given_up_words(tries, stage, reason)
            self.journal.exhaust(
                Exhausted(seq, slot.category, slot.ordinal, tries, words),
                SlotExhausted(ts=now, category=slot.category, slot=slot.ordinal, attempts=tries, reason=words),
            )


def _stages(config: DatasetBuilderConfig) -> list[Stage]:
    return [StructuralStage(config.diversity_window if config.diversity_scope == "window" else None)]
