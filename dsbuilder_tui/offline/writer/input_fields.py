"""The fields of a case's inputs: which of them the message stands in, and what comes into the others."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.domain.case_kind import CaseKind, context_arguments
from dsbuilder_tui.domain.conversation import MESSAGES
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.scenario import GOAL
from dsbuilder_tui.offline.writer.languages import LOCALES, NAMES
from dsbuilder_tui.offline.writer.templates import read_template
from dsbuilder_tui.offline.writer.values import ValuePool

_MAIN_FIELDS = ("query", "question", "message", "input", "prompt", "text", "request", "messages")
# What to put into a field that no example fills, by the field's name.
_FIELD_VALUES = (
    (r"(?:user_?|customer_?|full_?|first_?|last_?)?name", "{name}"),
    (r"(?:\w+_)?e?_?mail(?:_address)?", "{email}"),
    (r"(?:\w+_)?(?:id|number|reference)", "{id:C-4711}"),
    (r"(?:\w+_)?(?:city|location|place)", "{city}"),
    (r"(?:\w+_)?date", "{date:2026-03-14}"),
    (r"(?:\w+_)?(?:amount|price|budget)", "{money:$50}"),
    (r"(?:\w+_)?company|organi[sz]ation", "{company}"),
    (r"(?:\w+_)?product", "{product:x}"),
)


def main_field(plan: DatasetPlanInput, category: DatasetCategory) -> str:
    """The field whose text a category's cases are about."""
    match category.kind:
        case CaseKind.CONVERSATION:
            return MESSAGES
        case CaseKind.SCENARIO:
            return GOAL
    examples = plan.examples(category)
    for name in _MAIN_FIELDS:
        if name in plan.input_fields:
            return name
    for name in plan.input_fields:
        if any(isinstance(example.get(name), str) for example in examples):
            return name
    return next(iter(plan.input_fields))


def other_fields(plan: DatasetPlanInput, category: DatasetCategory) -> list[str]:
    """The fields beside that one, which an example or their name has to fill."""
    if category.kind is CaseKind.SCENARIO:
        return list(context_arguments(plan.input_fields, plan.examples(category)))
    return [name for name in plan.fields_of(category) if name != main_field(plan, category)]


def value_for(field: str, language: str) -> str | None:
    """Something fitting for a field by its name, or None."""
    name = field.strip().lower()
    if name in ("locale", "lang_code", "language_code"):
        return LOCALES.get(language, "en-US")
    if name in ("language", "lang"):
        return NAMES.get(language, "English")
    return next((value for pattern, value in _FIELD_VALUES if re.fullmatch(pattern, name)), None)


def text_of(value: Any) -> str:
    """A text, the last user turn of a list of messages, or the last of a list of texts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        if value and isinstance(value[-1], str):
            return value[-1]
        for turn in reversed(value):
            if (
                isinstance(turn, Mapping)
                and isinstance(turn.get("content"), str)
                and turn.get("role", "user") == "user"
            ):
                return str(turn["content"])
    return ""


def in_shape_of(value: Any, text: str) -> Any:
    """The text where the example had its own: bare, or as the last user turn."""
    if not isinstance(value, list) or not text_of(value):
        return text
    if isinstance(value[-1], str):
        return [*value[:-1], text]
    turns = [dict(turn) if isinstance(turn, Mapping) else turn for turn in value]
    for turn in reversed(turns):
        if isinstance(turn, dict) and turn.get("role", "user") == "user":
            turn["content"] = text
            break
    return turns


def refilled(value: Any, pool: ValuePool, rng: random.Random) -> Any:
    """Another field of the example with its ids, names and amounts drawn anew."""
    if isinstance(value, str):
        known = value if re.fullmatch(r"\{\w+(?::[^{}]*)?\}", value) else read_template(value)
        return pool.fill(known, rng) if "\n" not in value else value
    if isinstance(value, Mapping):
        return {key: refilled(inner, pool, rng) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [refilled(inner, pool, rng) for inner in value]
    return value
