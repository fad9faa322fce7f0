"""CSV with flat columns. A text that a spreadsheet would take for a formula gets an apostrophe in front."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any, BinaryIO

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat
from dsbuilder_tui.store.export.flat_table import FlatTable

# As OWASP's list of CSV injection has them, also in full width, and behind what a spreadsheet or an import may strip.
_FORMULA = re.compile(r"[\t\r\n]|[\s\"“”„«»\x00-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠﹢﹣﹦﹫−]")
_NUMBER = re.compile(r"[+-]?(\d[\d,]*+(?:\.\d*+)?|\.\d+)([eE][+-]?\d+)?|[+-](Infinity|inf|nan)")


class CsvWriter:
    def __init__(self, handle: BinaryIO, shape: DatasetShape) -> None:
        self._table = table = FlatTable(shape)
        self._text = io.TextIOWrapper(handle, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.writer(self._text)
        self._cell = _as_it_is if shape.raw else _safe
        self._writer.writerow([self._cell(column) for column in table.columns])

    def write(self, cases: Sequence[AcceptedCase]) -> None:
        self._writer.writerows([self._cell(cell) for cell in self._table.row(case)] for case in cases)

    def close(self, count: int) -> None:
        self._text.detach()


def _safe(cell: Any) -> Any:
    """The cell so that no spreadsheet computes it. What is a number is left one."""
    return f"'{cell}" if isinstance(cell, str) and is_formula(cell) else cell


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet may take the text of a cell for a formula."""
    return _FORMULA.match(cell) is not None and not _NUMBER.fullmatch(cell.strip(" "))


def as_written(cell: str) -> str:
    """A cell of an exported table as it was before it was made safe."""
    return cell[1:] if cell[:1] == "'" and _safe(cell[1:]) == cell else cell


def _as_it_is(cell: Any) -> Any:
    return cell


FORMAT = ExportFormat(ending=".csv", open=CsvWriter)
