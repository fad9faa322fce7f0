"""Where in a record the things are that are compared: our own records, MLflow's, or fields that a person names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dsbuilder_tui.diversity.normalise import compared_texts
from dsbuilder_tui.domain.sanitise import whole_characters

PARTS = "\x1e"  # between the texts of one record that are compared
BOM = b"\xef\xbb\xbf"
_MISSING = object()
_INDEX = re.compile(r"-?[0-9]{1,9}")
_IDS = ("tags.case_id", "case_id", "id", "dataset_record_id", "record_id", "uid")
LONGEST_TEXT = 1_000_000  # characters of a row that are compared: they take a hundred times as much memory


class Unusable(Exception):
    """A line that cannot be compared, and why, in words."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a record says: its scope, what is compared, what is expected, and its own name if it has one."""

    category: str
    text: str
    expectations: Mapping[str, Any]
    id: str | None

    @property
    def shown(self) -> str:
        """The text as a person reads it."""
        return self.text.replace(PARTS, " · ")


@dataclass(frozen=True, slots=True)
class Shape:
    """Where to look. No ``fields`` means ``inputs`` (or ``input``); no ``category_field`` means ``tags.category``, else
    ``category``; no ``expectations_field`` means ``expectations``. Paths are dotted: ``messages.0.content``.
    """

    fields: tuple[str, ...] = ()
    category_field: str | None = None
    expectations_field: str | None = None

    def parts(self, record: Any) -> Parts:
        """The parts of a record. Raises ``Unusable`` when there is nothing to compare."""
        if not isinstance(record, dict | list) or (isinstance(record, list) and not self.fields):
            raise Unusable("not a JSON object")
        try:
            return Parts(self._category(record), self._text(record), self._expectations(record), _id(record))
        except RecursionError:
            raise Unusable("nested too deeply") from None

    def inputs(self, record: Any) -> Mapping[str, Any]:
        """What the application receives, of a record that has its parts."""
        if self.fields:
            return {path: at(record, path) for path in self.fields}
        inputs = record.get("inputs", record.get("input"))
        return inputs if isinstance(inputs, Mapping) else {"input": inputs}

    def _text(self, record: Any) -> str:
        if self.fields:
            found = []
            for path in self.fields:
                value = at(record, path)
                if value is _MISSING:
                    raise Unusable(f"no field {path}")
                found.append(value)
        else:
            inputs = record.get("inputs", record.get("input"))
            if inputs is None:
                raise Unusable("no field inputs")
            found = [inputs]
        text = PARTS.join(text for value in found for text in compared_texts(value))
        if not text.strip(" \t\r\n" + PARTS):
            raise Unusable(f"nothing to compare in {', '.join(self.fields) or 'inputs'}")
        if len(text) > LONGEST_TEXT:
            raise Unusable(f"more than {LONGEST_TEXT:,} characters to compare; name a shorter field (--field)")
        return text

    def _category(self, record: Any) -> str:
        if self.category_field is not None:
            value = at(record, self.category_field)
            if value is _MISSING:
                raise Unusable(f"no field {self.category_field}")
        else:
            value = at(record, "tags.category")
            for name in ("category", "category_name"):
                value = at(record, name) if value in (_MISSING, None) else value
        if value is _MISSING or value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True)

    def _expectations(self, record: Any) -> Mapping[str, Any]:
        value = at(record, self.expectations_field or "expectations")
        if value is _MISSING and self.expectations_field is not None:
            raise Unusable(f"no field {self.expectations_field}")
        if value is _MISSING or value is None:
            return {}
        return value if isinstance(value, Mapping) else {self.expectations_field or "expectations": value}


def attributes_of(record: Any) -> Mapping[str, str]:
    """The attributes that a record of ours was to have; none where there are none."""
    found = at(record, "tags.attributes")
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def at(record: Any, path: str) -> Any:
    """The value at a dotted path. A key that has dots itself is found too; ``_MISSING`` when nothing is there."""
    if isinstance(record, Mapping):
        if path in record:
            return record[path]
        place = len(path)
        while (place := path.rfind(".", 0, place)) > 0:
            if path[:place] in record:
                found = at(record[path[:place]], path[place + 1 :])
                if found is not _MISSING:
                    return found
        return _MISSING
    if isinstance(record, list):
        step, _, more = path.partition(".")
        if _INDEX.fullmatch(step) and -len(record) <= int(step) < len(record):
            return at(record[int(step)], more) if more else record[int(step)]
    return _MISSING


def parse(line: bytes) -> Any:
    """The JSON value in a line. Raises ``Unusable`` saying what is wrong with it."""
    body = line.removeprefix(BOM).strip(b" \t\r\n")
    if not body:
        raise Unusable("empty line")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        problem = error
    # What Python's own json writes and strict readers refuse: NaN, and halves of surrogate pairs as escapes.
    try:
        return whole_characters(json.loads(body.decode()))
    except UnicodeDecodeError as error:
        raise Unusable(f"not UTF-8 at byte {error.start + 1}") from None
    except RecursionError:
        raise Unusable("nested too deeply") from None
    except ValueError:
        raise Unusable(f"not JSON: {str(problem).partition(': line ')[0]}") from None


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


def _id(record: Any) -> str | None:
    for path in _IDS:
        value = at(record, path)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
    return None
