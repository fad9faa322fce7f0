"""Records of a table in text: CSV and its relatives, whatever divides its columns."""

from __future__ import annotations

import ast
import contextlib
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.sources.rows.byte_stream import ByteStream
from dsbuilder_tui.sources.rows.file_kind import suffix_of
from dsbuilder_tui.sources.rows.json_records import LONGEST_LINE
from dsbuilder_tui.sources.rows.raw_record import RawRecord
from dsbuilder_tui.sources.rows.record_fields import to_json
from dsbuilder_tui.sources.rows.table_layout import decoded_text, layout_of
from dsbuilder_tui.store.export.csv_table import as_written

_MOST_COLUMNS = 5_000
_LONGEST_CELL_READ = 1_000_000  # characters of a cell that is read as a value of its own
_NESTED = ("inputs", "outputs", "expectations", "tags", "metadata", "reference_outputs", "vars")
# Columns whose cells may be written as JSON, or as Python writes a value.
_STRUCTURED = frozenset(
    {*_NESTED, "input", "output", "expected", "expected_output", "expectedOutput", "messages", "conversations", "turns",
     "contexts", "context", "retrieval_context", "retrieved_contexts", "reference_contexts", "reference", "ideal", "answers",
     "assert", "user_input", "expected_tools", "tools_called", "additional_metadata", "ground_truths", "rubrics", "source",
     "choices", "options", "target"}
)  # fmt: skip
_BRACKETS = re.compile(r"[(\[{)\]}]")
_DEEPEST = 30  # brackets in brackets: Python's own parser does not take any number of them well
_OURS = frozenset({"case_id", "category", "slot", "expectations", "tags"})


class TableReader:
    """The rows of a table under its heading. ``head`` is the heading's line as it stands, once reading has begun."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        tabs = suffix_of(stream.name) in (".tsv", ".tab")
        self._divider = "\t" if tabs else layout_of(stream.head).divider
        self._taken: list[bytes] = []
        self.head = b""
        self._names: list[str] = []

    def records(self) -> Iterator[RawRecord]:
        """Every row that is not empty. Raises ``InputError`` for a quote that is opened and never closed."""
        csv.field_size_limit(LONGEST_LINE)  # a cell is otherwise 128 KB at most
        rows = csv.reader(self._lines(), delimiter=self._divider)
        number = 0
        try:
            self._names = columns = self._columns(rows)
            first = rows.line_num + 1
            for cells in rows:
                number += 1
                raw, self._taken = b"".join(self._taken), []
                line, first = first, rows.line_num + 1
                if any(cell.strip() for cell in cells):
                    yield _record(columns, cells, raw, line)
        except csv.Error as error:
            raise InputError(
                f"{self._stream.name}, after row {number:,}, is no table: {error}.",
                "Is a quote opened there that is never closed?",
            ) from None

    def cells_of(self, raw: bytes) -> dict[str, str]:
        """The cells of a row as it stands in the file, by column."""
        rows = csv.reader(io.StringIO(decoded_text(raw), newline=""), delimiter=self._divider)
        return dict(zip(self._names, next(rows), strict=False))

    def record_of(self, cells: Mapping[str, str], like: bytes, line: int) -> RawRecord:
        """The record of other cells in place of those of ``like``, with its bytes in that row's encoding and ending."""
        text = io.StringIO(newline="")
        ending = "\r\n" if like.endswith(b"\r\n") else "\n"
        csv.writer(text, delimiter=self._divider, lineterminator=ending).writerow(cells.values())
        raw = text.getvalue().encode()
        if not _is_utf8(like):
            with contextlib.suppress(UnicodeEncodeError):
                raw = text.getvalue().encode("cp1252")
        return _record(self._names, list(cells.values()), raw, line)

    def _columns(self, rows: Iterator[list[str]]) -> list[str]:
        for cells in rows:
            self.head, self._taken = b"".join(self._taken), []
            if any(cell.strip() for cell in cells):
                if len(cells) > _MOST_COLUMNS:
                    raise InputError(f"{self._stream.name} has more than {_MOST_COLUMNS:,} columns.", "Is it a table?")
                return names_of(cells)
        return []

    def _lines(self) -> Iterator[str]:
        first = True
        waiting = 0
        while raw := self._stream.reader.readline(LONGEST_LINE):
            waiting = waiting + len(raw) if self._taken else len(raw)
            if waiting >= 2 * LONGEST_LINE:
                raise InputError(
                    f"{self._stream.name} has a row of more than {LONGEST_LINE // 2**20} MB.",
                    "Is a quote opened that is never closed?",
                )
            self._taken.append(raw)
            text = decoded_text(raw)
            yield text.removeprefix("\ufeff") if first else text
            first = False


def _record(columns: Sequence[str], cells: Sequence[str], raw: bytes, line: int) -> RawRecord:
    ours = set(columns) >= _OURS
    if len(cells) > len(columns):
        return RawRecord(line=line, raw=raw, problem=f"{len(cells)} cells under {len(columns)} headings")
    if ours:
        cells = [as_written(cell) for cell in cells]
    value = nested(dict(zip(columns, cells, strict=False)))
    if ours and isinstance(slot := value.get("slot"), str) and slot.isdecimal():
        value["slot"] = int(slot)
    return RawRecord(line=line, raw=raw, value=value)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def names_of(cells: Sequence[str]) -> list[str]:
    """The names of columns; one without a name, or with another's, gets its number."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = cell.strip() or f"column_{number}"
        names.append(name if name not in names else f"{name}_{number}")
    return names


def nested(record: Mapping[str, Any]) -> dict[str, Any]:
    """A flat record with ``inputs.query`` and the like under one name, and cells of JSON as what they say. Empty cells go."""
    found: dict[str, Any] = {}
    for name, cell in record.items():
        if cell is None or cell == "":
            continue
        group, dot, rest = name.partition(".")
        inner = dot and group in _NESTED
        value = _read(cell) if inner or name in _STRUCTURED else cell
        if inner:
            within = found.setdefault(group, {})
            if isinstance(within, dict):
                within[rest] = value
        elif name == "tags" and isinstance(value, dict) and isinstance(found.get("tags"), dict):
            found["tags"] |= value
        elif dot and group == "attributes":
            tags = found.setdefault("tags", {})
            if isinstance(tags, dict):
                tags.setdefault("attributes", {})[rest] = value
        else:
            found[name] = value
    return found


def _read(cell: Any) -> Any:
    """A cell that is written as JSON, or as Python writes it, as that; any other as it is."""
    if not isinstance(cell, str) or len(cell) > _LONGEST_CELL_READ:
        return cell
    text = cell.strip()
    if text.startswith(('"{', '"[')):  # a text of ours that would else be taken for what it looks like
        return _unquoted(text) or cell
    if not ((text.startswith("{") and text.endswith("}")) or (text.startswith("[") and text.endswith("]"))):
        return cell
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        if not _is_shallow(text):
            return cell
        try:
            value = ast.literal_eval(text)
            to_json(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return cell
    return value if isinstance(value, dict | list) else cell


def _unquoted(text: str) -> str:
    """The text that stands in JSON's quotes; empty where none does."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


def _is_shallow(text: str) -> bool:
    depth = 0
    for bracket in _BRACKETS.findall(text):
        depth += 1 if bracket in "([{" else -1
        if depth > _DEEPEST:
            return False
    return True
