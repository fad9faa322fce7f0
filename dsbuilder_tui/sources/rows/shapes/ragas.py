"""ragas: ``user_input`` and ``reference``; in older files ``question`` and ``ground_truth``.

Its ``answer`` is the application's, and nothing that is expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.sources.rows.expected import as_expectations
from dsbuilder_tui.sources.rows.row_parts import Parts, is_chat, parts_of
from dsbuilder_tui.sources.rows.row_shape import RowShape
from dsbuilder_tui.sources.rows.shapes.chats import as_messages, chat_inputs
from dsbuilder_tui.store.imports.json_values import Unusable

_REFERENCES = ("reference", "ground_truth", "ground_truths")


def _recognises(record: Mapping[str, Any]) -> bool:
    if record.get("user_input") is not None:
        return True
    return "question" in record and any(name in record for name in ("ground_truth", "ground_truths"))


def _parts(record: Mapping[str, Any]) -> Parts:
    name = "user_input" if record.get("user_input") is not None else "question"
    asked = record.get(name)
    if asked is None:
        raise Unusable("no field user_input")
    inputs: Mapping[str, Any] = chat_inputs(as_messages(asked)) if is_chat(asked) else {name: asked}
    found = next((each for each in _REFERENCES if record.get(each)), "reference")
    expected = as_expectations(found, record.get(found))
    if record.get("reference_contexts"):
        expected["reference_contexts"] = record["reference_contexts"]
    if isinstance(record.get("rubrics"), Mapping):
        expected[MlflowKey.GUIDELINES.value] = [f"{score}: {text}" for score, text in record["rubrics"].items()]
    return parts_of(record, inputs, expected, (name, found, "reference_contexts", "rubrics"))


SHAPE = RowShape(label="samples of ragas", recognises=_recognises, parts=_parts)
