"""Mentions of the plan's parts in a sentence: its categories, the values of its axes, and single cases."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dsbuilder_tui.offline.planner.naming import forms, slug

_HIGHEST = 10**9
_WORD = r"(?:case|example|number|no\.?|nr\.?|item|row|record|test|question)"
_NUMBER = re.compile(
    rf"(?:the )?(?:{_WORD}(?: (?:number|no\.?|nr\.?))? ?)?(?P<mark>#)?(?P<number>\d{{1,15}})(?P<place>st|nd|rd|th)?"
    rf"(?: {_WORD}| one)?",
    re.IGNORECASE,
)
_OF_CATEGORY = re.compile(
    rf"(?:the |case )?(?P<category>\w(?:[\w ]*?\w)?)(?P<between>-| ?# ?| {_WORD} (?:number )?#?| )(?P<slot>\d{{1,9}})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mentioned:
    """What a text names: the longest category, the values by axis in the text's order, and what is left of it without them."""

    category: str = ""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rest: str = ""

    @property
    def alone(self) -> dict[str, str]:
        """The values of axes of which no more than one is named."""
        return {axis: named[0] for axis, named in self.values.items() if len(named) == 1}


class PlanMentions:
    """Finds the parts of one plan."""

    def __init__(self, names: Sequence[str], axes: Mapping[str, Sequence[str]]) -> None:
        self.names, self.axes = names, axes

    def find(self, text: str) -> Mentioned:
        """What of the plan a text names."""
        category, values = "", dict[str, list[str]]()
        for name in sorted(self.names, key=len, reverse=True):
            if (at := re.search(forms(name), text, re.IGNORECASE)) is not None:
                category, text = name, f"{text[: at.start()]} {text[at.end() :]}"
                break
        pairs = [(axis, value) for axis, known in self.axes.items() for value in known if slug(value)]
        for axis, value in sorted(pairs, key=lambda pair: -len(pair[1])):
            if (at := re.search(f"{forms(value)}(?! of)", text, re.IGNORECASE)) is not None:
                values.setdefault(axis, []).append(value)
                text = f"{text[: at.start()]} {text[at.end() :]}"
        return Mentioned(category, {axis: tuple(found) for axis, found in values.items()}, " ".join(text.split()))

    def category(self, text: str) -> str | None:
        """The category that a text is the name of."""
        plain = re.sub(r"^(?:the|our|my|your|all) ", "", text.strip(), flags=re.IGNORECASE)
        return next((name for name in self.names if re.fullmatch(forms(name), plain, re.IGNORECASE)), None)

    def value(self, text: str) -> tuple[str, str] | None:
        """Axis and value that a text is the name of: “angry”, “the angry ones”."""
        plain = re.sub(r"^(?:the|in|all|only) |(?: (?:ones?|cases?|1))$", "", text.strip(), flags=re.IGNORECASE)
        pairs = ((axis, value) for axis, known in self.axes.items() for value in known if slug(value))
        return next((pair for pair in pairs if re.fullmatch(forms(pair[1]), plain, re.IGNORECASE)), None)

    def case(self, text: str, *, bare: bool = True) -> str | None:
        """The case that a text is the name of, as ``ask_data`` takes it: ``#143``, ``143`` of the list, or an id.

        Without ``bare`` a category with a number behind it (“refunds 12”) is none: it may be how many there are to be.
        """
        text = text.strip()
        if (found := _NUMBER.fullmatch(text)) is not None:
            return f"#{found['number']}" if found["mark"] else found["number"]
        found = _OF_CATEGORY.fullmatch(text)
        if found is None or (not bare and found["between"] == " "):
            return None
        name = self.category(found["category"]) or next(
            (one for one in self.names if slug(one) == slug(found["category"])), None
        )
        return f"{name}-{int(found['slot']):05d}" if name is not None and int(found["slot"]) < _HIGHEST else None
