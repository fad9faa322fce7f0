"""Numbers as people write them, and counts that add up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

MOST_CASES = 1_000_000

_UNITS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen "
        "eighteen nineteen".split()
    )
}
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10,
}  # fmt: skip

_SMALL = "|".join([*_UNITS, *_TENS])
_NUMBER_WORDS = re.compile(
    rf"\b(?:(?:{_SMALL}|an?|(?<![\d.])\d{{1,9}}(?:\.\d{{1,9}})?)[ -])?(?:{'|'.join(_SCALES)})s?(?:(?:[ "
    rf"-]and)?[ -](?:{_SMALL}|hundred)\b)*"
    rf"|\b(?:(?:{'|'.join(_TENS)})[ -](?:{'|'.join(_UNITS)})|{_SMALL})(?:(?:[ -]and)?[ -](?:{'|'.join(_SCALES)})s?)*\b",
    re.IGNORECASE,
)
_FRACTION_WORDS = re.compile(
    rf"\b(?:(an?|one|two|three|four|five|\d)[ -])?({'|'.join(_PARTS)})s?\b(?![ -](?:an?|hour|day|time|level)\b)",
    re.IGNORECASE,
)
_GROUPED = re.compile(r"(?<![\w.,])(\d{1,3})((?:[,.'\u00a0\u202f]\d{3})+)(?![\d])")
_THOUSANDS = re.compile(r"(?<![\w.,])(\d{1,6}(?:\.\d{1,3})?) ?(k|m)\b", re.IGNORECASE)
_NO_ADJECTIVE = rf"(?!(?:more|or|and|for|{_SMALL}|{'|'.join(_SCALES)})\b)"
_ONE_WORD = re.compile(
    rf"\b(?:the|this|that|which|no|any|each|every|some|another|an?)(?: {_NO_ADJECTIVE}[a-z]+)? one\b|"
    r"\b(?:last|first|next|newest|latest|longest|shortest|oldest|random|other|good|bad|wrong) one\b(?! \w+s\b)|"
    r"\bone (?:of|another|by one)\b",
    re.IGNORECASE,
)


def plain_numbers(text: str) -> str:
    """The text with its numbers as digits, fractions as ``1/2`` and percentages as ``40%``."""
    text = re.sub(r"(?<![\w.,])0,(?=\d)", "0.", text)
    text = _GROUPED.sub(lambda found: re.sub(r"\D", "", found.group()), text)
    text = _THOUSANDS.sub(lambda f: str(int(Fraction(f[1]) * (1000 if f[2].lower() == "k" else 10**6))), text)
    text = re.sub(r"\bhalf (?:a|of a) dozen\b", "6", text, flags=re.IGNORECASE)
    text = re.sub(r"\b(?:a|one) (?:couple|pair)(?: of)?\b", "2", text, flags=re.IGNORECASE)
    text = text.replace("½", "1/2").replace("⅓", "1/3").replace("⅔", "2/3").replace("¼", "1/4").replace("¾", "3/4")
    text = _FRACTION_WORDS.sub(_fraction, text)
    kept = [found.span() for found in _ONE_WORD.finditer(text)]
    text = _NUMBER_WORDS.sub(
        lambda f: f.group() if any(a <= f.start() < b for a, b in kept) else _number(f.group()), text
    )
    return re.sub(r"(\d) ?(?:%|per ?cent\b)", r"\1%", text)


def _fraction(found: re.Match[str]) -> str:
    many, part = found.group(1), found.group(2).lower()
    if not many and part not in ("half", "quarter", "third"):
        return found.group()  # "fifth" alone is a place in a row
    number = 1 if not many or many.lower() in ("a", "an") else _UNITS.get(many.lower()) or int(many)
    return f"{number}/{_PARTS[part]}"


def _number(words: str) -> str:
    """Digits for number words: ``two hundred and fifty`` → ``250``."""
    total = current = 0
    for word in re.split(r"[ -]+", words.lower()):
        if word.rstrip("s") in _SCALES:
            scale = _SCALES[word.rstrip("s")]
            if scale in (12, 100):
                current = max(1, current) * scale
            else:
                total, current = total + max(1, current) * scale, 0
        elif re.fullmatch(r"\d+(?:\.\d+)?", word):
            current += int(Fraction(word)) if "." not in word else 0
            if "." in word:
                return _decimal(words)
        else:
            current += _UNITS.get(word, _TENS.get(word, 0))
    return str(total + current)


def _decimal(words: str) -> str:
    number, scale = re.split(r"[ -]+", words.lower())[:2]
    return str(int(Fraction(number) * _SCALES[scale.rstrip("s")]))


def whole(text: str) -> int:
    """The number of some digits, cut where nobody plans any more: twelve digits say as much as a thousand."""
    return int(text[:12])


def share(text: str) -> Fraction | None:
    """``1/3`` or ``40%`` as a fraction; None for what is neither, or for nothing at all."""
    if found := re.fullmatch(r"(\d{1,4})/(\d{1,4})", text):
        return Fraction(int(found[1]), int(found[2])) if int(found[2]) and int(found[1]) else None
    if found := re.fullmatch(r"(\d{1,4}(?:\.\d{1,4})?)%", text):
        return Fraction(found[1]) / 100 or None
    return None


def spread(total: int, weights: Sequence[Fraction | int]) -> list[int]:
    """``total`` over the weights: whole numbers that add up, each at least 1, remainders to the largest first.

    Raises ``ValueError`` when there are fewer than one for each.
    """
    if not weights or total < len(weights):
        raise ValueError(f"{total} cannot be spread over {len(weights)}")
    all_of_them = sum(weights, Fraction(0)) or Fraction(1)
    ideal = [Fraction(weight) * total / all_of_them for weight in weights]
    counts = [max(1, int(number)) for number in ideal]
    order = sorted(range(len(counts)), key=lambda i: (int(ideal[i]) - ideal[i], i))
    at = 0
    while sum(counts) < total:
        counts[order[at % len(order)]] += 1
        at += 1
    while sum(counts) > total:  # what was lifted to 1 is taken from the largest
        counts[max(range(len(counts)), key=lambda i: (counts[i], -i))] -= 1
    return counts
