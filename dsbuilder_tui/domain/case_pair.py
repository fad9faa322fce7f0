"""Pairs of cases: a partner differs from its case in one decisive thing, or says the same in other words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator

TAG = "pair"
# Under which a worker says in a few words what was changed, and which kind of change it is where it chose another one.
CHANGED, CHANGE = "changed", "change"
MOST_PARTNERS = 0.5  # of a category: each partner has a case of its own
_WHOLE = 10_000  # shares are counted in hundredths of a per cent, so that they add up exactly
_PER_CENT = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(%|per ?cent|percent)?\s*", re.I)


class PairKind(StrEnum):
    """How a partner stands to its case."""

    CONTRAST = "contrast"  # one decisive thing differs, and with it what is expected
    SAME = "same"  # the words differ, and what is expected does not


PAIR_NAMES = {PairKind.CONTRAST: "contrast pair", PairKind.SAME: "paraphrase pair"}  # to a person


class ContrastChange(StrEnum):
    """The decisive thing in which a contrast partner differs from its case."""

    NEGATION = "negation"
    AMOUNT = "amount"
    DATE = "date"
    RIGHT = "right"  # to what is asked for: it is missing


class PairSide(StrEnum):
    """Which of the two cases of a pair it is."""

    ORIGINAL = "original"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class PlannedPair:
    """What a partner's slot is to be: ``original`` is the ordinal of its case, ``change`` what differs in a contrast."""

    relation: PairKind
    original: int
    change: ContrastChange | None = None


@dataclass(frozen=True, slots=True)
class CasePair:
    """The pair that a case belongs to, as its tags say it.

    ``id`` is the same in both; ``other`` is the id of the other case. ``changed`` says in a few words what differs.
    """

    id: str
    relation: PairKind
    side: PairSide
    other: str
    change: ContrastChange | None = None
    changed: str = ""

    def as_tag(self) -> dict[str, str]:
        """As it stands in a case's tags; what is not known is left out."""
        tag = {"id": self.id, "kind": self.relation.value, "side": self.side.value, "other": self.other}
        if self.change is not None:
            tag["change"] = self.change.value
        return {**tag, "changed": self.changed} if self.changed else tag

    def mirrored(self, own: str) -> CasePair:
        """As the other case has it; ``own`` is the id of this one."""
        side = PairSide.ORIGINAL if self.side is PairSide.PARTNER else PairSide.PARTNER
        return replace(self, side=side, other=own)


def pair_of(tags: Mapping[str, Any]) -> CasePair | None:
    """The pair of a case with these tags; None when it has none, or says it in no way that we know."""
    tag = tags.get(TAG)
    if not isinstance(tag, Mapping):
        return None
    try:
        change = tag.get("change")
        return CasePair(
            id=str(tag["id"]), relation=PairKind(tag["kind"]), side=PairSide(tag["side"]), other=str(tag["other"]),
            change=ContrastChange(change) if change is not None else None, changed=str(tag.get("changed", "")),
        )  # fmt: skip
    except (KeyError, ValueError):
        return None


def _share(value: object) -> object:
    if value is None or value is False or value == "":
        return 0.0
    if isinstance(value, str) and (found := _PER_CENT.fullmatch(value)):
        number = float(found[1].replace(",", "."))
        return _bounded(number / 100 if found[2] or number > 1 else number)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("must be a share of the category's cases; write for example 10 % or 0.1")
    return _bounded(value / 100 if value > 1 else value)


def _bounded(share: float) -> float:
    if not 0 <= share <= MOST_PARTNERS:
        raise ValueError("must be between 0 and 50 %: each partner has a case of its own; write for example 10 %")
    return round(share, 4)


def check_shares(name: str, contrast: float, same: float, *, by_templates: bool) -> None:
    """Raises ``ValueError`` when more cases of a category would be partners than there are cases for them, or when its cases are
    made ``by_templates``, which know of no other case.
    """
    if by_templates and contrast + same:
        raise ValueError(
            f"contrast and same: {name} is written with `mode: templates`, and a partner is written for one case; take either out"
        )
    if contrast + same > MOST_PARTNERS + 1e-9:
        raise ValueError(
            f"contrast and same: {contrast:.0%} and {same:.0%} of {name} — more than half of its cases cannot be partners, since "
            "each has a case of its own; write less"
        )


def _share_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


PairShare = Annotated[float, BeforeValidator(_share)]
ShareText = Annotated[
    str, BeforeValidator(_share_text)
]  # a share as a model gives it; the plan says what is wrong with it


@dataclass(frozen=True, slots=True)
class PairShares:
    """How many of a category's slots are partners, by kind, in hundredths of a per cent. Which slots they are does not
    hang on how many there are.

    Partners are part of the category's count; half a pair is none, so numbers are rounded down.
    """

    contrast: int = 0
    same: int = 0

    @classmethod
    def of(cls, contrast: float, same: float) -> PairShares:
        return cls(round(contrast * _WHOLE), round(same * _WHOLE))

    def __bool__(self) -> bool:
        return self.contrast + self.same > 0

    def partners(self, slots: int) -> int:
        """How many of the first so many slots are partners."""
        return slots * (self.contrast + self.same) // _WHOLE

    def contrasts(self, partners: int) -> int:
        """How many of the first so many partners are contrasts."""
        return -(-partners * self.contrast // (self.contrast + self.same)) if self else 0

    def place(self, partner: int) -> int:
        """The ordinal of the slot of a partner; partners count from 1. 0 for partner 0."""
        return -(-partner * _WHOLE // (self.contrast + self.same)) if partner else 0

    def counts(self, slots: int) -> dict[PairKind, int]:
        """How many partners of each kind a category of so many slots has; kinds without any are left out."""
        partners = self.partners(slots)
        contrasts = self.contrasts(partners)
        found = {PairKind.CONTRAST: contrasts, PairKind.SAME: partners - contrasts}
        return {kind: number for kind, number in found.items() if number}
