"""The agreement of a judge with a person, over the cases on which both have said something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line

_EXAMPLE_LENGTH, _MOST_EXAMPLES = 300, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLabel:
    """What a person decided about a case that the judge has read: kept or pinned (good), edited or taken out (bad)."""

    case_id: str
    text: str
    judged_good: bool
    person_good: bool
    reason: str  # the judge's

    @property
    def agrees(self) -> bool:
        return self.judged_good == self.person_good


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a judge and a person agree; one label for each case, the last."""

    labels: Sequence[PersonLabel] = ()

    @property
    def disagreements(self) -> list[PersonLabel]:
        return [label for label in self.labels if not label.agrees]

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: 1 when they always agree, 0 when no more than by chance. None before there is a label."""
        n = len(self.labels)
        if not n:
            return None
        observed = sum(label.agrees for label in self.labels) / n
        judge, person = (
            sum(label.judged_good for label in self.labels) / n,
            sum(label.person_good for label in self.labels) / n,
        )
        chance = judge * person + (1 - judge) * (1 - person)
        return 1.0 if chance == 1 else (observed - chance) / (1 - chance)

    @property
    def words(self) -> str:
        """``kappa 0.62 over 14 cases, 3 judged otherwise than by you``; empty before there is a label."""
        kappa = self.kappa
        if kappa is None:
            return ""
        cases = counted(len(self.labels), "case")
        other = len(self.disagreements)
        return f"kappa {kappa:.2f} over {cases}" + (f", {other:,} judged otherwise than by you" if other else "")

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        kappa = self.kappa
        return {
            "cases": len(self.labels), "kappa": None if kappa is None else round(kappa, 4),
            "disagreements": [label.case_id for label in self.disagreements],
        }  # fmt: skip

    def rubric_examples(self) -> str:
        """The disagreements as words for a rubric, the newest last; empty when there are none."""
        lines = []
        for label in self.disagreements[-_MOST_EXAMPLES:]:
            case = one_line(label.text, _EXAMPLE_LENGTH).replace("”", "'")
            if label.person_good:
                lines.append(f"- “{case}” is good; it was found bad because: {one_line(label.reason, _EXAMPLE_LENGTH)}")
            else:
                lines.append(f"- “{case}” is bad; it was found good.")
        return "\n".join(["Judge these as the person who owns the dataset does:", *lines]) if lines else ""
