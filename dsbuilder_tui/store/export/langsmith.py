"""Examples of LangSmith: JSON lines with ``inputs``, ``outputs`` and ``metadata``, as ``Client.create_examples`` takes them.

https://docs.langchain.com/langsmith/manage-datasets-programmatically
"""

from __future__ import annotations

from typing import Any, BinaryIO

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat
from dsbuilder_tui.store.export.jsonl import LineWriter


def example(case: AcceptedCase) -> dict[str, Any]:
    record = case.record()
    return {"inputs": record["inputs"], "outputs": record["expectations"], "metadata": record["tags"]}


def _open(handle: BinaryIO, shape: DatasetShape) -> LineWriter:
    return LineWriter(handle, example)


FORMAT = ExportFormat(ending="_langsmith.jsonl", open=_open)
