"""Flags of an accepted case: which earlier one it came close to, and why both are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The most serious first. What stands for each where there is little room.
FLAG_MARKS = {"contradiction": "≠", "contrast": "±", "similar": "≈"}
FLAGS = "flags"  # the tag under which they stand
# The tag of a case of whose text the embedding model takes only the beginning: so many characters of it were compared.
COMPARED_BEGINNING = "compared_beginning"
_DIFFERS = {
    "quantity": "the quantity", "negation": "the negation", "direction": "the direction", "entity": "what it is about",
    "request": "what is asked for", "expectations": "the expectations",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CaseFlag:
    """``kind``: contrast (kept apart from ``case_id`` although close), contradiction (the same text, other expectations),
    similar (close, and below the threshold). ``differs`` names what kept them apart; ``score`` is from 0 to 1.
    """

    kind: str
    case_id: str
    stage: str = ""
    score: float | None = None
    differs: tuple[str, ...] = ()


def flags_of(tags: Mapping[str, Any]) -> tuple[CaseFlag, ...]:
    """The flags in a case's tags, the most serious first. Tags may come from any file: what is no flag is passed over."""
    given = tags.get("flags")
    found = []
    for one in given if isinstance(given, list) else []:
        if not isinstance(one, Mapping) or str(one.get("kind")) not in FLAG_MARKS or not one.get("case_id"):
            continue
        score, differs = one.get("score"), one.get("differs")
        found.append(
            CaseFlag(
                one["kind"],
                str(one["case_id"]),
                str(one.get("stage") or ""),
                score if isinstance(score, int | float) and not isinstance(score, bool) else None,
                tuple(str(word) for word in differs) if isinstance(differs, list | tuple) else (),
            )
        )
    return tuple(sorted(found, key=lambda flag: list(FLAG_MARKS).index(flag.kind)))


def flag_words(flag: CaseFlag) -> str:
    """A flag as a sentence. Foreign text in it is not made visible."""
    if flag.kind == "contradiction":
        return f"Contradiction: {flag.case_id} has the same text with other expectations."
    close = ", ".join(part for part in (f"{flag.score:.2f}" if flag.score is not None else "", flag.stage) if part)
    near = f"Close to {flag.case_id}" + (f" ({close})" if close else "")
    if flag.kind == "similar":
        return f"{near}, though not close enough to be a repeat."
    differs = [_DIFFERS.get(word, word) for word in flag.differs]
    if not differs:
        return f"{near} but kept."
    listed = differs[0] if len(differs) == 1 else f"{', '.join(differs[:-1])} and {differs[-1]}"
    return f"{near} but kept: {listed} differ{'s' if len(differs) == 1 else ''}."
