"""The value of a setting in words, as it can be typed again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

UNSET = "–"


def value_words(value: object) -> str:
    """A value as a person reads and types it: ``true``, ``a, b``, JSON for a table; ``–`` for none."""
    if value is None or (isinstance(value, Mapping | list | tuple) and not value):
        return UNSET
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return json.dumps({key: _plain(item) for key, item in value.items()}, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else value
