"""Partners of cases by the built-in writer: the original with one thing changed, or in other words."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase, Slot
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.case_pair import CHANGE, CHANGED, ContrastChange, PairKind, PlannedPair
from dsbuilder_tui.domain.evidence import evidence_of
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.offline.writer.core_rules import QUESTION_LEAD_INS, STATEMENT_LEAD_INS
from dsbuilder_tui.offline.writer.frames import Frame
from dsbuilder_tui.offline.writer.input_fields import in_shape_of, text_of
from dsbuilder_tui.offline.writer.pair_changes import ContrastWriter, answer_for, changed_expectations
from dsbuilder_tui.offline.writer.studied_category import StudiedCategory, StudiedExample
from dsbuilder_tui.offline.writer.templates import introduced

_MOST_TRACED = 8  # tries of a case that its partner looks for

_PLACEHOLDER = re.compile(r"\\\{\w+\\\}")  # in a pattern

_SAYS_MORE = re.compile(r"been lost|haven't|not yet|overdue|still", re.IGNORECASE)  # than the plain request
_AIMS = ("Your aim: {core}", "What you want is this: {core}", "This is what you are here for: {core}")

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
        is_goal = category.kind is CaseKind.SCENARIO  # told to a user, not said by one
        if pair.relation is PairKind.SAME:
            said = None if category.kind is not CaseKind.SINGLE else self._reworded(
                plan, category, slot, original, attempt, seed
            )  # fmt: skip
            text = said or (
                _AIMS[attempt % len(_AIMS)].replace("{core}", text) if is_goal else _introduced(text, attempt)
            )
        else:
            change = self._contrasts.change(
                text, pair.change or ContrastChange.NEGATION, category, known.stance, known.language,
                _closings(known), rng,
            )  # fmt: skip
            if change is not None:
                added = change.text[len(text) :].strip() if change.text.startswith(text) else ""
                text = f"{text} Also say: “{added}”" if is_goal and added else change.text
                expected = changed_expectations(plan, category, original.expectations, change)
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


def other_core(known: StudiedCategory, example: StudiedExample, frame: Frame, core: str, otherwise: int) -> str:
    """A request from another template, the so manieth."""
    if core in example.vague_cores and core not in example.cores:
        forms: Sequence[str] = example.vague_cores
    elif core in example.cores:
        forms = example.cores
    else:
        forms = [form.replace("{about}", known.about) for form in known.phrases["situation"]["missing_core"]]
    others = [form for form in frame.of_its_length(forms) if form != core and not _SAYS_MORE.search(form)]
    others = others or [form for form in forms if form != core] or [core]
    return others[otherwise % len(others)]


def other_question(question: str, otherwise: int) -> str:
    """A question about a document behind an introduction; as it is without ``otherwise``."""
    forms = introduced(question, QUESTION_LEAD_INS)[1:]
    return forms[otherwise % len(forms)] if otherwise else question


def _introduced(text: str, attempt: int) -> str:
    """A text that somebody else has written, behind an introduction."""
    forms = (QUESTION_LEAD_INS if text.rstrip().endswith("?") else STATEMENT_LEAD_INS)[1:]
    return forms[attempt % len(forms)].replace("{Core}", text).replace("{core}", text)


def _closings(known: StudiedCategory) -> list[str]:
    """The endings that a message may have, as patterns, the longest first."""
    found = {end for tone in known.phrases["tone"].values() for end in tone["close"] if end}
    return [_PLACEHOLDER.sub(r"[^.!?\n]+", re.escape(end)) for end in sorted(found, key=len, reverse=True)]
