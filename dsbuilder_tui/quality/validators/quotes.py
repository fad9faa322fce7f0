"""The validator of quotes: what an expectation quotes stands in the input or its source, word for word."""

from __future__ import annotations

import re

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.grounding import GroundingOptions, is_held
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator
from dsbuilder_tui.quality.written_values import ValueRole, plan_words

EVIDENCE = "evidence"  # the key of an expectation that holds a quote from the source and nothing else
_QUOTED = re.compile(r'"([^"]{8,})"|“([^“”]{8,})”|„([^„“”]{8,})[“”]|«([^«»]{8,})»')
_FEWEST_WORDS = 3
_MOST_QUOTES = 100  # of one text; each is sought in all of the ground
_TYPOGRAPHY = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "…": "...", "\u00ad": None}
)


def plain(text: str) -> str:
    """A text without its white space's, typography's and capitals' differences."""
    return " ".join(text.translate(_TYPOGRAPHY).casefold().split())


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: GroundingOptions) -> Check:
    words = plan_words(category, plan)

    def check(case: CheckedCase) -> str | None:
        ground = ""
        for value in case.written:
            if value.role is ValueRole.ARGUMENT or not (value.key == EVIDENCE or is_held(value, case, options)):
                continue
            if value.key == EVIDENCE:
                quotes = [value.text]
            elif value.role is ValueRole.SENTENCE and any(mark in value.text for mark in '"“„«'):
                quotes = ["".join(groups) for groups in _QUOTED.findall(value.text)]
            else:
                continue
            if not ground:
                ground = plain(case.ground(words))
            for quote in quotes[:_MOST_QUOTES]:
                wanted = plain(quote).strip(" .,;:!?\"'")
                parts = [part.strip(" .,;:") for part in re.split(r"\[?\.\.\.\]?", wanted)]
                if wanted.count(" ") + 1 >= _FEWEST_WORDS and not all(part in ground for part in parts):
                    source = "source" if case.source else "input"
                    return f"{value.where} quotes “{quote[:80]}”, which is not in the {source}; quote it word for word"
        return None

    return check


VALIDATOR = Validator(
    words="quotes of the expectation stand in the input or its source", prepare=_prepare, options=GroundingOptions
)
