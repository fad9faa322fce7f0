"""JSON lines: a record a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import orjson

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat


class LineWriter:
    def __init__(self, handle: BinaryIO, shape: DatasetShape) -> None:
        self._handle = handle

    def write(self, cases: Sequence[AcceptedCase]) -> None:
        self._handle.write(b"".join(orjson.dumps(case.record(), option=orjson.OPT_APPEND_NEWLINE) for case in cases))

    def close(self, count: int) -> None:
        pass


FORMAT = ExportFormat(ending=".jsonl", open=LineWriter)
