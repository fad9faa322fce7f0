"""Rows of a dataset as a stream, whatever it lies in and whoever wrote it: the one reader of all commands."""

from __future__ import annotations

import contextlib
import gzip
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import orjson

from dsbuilder_tui.domain.errors import InputError, StorageError
from dsbuilder_tui.sources.rows.arrow_records import arrow_records
from dsbuilder_tui.sources.rows.byte_stream import ByteStream
from dsbuilder_tui.sources.rows.dataset_folder import DataFile, data_files
from dsbuilder_tui.sources.rows.field_choice import FieldChoice
from dsbuilder_tui.sources.rows.file_kind import FileKind, ForeignFile, kind_of
from dsbuilder_tui.sources.rows.json_records import (
    LONGEST_LINE,
    by_column,
    has_lines,
    json_document,
    json_lines,
    rows_in,
    small_document,
)
from dsbuilder_tui.sources.rows.promptfoo_config import has_inherited_tests, inherited_tests
from dsbuilder_tui.sources.rows.raw_record import RawRecord
from dsbuilder_tui.sources.rows.record_fields import BOM, field_names, parse, to_json
from dsbuilder_tui.sources.rows.row_parts import Parts
from dsbuilder_tui.sources.rows.row_places import RowPlaces
from dsbuilder_tui.sources.rows.row_shape import RowShape
from dsbuilder_tui.sources.rows.row_shapes import QUESTIONS, RECORDS, ROW_SHAPES, shape_of
from dsbuilder_tui.sources.rows.shared_inputs import SharedInputs
from dsbuilder_tui.sources.rows.table_records import TableReader
from dsbuilder_tui.sources.rows.yaml_records import LONGEST_YAML, as_json, yaml_of, yaml_records
from dsbuilder_tui.store.imports.json_values import Unusable

