"""The demands of a case on an answer, as one number: two cases with different demands are a contrast, however alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xxhash

from dsbuilder_tui.diversity.normalise import normalise
from dsbuilder_tui.domain.expectation import MlflowKey

_SENTENCES = {MlflowKey.FACTS, MlflowKey.RESPONSE, MlflowKey.GUIDELINES}
_LABEL_WORDS = 4
_LABEL_LENGTH = 80
_DEEPEST = 32


def expectation_key(expectations: Mapping[str, Any]) -> int:
    """An unsigned 32-bit hash of the decisive expectations; 0 if none is decisive. Never fails.

    Decisive: true, false, numbers, labels and tool names (at most four words and 80 characters, ids and dates masked) and
    lists and objects of such. Longer text says the same thing in many ways and decides nothing, and neither do facts,
    guidelines and responses, however short. The order of keys does not matter, that of a list does.
    """
    text = _decisive({key: value for key, value in expectations.items() if key not in _SENTENCES}, 0)
    return (xxhash.xxh32_intdigest(text.encode("utf-8", "surrogatepass")) or 1) if text else 0


def _decisive(value: Any, depth: int) -> str:
    """The decisive part of a value in one spelling; empty if there is none."""
    if isinstance(value, bool):
        return f"b{value:d}"
    if isinstance(value, int | float):
        return f"n{_number(value)}"
    if isinstance(value, str):
        label = normalise(value) if len(value) <= _LABEL_LENGTH else ""
        return f"s{label.replace('_', ' ')}" if label and len(label.split()) <= _LABEL_WORDS else ""
    if depth >= _DEEPEST:
        return ""
    if isinstance(value, Mapping):
        parts = {str(key): part for key, item in value.items() if (part := _decisive(item, depth + 1))}
        return "{" + "\x1e".join(f"{key}\x1f{parts[key]}" for key in sorted(parts)) + "}" if parts else ""
    if isinstance(value, list | tuple):
        items = [part for item in value if (part := _decisive(item, depth + 1))]
        return "[" + "\x1e".join(items) + "]" if items else ""
    return ""


def _number(value: float) -> str:
    """One spelling of equal numbers: 2 and 2.0."""
    if isinstance(value, int) or value.is_integer():
        return f"{int(value):x}"
    return repr(value)
