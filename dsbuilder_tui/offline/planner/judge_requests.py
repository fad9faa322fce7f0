"""Requests for the judge: “judge all of the refunds”, “judge a sample”, “stop judging”."""

from __future__ import annotations

import re

from dsbuilder_tui.domain.judging import JudgeMode
from dsbuilder_tui.offline.planner.category_mentions import MANY

_NAMED = "@"  # stands for categories, one or several
_JUDGE = (
    r"(?:judge|(?:let|have) (?:the|a) judge (?:read|judge|check)|"
    r"(?:the|a) judge (?:should|must|has to|is to) (?:read|judge|check))"
)
_WHOLE = r"(?:everything|(?:them|it) all|all|each|every(?: single)? (?:one|case)|the whole dataset|the whole of)"
_CASES = rf"(?:(?: of| in| from| for)? ?(?:the |these |those )?(?:cases|dataset|them|it|{_NAMED})(?: cases)?)"
_ALL = re.compile(
    rf"{_JUDGE} {_WHOLE}{_CASES}?(?: (?:in|of|from) (?:the )?(?:{_NAMED}|dataset|plan))?|"
    rf"{_JUDGE}{_CASES}(?: whole| entirely| completely)?",
    re.IGNORECASE,
)
_SAMPLE = re.compile(rf"{_JUDGE} (?:only |just )?(?:a sample|samples|some|a few|a part){_CASES}?", re.IGNORECASE)
_OFF = re.compile(
    r"(?:stop|no|no more|without|skip|turn off|switch off|disable|don'?t|do not|never) "
    r"(?:the |any |more |the )?(?:judg(?:e|es|ing|e?ments?)|judge calls)(?: any ?more| at all)?"
    r"(?:(?: of| in| from| for)?(?: any| all)?(?: of)? ?(?:the |these )?"
    rf"(?:cases|dataset|anything|everything|them|it|{_NAMED})(?: cases)?)?(?: any ?more| at all)?",
    re.IGNORECASE,
)


def judge_mode_in(text: str) -> JudgeMode | None:
    """Which of the cases the judge is to read, by a clause in which categories are marked; None when it says nothing of it."""
    said = re.sub(r"\s+", " ", re.sub(MANY, _NAMED, text)).strip()
    for mode, pattern in ((JudgeMode.OFF, _OFF), (JudgeMode.SAMPLE, _SAMPLE), (JudgeMode.ALL, _ALL)):
        if pattern.fullmatch(said):
            return mode
    return None
