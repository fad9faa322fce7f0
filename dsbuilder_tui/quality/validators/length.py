"""The validator of length: the input has as many characters and words as the plan allows."""

from __future__ import annotations

from pydantic import Field

from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator, ValidatorOptions


class LengthOptions(ValidatorOptions):
    """``min`` and ``max`` count characters, ``min_words`` and ``max_words`` words. ``field`` is one field of the inputs."""

    min: int = Field(default=0, ge=0)
    max: int | None = Field(default=None, ge=1)
    min_words: int = Field(default=0, ge=0)
    max_words: int | None = Field(default=None, ge=1)
    field: str | None = None


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: LengthOptions) -> Check:
    if options == LengthOptions(field=options.field):
        raise ValueError("needs a bound; write for example {length: {max: 400}}")
    for fewest, most in ((options.min, options.max), (options.min_words, options.max_words)):
        if most is not None and most < fewest:
            raise ValueError(f"allows at most {most} and asks for at least {fewest}; change one of them")
    fields = plan.fields_of(category)
    if options.field is not None and options.field not in fields:
        raise ValueError(f"the inputs have no field {options.field!r}, only {', '.join(fields)}")

    def check(case: CheckedCase) -> str | None:
        text = case.text if options.field is None else display_text({"": case.inputs.get(options.field, "")})
        for number, fewest, most, what in (
            (len(text), options.min, options.max, "characters"),
            (len(text.split()), options.min_words, options.max_words, "words"),
        ):
            if most is not None and number > most:
                return f"the input has {number} {what}; write at most {most}"
            if number < fewest:
                return f"the input has {number} {what}; write at least {fewest}"
        return None

    return check


VALIDATOR = Validator(words="the input is as long as the plan allows", prepare=_prepare, options=LengthOptions)
