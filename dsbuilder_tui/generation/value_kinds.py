"""Kinds of values, in words; and a value of another kind than planned taken as it is meant, where nothing is lost."""

from __future__ import annotations

import re
from typing import Any

from dsbuilder_tui.generation.case_scanner import json_in

_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,15})?")
_TRUTH = {"true": True, "false": False}


class Unfit(Exception):
    """A case does not have the shape that the plan asks for; the text says where."""


def kind_of(value: Any) -> str:
    """The kind of a JSON value, for a sentence."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list | tuple):
        return "a list"
    return "nothing" if value is None else "an object"


def as_planned(value: Any, planned: Any) -> Any:
    """The value in the kind of ``planned``: ``"true"``, ``"3"``, a list of one, or JSON in a text taken as what they say.

    Unchanged where that would be a guess, or lose something.
    """
    if type(value) is type(planned) and not isinstance(planned, dict | list):
        return value  # as nearly always
    if isinstance(planned, dict) and isinstance(value, dict):
        return {key: as_planned(inner, planned[key]) if key in planned else inner for key, inner in value.items()}
    if isinstance(planned, list | tuple):
        return _as_list(value, planned)
    if planned is None or kind_of(value) == kind_of(planned):
        return value
    if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list):
        return as_planned(value[0], planned)
    if isinstance(value, str):
        return _read(value.strip(), planned, value)
    return value


def _as_list(value: Any, planned: list[Any] | tuple[Any, ...]) -> Any:
    kinds = {kind_of(item) for item in planned}
    if isinstance(value, str) and isinstance(listed := json_in(value), list):
        value = listed
    if isinstance(value, list):
        return [as_planned(item, planned[0]) for item in value] if len(kinds) == 1 else value
    return [value] if kinds == {kind_of(value)} else value


def _read(text: str, planned: Any, otherwise: Any) -> Any:
    if isinstance(planned, bool):
        return _TRUTH.get(text.lower(), otherwise)
    if isinstance(planned, int | float) and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if isinstance(planned, dict) and isinstance(found := json_in(text), dict):
        return as_planned(found, planned)
    return otherwise
