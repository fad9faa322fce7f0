"""Goldens of deepeval: a JSON array, as its ``EvaluationDataset.add_goldens_from_json_file`` reads it.

https://deepeval.com/docs/evaluation-datasets
"""

from __future__ import annotations

from typing import Any, BinaryIO

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.evidence import evidence_of
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.question_answer import QuestionAnswer
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat
from dsbuilder_tui.store.export.json_array import ArrayWriter


def golden(case: AcceptedCase) -> dict[str, Any]:
    """One golden. What deepeval has no member for stands in ``additional_metadata``."""
    pair = QuestionAnswer.of(case)
    made: dict[str, Any] = {"input": pair.question, "expected_output": pair.answer, "name": case.case_id}
    calls = case.expectations.get(MlflowKey.TOOL_CALLS)
    if isinstance(calls, list) and all(isinstance(call, dict) and "name" in call for call in calls):
        made["expected_tools"] = [
            {"name": call["name"], "input_parameters": call.get("arguments") or {}} for call in calls
        ]
    if quotes := [found.quote for found in evidence_of(case.tags)]:
        made["context"] = quotes
    return {**made, "additional_metadata": pair.metadata}


def _open(handle: BinaryIO, shape: DatasetShape) -> ArrayWriter:
    return ArrayWriter(handle, record=golden)


FORMAT = ExportFormat(ending="_deepeval.json", open=_open)
