"""Each expected fact of a case that is written from documents is quoted from its passage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validator import CheckedCase, Validator

_SHOWN = 80


def _facts(expectations: Mapping[str, Any]) -> int:
    facts = expectations.get(MlflowKey.FACTS)
    return len(facts) if isinstance(facts, list) else int(bool(facts))


def _check(case: CheckedCase, category: DatasetCategory, plan: DatasetPlanInput) -> str | None:
    passages = case.slot.passages
    if not passages or not category.answerable:
        return None
    facts, quotes = _facts(case.expectations), case.evidence
    if not facts:
        return "expected_facts is empty: say what the passage answers"
    foreign = next((one.quote for one in quotes if not one.passage), None)
    if foreign is not None:
        return f"the quote “{foreign[:_SHOWN]}” does not stand in the passage; copy it word for word"
    if len(quotes) < facts:
        return f"evidence has {len(quotes)} of {facts} quotes: give one for each expected fact, word for word"
    unused = {passage.id for passage in passages} - {one.passage for one in quotes}
    if unused:
        return "the case has to need every passage: quote each of them at least once"
    return None


VALIDATOR = Validator(words="each expected fact is quoted from the passage it was written from", check=_check)
