"""deepeval: goldens, and conversational goldens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.sources.rows.expected import as_expectations
from dsbuilder_tui.sources.rows.own_export import own_metadata, own_pair
from dsbuilder_tui.sources.rows.row_parts import Parts, parts_of
from dsbuilder_tui.sources.rows.row_shape import RowShape
from dsbuilder_tui.store.imports.json_values import Unusable

_MARKS = ("actual_output", "retrieval_context", "expected_tools", "tools_called", "source_file", "additional_metadata")


def _is_golden(record: Mapping[str, Any]) -> bool:
    return record.get("input") is not None and any(mark in record for mark in _MARKS)


def _golden(record: Mapping[str, Any]) -> Parts:
    given = record.get("input")
    if given is None:
        raise Unusable("no field input")
    if (metadata := own_metadata(record, "additional_metadata")) is not None:
        return own_pair(given, record.get("expected_output"), metadata)
    expected = as_expectations("expected_output", record.get("expected_output"))
    tools = record.get("expected_tools")
    if isinstance(tools, list) and tools:
        expected[MlflowKey.TOOL_CALLS.value] = [_tool_call(tool) for tool in tools]
    inputs = given if isinstance(given, Mapping) else {"input": given}
    return parts_of(record, inputs, expected, ("input", "expected_output", "expected_tools"))


def _tool_call(tool: Any) -> Any:
    if not isinstance(tool, Mapping):
        return {"name": str(tool), "arguments": {}}
    return {"name": tool.get("name"), "arguments": tool.get("input_parameters") or {}}


def _is_conversation(record: Mapping[str, Any]) -> bool:
    return isinstance(record.get("scenario"), str) and ("turns" in record or "expected_outcome" in record)


def _conversation(record: Mapping[str, Any]) -> Parts:
    names = ("scenario", "user_description", "turns")
    inputs = {name: record[name] for name in names if record.get(name) not in (None, "", [])}
    if "scenario" not in inputs:
        raise Unusable("no field scenario")
    expected = as_expectations("expected_outcome", record.get("expected_outcome"))
    return parts_of(record, inputs, expected, (*names, "expected_outcome"))


GOLDEN = RowShape(label="goldens of deepeval", recognises=_is_golden, parts=_golden)
CONVERSATION = RowShape(label="conversational goldens of deepeval", recognises=_is_conversation, parts=_conversation)
