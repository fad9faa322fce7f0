"""The originals of partners: which case a partner's slot belongs to, as the writer, the gate and the judge see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase, Slot
from dsbuilder_tui.domain.case_pair import PairKind, PairSide, pair_of
from dsbuilder_tui.domain.row_axis import row_of
from dsbuilder_tui.store.cases import CaseTable
from dsbuilder_tui.store.session_store import SessionStore


async def with_originals(cases: CaseTable, slots: Sequence[Slot]) -> list[Slot]:
    """The slots, those of partners and variations with the case that they belong to. What is not on disk is not seen.

    A slot whose original is not there, or is damaged, is that of a case of its own.
    """
    wanted = {(slot.category, slot.pair.original) for slot in slots if slot.pair is not None}
    wanted |= {(slot.category, slot.varies) for slot in slots if slot.varies is not None}
    found = await cases.in_slots(wanted) if wanted else {}
    filled = []
    for slot in slots:
        if slot.pair is not None:
            original = found.get((slot.category, slot.pair.original))
            slot = replace(slot, original=original) if original is not None else replace(slot, pair=None)
        if slot.varies is not None:
            slot = replace(slot, varied=found.get((slot.category, slot.varies)))
        filled.append(slot)
    return filled


async def to_be_written(store: SessionStore, thresholds: Mapping[str, float], slots: Sequence[Slot]) -> list[Slot]:
    """The same for a writer: with the case that a slot varies comes why the newest evaluation turned the answer to it down."""
    filled = await with_originals(store.cases, slots)
    results = await store.evaluations.newest([slot.varied.seq for slot in filled if slot.varied is not None])
    why = {
        seq: tuple(f"{score.scorer}: {score.why}" for score in result.failures(thresholds) if score.why)
        for seq, result in results.items()
    }
    return [
        replace(slot, failures=why.get(slot.varied.seq, ())) if slot.varied is not None else slot for slot in filled
    ]


def as_written(slot: Slot, case: AcceptedCase) -> Slot:
    """The slot of a case that is there: it is a partner, and about a row, when the case says so, whatever was planned."""
    pair = pair_of(case.tags)
    if (row := row_of(case.tags)) != slot.row:
        slot = replace(slot, row=row)
    if slot.pair is not None and (pair is None or pair.side is not PairSide.PARTNER):
        return replace(slot, pair=None)
    return slot


def partner_of(slot: Slot) -> dict[str, Any]:
    """The case that a slot's case is the partner of, as a judge is told of it; empty when it is a case of its own."""
    if slot.pair is None or slot.original is None:
        return {}
    told: dict[str, Any] = {"kind": slot.pair.relation.value}
    if slot.pair.relation is PairKind.CONTRAST and slot.pair.change is not None:
        told["change"] = slot.pair.change.value
    return {**told, "inputs": slot.original.inputs, "expectations": slot.original.expectations}