_BUFFER = 2**20
_SAMPLE = 64  # records that say what shape a file has
_FIRST = 256  # records of which one has to be a row
_MOST_OF_A_RECORD = 1_000_000  # rows in one record
# One of these stands in the head of a promptfoo configuration whose tests inherit something, or lie in files.
_CONFIGURATION = (b'"defaultTest"', b'"scenarios"', b'"file://', b'"prompts"', b'"providers"')
_COPIED = 1  # the lowest bit of a place: it is one in the temporary file


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row that can be compared. ``line`` and ``raw`` as in ``RawRecord``; ``record`` is what it was read from."""

    line: int
    raw: bytes
    record: Any
    parts: Parts
    place: int | None = None
    is_json: bool = True

    @property
    def body(self) -> bytes:
        """The record's JSON alone: as it stood, if it was JSON."""
        return self.raw.removeprefix(BOM).strip(b" \t\r\n") if self.is_json else to_json(self.record)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be compared, why in words, and its record if it could be read at all."""

    line: int
    raw: bytes
    reason: str
    record: Any = None


@dataclass(frozen=True, slots=True)
class Found:
    """A row that was kept, looked up again; without ``shown``, its text, when the file has changed meanwhile."""

    line: int
    id: str | None
    shown: str | None

    def as_dict(self) -> dict[str, Any]:
        return {"line": self.line, "id": self.id, "text": self.shown}


class Source:
    """A dataset that is read once, from its beginning to its end, in one thread; ``-`` is standard input.

    It may be JSON lines, JSON, CSV, YAML, Parquet or Arrow, packed with gzip, or a folder with such files. ``keep``
    remembers in a temporary file where an admitted row is; ``kept`` finds it again by its number, in the file itself or, for
    what is no plain file of lines, in another temporary one. Raises ``InputError`` for what cannot be read, and ``StorageError``
    when the disk has no room for them.
    """

    def __init__(self, given: str | Path, choice: FieldChoice | None = None) -> None:
        self.name = "standard input" if str(given) == "-" else str(given)
        self._choice = choice or FieldChoice()
        self._shape: RowShape | None = None
        self._shared: SharedInputs | None = None
        self._closing = contextlib.ExitStack()
        self._places = RowPlaces()
        self._closing.callback(self._places.close)
        self._again: BinaryIO | None = None  # the file, where lines of it are found again
        self._copy: BinaryIO | None = None
        self._copied, self._copy_at_end = 0, True
        self._table: TableReader | None = None
        self._has_lines = False
        self._passed = 0  # bytes of files that have been read
        self._stream: ByteStream | None = None
        try:
            path = Path(given).expanduser()
            if str(given) != "-" and path.is_dir():
                self._files = data_files(path)
                self.size: int | None = sum(file.path.stat().st_size for file in self._files)
                return
            self._files = [DataFile(Path(given), "")]
            self._stream = self._opened(given)
            self.size = self._stream.size
            if self._stream.plain:
                self._again = self._closing.enter_context(path.open("rb"))
        except OSError as error:
            self.close()
            raise self._refused(error) from None
        except (EOFError, zlib.error) as error:
            self.close()
            raise self._damaged(error) from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._closing.close()

    @property
    def share(self) -> float | None:
        """How much has been read, 0 to 1; None when nobody knows how much there is."""
        if not self.size or self._stream is None:
            return None
        return min(1.0, (self._passed + self._stream.done) / self.size)

    @property
    def identity(self) -> list[tuple[str, int, int]] | None:
        """Of each file its path, bytes and when it was changed last, in nanoseconds; None for what can be read only once."""
        if self._stream is not None and self._stream.path is None:
            return None
        files = [(file.path.expanduser().absolute(), file.path.expanduser().stat()) for file in self._files]
        return [(str(path), about.st_size, about.st_mtime_ns) for path, about in files]

    @property
    def shape(self) -> RowShape | None:
        """The shape that its records have, once they are read; None when no shape knows them."""
        return self._shape

    @property
    def shared(self) -> tuple[str, ...]:
        """The inputs that many rows have in common, once rows are read: they are no part of what is compared."""
        return self._shared.names if self._shared is not None else ()

    @property
    def heading(self) -> bytes | None:
        """The heading's line of a table in text, once its rows are read; None for anything else."""
        return self._table.head if self._table is not None else None

    @property
    def table(self) -> TableReader | None:
        """What reads the table in text, once its rows are read; None for anything else."""
        return self._table

    @property
    def has_lines(self) -> bool:
        """Whether what is read is one file with a record a line, or a table in text: it can be written again as it stood."""
        return len(self._files) == 1 and (self._has_lines or self._table is not None)

    def rows(self) -> Iterator[Row | BadLine]:
        """Every record in order, usable or not."""
        with self._told():
            base = 0
            for file in self._files:
                last = 0
                for item in self._rows_of(file, base):
                    last = item.line
                    yield item
                base = last

    def records(self) -> Iterator[RawRecord]:
        """Every record in order, before anybody asks what it means."""
        with self._told():
            for file in self._files:
                yield from self._records(self._stream_of(file))

    def checked_rows(self) -> Iterator[Row | BadLine]:
        """As ``rows``. Raises ``InputError`` when none of the first records gives a row: the wrong file, or the wrong field."""
        rows = self.rows()
        first = list(islice(rows, _FIRST))
        if first and not any(isinstance(item, Row) for item in first):
            bad = [item for item in first if isinstance(item, BadLine)]
            told = next((item for item in bad if item.record is not None), bad[0])
            names = f"; {field_names(told.record)}" if told.record is not None else ""
            raise InputError(
                f"{self.name}: {_none_of(len(first))}. Line {told.line}: {told.reason}{names}.",
                "Name what goes in with --field (dotted: messages.0.content), what is expected with --expectations-field, "
                "the category with --category-field.",
            )
        yield from chain(first, rows)

    def keep(self, row: Row) -> None:
        """Remember where an admitted row is. Called in the order of admission."""
        is_there = self._again is not None and row.place is not None
        place = cast(int, row.place) << 1 if is_there else self._copy_of(row.parts) << 1 | _COPIED
        with self._copying():
            self._places.add(row.line, place)

    def kept(self, number: int) -> Found:
        """The row that was kept as the ``number``-th, from 0."""
        line, place = self._places[number]
        try:
            if place & _COPIED:
                known = orjson.loads(self._copied_line(place >> 1))
                return Found(line, known["id"], known["text"])
            assert self._again is not None
            self._again.seek(place >> 1)
            parts = self._choice.parts(parse(self._again.readline(LONGEST_LINE)), self._known_shape)
            parts = parts if self._shared is None else self._shared.without(parts)
        except (Unusable, OSError):
            return Found(line, None, None)
        return Found(line, parts.id, parts.shown)

    @property
    def _known_shape(self) -> RowShape:
        return self._shape or ROW_SHAPES.load(RECORDS)

    def _rows_of(self, file: DataFile, base: int) -> Iterator[Row | BadLine]:
        records = self._records(self._stream_of(file))
        sample = list(islice(records, _SAMPLE))
        if self._shape is None:
            self._shape = shape_of(record.value for record in sample)
        first = [item for record in sample for item in self._rows_in(record, base, file.split)]
        if self._shared is None:
            self._shared = SharedInputs.of([item.parts for item in first if isinstance(item, Row)])
        others = (item for record in records for item in self._rows_in(record, base, file.split))
        for item in chain(first, others):
            yield item if isinstance(item, BadLine) else replace(item, parts=self._shared.without(item.parts))

    def _stream_of(self, file: DataFile) -> ByteStream:
        """The bytes of a file: the only one has been opened, those of a folder are one after another."""
        if self._stream is None or len(self._files) > 1:
            if self._stream is not None:
                self._passed += self._stream.size or 0
                self._stream.close()
            self._stream = self._opened(file.path)
        return self._stream

    def _rows_in(self, record: RawRecord, base: int, split: str) -> Iterator[Row | BadLine]:
        line = base + record.line
        if record.problem:
            yield BadLine(line, record.raw, record.problem)
            return
        shape, value = self._known_shape, record.value
        try:
            inner = list(islice(shape.unfold(value), _MOST_OF_A_RECORD)) if isinstance(value, Mapping) else [value]
        except RecursionError:
            inner = []
        if not inner:
            yield BadLine(line, record.raw, "no rows in it", value)
        for each in inner:
            itself = each is value
            raw = record.raw if itself else to_json(each) + b"\n"
            try:
                parts = self._choice.parts(each, shape)
            except Unusable as problem:
                yield BadLine(line, raw, str(problem), each)
                continue
            if split and "split" not in parts.tags:
                parts = _with_split(parts, split)
            yield Row(
                line=line, raw=raw, record=each, parts=parts, place=record.place if itself else None,
                is_json=self._table is None or not itself,
            )  # fmt: skip

    def _records(self, stream: ByteStream) -> Iterator[RawRecord]:
        kind = kind_of(stream.head, stream.name)
        self._table, self._has_lines = None, False
        if isinstance(kind, ForeignFile):
            raise InputError(f"{stream.name} is {kind.words}, and holds no rows.", kind.way_out)
        if kind is FileKind.TABLE:
            self._table = TableReader(stream)
            return self._table.records()
        if kind is FileKind.YAML:
            documents = yaml_of(stream)
            if len(documents) == 1 and has_inherited_tests(documents[0]):
                return inherited_tests(as_json(documents[0]), stream.path)
            return yaml_records(documents, _is_record)
        if kind is not FileKind.JSON:
            return arrow_records(stream, kind)
        self._has_lines = has_lines(stream, bool(self._choice.fields))
        if self._has_lines:
            return json_lines(stream)
        document = small_document(stream, _CONFIGURATION, LONGEST_YAML)
        if has_inherited_tests(document):
            return inherited_tests(document, stream.path)
        if document is None and not stream.whole_head and _CONFIGURATION[0] in stream.head:
            raise InputError(
                f"{stream.name} is a configuration of more than {LONGEST_YAML // 2**20} MB, or no JSON.",
                "Give its tests as JSON lines, in a file that it names.",
            )
        return json_document(stream, _is_record)

    def _opened(self, given: str | Path) -> ByteStream:
        stream = ByteStream(given)
        self._closing.callback(stream.close)
        return stream

    def _copied_line(self, place: int) -> bytes:
        assert self._copy is not None
        self._copy_at_end = False
        self._copy.seek(place)
        return self._copy.readline()

    def _copy_of(self, parts: Parts) -> int:
        told = orjson.dumps({"id": parts.id, "text": parts.shown}, option=orjson.OPT_APPEND_NEWLINE)
        with self._copying():
            copy = self._copy or self._new_copy()
            if not self._copy_at_end:
                copy.seek(self._copied)
                self._copy_at_end = True
            place = self._copied
            self._copied += copy.write(told)
        return place

    @contextlib.contextmanager
    def _copying(self) -> Iterator[None]:
        """What the disk refuses, in words."""
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"The kept lines of {self.name} could not be copied to {tempfile.gettempdir()}: {error.strerror or error}.",
                "Free some space there, or set TMPDIR to another folder.",
            ) from None

    def _new_copy(self) -> BinaryIO:
        temporary = tempfile.TemporaryFile(prefix="dsbuilder-", buffering=_BUFFER)  # noqa: SIM115 (closed with the source)
        self._copy = cast(BinaryIO, self._closing.enter_context(temporary))
        return self._copy

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong while reading, in words."""
        try:
            yield
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self._damaged(error) from None
        except OSError as error:
            raise self._refused(error) from None

    def _damaged(self, error: BaseException) -> InputError:
        return InputError(f"{self.name} is damaged: {error}.", "Pack it again, or give what can be unpacked.")

    def _refused(self, error: OSError) -> InputError:
        what = (
            "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror or error}"
        )
        return InputError(f"{self.name} {what}.", "Give a file or a folder of rows, or - for standard input.")


def _none_of(first: int) -> str:
    return "its only line cannot be compared" if first == 1 else f"none of the first {first} lines can be compared"


def _is_record(value: Any) -> bool:
    """Whether an object is a record itself, and its arrays are not the rows."""
    shape = shape_of([value])
    if shape is None or by_column(value):
        return False
    return shape is not ROW_SHAPES.load(QUESTIONS) or rows_in(value) is None


def _with_split(parts: Parts, split: str) -> Parts:
    return replace(parts, tags={**parts.tags, "split": split})
