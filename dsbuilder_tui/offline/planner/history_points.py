"""Points of a session's history in words: “the 100th case”, “before I changed refunds”, “yesterday evening”."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from dsbuilder_tui.domain.history_point import HistoryPoint
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.naming import bare_phrase, forms, slug

_QUOTES = "\"'“”«»` "


def point_in_words(words: str, categories: Sequence[str]) -> HistoryPoint | None:
    """The point that is meant; None for what names none, and for a change of what is no category."""
    found = intent_table().phrase("history_point").fullmatch(" ".join(words.split()))
    return None if found is None else point_from(found.groupdict(), categories, str)


def point_from(
    said: Mapping[str, str | None], categories: Sequence[str], full: Callable[[str], str]
) -> HistoryPoint | None:
    """The point that the groups of the pattern ``point`` mean; None for a change of what is no category. ``full`` gives the
    words behind what stands masked in a group."""
    if number := said.get("c") or said.get("only"):
        return HistoryPoint(checkpoint=int(number))
    if name := said.get("name"):
        return HistoryPoint(name=full(name).strip(_QUOTES))
    if when := said.get("when"):
        return HistoryPoint(when=full(when))
    if number := next((said[name] for name in "nmk" if said.get(name)), None):
        return HistoryPoint(cases=int(number))
    what = changed_thing(said)
    if not what or intent_table().phrase("whole_plan").fullmatch(what):
        return HistoryPoint(before_change="")
    name = category_in(full(what), categories)
    return None if name is None else HistoryPoint(before_change=name)


def changed_thing(said: Mapping[str, str | None]) -> str:
    """What the pattern ``point`` says was changed, empty where it does not."""
    return said.get("what") or said.get("of") or ""


def category_in(words: str, categories: Sequence[str]) -> str | None:
    """The category that words name, or the longest one that stands in them."""
    phrase = bare_phrase(words)
    for name in categories:
        if phrase and (re.fullmatch(forms(name), phrase, re.IGNORECASE) or slug(phrase) == slug(name)):
            return name
    longest_first = sorted(categories, key=len, reverse=True)
    return next((name for name in longest_first if re.search(forms(name), words, re.IGNORECASE)), None)
