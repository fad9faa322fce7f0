"""The validator of attributes: a case shows what its slot asks for, and does not name it."""

from __future__ import annotations

import re
from functools import lru_cache

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator

# Axes that say how a text is written. Others, such as a product, are what the text is about, and may well be named.
_MANNERS = (
    "tone mood emotion attitude sentiment style register manner voice persona situation perturbation difficulty formality "
    "feeling temper writing"
).split()
_FEELINGS = (
    "tone",
    "mood",
    "emotion",
    "attitude",
    "sentiment",
    "feeling",
    "temper",
    "manner",
    "voice",
    "register",
    "style",
)
_ROLE = (
    r"(?:customer|user|person|client|buyer|shopper|caller|traveller|traveler|patient|guest|student|employee|member|passenger|"
    r"reader)"
)
_FEWEST_LABELS = 2  # of axes of any kind: one alone may be a line of a form

# One of these stands in every text that names an attribute.
_OPENING = tuple("[(*<")
_HINTS = ("as a", "in a", "speaking", "writing", "asking", "saying", "persona", "_", " - ", "–", "—", "->")
_CLOSING = tuple("])*>")


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[_\-]", " ", text.casefold()).split())


def _parts(name: str) -> list[str]:
    return [re.escape(part) for part in _plain(name).split()]


@lru_cache(maxsize=4096)
def _patterns(axis: str, value: str) -> tuple[str, re.Pattern[str], re.Pattern[str] | None]:
    """The value's first word, the axis and value as a label, and what names the value in words where it is a manner."""
    gap = r"[\s_\-]+"
    spelled = gap.join(_parts(value))
    name = gap.join(_parts(axis))
    # A dash makes a label of what begins a sentence or a line.
    label = re.compile(
        rf"(?<!\w){name}\s?[:=]\s?[\"'“]?{spelled}(?!\w)|(?:\A|[.!?;|(\[\n]\s*){name}\s?[\-–—]+>?\s?[\"'“]?{spelled}(?!\w)",
        re.IGNORECASE,
    )
    words = set(_plain(axis).split())
    if not words & set(_MANNERS):
        return _plain(value).split(" ")[0], label, None
    named = (
        rf"\A\s*[\[(*<]+{spelled}[\])*>]+|[\[(*<]+{spelled}[\])*>]+\s*\Z"
        rf"|(?<!\w)persona\W{{1,4}}(?:is |an? |the )*{spelled}(?!\w)"
    )
    if " " in _plain(value):
        named += rf"|(?<![\w.])(?-i:{'_'.join(_parts(value))})(?!\w)"
    if words & set(_FEELINGS):
        named += (
            rf"|\bas an? (?:\w+ )?{spelled} {_ROLE}\b"
            rf"|\bin an? (?:\w+ )?{spelled} (?:tone|manner)\b"
            rf"|\b(?:speaking|writing|asking|saying this) (?:very |rather )?{spelled}ly\b"
        )
    return _plain(value).split(" ")[0], label, re.compile(named, re.IGNORECASE)


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: None) -> Check:
    if category.kind is CaseKind.SCENARIO:
        return lambda case: None  # it tells a simulated user who to be

    def check(case: CheckedCase) -> str | None:
        text = case.text
        lowered = text.casefold()
        if (
            ":" not in text
            and "=" not in text
            and text[:1] not in _OPENING
            and text[-1:] not in _CLOSING
            and not any(hint in lowered for hint in _HINTS)
        ):
            return None
        labels: list[str] = []
        for axis, value in case.slot.attributes.items():
            first, label, named = _patterns(axis, value)
            if first not in lowered:
                continue
            if named is not None and (found := named.search(text)):
                return f"“{found.group().strip()}” names the {axis}; show it in how the text is written, do not say it"
            if label.search(text):
                if named is not None:
                    return f"“{axis}: {value}” stands in the input as a label; show it in the text, do not say it"
                labels.append(axis)
        if len(labels) >= _FEWEST_LABELS:
            return f"the attributes {', '.join(labels)} stand in the input as labels; show them in the text, do not list them"
        return None

    return check


VALIDATOR = Validator(words="attributes are shown in the text and not named", prepare=_prepare)
