"""Personal data replaced by what is nobody's: the text still reads as somebody wrote it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from dsbuilder_tui.quality.personal_data import (
    TEST_CARDS,
    PersonalDataKind,
    PersonalDatum,
    certain_data,
    likely_data,
)
from dsbuilder_tui.quality.personal_names import names_in

# People who do not exist; further ones are numbered.
_PEOPLE = (("Sam", "Doe"), ("Kim", "Roe"), ("Alex", "Poe"), ("Robin", "Loe"), ("Toni", "Noe"), ("Jo", "Moe"))
_STAND_INS = frozenset(word.casefold() for person in _PEOPLE for word in person)
_STREET = re.compile(r"\d{1,5} Main Street\.?")
_WORD = re.compile(r"[^\W\d_]{1,64}(?:[’'-][^\W\d_]{1,64}){0,4}")
_LEAST_LETTERS = 3  # of a part of a name that is masked wherever it occurs again
_RANK = {kind: place for place, kind in enumerate(PersonalDataKind)}


class PersonalDataMask:
    """Masks the texts of one conversation: the same value gets the same stand-in. ``counts`` has how many were masked by kind.

    An e-mail address becomes one of example.com, a phone number one of those that no telephone has, a card a test card, an
    IP address one of documentation; other numbers keep their shape. What is masked already stays as it is.
    """

    def __init__(self) -> None:
        self.counts: Counter[PersonalDataKind] = Counter()
        self._known: dict[tuple[PersonalDataKind, str], str] = {}
        self._issued: Counter[PersonalDataKind] = Counter()
        self._name_words: dict[str, str] = {}  # by folded word of a name

    def mask_all(self, texts: Iterable[str]) -> list[str]:
        """Several texts; a name that one introduces is masked in all of them."""
        given = list(texts)
        for text in given:
            for found in sorted(names_in(text)):
                self._learn(text[found.start : found.end])
        return [self.mask(text) for text in given]

    def mask(self, text: str) -> str:
        """The text without personal data."""
        parts, at = [], 0
        for found in self._found(text):
            if found.start < at:
                continue
            value = text[found.start : found.end]
            stand_in = self._stand_in(found.kind, value)
            if stand_in != value:
                self.counts[found.kind] += 1
                parts += [text[at : found.start], stand_in]
                at = found.end
        return "".join([*parts, text[at:]])

    def mask_value(self, value: Any) -> Any:
        """A JSON value with all its texts masked; keys stay."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {key: self.mask_value(inner) for key, inner in value.items()}
        return [self.mask_value(inner) for inner in value] if isinstance(value, list) else value

    def _found(self, text: str) -> list[PersonalDatum]:
        """All of it in order; where two overlap what begins first, then what is longer."""
        names = sorted(names_in(text))
        for found in names:
            self._learn(text[found.start : found.end])
        again = [
            PersonalDatum(word.start(), word.end(), PersonalDataKind.NAME)
            for word in (_WORD.finditer(text) if self._name_words else ())
            if word[0][0].isupper() and len(word[0]) >= _LEAST_LETTERS and word[0].casefold() in self._name_words
        ]
        everything = [*certain_data(text), *likely_data(text), *names, *again]
        return sorted(everything, key=lambda one: (one.start, -one.end, _RANK[one.kind]))

    def _learn(self, name: str) -> None:
        """Give a new person a stand-in."""
        words = [word.casefold() for word in _WORD.findall(name)]
        if not words or any(word in self._name_words or word in _STAND_INS for word in words):
            return
        number = self._issued[PersonalDataKind.NAME]
        self._issued[PersonalDataKind.NAME] += 1
        first, last = _PEOPLE[number % len(_PEOPLE)]
        if number >= len(_PEOPLE):
            last += chr(ord("a") + number // len(_PEOPLE) % 26)
        self._name_words[words[0]] = first
        if len(words) > 1:
            self._name_words.update(dict.fromkeys(words[1:], ""))
            self._name_words[words[-1]] = last

    def _stand_in(self, kind: PersonalDataKind, value: str) -> str:
        if kind is PersonalDataKind.NAME:
            words = [word.casefold() for word in _WORD.findall(value)]
            if all(word in _STAND_INS for word in words):
                return value
            known = [self._name_words.get(word, "") for word in words]
            return " ".join(dict.fromkeys(filter(None, known))) or _PEOPLE[0][0]
        if kind is PersonalDataKind.ADDRESS and _STREET.fullmatch(value):
            return value
        key = kind, (value if kind is PersonalDataKind.IP else re.sub(r"[\s().-]", "", value)).casefold()
        if key not in self._known:
            self._issued[kind] += 1
            self._known[key] = _new(kind, value, self._issued[kind])
        return self._known[key]


def _new(kind: PersonalDataKind, value: str, number: int) -> str:
    match kind:
        case PersonalDataKind.EMAIL:
            return f"user{number}@example.com"
        case PersonalDataKind.PHONE:
            return f"{'+1 ' if value.startswith('+') else ''}202 555 01{(number - 1) % 100:02d}"
        case PersonalDataKind.CARD:
            digits = TEST_CARDS[(number - 1) % len(TEST_CARDS)]
            return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
        case PersonalDataKind.ADDRESS:
            return f"{number} Main Street"
        case PersonalDataKind.IP:
            return f"2001:db8::{number % 65_536:x}" if ":" in value else f"203.0.113.{(number - 1) % 254 + 1}"
        case PersonalDataKind.BIRTH_DATE:
            return _first_of_january(value)
        case PersonalDataKind.IBAN:
            return value[:2] + _zeros(value[2:], number)
        case _:
            return _zeros(value, number)


def _first_of_january(value: str) -> str:
    """The date that stands for all others, written in the same way."""
    sign = re.search(r"\d([./-])\d", value)
    if sign is None:
        return "1 January 1990"
    return f"1990{sign[1]}01{sign[1]}01" if re.match(r"\d{4}", value) else f"01{sign[1]}01{sign[1]}1990"


def _zeros(value: str, number: int) -> str:
    """A number of the same shape: zeros, with ``number`` at the end."""
    places = [at for at, sign in enumerate(value) if sign.isdigit()]
    signs = ["0" if sign.isdigit() else ("X" if sign.isalpha() else sign) for sign in value]
    for at, digit in zip(reversed(places), reversed(str(number % 100)), strict=False):
        signs[at] = digit
    return "".join(signs)
