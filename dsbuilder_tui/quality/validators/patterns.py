"""The validator of patterns: regular expressions that an input must match, and such that it must not."""

from __future__ import annotations

import re

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator, ValidatorOptions


class PatternOptions(ValidatorOptions):
    """``must`` and ``must_not`` are regular expressions, sought anywhere in the input; capitals do not matter."""

    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: PatternOptions) -> Check:
    if not options.must and not options.must_not:
        raise ValueError(r"needs a pattern; write for example {patterns: {must: ['#\d+']}}")
    wanted, unwanted = _compiled(options.must), _compiled(options.must_not)

    def check(case: CheckedCase) -> str | None:
        for pattern in wanted:
            if not pattern.search(case.text):
                return f"the input has nothing that matches {pattern.pattern}, which it must"
        for pattern in unwanted:
            if found := pattern.search(case.text):
                return f"the input says “{found.group()[:80]}”, which matches {pattern.pattern} and must not"
        return None

    return check


def _compiled(patterns: tuple[str, ...]) -> list[re.Pattern[str]]:
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern, re.IGNORECASE))
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}; mend it") from None
    return compiled


VALIDATOR = Validator(words="what the input must say, and must not", prepare=_prepare, options=PatternOptions)
