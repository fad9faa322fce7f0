"""The stage that finds texts that say the same in other words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsbuilder_tui.diversity.answer import Match, Score
from dsbuilder_tui.diversity.comparing_stage import ComparingStage
from dsbuilder_tui.diversity.inquiry import Inquiry


@dataclass(frozen=True, slots=True, kw_only=True)
class SemanticStage(ComparingStage):
    """The cosine of two embeddings. Its threshold is ``Rules.semantic``; from ``Rules.similar`` on a case is flagged."""

    def match(self, name: str, inquiry: Inquiry) -> Match | None:
        index = inquiry.scope.signs
        if index is None or inquiry.signs is None or not inquiry.vector.any():
            return None
        candidates, scores = inquiry.closest(index)
        inquiry.nearest = float(scores.max(initial=-1.0))
        rules = inquiry.rules
        for place in np.lexsort((-candidates, -scores)):
            row, score = int(candidates[place]), min(1.0, float(scores[place]))
            if score < rules.similar:
                if inquiry.semantic is None:
                    inquiry.semantic = Score(row, score)
                break
            if inquiry.is_paired(row):
                continue
            if differs := inquiry.differs(row):
                if score >= rules.semantic:
                    inquiry.flag("contrast", row, name, score, differs)
                continue
            if inquiry.semantic is None:
                inquiry.semantic = Score(row, score)
            if score >= rules.semantic:
                return Match(row, name, score, rules.semantic, f"it says the same in other words ({score:.2f})")
            inquiry.flag("similar", row, name, score)
            break
        return None


STAGE = SemanticStage(label="semantic similarity", meaning="The two mean the same in other words.", tells_more=False)
