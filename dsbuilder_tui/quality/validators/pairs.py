"""The validator of partners: the text is another one than that of its case, and what is expected differs, or does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.case_pair import PairKind
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validator import CheckedCase, Validator
from dsbuilder_tui.quality.written_values import has_id, is_spelled_out

_WORDING = frozenset({MlflowKey.FACTS.value, MlflowKey.RESPONSE.value, MlflowKey.GUIDELINES.value})
_MOST_WORDS = 4  # of a text that is a value; more is wording
_ID = re.compile(r"\d{5,}")
_NO_WORD = re.compile(r"[\W_]+")


def _check(case: CheckedCase, category: DatasetCategory, plan: DatasetPlanInput) -> str | None:
    pair, original = case.slot.pair, case.slot.original
    if pair is None or original is None:
        return None
    before = display_text(original.inputs)
    if before.split() == case.text.split():
        return "the input is that of its original word for word; the partner has to say something else"
    if pair.relation is PairKind.CONTRAST:
        if _compared(original.expectations) == _compared(case.expectations):
            return (
                "what is expected is the same as of its original; change what decides, so that another answer is right, and "
                "write what is expected of this input"
            )
        return None
    if not is_spelled_out(case.text):
        lost = next((number for number in _ID.findall(before) if not has_id(case.text, number)), None)
        if lost is not None:
            return f"{lost} of its original is not in the input; the partner says the same, in other words alone"
    theirs, own = _without_wording(original.expectations), _without_wording(case.expectations)
    if theirs != own:
        key = next(key for key in {**theirs, **own} if theirs.get(key) != own.get(key))
        return f"{key} differs from what is expected of its original; the partner says the same, so that the same answer is right"
    return None


def _compared(value: Any) -> Any:
    """A value but for capitals, marks and the order of texts."""
    if isinstance(value, str):
        return _NO_WORD.sub(" ", value.casefold()).strip() or value.strip()
    if isinstance(value, Mapping):
        return {str(key): _compared(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        if all(isinstance(inner, str) for inner in value):
            return sorted(_compared(inner) for inner in value)
        return [_compared(inner) for inner in value]
    return value


def _without_wording(expectations: Mapping[str, Any]) -> dict[str, Any]:
    """What may not be said in other words: of texts that are wording it counts alone whether they are there."""
    return {key: bool(value) if key in _WORDING else _values(value) for key, value in expectations.items()}


def _values(value: Any) -> Any:
    if isinstance(value, str):
        return "a text" if len(value.split()) > _MOST_WORDS else _compared(value)
    if isinstance(value, Mapping):
        return {str(key): _values(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        found = [_values(inner) for inner in value]
        # Calls are made in their order; of a list of texts it says nothing.
        return sorted(found) if all(isinstance(inner, str) for inner in found) else found
    return value


VALIDATOR = Validator(
    words="the partner of a case differs from it in the text, and in what is expected just when it is a contrast",
    check=_check,
)
