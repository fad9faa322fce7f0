"""Questions and answers under the usual names, and instructions with their input and output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.sources.rows.expected import expectations_of, expected_field
from dsbuilder_tui.sources.rows.row_parts import Parts, parts_of
from dsbuilder_tui.sources.rows.row_shape import RowShape
from dsbuilder_tui.store.imports.json_values import Unusable

_QUESTIONS = ("question", "query", "prompt", "utterance", "user_message", "message", "request", "text", "instruction")
_BESIDE = ("context", "passage", "choices", "options")


def _lowered(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the names of its fields as they are looked for: a spreadsheet may say ``Question``."""
    return {str(name).strip().casefold().replace(" ", "_"): value for name, value in record.items()}


def _question(record: Mapping[str, Any]) -> str | None:
    return next((name for name in _QUESTIONS if record.get(name) not in (None, "")), None)


def _parts(record: Mapping[str, Any]) -> Parts:
    record = _lowered(record)
    name = _question(record)
    if name is None:
        raise Unusable("no field question")
    if isinstance(record[name], Mapping):
        inputs: dict[str, Any] = dict(record[name])
    else:
        inputs = {each: record[each] for each in (name, *_BESIDE) if record.get(each) not in (None, "", [])}
    found = expected_field(record)
    return parts_of(record, inputs, expectations_of(record), [name, *_BESIDE, *([found] if found else [])])


def _instruction(record: Mapping[str, Any]) -> Parts:
    names = ("instruction", "input")
    inputs = {name: record[name] for name in names if record.get(name) not in (None, "")}
    if "instruction" not in inputs:
        raise Unusable("no field instruction")
    rest = {name: value for name, value in record.items() if name not in names}
    found = expected_field(rest)
    return parts_of(record, inputs, expectations_of(rest), [*names, *([found] if found else [])])


INSTRUCTIONS = RowShape(
    label="instructions with output",
    recognises=lambda record: isinstance(record.get("instruction"), str) and "output" in record,
    parts=_instruction,
)
QUESTIONS = RowShape(label="questions", recognises=lambda record: _question(_lowered(record)) is not None, parts=_parts)
