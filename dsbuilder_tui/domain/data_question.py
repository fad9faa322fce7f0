"""Questions about a session's data, typed and bounded, and their answers: one form for person, agent and Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.judging import Judgement

MOST_ROWS = 20


class DataSubject(StrEnum):
    """What a question is about."""

    CASES = "cases"  # accepted ones
    CASE = "case"  # one of them, by its id or number
    OPEN = "open"  # slots that are still to be written
    EXHAUSTED = "exhausted"  # slots given up
    REJECTED = "rejected"  # candidates turned away
    REPEATS = "repeats"  # what is alike: inputs that stand twice, close cases, repeats turned away
    COVERAGE = "coverage"  # how full categories or axis values are, against the plan
    CAUSE = "cause"  # why a category, or a value of an axis in it, is empty or thin
    LENGTH = "length"  # words of the cases: the average, the longest, the shortest
    COMPARISON = "comparison"  # categories, or values of one axis, side by side
    VARIETY = "variety"  # how different the cases are
    CHANGES = "changes"  # what was done to the session, and what came, since some time
    EXPECTATIONS = "expectations"  # which keys the cases have, and which are missing
    CALLS = "calls"  # of workers: how they ended, what failed, what is in flight
    COST = "cost"
    TIME = "time"  # how long it ran and will run
    MODELS = "models"
    CHECKPOINTS = "checkpoints"
    FILES = "files"  # where the session lies, and what was exported


class DataGroup(StrEnum):
    """What the counts of an answer are split by."""

    CATEGORY = "category"
    ATTRIBUTE = "attribute"  # by the values of ``axis``
    STAGE = "stage"
    SOURCE = "source"
    FLAG = "flag"
    VERDICT = "verdict"
    KIND = "kind"
    MODEL = "model"


class DataOrder(StrEnum):
    """In which order the rows of an answer come; the first one is what a superlative asks for."""

    PLAN = "plan"  # as the plan has them
    MOST = "most"
    LEAST = "least"
    NEWEST = "newest"  # the cases or rejections themselves
    OLDEST = "oldest"  # the cases themselves, the first one first


class CaseMark(StrEnum):
    """Marks that a case can bear: a person's, and what came of comparing and of evaluations."""

    PINNED = "pinned"
    NOTED = "noted"
    EDITED = "edited"
    REVIEWED = "reviewed"
    FLAGGED = "flagged"  # any of the next three
    CONTRAST = "contrast"
    CONTRADICTION = "contradiction"
    SIMILAR = "similar"
    EASY = "easy"


_GROUPS: Mapping[DataSubject, tuple[DataGroup, ...]] = {
    DataSubject.CASES: tuple(group for group in DataGroup if group is not DataGroup.STAGE),
    DataSubject.OPEN: (DataGroup.CATEGORY,),
    DataSubject.EXHAUSTED: (DataGroup.CATEGORY,),
    DataSubject.REJECTED: (DataGroup.CATEGORY, DataGroup.STAGE),
    DataSubject.COVERAGE: (DataGroup.CATEGORY, DataGroup.ATTRIBUTE),
    DataSubject.COST: (DataGroup.CATEGORY, DataGroup.MODEL),
    DataSubject.TIME: (DataGroup.CATEGORY,),
    DataSubject.LENGTH: (DataGroup.CATEGORY, DataGroup.ATTRIBUTE),
    DataSubject.COMPARISON: (DataGroup.CATEGORY, DataGroup.ATTRIBUTE),
}
_OF_CASES = ("mark", "verdict", "kind", "lacking")
_WITH_VALUES = frozenset({DataSubject.CASES, DataSubject.LENGTH, DataSubject.CAUSE})
_NOT_IN_CATEGORY = frozenset(
    {DataSubject.CASE, DataSubject.MODELS, DataSubject.CHECKPOINTS, DataSubject.FILES, DataSubject.CHANGES}
)
_IN_CATEGORY = frozenset(DataSubject) - _NOT_IN_CATEGORY


