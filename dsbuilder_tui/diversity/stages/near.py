"""The stage that finds texts of nearly the same words and word pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsbuilder_tui.diversity.answer import Match, Score
from dsbuilder_tui.diversity.comparing_stage import ComparingStage
from dsbuilder_tui.diversity.inquiry import SUBJECT, Inquiry


@dataclass(frozen=True, slots=True, kw_only=True)
class NearStage(ComparingStage):
    """The share of words and word pairs that two masked texts have in common, counted. Its threshold is ``Rules.near_for``."""

    def match(self, name: str, inquiry: Inquiry) -> Match | None:
        shared = inquiry.shared
        if not len(shared) or not len(inquiry.tokens):
            return None
        rows = inquiry.rows
        shared = shared[rows["count"][shared] > 0]
        if not len(shared):
            return None
        counts = rows["count"][shared].astype(np.int64)
        theirs = inquiry.file.tokens_of(shared)
        at = np.minimum(np.searchsorted(inquiry.tokens, theirs), len(inquiry.tokens) - 1)
        both = np.add.reduceat((inquiry.tokens[at] == theirs).astype(np.int64), np.cumsum([0, *counts[:-1]]))
        scores = np.round(both / (counts + len(inquiry.tokens) - both), 4)
        shorter = np.minimum(rows["words"][shared], inquiry.own["words"])
        for place in np.lexsort((-shared, -scores)):
            row, score = int(shared[place]), float(scores[place])
            threshold = inquiry.rules.near_for(int(shorter[place]))
            if inquiry.is_paired(row):
                continue
            if differs := inquiry.differs(row):
                if score >= threshold:
                    inquiry.flag("contrast", row, name, score, differs)
                continue
            if score >= threshold and inquiry.is_elsewhere(row):
                inquiry.flag("contrast", row, name, score, (SUBJECT,))
                continue
            if inquiry.near is None:
                inquiry.near = Score(row, score)
            if score >= threshold:
                return Match(row, name, score, threshold, f"{score:.0%} of its words and word pairs are the same")
            if score < inquiry.rules.near_for(0):
                break
        return None


STAGE = NearStage(label="shared words", meaning="The two share too many words and word pairs.")
