"""Partners of cases by the built-in writer: the original with one thing changed, or in other words."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase, Slot
from dsbuilder_tui.domain.case_pair import CHANGE, CHANGED, ContrastChange, PairKind, PlannedPair
from dsbuilder_tui.domain.evidence import evidence_of
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.offline.writer.core_rules import QUESTION_LEAD_INS, STATEMENT_LEAD_INS
from dsbuilder_tui.offline.writer.input_fields import in_shape_of, text_of
from dsbuilder_tui.offline.writer.pair_changes import ContrastWriter, answer_for, changed_expectations
from dsbuilder_tui.offline.writer.studied_category import StudiedCategory

_MOST_TRACED = 8  # tries of a case that its partner looks for

_PLACEHOLDER = re.compile(r"\\\{\w+\\\}")  # in a pattern

# A case of its own, by plan, category, slot, attempt and seed; the last number asks for it in other words.
WriteCase = Callable[[DatasetPlanInput, DatasetCategory, Slot, int, int, int], dict[str, Any]]


class PartnerWriter:
    """Writes the partners of cases, which may be anybody's: a case that it finds it would write itself is said from another
    of its templates, with the same values.
    """

    def __init__(self, write: WriteCase, study: Callable[[DatasetPlanInput, DatasetCategory], StudiedCategory]) -> None:
        self._write_case, self._study = write, study
        self._contrasts = ContrastWriter()

    def write(
        self,
        plan: DatasetPlanInput,
        category: DatasetCategory,
        slot: Slot,
        pair: PlannedPair,
        original: AcceptedCase,
        attempt: int,
        seed: int,
    ) -> dict[str, Any]:
        """A case in the shape of a worker's answer."""
        rng = random.Random(f"{seed}\x1f{plan.dataset_name}\x1f{category.name}\x1f{slot.ordinal}\x1f{attempt}")
        known = self._study(plan, category)
        case: dict[str, Any] = {}
        if slot.passages:
            case["evidence"] = [evidence.quote for evidence in evidence_of(original.tags)]
        field = original.inputs.get(known.field)
        text, expected = text_of(field), answer_for(plan, category, original.expectations)
        if pair.relation is PairKind.SAME:
            text = self._reworded(plan, category, slot, original, attempt, seed) or _introduced(text, attempt)
        else:
            change = self._contrasts.change(
                text, pair.change or ContrastChange.NEGATION, category, known.stance, known.language,
                _closings(known), rng,
            )  # fmt: skip
            if change is not None:
                text, expected = change.text, changed_expectations(plan, category, original.expectations, change)
                case |= {CHANGED: change.changed, CHANGE: change.made.value}
        return {
            **case,
            "inputs": {**original.inputs, known.field: in_shape_of(field, text)},
            "expectations": expected,
            "tags": {key: original.tags[key] for key in ("template", "perturbation") if key in original.tags},
        }

    def _reworded(
        self,
        plan: DatasetPlanInput,
        category: DatasetCategory,
        slot: Slot,
        original: AcceptedCase,
        attempt: int,
        seed: int,
    ) -> str | None:
        """The original in other words; None when somebody else has written it."""
        own, field = (
            replace(slot, ordinal=original.ordinal, pair=None, original=None),
            self._study(plan, category).field,
        )
        for tries in range(_MOST_TRACED):
            if self._write_case(plan, category, own, tries, seed, 0)["inputs"] == original.inputs:
                said = self._write_case(plan, category, own, tries, seed, attempt + 1)
                return text_of(said["inputs"][field])
        return None


def _introduced(text: str, attempt: int) -> str:
    """A text that somebody else has written, behind an introduction."""
    forms = (QUESTION_LEAD_INS if text.rstrip().endswith("?") else STATEMENT_LEAD_INS)[1:]
    return forms[attempt % len(forms)].replace("{Core}", text).replace("{core}", text)


def _closings(known: StudiedCategory) -> list[str]:
    """The endings that a message may have, as patterns, the longest first."""
    found = {end for tone in known.phrases["tone"].values() for end in tone["close"] if end}
    return [_PLACEHOLDER.sub(r"[^.!?\n]+", re.escape(end)) for end in sorted(found, key=len, reverse=True)]
