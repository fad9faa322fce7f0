"""openai/evals: ``input`` as messages (or a text), ``ideal`` as an answer or several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.sources.rows.expected import expectations_of, expected_field
from dsbuilder_tui.sources.rows.own_export import own_metadata, own_pair
from dsbuilder_tui.sources.rows.row_parts import Parts, is_chat, parts_of, turn_text
from dsbuilder_tui.sources.rows.row_shape import RowShape
from dsbuilder_tui.sources.rows.shapes.chats import as_messages, chat_inputs
from dsbuilder_tui.store.imports.json_values import Unusable


def _recognises(record: Mapping[str, Any]) -> bool:
    return is_chat(record.get("input")) or (record.get("input") is not None and "ideal" in record)


def _parts(record: Mapping[str, Any]) -> Parts:
    given = record.get("input")
    if given is None:
        raise Unusable("no field input")
    if (metadata := own_metadata(record)) is not None and is_chat(given):
        return own_pair(turn_text(given[-1]), record.get("ideal"), metadata)
    if is_chat(given):
        inputs: Mapping[str, Any] = chat_inputs(as_messages(given))
    else:
        inputs = given if isinstance(given, Mapping) else {"input": given}
    found = expected_field(record)
    return parts_of(record, inputs, expectations_of(record), ["input", *([found] if found else [])])


SHAPE = RowShape(label="samples of openai/evals", recognises=_recognises, parts=_parts)
