"""Fields of a case as lines: the name and what it means, and below them the value in its kind. Pure."""

from __future__ import annotations

import json
from typing import Any

from dsbuilder_tui.tui.paint.case_fields import CaseField, FieldKind, argument_words, calls_of, messages_of
from dsbuilder_tui.tui.paint.line import Line, clip, fit, length, longest, wrap

_MOST_LABEL = 20  # cells
_ON_ONE_LINE = (FieldKind.TRUTH, FieldKind.NUMBER, FieldKind.CHOICE)


def field_lines(shown: CaseField, width: int, role: str = "text") -> list[Line]:
    """One field: its name and what it means, and below them its value in its kind."""
    name: Line = ((clip(shown.key, max(8, width - 2)), "info"),)
    if shown.kind in _ON_ONE_LINE:
        name = (*name, ("  ", "text"), (clip(_short(shown.value), max(4, width - length(name) - 2)), role))
    room = width - length(name) - 3
    meaning = [((row, "faint"),) for row in wrap(shown.meaning, width)] if shown.meaning else []
    if meaning and len(meaning) == 1 and length(meaning[0]) <= room:
        name, meaning = (*name, (" · ", "faint"), *meaning[0]), []
    return [name, *meaning, *_value_lines(shown, width, role)]


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value_lines(shown: CaseField, width: int, role: str) -> list[Line]:
    value = shown.value
    match shown.kind:
        case kind if kind in _ON_ONE_LINE:
            return []
        case FieldKind.TEXT if isinstance(value, str):  # a case from elsewhere may have anything there
            return [((row, role),) for row in wrap(value, width)]
        case FieldKind.LIST:
            return [line for text in value for line in _item("• ", text, width, role)] or [(("none", "faint"),)]
        case FieldKind.TURNS:
            return [line for turn in messages_of(value) or () for line in _turn(*turn, width, role)]
        case FieldKind.CALLS:
            return _call_lines(shown, width, role)
        case _ if isinstance(value, str):  # one that holds what must be escaped to be edited
            return [((row, role),) for row in wrap(value, width)]
        case _:
            rows = json.dumps(value, ensure_ascii=False, indent=2).split("\n")
            return [((row, role),) for line in rows for row in wrap(line, width)]


def _item(mark: str, text: str, width: int, role: str) -> list[Line]:
    rows = wrap(text, max(4, width - len(mark)))
    return [((mark if not number else " " * len(mark), "faint"), (row, role)) for number, row in enumerate(rows)]


def _turn(role: str, words: str, width: int, shown_in: str) -> list[Line]:
    speaker = clip(role, 12)
    return _item(f"{speaker}: ", words, width, shown_in if role == "user" else "muted")


def _call_lines(shown: CaseField, width: int, role: str) -> list[Line]:
    lines: list[Line] = []
    for number, (name, arguments) in enumerate(calls_of(shown.value) or (), 1):
        lines += _item(f"{number} ", name, width, "accent")
        label = min(_MOST_LABEL, longest(arguments, 0), max(4, width // 2 - 4))
        kinds = shown.parameters.get(name, {})
        for key, value in arguments.items():
            rows = wrap(argument_words(value, kinds.get(key)), max(4, width - label - 6))
            for row_number, row in enumerate(rows):
                lines.append(((f"    {fit(key if not row_number else '', label)}  ", "muted"), (row, role)))
    return lines or [(("none", "faint"),)]
