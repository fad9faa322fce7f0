"""Values in a record: at a dotted path, out of a line of JSON, and their names for a message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.store.imports.json_values import TOO_MANY_PARTS, Unusable, has_too_many_parts

BOM = b"\xef\xbb\xbf"
MISSING = object()
_LONG_NUMBER = re.compile(rb"[0-9]{19}")
_INDEX = re.compile(r"-?[0-9]{1,9}")


def at(record: Any, path: str) -> Any:
    """The value at a dotted path. A key that has dots itself is found too; ``MISSING`` when nothing is there."""
    if isinstance(record, Mapping):
        if path in record:
            return record[path]
        place = len(path)
        while (place := path.rfind(".", 0, place)) > 0:
            if path[:place] in record:
                found = at(record[path[:place]], path[place + 1 :])
                if found is not MISSING:
                    return found
        return MISSING
    if isinstance(record, list):
        step, _, more = path.partition(".")
        if _INDEX.fullmatch(step) and -len(record) <= int(step) < len(record):
            return at(record[int(step)], more) if more else record[int(step)]
    return MISSING


def with_value(record: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The record with another value at a path at which ``at`` finds one."""
    if path in record:
        return {**record, path: value}
    place = len(path)
    while (place := path.rfind(".", 0, place)) > 0:
        inner, rest = record.get(path[:place]), path[place + 1 :]
        if isinstance(inner, Mapping) and at(inner, rest) is not MISSING:
            return {**record, path[:place]: with_value(inner, rest, value)}
    raise KeyError(path)


def parse(line: bytes) -> Any:
    """The JSON value in a line. Raises ``Unusable`` saying what is wrong with it."""
    body = line.removeprefix(BOM).strip(b" \t\r\n")
    if not body:
        raise Unusable("empty line")
    if has_too_many_parts(body.count(b","), body.count(b"["), body.count(b"{")):
        raise Unusable(TOO_MANY_PARTS)
    rounded, problem = None, ""
    try:
        rounded = orjson.loads(body)
        if _LONG_NUMBER.search(body) is None:
            return rounded
    except orjson.JSONDecodeError as error:
        problem = str(error).partition(": line ")[0]
    # What Python's own json writes and strict readers refuse: NaN, and halves of surrogate pairs as escapes; and numbers of
    # more than 64 bits, of which orjson keeps the first digits.
    try:
        return whole_characters(json.loads(body.decode()))
    except UnicodeDecodeError as error:
        raise Unusable(f"not UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise Unusable("nested too deeply") from None
    except ValueError:
        if not problem:
            return rounded  # a number of thousands of digits
        raise Unusable(f"not JSON: {problem}") from None


def storable(value: Any) -> Any:
    """The value as a session keeps it: of whole characters, and a number of more than 64 bits as text, with all its digits."""
    return _without_long_numbers(whole_characters(value))


def _without_long_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_long_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_long_numbers(inner) for inner in value]
    return str(value) if isinstance(value, int) and not -(2**63) <= value < 2**64 else value


def to_json(record: Any) -> bytes:
    """A parsed record as JSON again. Raises ``RecursionError`` for one that is nested too deeply."""
    try:
        return orjson.dumps(record)
    except orjson.JSONEncodeError:  # deeper than 254, or a number of more than 64 bits
        return json.dumps(record).encode()


def field_names(record: Any, most: int = 12) -> str:
    """The names of a record's fields, for a message."""
    if not isinstance(record, Mapping):
        return f"it is a JSON {'array' if isinstance(record, list) else 'value'}"
    names = [str(name) for name in record][:most] + (["…"] if len(record) > most else [])
    return f"its fields are {', '.join(names)}" if names else "it has no fields"
