"""A validator: no placeholder is left in the text."""

from dsbuilder_tui.quality.validator import Validator


def check(case, category, plan):
    return "a placeholder is left in the text" if "[" in case.text else None


VALIDATOR = Validator(words="no placeholder is left in the text", check=check)
