"""Records with ``inputs`` (or ``input``) and what is expected beside it.

They are our own, MLflow's, LangSmith's, Langfuse's and Braintrust's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.sources.rows.expected import EXPECTED_FIELDS, expectations_of, expected_field
from dsbuilder_tui.sources.rows.own_export import own_metadata, own_parts
from dsbuilder_tui.sources.rows.row_parts import Parts, parts_of
from dsbuilder_tui.sources.rows.row_shape import RowShape
from dsbuilder_tui.store.imports.json_values import Unusable

_INPUTS = ("inputs", "input")


def record_parts(record: Mapping[str, Any]) -> Parts:
    """The parts of a record with inputs. Raises ``Unusable`` when it has none."""
    name = next((name for name in _INPUTS if record.get(name) is not None), None)
    if name is None:
        raise Unusable("no field inputs")
    given = record[name]
    inputs = given if isinstance(given, Mapping) else {"input": given}
    found = expected_field(record, EXPECTED_FIELDS)
    used = [name, found] if found else [name]
    # An empty mapping of expectations says that nothing is expected: what the application answered is no substitute.
    expected = (
        {} if isinstance(record.get("expectations"), Mapping) and found != "expectations" else expectations_of(record)
    )
    if (tags := own_metadata(record)) is not None and isinstance(given, Mapping):
        return own_parts(inputs, expected, tags)
    return parts_of(record, inputs, expected, [*used, "expectations"])


def _has_inputs(record: Mapping[str, Any]) -> bool:
    return any(record.get(name) is not None for name in _INPUTS)


def _of_langsmith(record: Mapping[str, Any]) -> bool:
    outputs = record.get("reference_outputs", record.get("outputs"))
    return isinstance(record.get("inputs"), Mapping) and isinstance(outputs, Mapping) and "expectations" not in record


def _of_langfuse(record: Mapping[str, Any]) -> bool:
    return "input" in record and (
        "expectedOutput" in record or "sourceTraceId" in record or "source_trace_id" in record
    )


def _of_braintrust(record: Mapping[str, Any]) -> bool:
    return record.get("input") is not None and "expected" in record


LANGSMITH = RowShape(label="examples of LangSmith", recognises=_of_langsmith, parts=record_parts)
LANGFUSE = RowShape(label="dataset items of Langfuse", recognises=_of_langfuse, parts=record_parts)
BRAINTRUST = RowShape(label="records of Braintrust", recognises=_of_braintrust, parts=record_parts)
RECORDS = RowShape(label="records with inputs", recognises=_has_inputs, parts=record_parts)
