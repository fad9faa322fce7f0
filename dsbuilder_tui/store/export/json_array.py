"""A JSON array of records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import orjson

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat


class ArrayWriter:
    """A JSON array written record by record; ``head`` and ``tail`` put it inside an object."""

    def __init__(
        self,
        handle: BinaryIO,
        head: bytes = b"[",
        tail: bytes = b"\n]\n",
        record: Callable[[AcceptedCase], dict[str, Any]] = AcceptedCase.record,
    ) -> None:
        self._handle, self._tail, self._separator, self._record = handle, tail, b"\n", record
        handle.write(head)

    def write(self, cases: Sequence[AcceptedCase]) -> None:
        if cases:
            self._handle.write(
                self._separator + b"    " + b",\n    ".join(orjson.dumps(self._record(case)) for case in cases)
            )
            self._separator = b",\n"

    def close(self, count: int) -> None:
        self._handle.write(self._tail)


def _open(handle: BinaryIO, shape: DatasetShape) -> ArrayWriter:
    return ArrayWriter(handle)


FORMAT = ExportFormat(ending=".json", open=_open)
