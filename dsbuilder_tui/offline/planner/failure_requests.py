"""Requests for more cases where the application fails: “write 30 more where it fails”."""

from __future__ import annotations

import re

from dsbuilder_tui.offline.planner.planning_context import Act, Interpretation
from dsbuilder_tui.offline.planner.utterance import Utterance

_WHERE = r"where (?:it|the (?:app|application|bot|agent|model)|we) (?:still )?(?:fails?|is (?:weak|wrong|bad)|breaks?|struggles?)"
_FORM = re.compile(
    r"(?:please |can you |could you )?(?:(?:write|add|make|create|generate|give me|i (?:want|need)) )?(?:another |some )?"
    rf"(?P<more>\d{{1,9}}) (?:more |further |additional |harder |other ){{0,2}}(?:(?:test )?cases |ones )?{_WHERE}"
    r"(?: (?:most|worst|now|please|today))?[.! ]*",
    re.IGNORECASE,
)


def failing_in(heard: Utterance) -> Interpretation | None:
    """The order to write where the application fails; None when nothing of that kind is asked for."""
    found = _FORM.fullmatch(heard.said.strip())
    if found is None or int(found["more"]) < 1:
        return None
    return Interpretation((Act("write_where_it_fails", {"more": int(found["more"])}),))
