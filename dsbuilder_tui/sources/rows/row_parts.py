"""The parts of a row: what goes in, what is expected, where it belongs, and the text that tells it from others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsbuilder_tui.diversity.normalise import compared_texts
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.sources.rows.record_fields import MISSING, at
from dsbuilder_tui.store.imports.json_values import Unusable

TEXT_BREAK = "\x1e"  # between the texts of one record that are compared
LONGEST_TEXT = 1_000_000  # characters of a row that are compared: they take a hundred times as much memory
_IDS = ("tags.case_id", "case_id", "id", "dataset_record_id", "record_id", "uid", "example_id", "_id")
_CATEGORIES = ("tags.category", "category", "category_name", "metadata.category", "additional_metadata.category")
_USER_ROLES = frozenset({"user", "human", "customer"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a record says. ``text`` is what is compared; ``tags`` are what else stands in it.

    ``answer_decides`` when another answer to the same text is another opinion: not in records of ours, in which a model
    has written each answer in its own words.
    """

    inputs: Mapping[str, Any]
    text: str
    expectations: Mapping[str, Any] = field(default_factory=dict)
    category: str = ""
    id: str | None = None
    tags: Mapping[str, Any] = field(default_factory=dict)
    answer_decides: bool = True
    shared: str = ""  # a digest of what is left out of ``text``, because many rows have it in common

    @property
    def demands(self) -> Mapping[str, Any]:
        """The expectations as they are compared."""
        if not self.answer_decides or MlflowKey.RESPONSE not in self.expectations:
            return self.expectations
        rest = {key: value for key, value in self.expectations.items() if key != MlflowKey.RESPONSE}
        return {**rest, "answer": self.expectations[MlflowKey.RESPONSE]}

    @property
    def shown(self) -> str:
        """The text as a person reads it."""
        return self.text.replace(TEXT_BREAK, " · ")

    @property
    def attributes(self) -> Mapping[str, str]:
        """The attributes that a record of ours was to have; none where there are none."""
        found = self.tags.get("attributes")
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}


def parts_of(
    record: Mapping[str, Any],
    inputs: Mapping[str, Any],
    expectations: Mapping[str, Any],
    used: Sequence[str] = (),
) -> Parts:
    """The parts of a record whose inputs and expectations have been found, in the fields ``used``.

    Category and id are looked for where people keep them; every other field that holds something becomes a tag.
    Raises ``Unusable`` where there is nothing to compare.
    """
    return Parts(
        inputs=inputs,
        text=compared_text(inputs, "inputs"),
        expectations=expectations,
        category=category_of(record),
        id=id_of(record),
        tags=_tags(record, used),
        answer_decides=not isinstance(record.get("expectations"), Mapping),
    )


def compared_text(value: Any, name: str) -> str:
    """The texts of a value in one. Raises ``Unusable`` when there is none, or too much."""
    try:
        text = TEXT_BREAK.join(_distinguishing(value))
    except RecursionError:
        raise Unusable("nested too deeply") from None
    return checked_text(text, name)


def checked_text(text: str, name: str) -> str:
    """The text, when it can be compared. Raises ``Unusable`` when it is empty, or too long."""
    if not text.strip(" \t\r\n" + TEXT_BREAK):
        raise Unusable(f"nothing to compare in {name}")
    if len(text) > LONGEST_TEXT:
        raise Unusable(f"more than {LONGEST_TEXT:,} characters to compare; name a shorter field (--field)")
    return text


def category_of(record: Any, names: Sequence[str] = _CATEGORIES) -> str:
    """The category that a record names; empty when it names none."""
    for name in names:
        value = at(record, name)
        if value is not MISSING and value is not None:
            return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return ""


def id_of(record: Any) -> str | None:
    """The name a record has for itself."""
    path = id_path(record)
    return None if path is None else str(at(record, path))


def id_path(record: Any) -> str | None:
    """Where a record has its name, dotted."""
    for path in _IDS:
        value = at(record, path)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return path
    return None


def is_chat(value: Any) -> bool:
    """Whether a value is a list of messages, as OpenAI or ShareGPT write them."""
    return isinstance(value, list) and bool(value) and all(_role(turn) for turn in value)


def is_user_turn(turn: Mapping[str, Any]) -> bool:
    return _role(turn) in _USER_ROLES


def turn_text(turn: Mapping[str, Any]) -> str:
    """What is said in a turn: its text, or the texts of its parts."""
    said = turn.get("content", turn.get("value", turn.get("text")))
    if isinstance(said, list):
        return "\n".join(str(part.get("text", "")) for part in said if isinstance(part, Mapping) and part.get("text"))
    return said if isinstance(said, str) else ""


def _role(turn: Any) -> str:
    if not isinstance(turn, Mapping):
        return ""
    role = turn.get("role", turn.get("from", turn.get("type")))
    has_text = any(key in turn for key in ("content", "value", "text"))
    return role.casefold() if isinstance(role, str) and has_text else ""


def _distinguishing(value: Any) -> Iterator[str]:
    """The texts of inputs by which one row differs from another: of a chat what the user says, of the rest everything."""
    if is_chat(value):
        said = [text for turn in value if is_user_turn(turn) and (text := turn_text(turn))]
        yield from said or [text for turn in value if (text := turn_text(turn))]
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from _distinguishing(value[key])
    else:
        yield from compared_texts(value)


def _tags(record: Mapping[str, Any], used: Sequence[str]) -> dict[str, Any]:
    tags = record.get("tags")
    found = dict(tags) if isinstance(tags, Mapping) else {}
    known = {*used, *(["tags"] if isinstance(tags, Mapping) else [])}
    for name, value in record.items():
        if name not in known and value not in (None, "", [], {}) and name not in found:
            found[name] = value
    return found
