"""Another threshold, tried on what was decided already: which decisions it would turn around."""

from __future__ import annotations

from dataclasses import dataclass

from dsbuilder_tui.domain.stage import Stage

LIKENESS_STAGES = (Stage.NEAR, Stage.SEMANTIC)  # those that have a threshold to move
STEPS = 100  # columns of the histogram: a score of 0.94 stands in column 94


@dataclass(frozen=True, slots=True)
class Flip:
    """A decision that would be another one. ``score`` (0 to 1) is its likeness to the case ``nearest_case_id``.

    For a rejection ``threshold`` is the one that it failed; for an accepted case it is None. ``seq`` is its place in the
    history.
    """

    seq: int
    category: str
    ordinal: int
    text: str
    score: float
    threshold: float | None
    nearest_seq: int | None
    nearest_case_id: str | None


@dataclass(frozen=True, slots=True)
class Scores:
    """How many rejections of a stage, and how many accepted cases, have which score: one number for each hundredth."""

    rejected: tuple[int, ...] = (0,) * STEPS
    accepted: tuple[int, ...] = (0,) * STEPS


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a ``threshold`` (0 to 1) for a stage would have meant, in one category or (None) in all of them.

    ``passing`` of ``rejected`` rejections would have got past this stage, the next one might still have turned them away;
    ``falling`` of ``accepted`` cases would have been turned away. Cases that a guard keeps apart are in neither.
    ``passes`` and ``falls`` hold the first of them, the nearest to the threshold first.
    """

    stage: Stage
    threshold: float
    category: str | None
    passing: int
    rejected: int
    falling: int
    accepted: int
    passes: tuple[Flip, ...]
    falls: tuple[Flip, ...]
    scores: Scores
