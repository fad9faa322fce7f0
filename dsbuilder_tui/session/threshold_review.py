"""Past decisions held against another threshold."""

from __future__ import annotations

import math
from collections.abc import Hashable

from dsbuilder_tui.diversity.thresholds import SHORT_WORDS, Rules, rules_for
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.domain.whatif import LIKENESS_STAGES, Scores, WhatIf
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.decision_scores import Measure

MOST_FLIPS = 200


class ThresholdReview:
    """Looks back with another threshold. Nothing is decided anew by it."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._scores_of: tuple[Hashable, Scores] | None = None

    def threshold(self, stage: str, category: str | None = None) -> float:
        """The score (0 to 1) from which a case is a repeat now: in a category, or where none sets its own."""
        known = next((c for c in self._context.plan.categories if c.name == category), None)
        rules = rules_for(self._context.config, known)
        return rules.near if stage == Stage.NEAR else rules.semantic

    async def what_if(
        self, stage: str, threshold: float, *, category: str | None = None, most: int = MOST_FLIPS
    ) -> WhatIf:
        """What another threshold (0 to 1) for a stage would have meant for what was decided so far.

        Rejections count by their score, whatever threshold they failed; accepted cases that a guard kept apart do not
        count. ``most`` bounds the decisions that are named, of each kind. Raises ``InputError`` for a stage without a
        threshold, or a threshold that is none.
        """
        asked = next((one for one in LIKENESS_STAGES if one == stage), None)
        if asked is None:
            raise InputError(f"The stage {stage!r} has no threshold.", f"Choose {' or '.join(LIKENESS_STAGES)}.")
        if not (math.isfinite(threshold) and 0 < threshold <= 1):
            raise InputError(f"{threshold} is not a threshold.", "It lies between 0 and 1, such as 0.92.")
        store = self._context.files.store
        threshold = round(threshold, 4)
        short = Rules(near=threshold).near_for(0) if asked is Stage.NEAR else threshold
        measure = Measure(asked, threshold, short, SHORT_WORDS)
        passing, passes = await store.scores.passing(measure, category, max(0, most))
        falling, falls = await store.scores.falling(measure, category, max(0, most))
        # They are the same for every threshold, and the only ones that take long.
        key = (asked, category, store.seq)
        if self._scores_of is None or self._scores_of[0] != key:
            self._scores_of = key, await store.scores.scores(asked, category)
        scores = self._scores_of[1]
        return WhatIf(
            stage=asked,
            threshold=threshold,
            category=category,
            passing=passing,
            rejected=sum(scores.rejected),
            falling=falling,
            accepted=sum(scores.accepted),
            passes=tuple(passes),
            falls=tuple(falls),
            scores=scores,
        )
