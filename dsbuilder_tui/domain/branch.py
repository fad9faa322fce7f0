"""Branches of a session's history, and why checkpoints and branches come to be."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dsbuilder_tui.domain.case import Checkpoint, runs
from dsbuilder_tui.domain.plain_words import counted

_MOST_RUNS = 20


class CheckpointCause(StrEnum):
    """Why a checkpoint was written."""

    ASKED = "asked"
    BEFORE_MERGE = "before_merge"
    BEFORE_REWIND = "before_rewind"
    BEFORE_SWITCH = "before_switch"
    FINISH = "finish"
    IMPORT = "import"
    INTERVAL = "interval"
    MERGE = "merge"
    PAUSE = "pause"
    PLAN = "plan"
    SETTINGS = "settings"


class BranchCause(StrEnum):
    """Why there is a branch."""

    BEGUN = "begun"  # it is the one that the session began with
    FORK = "fork"
    REWIND = "rewind"  # it holds what a rewind has left behind
    UNDO = "undo"  # the same of an undone act


_BEGUN = {
    BranchCause.BEGUN: "begun",
    BranchCause.FORK: "forked",
    BranchCause.REWIND: "left behind by going back",
    BranchCause.UNDO: "left behind by an undo",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One line of a session's history.

    ``current`` is true for the one that is worked on. ``accepted`` and ``planned`` count its cases; ``tip`` is its newest
    checkpoint, and ``begun_at`` the one at which it left another branch, each None where there is none.
    """

    id: int
    name: str
    cause: BranchCause
    current: bool
    accepted: int
    planned: int
    created_at: float
    tip: int | None
    begun_at: int | None


def branch_words(branch: Branch) -> str:
    """``main-1: 273 of 500 cases, left behind by going back at checkpoint 4``"""
    begun = "" if branch.begun_at is None else f", {_BEGUN[branch.cause]} at checkpoint {branch.begun_at}"
    here = " (here)" if branch.current else ""
    return f"{branch.name}{here}: {branch.accepted:,} of {counted(branch.planned, 'case')}{begun}"


@dataclass(frozen=True, slots=True)
class HeadLine:
    """The line that the present branch stands on: the places in the history behind which each of its pieces begins, growing, and
    the names of the branches that those belong to."""

    starts: Sequence[int]
    names: Sequence[str]

    def branch_of(self, seq: int) -> str:
        """The branch on which what has this place in the history came."""
        return self.names[max(0, bisect_left(self.starts, seq) - 1)]


def numbers_there(numbers: Sequence[int]) -> str:
    """The numbers of the checkpoints that there are, growing, in words: ``There are: 1–7, 9.``"""
    if not numbers:
        return "There is none yet."
    found = [f"{first}" if first == last else f"{first}–{last}" for first, last in runs(numbers)]
    return f"There are: {', '.join(found[-_MOST_RUNS:])}."


def line_to(points: Iterable[Checkpoint], tip: int | None) -> list[Checkpoint]:
    """The line that leads to a checkpoint, from its beginning, or from the first one of it that is among ``points``."""
    known, line = {point.id: point for point in points}, list[Checkpoint]()
    while tip in known:
        line.append(known[tip])
        tip = known[tip].before
    return line[::-1]
