"""The values that a writer put into an expectation, told from those that the plan gives every case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput

TOOL_CALLS = MlflowKey.TOOL_CALLS.value
FACTS = (MlflowKey.FACTS.value, MlflowKey.RESPONSE.value)
_MOST_WORDS = 4  # of a text that is a value, such as "3 May 2026"; more is a sentence


class ValueRole(Enum):
    """What a value is to the expectation that it stands in."""

    ARGUMENT = "argument"  # of an expected tool call: it comes from the input
    ENTRY = "entry"  # the whole of a key's value
    SENTENCE = "sentence"  # it may say what the application knows, too
    GUIDELINE = "guideline"  # it speaks of answers in general


@dataclass(frozen=True, slots=True)
class WrittenValue:
    """One text or number of an expectation. ``where`` names its place; ``key`` is the nearest key above it."""

    key: str
    text: str
    role: ValueRole
    where: str


def planned_tool_calls(category: DatasetCategory) -> list[dict[str, Any]]:
    """The tool calls that a plan expects of every case of a category."""
    return [tool.model_dump(mode="json", exclude_defaults=True) for tool in category.expected_tools]


def planned_expectations(category: DatasetCategory) -> dict[str, Any]:
    """What the plan itself says of every case of a category, tool calls among it. It is not the writer's to ground."""
    planned = dict(category.expectations)
    if category.expected_tools:
        planned.setdefault(TOOL_CALLS, planned_tool_calls(category))
    return planned


def written_values(expectations: Mapping[str, Any], planned: Mapping[str, Any]) -> Iterator[WrittenValue]:
    """The texts and numbers of expectations that are not just as the plan has them."""
    for key, value in expectations.items():
        if isinstance(value, bool) or value is None or planned.get(key) == value:
            continue
        if key == TOOL_CALLS and isinstance(value, list):
            for call in value:
                if isinstance(call, Mapping) and isinstance(call.get("arguments"), Mapping):
                    name = call.get("name")
                    for argument, inner in call["arguments"].items():
                        yield from _leaves(
                            str(argument), inner, ValueRole.ARGUMENT, f"the argument {argument} of {name}"
                        )
            continue
        role = (
            ValueRole.SENTENCE
            if key in FACTS
            else ValueRole.GUIDELINE
            if key == MlflowKey.GUIDELINES
            else ValueRole.ENTRY
        )
        yield from _leaves(key, value, role, key)


def _leaves(key: str, value: Any, role: ValueRole, where: str) -> Iterator[WrittenValue]:
    if isinstance(value, str):
        if role is ValueRole.ENTRY and value.count(" ") >= _MOST_WORDS:
            role = ValueRole.SENTENCE
        yield WrittenValue(key, value, role, where)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(str(name), inner, role, where)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(key, inner, role, where)
    else:
        yield WrittenValue(key, str(value), role, where)


def plan_words(category: DatasetCategory, plan: DatasetPlanInput) -> str:
    """What the plan says of the application: an expectation may name what stands there, too."""
    return "\n".join((plan.description, category.description, *plan.input_fields.values()))


_DIGIT_WORD = re.compile(r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|oh|double)\b", re.IGNORECASE)


def is_spelled_out(text: str) -> bool:
    """Whether a number is read out in words, digit by digit: nothing can then be said about what stands in the text."""
    return len(_DIGIT_WORD.findall(text)) >= 3


def has_id(text: str, identifier: str) -> bool:
    """Whether an identifier stands in a text, however it is parted and capitalised."""
    if identifier in text:
        at = text.index(identifier)
        before, after = text[at - 1 : at], text[at + len(identifier) : at + len(identifier) + 1]
        if not (before.isalnum() or after.isalnum()):
            return True
    plain = identifier.casefold()
    characters = [re.escape(c) for c in (plain.lstrip("0") or plain) if c.isalnum()]
    if not characters:
        return True
    return re.search(r"(?<![^\W_])0*" + r"[\W_]{0,3}".join(characters) + r"(?![^\W_])", text.casefold()) is not None
