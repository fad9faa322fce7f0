"""Expected answers under the names that people give them, as expectations that a scorer reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from dsbuilder_tui.domain.expectation import MlflowKey

OTHERS = "other_responses"  # further right answers, where a file has several
# In the order in which they are believed: MLflow's records have the application's ``outputs`` beside ``expectations``.
EXPECTED_FIELDS = (
    "expectations", "expected_output", "expectedOutput", "expected_outputs", "ideal", "expected", "expected_response",
    "expected_answer", "expectedAnswer", "reference_outputs", "referenceOutputs", "reference", "reference_answer",
    "ground_truth", "ground_truths", "gold", "target", "answer", "answers", "correct_answer", "outputs", "output",
    "completion", "label",
)  # fmt: skip
_ANSWERS = frozenset(EXPECTED_FIELDS) | {"response", "text", "content", "result", "value"}


def expected_field(record: Mapping[str, Any], names: Iterable[str] = EXPECTED_FIELDS) -> str | None:
    """The first of the fields in which something is expected; None when there is none."""
    return next((name for name in names if name in record and not _is_empty(record[name])), None)


def expectations_of(record: Mapping[str, Any], names: Iterable[str] = EXPECTED_FIELDS) -> dict[str, Any]:
    """What a record expects, out of the first of these fields that holds something."""
    name = expected_field(record, names)
    return {} if name is None else as_expectations(name, record[name])


def as_expectations(name: str, value: Any) -> dict[str, Any]:
    """A value under the name of its field: a mapping stays what it is, an answer becomes ``expected_response``."""
    if _is_empty(value):
        return {}
    if isinstance(value, Mapping):
        if len(value) == 1:
            (key, inner), *_ = value.items()
            if key in _ANSWERS and isinstance(inner, str):
                return as_expectations(key, inner)
        return dict(value)
    if name == "expectations":  # no answer, but what somebody calls so
        return {name: value}
    if isinstance(value, list):
        return _of_several(name, value)
    return {MlflowKey.RESPONSE.value: value if isinstance(value, str) else json.dumps(value)}


def _of_several(name: str, values: list[Any]) -> dict[str, Any]:
    if not all(isinstance(value, str | int | float) for value in values):
        return {name: values}
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    first, *others = dict.fromkeys(texts)
    return {MlflowKey.RESPONSE.value: first, **({OTHERS: others} if others else {})}


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
