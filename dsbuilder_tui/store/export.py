"""Writing a dataset out: JSON lines, JSON, CSV, Parquet, or the seed-format checkpoint JSON."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import orjson

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.store.files import atomic_write

SEED_SUFFIX = "_checkpoint.json"
FORMATS = ("jsonl", "json", "csv", "parquet", "checkpoint")
_TAG_COLUMNS = ("case_id", "category", "slot")


def format_of(path: Path, explicit: str | None = None) -> str:
    """The format a file name asks for. Raises ``InputError`` for an ending we do not write."""
    if explicit:
        return explicit
    if path.name.endswith(SEED_SUFFIX):
        return "checkpoint"
    ending = path.suffix.lower().lstrip(".")
    if ending not in ("jsonl", "json", "csv", "parquet"):
        raise InputError(
            f"{path}: cannot tell the format from the ending {path.suffix or '(none)'!r}.",
            "Use .jsonl, .json, .csv or .parquet, or name one with --format.",
        )
    return ending


def require_writer(kind: str) -> None:
    """Raises ``InputError`` when the library that writes this format is missing."""
    if kind == "parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise InputError(
                "Parquet needs the pyarrow library, which is not installed.",
                "Run: pip install 'dsbuilder-tui[parquet]', or write .jsonl.",
            ) from None


class _Writer(Protocol):
    def write(self, cases: Sequence[AcceptedCase]) -> None: ...
    def close(self) -> None: ...


class _Lines:
    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle

    def write(self, cases: Sequence[AcceptedCase]) -> None:
        self._handle.write(b"".join(orjson.dumps(case.record(), option=orjson.OPT_APPEND_NEWLINE) for case in cases))

    def close(self) -> None:
        pass


class _Array:
    """A JSON array written record by record; ``head`` and ``tail`` put it inside an object."""

    def __init__(self, handle: BinaryIO, head: bytes = b"[", tail: bytes = b"\n]\n") -> None:
        self._handle, self._tail, self._separator = handle, tail, b"\n"
        handle.write(head)

    def write(self, cases: Sequence[AcceptedCase]) -> None:
        for case in cases:
            self._handle.write(self._separator + b"    " + orjson.dumps(case.record()))
            self._separator = b",\n"

    def close(self) -> None:
        self._handle.write(self._tail)


class _Table:
    """Flat columns: ``inputs.<field>`` and ``attributes.<axis>``, with nested values as JSON."""

    def __init__(self, fields: Sequence[str], axes: Sequence[str]) -> None:
        self.columns = [
            *_TAG_COLUMNS,
            *(f"inputs.{name}" for name in fields),
            "expectations",
            *(f"attributes.{name}" for name in axes),
            "tags",
        ]
        self._fields, self._axes = fields, axes

    def row(self, case: AcceptedCase) -> list[Any]:
        tags = case.record()["tags"]
        head = [tags.pop(column) for column in _TAG_COLUMNS]
        attributes = tags.pop("attributes", {})
        return [
            *head,
            *(_cell(case.inputs.get(name)) for name in self._fields),
            json.dumps(case.expectations, ensure_ascii=False),
            *(_cell(attributes.get(name)) for name in self._axes),
            json.dumps(tags, ensure_ascii=False),
        ]


def _cell(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


class _Csv:
    def __init__(self, handle: BinaryIO, table: _Table) -> None:
        self._table = table
        self._text = io.TextIOWrapper(handle, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.writer(self._text)
        self._writer.writerow(table.columns)

    def write(self, cases: Sequence[AcceptedCase]) -> None:
        self._writer.writerows(self._table.row(case) for case in cases)

    def close(self) -> None:
        self._text.detach()


class _Parquet:
    def __init__(self, handle: BinaryIO, table: _Table) -> None:
        import pyarrow as arrow
        import pyarrow.parquet as parquet

        self._arrow, self._table = arrow, table
        types = {"slot": arrow.int64()}
        self._schema = arrow.schema([(column, types.get(column, arrow.string())) for column in table.columns])
        self._writer = parquet.ParquetWriter(handle, self._schema)

    def write(self, cases: Sequence[AcceptedCase]) -> None:
        columns = list(zip(*(self._table.row(case) for case in cases), strict=True))
        if columns:
            arrays = [self._arrow.array(c, f.type) for c, f in zip(columns, self._schema, strict=True)]
            self._writer.write_batch(self._arrow.record_batch(arrays, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


async def write_cases(
    path: Path,
    kind: str,
    pages: AsyncIterator[list[AcceptedCase]],
    *,
    fields: Sequence[str],
    axes: Sequence[str],
    head: dict[str, Any] | None = None,
    private: bool = False,
) -> int:
    """Write cases page by page into a file that takes its name only when it is whole. Returns how many.

    ``head`` holds the members that precede the cases in the ``checkpoint`` format. Raises ``InputError`` (Parquet
    without pyarrow), ``StorageError``, or what reading the pages raises.
    """
    require_writer(kind)
    count = 0
    with atomic_write(path, private=private) as handle:
        writer: _Writer
        if kind == "checkpoint":
            start = orjson.dumps(head or {}, option=orjson.OPT_INDENT_2).removesuffix(b"\n}")
            writer = _Array(handle, start + b',\n  "created_instances": [', b"\n  ]")
        elif kind == "jsonl":
            writer = _Lines(handle)
        elif kind == "json":
            writer = _Array(handle)
        else:
            table = _Table(fields, axes)
            writer = _Csv(handle, table) if kind == "csv" else _Parquet(handle, table)
        async for page in pages:
            await asyncio.to_thread(writer.write, page)
            count += len(page)
        writer.close()
        if kind == "checkpoint":
            handle.write(b',\n  "instances_created": %d\n}\n' % count)
    return count
