"""Tool calls that a model writes into its words, since its server does not read them out, in the notations of many models."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.models.json_spans import json_spans

# What opens a call, wherever it stands. ◁, ｜ and ▁ are characters of the models' own.
MARKERS = (
    "<tool_call", "<function=", "<function_call", "<tool_code", "[TOOL_CALLS]", "<|python_tag|>", "<|tool_call",
    "<｜tool", "<|channel|>commentary", "<|start|>assistant<|channel|>commentary", "```tool_code", "```tool_call",
    "functools[",
)  # fmt: skip
_FENCE = re.compile(r"```\w*|<\|(?:end|call|eot_id|eom_id)\|>|functools|;")
# Each value ends before the next one of its kind begins at the latest, so that no text is read to its end again and again.
_PARAMETERS = re.compile(r"<parameter=([\w.-]{1,200})>\n?((?:(?!<parameter=|</parameter>).)*+)</parameter>", re.S)
_PAIRS = re.compile(
    r"<arg_key>((?:(?!</?arg_key>).){0,200}+)</arg_key>\s*+<arg_value>((?:(?!<arg_value>|</arg_value>).)*+)</arg_value>",
    re.S,
)
_BLOCK = re.compile(
    r"<function=([\w.-]{1,200})>(.*?)(?:</function>|\Z)|<tool_call>\s*+([\w.-]{1,200})\s*+(<arg_key>.*?)(?:</tool_call>|\Z)",
    re.S,
)
_NAMES = ("name", "function", "tool", "tool_name")
_ARGUMENTS = ("arguments", "parameters", "args", "input", "tool_input")
_NEAR = 80  # characters between a name and its arguments
_DECODER = json.JSONDecoder(strict=False)

Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class TextCalls:
    """The calls in a text. ``alone`` when there is nothing else in it."""

    calls: list[Call]
    alone: bool


def find_calls(text: str, names: Collection[str]) -> TextCalls:
    """The calls of tools with these names that a text holds, in whatever notation."""
    calls: list[Call] = []
    for block in _BLOCK.finditer(text):
        name, inner = (block[1], block[2]) if block[1] else (block[3], block[4])
        values = _PARAMETERS.findall(inner) or _PAIRS.findall(inner)
        if name in names and values:
            calls.append((name, {key.strip(): _value(value) for key, value in values}))
    if calls:
        return TextCalls(calls, alone=False)
    rest, end = list[str](), 0
    for start, stop, value in _json_values(text):
        between = text[end:start]
        found = list(_calls_in(value, names))
        if not found and isinstance(value, dict) and (name := _last_name(between[-_NEAR:], names)):
            found = [(name, value)]
        calls += found
        rest.append(between if found else text[end:stop])
        end = stop
    return TextCalls(calls, alone=not _FENCE.sub("", "".join(rest) + text[end:]).strip())


def _json_values(text: str) -> Iterator[tuple[int, int, Any]]:
    for start, stop in json_spans(text):
        with contextlib.suppress(ValueError):  # a number of thousands of digits
            yield start, stop, _DECODER.raw_decode(text, start)[0]


def _calls_in(value: Any, names: Collection[str]) -> Iterator[Call]:
    if isinstance(value, list):
        for each in value:
            yield from _calls_in(each, names)
        return
    if not isinstance(value, dict):
        return
    if isinstance(listed := value.get("tool_calls"), list):
        yield from _calls_in(listed, names)
        return
    if isinstance(inner := value.get("function"), dict):
        yield from _calls_in(inner, names)
        return
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), "").removeprefix("functions.")
    given = next((value[key] for key in _ARGUMENTS if key in value), None)
    if name in names and (given is not None or len(value) == 1):
        if isinstance(given, str):
            given = _value(given)
        if given is None or isinstance(given, dict):
            yield name, given or {}
    elif len(value) == 1 and (only := next(iter(value))) in names and isinstance(value[only], dict):
        yield only, value[only]


def _last_name(text: str, names: Collection[str]) -> str:
    words = re.findall(r"[A-Za-z_][\w-]*", text)
    return next((word for word in reversed(words) if word in names), "")


def _value(text: str) -> Any:
    try:
        return json.loads(text.strip())
    except ValueError:
        return text.strip()
