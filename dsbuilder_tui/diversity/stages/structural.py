"""The stage that finds the same text, but for ids, dates, names and other detail."""

from __future__ import annotations

from dataclasses import dataclass

from dsbuilder_tui.diversity.answer import Flag, Match
from dsbuilder_tui.diversity.comparing_stage import ComparingStage
from dsbuilder_tui.diversity.inquiry import Inquiry


@dataclass(frozen=True, slots=True, kw_only=True)
class StructuralStage(ComparingStage):
    """Two texts are the same or they are not: it has no threshold. With other expectations they contradict, and both stay,
    unless the rules want each text once.
    """

    def match(self, name: str, inquiry: Inquiry) -> Match | None:
        rows = inquiry.rows
        shared = inquiry.shared
        same = shared[rows["text"][shared] == inquiry.own["text"]]
        if inquiry.has_partner and len(same):
            same = same[[not inquiry.is_contrasted(int(row)) for row in same]]
        if not len(same):
            return None
        alike = same[rows["expected"][same] == inquiry.own["expected"]]
        if len(alike):
            reason = "the same text apart from ids, dates, names or other detail"
            return Match(int(alike[0]), name, 1.0, 1.0, reason)
        if inquiry.rules.once:
            return Match(int(same[0]), name, 1.0, 1.0, "the same text with other expectations")
        inquiry.flags.append(Flag("contradiction", int(same[0]), name, 1.0, ("expectations",)))
        return None


STAGE = StructuralStage(
    label="same structure",
    meaning="Once ids, names, dates and the like are masked, the two say the same.",
    tells_more=False,
)
