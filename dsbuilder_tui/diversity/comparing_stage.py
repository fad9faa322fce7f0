"""A comparing stage: one way to see that a case repeats an admitted one."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from dsbuilder_tui.diversity.answer import Match
from dsbuilder_tui.diversity.inquiry import Inquiry
from dsbuilder_tui.diversity.text_index import TextIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparingStage(ABC):
    """A row of the registry ``dsbuilder.stages``; settings and plans name it by the row's name.

    Attributes:
        label: what its score measures, in two words: ``shared words``.
        meaning: what it means to be turned away by it, as a sentence: ``The two share too many words and word pairs.``
        tells_more: whether the reason of a rejection says more than ``meaning``.
    """

    label: str
    meaning: str
    tells_more: bool = True

    @abstractmethod
    def match(self, name: str, inquiry: Inquiry) -> Match | None:
        """The admitted case that the text repeats; None when it is new to this stage. ``name`` is the row's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStage(ComparingStage):
    """A stage that goes by the texts themselves; those of plug-ins are such. It judges after the built-in ones.

    Attributes:
        threshold: the score (above 0, up to 1) from which a case is a repeat, where neither plan nor settings say another.
        make: makes the empty index of a scope.
        guarded: whether cases that differ in something that matters (a quantity, a negation, their expectations …) are
            kept apart and flagged as contrasts, as the other stages do.
    """

    threshold: float
    make: Callable[[], TextIndex]
    guarded: bool = True

    def match(self, name: str, inquiry: Inquiry) -> Match | None:
        """As ``ComparingStage.match``. Raises what its index raises, and ``ValueError`` for an answer that is none."""
        threshold = inquiry.rules.thresholds.get(name, self.threshold)
        for row, score in inquiry.scope.texts[name].nearest(inquiry.case):
            score = round(float(score), 4)
            if not (math.isfinite(score) and 0 <= score <= 1):
                raise ValueError(f"it gave the score {score}, which is not from 0 to 1")
            if score < threshold:
                break
            if not inquiry.counts(row):  # outside of the window
                continue
            if self.guarded and (differs := inquiry.differs(row)):
                inquiry.flag("contrast", row, name, score, differs)
                continue
            return Match(row, name, score, threshold, f"{self.label} ({score:.2f})")
        return None
