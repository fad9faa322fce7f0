"""Rows of a dataset file as a stream: JSON lines, gzip or not, a pipe, or one JSON document."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import stat
import sys
import tempfile
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

from dsbuilder_tui.domain.errors import InputError, StorageError
from dsbuilder_tui.sources.record_fields import BOM, Parts, Shape, Unusable, parse, to_json

LONGEST_LINE = 16 * 2**20  # bytes; a longer one is no row of a dataset, and would have to fit into memory
LONGEST_DOCUMENT = 256 * 2**20  # bytes of one JSON value over all lines, unpacked
_MOST_VALUES = 20_000_000  # of such a document: each takes some 70 bytes of memory, however few of the file
_BUFFER = 2**20


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be compared. ``line`` counts from 1 (in a JSON document: records); ``raw`` is the line as it stands,
    its ending included; ``place`` is where it is found again.
    """

    line: int
    raw: bytes
    place: int
    parts: Parts

    @property
    def body(self) -> bytes:
        """The record's JSON alone."""
        return self.raw.removeprefix(BOM).strip(b" \t\r\n")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be compared, why in words, and its record if it was JSON at all."""

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

    ``keep`` remembers where an admitted row is, in 16 bytes; ``kept`` finds it again by its number, in the file itself or,
    for what cannot be read twice, in a temporary copy of the kept lines. Raises ``InputError`` for what cannot be read,
    and ``StorageError`` when the disk has no room for the copy.
    """

    def __init__(self, given: str | Path, shape: Shape) -> None:
        self.name = "standard input" if str(given) == "-" else str(given)
        self._shape = shape
        self._closing = contextlib.ExitStack()
        self._lines, self._places = array("Q"), array("Q")
        self._records: list[Any] | None = None  # of a JSON document
        self._copy: BinaryIO | None = None
        self._copied, self._copy_at_end = 0, True
        try:
            reader, self._under, self.size = self._open(given)
            packed = reader.peek(2)[:2] == b"\x1f\x8b"
            self._reader: Any = self._closing.enter_context(gzip.GzipFile(fileobj=reader)) if packed else reader
            self._again: BinaryIO | None = None
            if self.size is not None and not packed:
                self._again = self._closing.enter_context(Path(given).expanduser().open("rb"))
        except OSError as error:
            self.close()
            raise self._refused(error) from None
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
        if not self.size or self._under is None:
            return None
        return min(1.0, self._under.tell() / self.size)

    def rows(self) -> Iterator[Row | BadLine]:
        """Every line in order, usable or not."""
        try:
            first = self._reader.readline(LONGEST_LINE)
            if self._is_document(first):
                yield from self._document(first)
                return
            number, place, raw = 1, 0, first
            while raw:
                if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                    raise InputError(
                        f"{self.name}, line {number}, is longer than {LONGEST_LINE // 2**20} MB.",
                        "Give JSON lines: one record a line.",
                    )
                yield self._row(number, raw, place)
                number, place = number + 1, place + len(raw)
                raw = self._reader.readline(LONGEST_LINE)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                f"{self.name} is damaged: {error}.", "Pack it again, or give what can be unpacked."
            ) from None
        except OSError as error:
            raise self._refused(error) from None

    def keep(self, row: Row) -> None:
        """Remember where an admitted row is. Called in the order of admission."""
        place = row.place
        if self._again is None and self._records is None:
            place = self._copy_of(row.raw)
        self._lines.append(row.line)
        self._places.append(place)

    def kept(self, number: int) -> Found:
        """The row that was kept as the ``number``-th, from 0."""
        line, place = self._lines[number], self._places[number]
        try:
            record = self._records[place] if self._records is not None else parse(self._line_at(place))
            parts = self._shape.parts(record)
        except (Unusable, OSError):
            return Found(line, None, None)
        return Found(line, parts.id, parts.shown)

    def _row(self, number: int, raw: bytes, place: int) -> Row | BadLine:
        record = None
        try:
            record = parse(raw)
            return Row(number, raw, place, self._shape.parts(record))
        except Unusable as problem:
            return BadLine(number, raw, str(problem), record)

    def _is_document(self, first: bytes) -> bool:
        """Whether one JSON value goes over all lines: an array, or an object with ``created_instances``."""
        body = first.removeprefix(BOM).strip(b" \t\r\n")
        if not body.startswith(b"["):
            with contextlib.suppress(Unusable):
                record = parse(first)
                return isinstance(record, dict) and isinstance(record.get("created_instances"), list)
            return body == b"{" or (body == b"" and self._named_json)
        if not self._shape.fields:
            return True
        with contextlib.suppress(Unusable):  # lines may be arrays, whose fields are numbers; records are objects
            return any(isinstance(item, dict) for item in parse(first))
        return True

    @property
    def _named_json(self) -> bool:
        return self.name.lower().removesuffix(".gz").endswith(".json")

    def _document(self, first: bytes) -> Iterator[Row | BadLine]:
        whole = self._rest(first)
        try:
            value = parse(whole)
        except Unusable as problem:
            raise InputError(f"{self.name} is {problem}.", "Give JSON lines: one record a line.") from None
        records = value.get("created_instances") if isinstance(value, dict) else value
        if not isinstance(records, list):
            raise InputError(
                f"{self.name} is one JSON object without created_instances.",
                "Give JSON lines, or a JSON array of records.",
            )
        del whole, value
        self._records = records
        for place, record in enumerate(records):
            raw = self._line_of(place + 1, record)
            try:
                yield Row(place + 1, raw, place, self._shape.parts(record))
            except Unusable as problem:
                yield BadLine(place + 1, raw, str(problem), record)

    def _rest(self, first: bytes) -> bytes:
        """The whole document, as far as it fits into memory, and its values too."""
        whole = bytearray(first)
        values = 0
        while len(whole) <= LONGEST_DOCUMENT and values <= _MOST_VALUES and (piece := self._reader.read(_BUFFER)):
            whole += piece
            values += sum(piece.count(mark) for mark in b",[{")
        if len(whole) > LONGEST_DOCUMENT or values > _MOST_VALUES:
            raise InputError(
                f"{self.name} is one JSON value of more than {LONGEST_DOCUMENT // 2**20} MB, or of too many parts.",
                "Give JSON lines, which are read one after another.",
            )
        return bytes(whole)

    def _line_of(self, number: int, record: Any) -> bytes:
        """A record of a document as a line of its own."""
        try:
            return to_json(record) + b"\n"
        except RecursionError:
            raise InputError(
                f"{self.name}, record {number}, is nested too deeply.", "Give JSON lines, or leave it out."
            ) from None

    def _line_at(self, place: int) -> bytes:
        handle = self._copy or self._again
        assert handle is not None
        self._copy_at_end = False
        handle.seek(place)
        return handle.readline(LONGEST_LINE)

    def _copy_of(self, raw: bytes) -> int:
        try:
            copy = self._copy or self._new_copy()
            if not self._copy_at_end:
                copy.seek(self._copied)
                self._copy_at_end = True
            place = self._copied
            self._copied += copy.write(raw)
            return place
        except OSError as error:
            raise StorageError(
                f"The kept lines of {self.name} could not be copied to {tempfile.gettempdir()}: {error.strerror or error}.",
                "Free some space there, or set TMPDIR to another folder.",
            ) from None

    def _new_copy(self) -> BinaryIO:
        temporary = tempfile.TemporaryFile(prefix="dsbuilder-", buffering=_BUFFER)  # noqa: SIM115 (closed with the source)
        self._copy = cast(BinaryIO, self._closing.enter_context(temporary))
        return self._copy

    def _open(self, given: str | Path) -> tuple[io.BufferedReader, io.FileIO | None, int | None]:
        """The reader, the file below it, and its size in bytes; a pipe has no size."""
        if str(given) == "-":
            if sys.stdin is None:
                raise InputError("There is no standard input.", "Name a file of JSON lines.")
            return cast(io.BufferedReader, sys.stdin.buffer), None, None
        under = self._closing.enter_context(Path(given).expanduser().open("rb", buffering=0))
        about = os.fstat(under.fileno())
        size = about.st_size if stat.S_ISREG(about.st_mode) else None
        return self._closing.enter_context(io.BufferedReader(under, _BUFFER)), under, size

    def _refused(self, error: OSError) -> InputError:
        words: dict[type[OSError], str] = {FileNotFoundError: "does not exist", IsADirectoryError: "is a folder"}
        what = words.get(type(error), f"cannot be read: {error.strerror or error}")
        return InputError(f"{self.name} {what}.", "Give a file of JSON lines, or - for standard input.")