class DataQuestion(BaseModel):
    """What / filter / group by / order / limit. No text of it is ever run: every part is a name or a value that is compared."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    what: DataSubject
    case: str = Field("", max_length=120)
    """Such as refunds-00012, #12 (in a category), or 143 (of the list)."""
    category: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict, max_length=8)
    """Axis: value, such as {"tone": "angry"}."""
    text: str = Field("", max_length=200)
    """Words that must be in it."""
    mark: CaseMark | None = None
    """A person's, or of comparing and evaluations."""
    verdict: Judgement | None = None
    """Of the judge."""
    kind: CaseKind | None = None
    """Of case."""
    batch: int | None = Field(None, ge=1)
    """Of calls: what happened to it."""
    lacking: str = Field("", max_length=120)
    """A key of the expectations that is missing."""
    stage: str = Field("", max_length=60)
    """Of rejections."""
    over: int | None = Field(None, ge=0, le=1_000_000)
    """Of length: only cases of more words."""
    under: int | None = Field(None, ge=1, le=1_000_000)
    """Of length: of fewer."""
    between: tuple[str, ...] = Field((), max_length=8)
    """Of comparison: names, of one kind."""
    since: str = Field("", max_length=60)
    """Of changes: such as yesterday, 2 hours ago, checkpoint."""
    by: DataGroup | None = None
    """What the counts are split by."""
    axis: str = Field("", max_length=120)
    """With `by` attribute."""
    order: DataOrder = DataOrder.PLAN
    """Of the rows; newest and oldest give cases themselves (of length: most, least), newest rejections too."""
    limit: int = Field(10, ge=1, le=MOST_ROWS)

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        what = self.what
        if self.by is not None and self.by not in _GROUPS.get(what, ()):
            known = ", ".join(_GROUPS.get(what, ())) or "nothing"
            raise ValueError(f"{what.value} cannot be split by {self.by.value}, but by {known}")
        if (self.by is DataGroup.ATTRIBUTE) != bool(self.axis):
            raise ValueError("`axis` names the axis where `by` is attribute, and only there")
        if bool(self.case) != (what is DataSubject.CASE):
            raise ValueError("`case` names the one that is asked for where `what` is case, and only there")
        given = [name for name in _OF_CASES if getattr(self, name)]
        if given and what is not DataSubject.CASES:
            raise ValueError(f"{', '.join(given)} filter cases, not {what.value}")
        if self.attributes and what not in _WITH_VALUES:
            raise ValueError(f"attributes filter cases, length and cause, not {what.value}")
        if (self.over is not None or self.under is not None) and what is not DataSubject.LENGTH:
            raise ValueError(f"over and under are numbers of words, of length, not of {what.value}")
        if self.between and what is not DataSubject.COMPARISON:
            raise ValueError(f"between names what is compared, not {what.value}")
        if self.since and what is not DataSubject.CHANGES:
            raise ValueError(f"since is a time for changes, not for {what.value}")
        if self.text and what not in (DataSubject.CASES, DataSubject.REJECTED):
            raise ValueError(f"text filters cases and rejected, not {what.value}")
        if self.stage and what is not DataSubject.REJECTED:
            raise ValueError(f"stage filters rejected, not {what.value}")
        if self.batch is not None and what is not DataSubject.CALLS:
            raise ValueError(f"batch names one of the calls, not of {what.value}")
        if self.category is not None and what not in _IN_CATEGORY:
            raise ValueError(f"{what.value} is not told by category")
        return self

    def arguments(self) -> dict[str, Any]:
        """What was asked, JSON-ready, without what is as usual."""
        return self.model_dump(mode="json", exclude_defaults=True)


@dataclass(frozen=True, slots=True)
class DataRow:
    """One line of an answer: a count, where it makes sense ``of`` how many, or another measure in ``words``."""

    name: str
    count: int
    of: int | None = None
    words: str = ""


class DataPlace(StrEnum):
    """Where a person sees what an answer counts."""

    CASES = "cases"
    COVERAGE = "coverage"
    CHECKPOINTS = "checkpoints"
    REJECTED = "rejected"
    WORKERS = "workers"
    SETTINGS = "settings"
    NOWHERE = ""


@dataclass(frozen=True, slots=True)
class DataAnswer:
    """``said`` is the answer in a sentence or two; ``rows`` its numbers, of which ``left_off`` more are not given.

    ``place`` is where they are seen, found there by ``words``.
    """

    said: str
    rows: tuple[DataRow, ...] = ()
    left_off: int = 0
    place: DataPlace = DataPlace.NOWHERE
    words: str = ""
