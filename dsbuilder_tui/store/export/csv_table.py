"""CSV with flat columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import BinaryIO

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat
from dsbuilder_tui.store.export.flat_table import FlatTable


class CsvWriter:
    def __init__(self, handle: BinaryIO, shape: DatasetShape) -> None:
        self._table = table = FlatTable(shape)
        self._text = io.TextIOWrapper(handle, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.writer(self._text)
        self._writer.writerow(table.columns)

    def write(self, cases: Sequence[AcceptedCase]) -> None:
        self._writer.writerows(self._table.row(case) for case in cases)

    def close(self, count: int) -> None:
        self._text.detach()


FORMAT = ExportFormat(ending=".csv", open=CsvWriter)
