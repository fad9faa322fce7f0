"""Samples of OpenAI's evals: JSON lines with ``input`` as messages and ``ideal``.

https://github.com/openai/evals/blob/main/docs/build-eval.md
"""

from __future__ import annotations

from typing import Any, BinaryIO

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.question_answer import QuestionAnswer
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat
from dsbuilder_tui.store.export.jsonl import LineWriter


def sample(case: AcceptedCase) -> dict[str, Any]:
    """One sample; ``metadata`` holds what evals does not read."""
    pair = QuestionAnswer.of(case)
    history = case.inputs.get("messages")
    before = history[:-1] if isinstance(history, list) else []
    asked = {"role": "user", "content": pair.question}
    return {"input": [*before, asked], "ideal": pair.answer or "", "metadata": pair.metadata}


def _open(handle: BinaryIO, shape: DatasetShape) -> LineWriter:
    return LineWriter(handle, sample)


FORMAT = ExportFormat(ending="_openai_evals.jsonl", open=_open)
