"""A point of a session's history as somebody means it: by its number, its name, its cases, a change, or a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPoint:
    """One of these says which checkpoint is meant; the others are None.

    ``cases``: the last one with at most so many. ``before_change``: the one before this category was last changed in the
    plan, "" for any change. ``when``: the last one up to a time in words, as ``domain.moment_words`` reads them.
    """

    checkpoint: int | None = None
    name: str | None = None
    cases: int | None = None
    before_change: str | None = None
    when: str | None = None
