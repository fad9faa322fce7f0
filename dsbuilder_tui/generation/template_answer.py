"""A model's answer with templates, read: which templates stand in it, and why the others are none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from dsbuilder_tui.domain.case_template import CaseTemplate, Filler, FillerType, placeholders
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.generation.case_scanner import parse_object
from dsbuilder_tui.generation.value_kinds import kind_of

_MOST_TRIES = 64
_MOST_ITEMS = 400  # fillers, or templates, of one answer
_OPENER = re.compile(r'\{(?=\s*")')
_TEMPLATES, _FILLERS = "templates", "fillers"
_LIST = {_FILLERS: re.compile(r'"fillers"\s*+:\s*+\['), _TEMPLATES: re.compile(r'"templates"\s*+:\s*+\[')}
_BETWEEN = re.compile(r"[\s,]*+")


class NotATemplate(Exception):
    """What stands in an answer is no template; says why not."""


@dataclass(frozen=True, slots=True)
class ReadTemplates:
    """The templates of an answer, and what is wrong with what was meant to be one: a sentence each."""

    templates: tuple[CaseTemplate, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def found(self) -> int:
        return len(self.templates) + len(self.faults)


def read_template_answer(texts: Sequence[str], fields: Sequence[str]) -> ReadTemplates:
    """Read an answer. ``texts`` are where it may stand, the likeliest first; ``fields`` are those of the inputs.

    The first text that holds templates counts, and of several documents in it the last: what comes before is a draft. Of
    one that is broken off the whole templates count.
    """
    for text in texts:
        raw_fillers, raw_templates = _lists(text)
        if raw_templates:
            return _read(raw_fillers, raw_templates, fields)
    return ReadTemplates()


def _read(raw_fillers: list[Any], raw_templates: list[Any], fields: Sequence[str]) -> ReadTemplates:
    shared: dict[str, Filler | str] = {}
    for raw in raw_fillers:
        name, filler = _filler(raw)
        if name:
            shared[name] = filler
    templates: list[CaseTemplate] = []
    faults: list[str] = []
    for number, raw in enumerate(raw_templates, 1):
        try:
            templates.append(_template(raw, shared, fields))
        except NotATemplate as error:
            faults.append(f"template {number}: {error}")
    return ReadTemplates(tuple(templates), tuple(faults))


def _template(raw: Any, shared: Mapping[str, Filler | str], fields: Sequence[str]) -> CaseTemplate:
    if not isinstance(raw, Mapping):
        raise NotATemplate(f"it is {kind_of(raw)}, not an object")
    raw = whole_characters(dict(raw))
    inputs = raw.get("inputs", raw.get("input"))
    if inputs is None:
        inputs = {name: raw[name] for name in (*fields, "text", "template") if name in raw}
    if isinstance(inputs, str) and len(fields) == 1:
        inputs = {fields[0]: inputs}
    if isinstance(inputs, Mapping) and len(fields) == 1 and len(inputs) == 1 and fields[0] not in inputs:
        inputs = {fields[0]: next(iter(inputs.values()))}
    if not isinstance(inputs, Mapping) or not inputs:
        raise NotATemplate("`inputs` is missing")
    expectations = raw.get("expectations")
    if expectations is None:
        expectations = {}
    if not isinstance(expectations, Mapping):
        raise NotATemplate(f"`expectations` is {kind_of(expectations)}, not an object")
    details = raw.get("details") or []
    own = dict(_filler(one) for one in _entries(raw.get(_FILLERS)))
    known: dict[str, Filler | str] = {**shared, **own}
    used: list[Filler] = []
    for name in dict.fromkeys(placeholders([dict(inputs), dict(expectations), details])):
        filler = known.get(name)
        if filler is None:
            raise NotATemplate(f"{{{name}}} has no filler")
        if isinstance(filler, str):
            raise NotATemplate(f"the filler of {{{name}}} {filler}")
        used.append(filler)
    try:
        return CaseTemplate(
            inputs=dict(inputs),
            expectations=dict(expectations),
            details=tuple(one for one in details if isinstance(one, str) and one.strip()),
            attributes=_attributes(raw.get("attributes")),
            fillers=tuple(used),
        )
    except ValidationError as error:
        detail = error.errors()[0]
        raise NotATemplate(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}") from None


def _attributes(raw: Any) -> dict[str, tuple[str, ...]]:
    """``[{"axis", "values"}]`` or ``{axis: values}``."""
    found: dict[str, tuple[str, ...]] = {}
    if isinstance(raw, Mapping):
        raw = [{"axis": axis, "values": values} for axis, values in raw.items()]
    for one in raw if isinstance(raw, list) else ():
        if isinstance(one, Mapping) and isinstance(axis := one.get("axis"), str):
            values = _texts(one.get("values", one.get("value")))
            if values:
                found[axis] = values
    return found


def _entries(raw: Any) -> Iterator[Any]:
    """The fillers of a list, or of a mapping of names."""
    if isinstance(raw, Mapping):
        for name, one in raw.items():
            yield {"name": name, **one} if isinstance(one, Mapping) else {"name": name, "type": "choice", "values": one}
    elif isinstance(raw, list):
        yield from raw


def _filler(raw: Any) -> tuple[str, Filler | str]:
    """A filler with its name, or what is wrong with it, in words that follow "the filler of …"."""
    if not isinstance(raw, Mapping) or not isinstance(name := raw.get("name"), str):
        return "", "has no name"
    name = name.strip().strip("{}")
    raw_type = str(raw.get("type", "")).strip().casefold()
    if raw_type not in set(FillerType):
        return name, f"is of no known type: {raw_type[:40] or 'none is given'}; there are {', '.join(FillerType)}"
    raw = whole_characters(dict(raw))
    try:
        low, high = _number(raw.get("low")), _number(raw.get("high"))
    except ValueError as error:
        return name, str(error)
    by_value: dict[str, tuple[str, ...]] = {}
    said = raw.get("by_value")
    if isinstance(said, Mapping):
        by_value = {str(value): _texts(texts) for value, texts in said.items()}
    elif isinstance(said, list):
        by_value = {
            str(one["value"]): _texts(one.get("say", one.get("values")))
            for one in said
            if isinstance(one, Mapping) and "value" in one
        }
    example = raw.get("example")
    return name, Filler(
        name=name,
        type=FillerType(raw_type),
        values=_texts(raw.get("values")),
        axis=str(raw.get("axis") or ""),
        by_value=by_value,
        example="" if example is None else str(example).strip(),
        low=low,
        high=high,
    )


def _number(value: Any) -> float | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = value.strip().lstrip("$€£").replace(",", "")
    try:
        if isinstance(value, bool):
            raise ValueError
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"has a bound that is no number: {str(value)[:40]}") from None


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, list | tuple):
        return ()
    texts = (str(one) for one in value if isinstance(one, str | int | float) and not isinstance(one, bool))
    return tuple(dict.fromkeys(text for text in texts if text.strip()))


def _lists(text: str) -> tuple[list[Any], list[Any]]:
    """The fillers and the templates of the last document in a text that has some."""
    fillers: list[Any] = []
    templates: list[Any] = []
    for document in _documents(text):
        if isinstance(document, Mapping) and isinstance(found := document.get(_TEMPLATES), list) and found:
            templates = found[:_MOST_ITEMS]
            fillers = list(_entries(document.get(_FILLERS)))[:_MOST_ITEMS]
    if templates:
        return fillers, templates
    # One that is broken off, or not quite JSON: its whole items.
    return _items(text, _FILLERS), _items(text, _TEMPLATES)


def _documents(text: str) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(strict=False), 0
    for _ in range(_MOST_TRIES):
        opener = _OPENER.search(text, at)
        if opener is None:
            return
        try:
            value, at = decoder.raw_decode(text, opener.start())
        except (ValueError, RecursionError):
            at = opener.end()
            continue
        yield value
    # Many small things that are no document came before it, or it is not quite JSON.
    first, last = text.find("{"), text.rfind("}")
    if 0 <= first < last and isinstance(value := parse_object(text[first : last + 1], only_if_case=True), dict):
        yield value


def _items(text: str, name: str) -> list[Any]:
    """The whole objects in the last list of that name."""
    decoder, items = json.JSONDecoder(strict=False), list[Any]()
    starts = list(_LIST[name].finditer(text))
    at = starts[-1].end() if starts else len(text)
    while len(items) < _MOST_ITEMS:
        between = _BETWEEN.match(text, at)
        at = between.end() if between else at
        if not text.startswith("{", at):
            break
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        items.append(value)
    return items
