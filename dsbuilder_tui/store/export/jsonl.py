"""JSON lines: a record a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import orjson

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat


class LineWriter:
    """Writes what ``record`` makes of each case as a line."""

    def __init__(
        self, handle: BinaryIO, record: Callable[[AcceptedCase], dict[str, Any]] = AcceptedCase.record
    ) -> None:
        self._handle, self._record = handle, record

    def write(self, cases: Sequence[AcceptedCase]) -> None:
        record = self._record
        self._handle.write(b"".join(orjson.dumps(record(case), option=orjson.OPT_APPEND_NEWLINE) for case in cases))

    def close(self, count: int) -> None:
        pass


def _open(handle: BinaryIO, shape: DatasetShape) -> LineWriter:
    return LineWriter(handle)


FORMAT = ExportFormat(ending=".jsonl", open=_open)
