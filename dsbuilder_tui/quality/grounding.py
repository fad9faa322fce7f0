"""Where values of an expectation have to stand, and which expectations are held to it."""

from __future__ import annotations

from dsbuilder_tui.quality.validator import CheckedCase, ValidatorOptions
from dsbuilder_tui.quality.written_values import ValueRole, WrittenValue


class GroundingOptions(ValidatorOptions):
    """``sentences`` holds facts and answers to it even where no source says what the application knows."""

    sentences: bool = False


def is_held(value: WrittenValue, case: CheckedCase, options: GroundingOptions) -> bool:
    """Whether a value can come from nothing but the input and its source.

    A tool's argument and an own key can not. A sentence may say what the application knows, unless there is a source.
    """
    if value.role is ValueRole.SENTENCE:
        return bool(case.source) or options.sentences
    return value.role is not ValueRole.GUIDELINE
