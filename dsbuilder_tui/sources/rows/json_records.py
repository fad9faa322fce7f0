"""Records of JSON: a line each, the elements of an array, or those of an array in an object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.sources.rows.byte_stream import ByteStream
from dsbuilder_tui.sources.rows.file_kind import suffix_of
from dsbuilder_tui.sources.rows.raw_record import RawRecord
from dsbuilder_tui.sources.rows.record_fields import BOM, parse, to_json
from dsbuilder_tui.store.imports.json_values import LONGEST_BESIDE, LONGEST_RECORD, JsonStream, Unusable

LONGEST_LINE = LONGEST_RECORD
LONGEST_DOCUMENT = LONGEST_BESIDE
MOST_VALUES = 5_000_000  # of such values together: each takes some 70 bytes of memory, however few of the file
# Under these names an object has its rows; they are read one after another, whatever comes behind them.
ROW_FIELDS = frozenset(
    {"created_instances", "records", "rows", "data", "examples", "tests", "test_cases", "testCases", "cases", "items",
     "goldens", "conversational_goldens", "questions", "instances", "samples", "dataset", "results", "entries",
     "evaluation_dataset", "eval_cases", "train", "validation", "test"}
)  # fmt: skip
_LINES = frozenset({".jsonl", ".ndjson"})


def has_lines(stream: ByteStream, fields: bool) -> bool:
    """Whether a file of JSON holds a record a line, and not one value over all of them.

    ``fields`` when they are named: then a line may be an array, whose fields are numbers.
    """
    head = stream.head.removeprefix(BOM)
    lines = [line.strip(b" \t\r\n") for line in head.split(b"\n")]
    if not stream.whole_head and len(lines) == 1:
        return suffix_of(stream.name) in _LINES
    given = [line for line in lines[: None if stream.whole_head else -1] if line]
    if not given:
        return suffix_of(stream.name) != ".json"
    try:
        first = parse(given[0])
    except Unusable as problem:
        if not given[0].startswith((b"[", b"{")):
            return True
        return _begins_lines(given, problem)
    if isinstance(first, list):
        return fields and not any(isinstance(item, dict) for item in first)
    if isinstance(first, dict) and len(given) == 1 and stream.whole_head:
        return rows_in(first) is None
    return True


def _begins_lines(given: list[bytes], problem: Unusable) -> bool:
    """Whether a first line that is no JSON is a damaged line, and not the beginning of a document."""
    first = given[0]
    if first.startswith(b"[") or first.endswith((b"{", b"[", b",", b":")):
        return "deeply" in str(problem) and len(given) > 1
    return True


def json_lines(stream: ByteStream) -> Iterator[RawRecord]:
    """The records of a file that has one a line. Raises ``InputError`` for a line without end."""
    number, place = 1, 0
    raw = stream.reader.readline(LONGEST_LINE)
    while raw:
        if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
            raise InputError(
                f"{stream.name}, line {number}, is longer than {LONGEST_LINE // 2**20} MB.",
                "Give JSON lines: one record a line.",
            )
        try:
            yield RawRecord(line=number, raw=raw, value=parse(raw), place=place)
        except Unusable as problem:
            yield RawRecord(line=number, raw=raw, problem=str(problem))
        number, place = number + 1, place + len(raw)
        raw = stream.reader.readline(LONGEST_LINE)


def small_document(stream: ByteStream, marks: Iterable[bytes], most: int) -> Any:
    """A JSON value over all lines as a whole, when one of the marks stands in its beginning; the stream gives it again.

    None for one of more than ``most`` bytes, and for what is no JSON: that is told where it is read.
    """
    if not any(mark in stream.head for mark in marks):
        return None
    taken = stream.reader.read(most + 1)
    stream.give_back(taken)
    try:
        return parse(taken) if len(taken) <= most else None
    except Unusable:
        return None


def json_document(stream: ByteStream, is_record: Callable[[Any], bool]) -> Iterator[RawRecord]:
    """The records of one JSON value over all lines, or of several one after another.

    ``is_record`` says whether an object is a record itself, whatever arrays it has. Raises ``InputError`` for what is no
    JSON, at the place where it stops being that.
    """
    values = JsonStream(stream.reader.read)
    count = 0
    try:
        for count, (value, text) in enumerate(_records(values, is_record), 1):
            yield RawRecord(line=count, raw=_line_of(value, text, stream.name, count), value=value)
    except Unusable as problem:
        where = f", after record {count:,}," if count else ""
        raise InputError(f"{stream.name}{where} is {problem}.", "Give JSON lines: one record a line.") from None


def _records(values: JsonStream, is_record: Callable[[Any], bool]) -> Iterator[tuple[Any, str]]:
    if values.peek() == "[":
        yield from values.elements(LONGEST_LINE)
        values.skip_rest()
        return
    while values.peek():
        if values.peek() != "{":
            raise Unusable("not JSON: an array or an object was expected")
        yield from _of_object(values, is_record)


def _of_object(values: JsonStream, is_record: Callable[[Any], bool]) -> Iterator[tuple[Any, str]]:
    """The records in an object: those of its array, or the object itself."""
    values.take("{")
    whole: dict[str, Any] = {}
    size, marks, streamed = 0, 0, False
    while values.peek() != "}":
        key, text = values.value(LONGEST_LINE)
        if not isinstance(key, str):
            raise Unusable("not JSON: the name of a field was expected")
        values.take(":")
        if key in ROW_FIELDS and values.peek() == "[" and not is_record(whole):
            yield from _array_of_object(values, whole)
            streamed = True
        else:
            whole[key], text = values.value(LONGEST_DOCUMENT)
            size, marks = size + len(text), marks + text.count(",") + text.count("[")
            if size > LONGEST_DOCUMENT or marks > MOST_VALUES:
                raise Unusable(f"one value of more than {LONGEST_DOCUMENT // 2**20} MB, or of too many parts")
        if values.peek() != ",":
            break
        values.take(",")
    values.take("}")
    if streamed:
        return
    rows = None if is_record(whole) else rows_in(whole)
    for record in [whole] if rows is None else rows:
        yield record, ""


def _array_of_object(values: JsonStream, whole: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    """The elements of an array of rows; lists of cells get the names that ``columns`` before them has."""
    columns = whole.get("columns")
    for value, text in values.elements(LONGEST_LINE):
        if isinstance(columns, list) and isinstance(value, list) and len(columns) == len(value):
            yield dict(zip(map(str, columns), value, strict=True)), ""
        else:
            yield value, text


def rows_in(whole: Mapping[str, Any]) -> list[Any] | None:
    """The rows that an object holds: in an array of objects, by column, or one step further down; None where there are none."""
    columns, data = whole.get("columns"), whole.get("data")
    if isinstance(columns, list) and isinstance(data, list):
        fitting = (cells for cells in data if isinstance(cells, list) and len(cells) == len(columns))
        return [dict(zip(map(str, columns), cells, strict=True)) for cells in fitting]
    named: list[list[Any]] = [value for name, value in whole.items() if name in ROW_FIELDS and _is_rows(value)]
    if named:
        return max(named, key=len)
    if columns_read := by_column(whole):
        return columns_read
    arrays: list[list[Any]] = [value for value in whole.values() if _is_rows(value)]
    if len(arrays) == 1 and not any(name in whole for name in ("inputs", "input", "messages", "conversations", "vars")):
        return arrays[0]
    inner = [value for name, value in whole.items() if name in ROW_FIELDS and isinstance(value, Mapping)]
    return next((found for value in inner if (found := rows_in(value)) is not None), None)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def by_column(whole: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """What pandas writes unless told otherwise: for each column its values by number."""
    if not whole or not all(isinstance(value, Mapping) and value for value in whole.values()):
        return None
    numbers = list(next(iter(whole.values())))
    if not all(number.isdecimal() for number in numbers):
        return None
    if any(list(column) != numbers for column in whole.values()):
        return None
    return [{name: column[number] for name, column in whole.items()} for number in numbers]


def _line_of(value: Any, text: str, name: str, number: int) -> bytes:
    """A record of a document as a line of its own."""
    if text and "\n" not in text and "\r" not in text:
        return text.encode("utf-8", "replace") + b"\n"
    try:
        return to_json(value) + b"\n"
    except RecursionError:
        raise InputError(
            f"{name}, record {number}, is nested too deeply.", "Give JSON lines, or leave it out."
        ) from None
