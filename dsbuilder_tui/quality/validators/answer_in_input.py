"""The validator against answers in the question: what is expected does not stand in the input, word for word."""

from __future__ import annotations

import re

from dsbuilder_tui.domain.conversation import MESSAGES, user_turns
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator
from dsbuilder_tui.quality.written_values import FACTS

_FEWEST_WORDS = 5  # fewer may be a name that question and answer have in common
_MARKS = re.compile(r"[^\w'$€£%#]+")
# What stands behind these is material to work on: a text to sum up, to translate, to find something in.
_MATERIAL = re.compile(r"[\"“”„«»`\n]|:\s|(?<!\w)'")
_MOST_WORDS = 120  # of an input that is a question; a longer one brings its material with it


def _words(text: str) -> str:
    return f" {' '.join(_MARKS.sub(' ', text.casefold()).split())} "


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: None) -> Check:

    def check(case: CheckedCase) -> str | None:
        if not any(key in case.expectations for key in FACTS):
            return None
        # The first text is what is asked; other fields, such as a context, are material.
        # Of messages it is the user's last one.
        texts = user_turns(case.inputs.get(MESSAGES))[-1:] or case.inputs.values()
        question = next((text for text in texts if isinstance(text, str)), "")
        if question.count(" ") > _MOST_WORDS or _MATERIAL.search(question):
            return None
        asked, lowered = "", question.casefold()
        for value in case.written:
            if value.key not in FACTS or not all(word in lowered for word in value.text.casefold().split()[1:3]):
                continue
            answer = _words(value.text)
            if answer.count(" ") - 1 < _FEWEST_WORDS:
                continue
            if not asked:
                asked = _words(question)
            if answer in asked:
                return f"the input says “{value.text[:80]}” itself, which is the answer; ask without giving it"
        return None

    return check


VALIDATOR = Validator(words="the answer does not stand in the question", prepare=_prepare)
