"""Values of a plan: names, axes, and what JSON can hold; checked, with a sentence that says how to mend them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

MAX_NAME_LENGTH = 64
_MOST_DEPTH = 20

_NAME = re.compile(r"\w(?:[\w .\-]*\w)?", re.UNICODE)
_WINDOWS_DEVICES = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)}


def checked_name(value: object, what: str) -> str:
    """A name that can be a file's, too; ``what`` it is the name of. Raises ``ValueError``."""
    if not isinstance(value, str):
        raise ValueError(f"must be text; put the {what} in quotes")
    name = unicodedata.normalize("NFC", value)
    if not name.strip():
        raise ValueError(f"must not be empty; write a {what} such as 'order_status'")
    if len(name) > MAX_NAME_LENGTH:
        raise ValueError(f"has {len(name)} characters; use at most {MAX_NAME_LENGTH}")
    if name.casefold() in _WINDOWS_DEVICES:
        raise ValueError("is a name that Windows keeps for itself; choose another")
    if not _NAME.fullmatch(name) or ".." in name:
        raise ValueError(
            "is not a safe name; use letters, digits, spaces and _ - . only, and begin and end with a letter or digit"
        )
    return name


def json_ready(value: Any, depth: int = 0) -> Any:
    """The value as JSON can hold it: YAML's dates as text, keys as text. Raises ``ValueError`` for what cannot be."""
    if depth > _MOST_DEPTH:
        raise ValueError(f"is nested more than {_MOST_DEPTH} levels deep; make it flatter")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): json_ready(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(inner, depth + 1) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise ValueError(f"holds the number {value}, which is too large for JSON tools; put it in quotes")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"holds {value}, which JSON does not know; write another number or text")
    if isinstance(value, str):
        if any("\ud800" <= c <= "\udfff" for c in value):
            raise ValueError("holds half of a surrogate pair, which no file can store; write the text again")
        return value
    if isinstance(value, int | float):
        return value
    raise ValueError(f"holds a {type(value).__name__}, which JSON does not know; write text or a number")


def field_names(value: object) -> list[str]:
    """A list of names. Raises ``ValueError``."""
    if not isinstance(value, Iterable):
        raise ValueError("must be a list of field names")
    return list(value)


def as_list(value: object) -> object:
    """One text or mapping as a list of it."""
    return [value] if isinstance(value, str | Mapping) else value


def checked_axes(value: object) -> object:
    """Axes with their values as texts. Raises ``ValueError`` naming the axis."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError("must map each axis to its values; write for example {tone: [polite, angry]}")
    axes: dict[str, tuple[str, ...]] = {}
    for axis, values in value.items():
        checked_name(axis, "axis name")
        texts = [
            ("yes" if v else "no") if isinstance(v, bool) else str(v)
            for v in (values if isinstance(values, list | tuple) else [values])
        ]
        if not texts or any(not text.strip() or len(text) > 500 for text in texts):
            raise ValueError(f"axis {axis!r} needs at least one value of 1 to 500 characters")
        repeated = sorted(text for text, times in Counter(texts).items() if times > 1)
        if repeated:
            raise ValueError(f"axis {axis!r} names {repeated[0]!r} twice; remove one of them")
        axes[axis] = tuple(texts)
    return axes
