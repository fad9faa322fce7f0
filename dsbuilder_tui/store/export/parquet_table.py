"""Parquet with flat columns; needs pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.store.export.export_format import DatasetShape, ExportFormat
from dsbuilder_tui.store.export.flat_table import FlatTable


class ParquetTableWriter:
    def __init__(self, handle: BinaryIO, shape: DatasetShape) -> None:
        import pyarrow as arrow
        import pyarrow.parquet as parquet

        table = FlatTable(shape)
        self._arrow, self._table = arrow, table
        types = {"slot": arrow.int64()}
        self._schema = arrow.schema([(column, types.get(column, arrow.string())) for column in table.columns])
        self._writer = parquet.ParquetWriter(handle, self._schema)

    def write(self, cases: Sequence[AcceptedCase]) -> None:
        columns = list(zip(*(self._table.row(case) for case in cases), strict=True))
        if columns:
            arrays = [self._arrow.array(c, f.type) for c, f in zip(columns, self._schema, strict=True)]
            self._writer.write_batch(self._arrow.record_batch(arrays, schema=self._schema))

    def close(self, count: int) -> None:
        self._writer.close()


def require_pyarrow() -> None:
    """Raises ``InputError`` when the library is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise InputError(
            "Parquet needs the pyarrow library, which is not installed.",
            "Run: pip install pyarrow, or write .jsonl.",
        ) from None


FORMAT = ExportFormat(ending=".parquet", open=ParquetTableWriter, require=require_pyarrow)
