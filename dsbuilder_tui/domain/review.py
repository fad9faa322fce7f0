"""Review: the cases that deserve a person's look, why each does, and what the person decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dsbuilder_tui.domain.case import case_id
from dsbuilder_tui.domain.judging import Judgement

REVIEWED = "reviewed"  # the tag of a case that a person has looked at and let stand
DEFAULT_QUEUE, MOST_QUEUE = 40, 500  # cases of a queue


class ReviewReason(StrEnum):
    """Why a case deserves a look. Those that deserve it most come first."""

    CONTRADICTION = "contradiction"  # the same text as an earlier case, with other expectations
    JUDGED_BAD = "judged_bad"
    NEAR_MISS = "near_miss"  # just below the score from which it would have been a repeat
    CONTRAST = "contrast"  # kept apart from a case that it is close to
    UNSURE = "unsure"  # a critique or a revision of it came to no good end
    REWRITTEN = "rewritten"  # its slot was turned away several times before
    EDITED = "edited"  # changed by hand after it was accepted, when nobody has looked at it since
    NOT_JUDGED = "not_judged"  # the judge gave no verdict of use
    SAMPLE = "sample"  # drawn at random


class ReviewDecision(StrEnum):
    """What a person decided about a case."""

    KEPT = "kept"
    REJECTED = "rejected"
    EDITED = "edited"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """A case to be looked at. ``seq`` is its place in the history.

    ``other`` is the id of the case that it is close to, ``score`` how close (0 to 1), ``stage`` the stage that compared
    them, ``threshold`` from where that turns a case away; ``attempts`` is how often its slot was turned away before.
    """

    seq: int
    category: str
    ordinal: int
    reason: ReviewReason
    other: str = ""
    stage: str = ""
    score: float | None = None
    threshold: float | None = None
    attempts: int = 0

    @property
    def case_id(self) -> str:
        return case_id(self.category, self.ordinal)


@dataclass(frozen=True, slots=True)
class ReviewQueue:
    """What is to be looked at, in order. ``reviewed`` counts the cases that a person has looked at before, ``skipped`` those
    that were put off and are not in it.
    """

    items: Sequence[ReviewItem] = ()
    reviewed: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLabel:
    """A person's decision. ``note`` is what they said of it, ``judged`` what the judge had found, ``who`` the account of
    the person, ``decided_at`` in seconds since the epoch.
    """

    seq: int
    category: str
    ordinal: int
    decision: ReviewDecision
    reason: ReviewReason
    judged: Judgement | None = None
    note: str = ""
    who: str = ""
    decided_at: float = 0.0

    @property
    def case_id(self) -> str:
        return case_id(self.category, self.ordinal)

    @property
    def agrees(self) -> bool | None:
        """Whether the judge thought as the person does; None when one of the two has said nothing."""
        if self.decision is ReviewDecision.SKIPPED or self.judged not in (Judgement.GOOD, Judgement.BAD):
            return None
        return (self.decision is ReviewDecision.KEPT) == (self.judged is Judgement.GOOD)


@dataclass(frozen=True, slots=True)
class ReviewTally:
    """Decisions, counted. ``agreed`` of the ``judged`` ones are as the judge found."""

    labels: Sequence[ReviewLabel] = ()

    def of(self, decision: ReviewDecision) -> int:
        """How many decisions are of this kind."""
        return sum(label.decision is decision for label in self.labels)

    @property
    def judged(self) -> int:
        return sum(label.agrees is not None for label in self.labels)

    @property
    def agreed(self) -> int:
        return sum(label.agrees is True for label in self.labels)
