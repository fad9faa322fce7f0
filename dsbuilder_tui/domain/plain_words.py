"""Small helpers for sentences that a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def counted(number: int, noun: str) -> str:
    """``1 case``, ``3 cases``, ``2 categories``, ``2 branches``"""
    if number == 1:
        return f"1 {noun}"
    if noun.endswith("y"):
        return f"{number:,} {noun[:-1]}ies"
    return f"{number:,} {noun}{'es' if noun.endswith(('ch', 'sh', 's', 'x')) else 's'}"


def either(names: Sequence[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``"""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def are(number: int) -> str:
    """The verb behind so many: ``is`` or ``are``."""
    return "is" if number == 1 else "are"


def were(number: int) -> str:
    """The verb behind so many: ``was`` or ``were``."""
    return "was" if number == 1 else "were"


def dollar_words(dollars: float) -> str:
    """``$5.02``, ``$1,250.00``; below a cent ``$0.004``"""
    if 0 < dollars < 0.0005:
        return "under $0.001"
    return f"${dollars:,.3f}" if 0 < dollars < 0.01 else f"${dollars:,.2f}"


def duration_words(seconds: float) -> str:
    """``41 s``, ``3 min 20 s``, ``1 h 5 min``"""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s" if seconds >= 1 or not seconds else "under 1 s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def plain_words(detail: Mapping[str, Any]) -> str:
    """What a pydantic error means, without the library's vocabulary."""
    kind, context = str(detail["type"]), detail.get("ctx") or {}
    fixed = {
        "int_parsing": "must be a whole number",
        "int_type": "must be a whole number",
        "int_from_float": "must be a whole number",
        "float_parsing": "must be a number",
        "float_type": "must be a number",
        "bool_parsing": "must be true or false",
        "bool_type": "must be true or false",
        "string_type": "must be text",
        "dict_type": "must be a mapping",
        "mapping_type": "must be a mapping",
        "tuple_type": "must be a list",
        "list_type": "must be a list",
        "model_type": "must be a mapping of fields",
        "model_attributes_type": "must be a mapping of fields",
        "path_type": "must be a path",
        "string_too_short": "must not be empty",
    }
    if kind in fixed:
        return fixed[kind]
    if kind == "greater_than_equal":
        return f"must be at least {context['ge']}"
    if kind == "greater_than":
        return f"must be more than {context['gt']}"
    if kind == "less_than_equal":
        return f"must be at most {context['le']}"
    if kind == "string_too_long":
        return f"must have at most {context['max_length']} characters"
    if kind == "literal_error":
        return f"must be {context['expected']}"
    message = str(detail["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def shown_value(value: object) -> str:
    """A value as a message quotes it, at most 80 characters; empty when it is nested too deeply."""
    try:
        shown = repr(value)
    except RecursionError:
        return ""
    return shown if len(shown) <= 80 else shown[:77] + "…"
