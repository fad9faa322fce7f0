"""Dataset items of Langfuse: JSON lines with ``input``, ``expectedOutput`` and ``metadata``, as its API takes them.

https://langfuse.com/docs/evaluation/experiments/datasets
"""

from __future__ import annotations

from typing import Any, BinaryIO

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat
from dsbuilder_tui.store.export.jsonl import LineWriter


def item(case: AcceptedCase) -> dict[str, Any]:
    record = case.record()
    return {"input": record["inputs"], "expectedOutput": record["expectations"], "metadata": record["tags"]}


def _open(handle: BinaryIO, shape: DatasetShape) -> LineWriter:
    return LineWriter(handle, item)


FORMAT = ExportFormat(ending="_langfuse.jsonl", open=_open)
