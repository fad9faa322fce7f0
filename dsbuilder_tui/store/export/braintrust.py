"""Records of Braintrust: JSON lines with ``id``, ``input``, ``expected`` and ``metadata``.

https://www.braintrust.dev/docs/guides/datasets
"""

from __future__ import annotations

from typing import Any, BinaryIO

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat
from dsbuilder_tui.store.export.jsonl import LineWriter


def record_of(case: AcceptedCase) -> dict[str, Any]:
    record = case.record()
    return {
        "id": case.case_id, "input": record["inputs"], "expected": record["expectations"], "metadata": record["tags"],
    }  # fmt: skip


def _open(handle: BinaryIO, shape: DatasetShape) -> LineWriter:
    return LineWriter(handle, record_of)


FORMAT = ExportFormat(ending="_braintrust.jsonl", open=_open)
