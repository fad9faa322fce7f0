"""How categories are told apart: a colour and a shape each, by its place in the plan."""

from __future__ import annotations

_MARKS = "●▲■◆✚★"
_ROLES = ("accent", "warn", "info", "good", "bad", "strong")


def role_of(number: int) -> str:
    """The colour of a category by its number; its shape is that of ``mark_of``."""
    return _ROLES[number % len(_ROLES)]


def mark_of(number: int) -> str:
    """The shape of a category by its number."""
    return _MARKS[number % len(_MARKS)]
