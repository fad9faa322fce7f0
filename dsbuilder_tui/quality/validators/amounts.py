"""The validator of amounts of money: what an expectation names stands in the input or its source, or follows from it."""

from __future__ import annotations

import re
from itertools import combinations

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.quality.grounding import GroundingOptions, is_held
from dsbuilder_tui.quality.validator import Check, CheckedCase, Validator
from dsbuilder_tui.quality.written_values import (
    ValueRole,
    WrittenValue,
    plan_words,
)

_CURRENCY = r"[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|CAD|AUD|dollars?|euros?|pounds?|francs?)\b"
_NUMBER = r"\d[\d.,' \u00a0\u202f]*+"
# A number without a currency is read, too, and let go: otherwise each of its digits would be tried as its beginning.
_AMOUNT = re.compile(
    rf"(?:{_CURRENCY})\s?(?P<after>{_NUMBER})|(?P<before>{_NUMBER})(?P<sign>\s?(?:{_CURRENCY}))?", re.IGNORECASE
)
_KEY = re.compile(r"amount|price|total|cost|sum|balance|payment|refund", re.IGNORECASE)
_OTHER_KEY = re.compile(
    r"day|week|month|year|date|time|count|quantit|step|item|number|percent|rate|window|id$|code|polic|point",
    re.IGNORECASE,
)
_ANY_NUMBER = re.compile(r"(?<![#\w])\d(?:[\d.,' \u00a0\u202f]*\d)?")
_SIGN = re.compile(_CURRENCY, re.IGNORECASE)
# With these a text says amounts that no pattern reads.
_IN_WORDS = re.compile(
    r"\b(?:\w*hundred|thousands?|grand|dozen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|\w*hundert\w*|\w*tausend\w*|\w+zig|"
    r"cents?|cien\w*|mil|mille|vingt|trente|quarante|cinquante|convert\w*|exchange|rate)\b|\d\s?[km]\b",
    re.IGNORECASE,
)
_NAMES = {
    "$": "usd", "dollar": "usd", "dollars": "usd", "€": "eur", "euro": "eur", "euros": "eur", "£": "gbp", "pound": "gbp",
    "pounds": "gbp", "¥": "jpy", "franc": "chf", "francs": "chf",
}  # fmt: skip
_MOST_NUMBERS = 3  # of more, any sum and product may be meant
_MOST_NUMBERS_OF_SOURCE = 200
_PLAIN = re.compile(r"-?\d+(?:[.,]\d+)*")
# How often a price is likely to be counted where the text has no number for it. Not ten times, which is a slip of a zero.
_TIMES = (2, 3, 4, 5, 6, 7, 8, 9, 11, 12)
_TEN = re.compile(r"\b(?:ten|zehn|dix|diez|dieci|dez|tien)\b", re.IGNORECASE)


def number_of(text: str) -> float | None:
    """A number as people write it, with either mark for thousands and decimals; None for what is none."""
    digits = re.sub(r"[' \u00a0\u202f]", "", text).rstrip(".,")
    last = max(digits.rfind("."), digits.rfind(","))
    if last >= 0 and (len(digits) - last - 1 != 3 or digits[0] == "0"):
        digits = re.sub(r"[.,]", "", digits[:last]) + "." + digits[last + 1 :]
    else:
        digits = re.sub(r"[.,]", "", digits)
    try:
        return float(digits)
    except ValueError:
        return None


def _amounts(value: WrittenValue) -> list[float]:
    if value.role in (ValueRole.ARGUMENT, ValueRole.ENTRY) and _PLAIN.fullmatch(value.text.strip()):
        found = [value.text.strip().lstrip("-")] if _KEY.search(value.key) and not _OTHER_KEY.search(value.key) else []
    else:
        amounts = (m for m in _AMOUNT.finditer(value.text) if m["after"] or m["sign"])
        found = [amount["after"] or amount["before"] for amount in amounts]
    return [number for text in dict.fromkeys(found) if (number := number_of(text)) is not None]


def _numbers(text: str) -> set[float]:
    found = {
        number
        for match in _ANY_NUMBER.finditer(text)
        for written in {match.group(), *match.group().split()}
        if (number := number_of(written)) is not None
    }
    return found | {10.0} if found and _TEN.search(text) else found


def _reached(given: set[float]) -> set[float]:
    """The given numbers, and what comes of them by adding, subtracting, counting, sharing or percent."""
    some = sorted(given)[:12]
    reached = given | {sum(some), sum(some) - 2 * max(some, default=0)}
    for one, other in combinations(some, 2):
        reached |= {one + other, abs(one - other), one * other}
    reached |= {number * times for number in given for times in _TIMES} | {n / t for n in given for t in _TIMES}
    shares = {share for part in some if part <= 100 for share in (part / 100, 1 - part / 100, 1 + part / 100)}
    return reached | {number * share for number in reached for share in shares}


def _can_tell(given: set[float], case: CheckedCase) -> bool:
    """Whether the numbers of a text are all that an amount can come from."""
    most = _MOST_NUMBERS_OF_SOURCE if case.source else _MOST_NUMBERS
    return 0 < len(given) <= most and not _IN_WORDS.search(case.whole)


def _signs(text: str) -> set[str]:
    return {sign.casefold() for sign in _SIGN.findall(text)}


def _is_other(signs: set[str], own: set[str]) -> bool:
    """Whether currencies differ, such as those of an amount that is changed into another one."""
    if not signs or not own:
        return False
    return own.isdisjoint(signs) and not {_NAMES.get(sign, sign) for sign in own} & {_NAMES.get(s, s) for s in signs}


def _prepare(category: DatasetCategory, plan: DatasetPlanInput, options: GroundingOptions) -> Check:
    planned = _numbers(plan_words(category, plan))

    def check(case: CheckedCase) -> str | None:
        reached: set[float] | None = None  # of the case's numbers, which are read when an amount is named
        for value in case.written:
            for amount in _amounts(value) if is_held(value, case, options) else ():
                if amount == 0:
                    continue
                if reached is None:
                    given = _numbers(f"{case.whole}\n{case.source}")
                    if not _can_tell(given, case):
                        return None
                    reached, signs = _reached(given), _signs(case.whole)
                if not case.source and _is_other(signs, _signs(value.text)):
                    break
                if not any(abs(amount - number) < 0.011 for number in reached) and amount not in planned:
                    return (
                        f"{value.where} names the amount {amount:g}, which neither stands in the input nor follows from "
                        "it; use the input's amounts"
                    )
        return None

    return check


VALIDATOR = Validator(
    words="amounts of the expectation stand in the input or its source, or follow from it",
    prepare=_prepare,
    options=GroundingOptions,
)
