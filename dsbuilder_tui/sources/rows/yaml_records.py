"""Records of a YAML file: a list, or an object with one. It is read at once, so that its size has a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, time
from typing import Any

import yaml

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.sources.rows.byte_stream import ByteStream
from dsbuilder_tui.sources.rows.json_records import rows_in
from dsbuilder_tui.sources.rows.raw_record import RawRecord
from dsbuilder_tui.sources.rows.record_fields import to_json
from dsbuilder_tui.store.yaml_text import YamlTooLarge, check_yaml_size, yaml_problem

try:
    from yaml import CSafeLoader as _Loader  # ten times as fast
except ImportError:  # a PyYAML without the C library
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

LONGEST_YAML = 32 * 2**20  # bytes
_MOST_VALUES = 2_000_000  # with aliases followed
_MOST_ANCHORS = 100_000


def yaml_of(stream: ByteStream) -> list[Any]:
    """The documents of a YAML file. Raises ``InputError`` saying what is wrong, and where."""
    raw = stream.reader.read(LONGEST_YAML + 1)
    if len(raw) > LONGEST_YAML:
        raise InputError(f"{stream.name} is YAML of more than {LONGEST_YAML // 2**20} MB.", "Give JSON lines.")
    return yaml_documents(raw, stream.name)


def yaml_records(documents: list[Any], is_record: Callable[[Any], bool]) -> Iterator[RawRecord]:
    """The records of a file's documents."""
    number = 0
    for document in documents:
        for record in _rows(document, is_record):
            number += 1
            value = as_json(record)
            yield RawRecord(line=number, raw=to_json(value) + b"\n", value=value)


def yaml_documents(raw: bytes, name: str) -> list[Any]:
    """The documents in the bytes of a file called ``name``. Raises ``InputError`` saying what is wrong, and where."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    try:
        check_yaml_size(text, _Loader, _MOST_VALUES, _MOST_ANCHORS)
        return list(yaml.load_all(text, Loader=_Loader))
    except YamlTooLarge as error:
        raise InputError(f"{name} is too large to be read: {error}.", "Give JSON lines.") from None
    except yaml.YAMLError as error:
        raise yaml_problem(error, name) from None
    except (ValueError, TypeError, OverflowError, AttributeError) as error:  # a date without such a day, an odd key
        raise InputError(f"{name} has a value that cannot be read: {error}.", "Put it in quotes.") from None
    except RecursionError:
        raise InputError(f"{name} is nested too deeply.", "Give JSON lines.") from None


def _rows(document: Any, is_record: Callable[[Any], bool]) -> list[Any]:
    if document is None:
        return []
    if isinstance(document, list):
        return document
    if isinstance(document, dict) and not is_record(document):
        rows = rows_in({str(key): value for key, value in document.items()})
        return [document] if rows is None else rows
    return [document]


def as_json(value: Any) -> Any:
    """What YAML has and JSON has not, as text."""
    if isinstance(value, dict):
        return {str(key): as_json(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(inner) for inner in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
