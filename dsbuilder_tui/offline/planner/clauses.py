"""One message as single wishes, and the plan as the wishes of a message change it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from dsbuilder_tui.offline.planner.modifiers import JOIN, joined_values
from dsbuilder_tui.offline.planner.naming import forms

_MOST_CLAUSES = 100

_SEPARATOR = re.compile(
    r"[;\n!?]|\.(?=\s|$)|,(?!\s*for example)|\b(?:and|then|but|also)\b(?=\s+(?:then|also|add|remove|drop|"
    r"delete|rename|make|set|double|triple|halve|"
    r"reduce|lower|increase|raise|change|call|pause|stop|start|run|show|preview|export|save|use|turn|resume|"
    r"continue|finish|finalize|judge|swap|merge|combine|split|move(?= \d)|\d))",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r"\b(?:split|divide|break) [^,.;\n!?]{1,80} into [^.;\n!?]+", re.IGNORECASE
)  # its list is of new names
_OPENING = re.compile(
    r"^(?:(?:please|ok|okay|now|then|also|and|can you|could you|would you|i want to|i'd like to|let's|let us|we should|"
    r"i'd rather|i would rather|i'd prefer(?: to)?|can we|could we|may we|actually|"
    r"just|maybe),? )+",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"(?<![\s,])[\s,]*+(?:please|thanks|thank you|too|as well|instead|now)?[\s.!]*+$", re.IGNORECASE)


@dataclass(slots=True)
class PlanChanges:
    """What was understood, on a working copy of the plan; ``problem`` is a question or a refusal in words."""

    plan: dict[str, Any]
    rename: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    problem: str = ""
    done: bool = False
    adds: bool = False  # the clause before said "add", which holds for a count that follows
    last: int | None = None  # the category spoken of last
    whole: dict[str, int] = field(default_factory=dict)  # the counts before shares were set apart
    mixed: Fraction = Fraction(0)  # what those shares come to
    rewrites: bool = False  # how cases are written is changed, which accepted ones are already

    @property
    def categories(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.plan["categories"]
        return found

    @property
    def names(self) -> list[str]:
        return [category["name"] for category in self.categories]


def clauses(said: str, names: Sequence[str] = ()) -> list[str]:
    """A message cut where one wish ends and the next begins; a list of ``names`` stays with what it belongs to."""
    said = joined_values(_SPLIT.sub(lambda found: found.group().replace(",", " &"), said))
    parts = [
        part.replace(JOIN, "and").strip()
        for part in _SEPARATOR.split(said)[:_MOST_CLAUSES]
        if part and part.strip(" .,:")
    ]
    if not names or len(parts) < 2:
        return parts
    name = f"(?:(?:the )?(?:{'|'.join(forms(one) for one in names[:_MOST_CLAUSES])}))"
    only_names = re.compile(rf"(?:and )?{name}(?: ?(?:and|&|,) ?{name})*", re.IGNORECASE)
    kept: list[str] = []
    for part in parts:
        if kept and only_names.fullmatch(part):
            kept[-1] += f", {part}"
        else:
            kept.append(part)
    return kept


def without_courtesy(clause: str) -> str:
    """A wish without "could you" and "please"."""
    clause = re.sub(r" (?:instead of|rather than|not) \d+(?: cases)?$", "", clause.strip())
    return _CLOSING.sub("", _OPENING.sub("", clause.strip()))
