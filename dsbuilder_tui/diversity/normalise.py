"""Tiered masking: what changes from copy to copy is masked, what a test case may be about is kept.

Masked: ids, e-mail addresses, URLs, dates, times, weekdays, names of people. Kept: money, counts, ages, durations and
every other word, because a case that differs in one of these is often the very contrast an evaluation needs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|"
    "nov(?:ember)?|dec(?:ember)?"
)
# Most words are nothing else, so they are tried first: a word at whose end no address, id or date goes on. (In a
# pattern of many branches each branch costs time at each word.)
_PLAIN_WORD = rf"""
    (?P<word>(?!(?:{_MONTHS})\b\.?\s+\d)[^\W\d_]+(?:'[^\W\d_]+)*+(?![\w@]|[-.+:/][\w/@]))
"""
_TOKEN = re.compile(
    rf"""{_PLAIN_WORD}
  | (?P<stop>[.!?\n])
  | (?P<url>(?:https?://|www\.)\S+)
  | (?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
  | (?P<date>\d{{4}}-\d{{1,2}}-\d{{1,2}}(?:t[\d:.]+z?)?
      | \d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}
      | \d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTHS})\b\.?(?:,?\s+\d{{4}}\b)?
      | (?:{_MONTHS})\b\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}}\b)?)
  | (?P<time>\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?:\s*[ap]\.?m\b\.?)? | \d{{1,2}}\s?[ap]m\b)
  | (?P<money>[$€£¥]\s?\d[\d,.]*|\d[\d,.]*\s?[$€£¥])
  | (?P<hash>\#\s?[\w-]*\d[\w-]*)
  | (?P<mixed>(?=[\w-]*\d)(?=[\w-]*[^\W\d_])\w+(?:-\w+)*)
  | (?P<phone>\+?\(?\d{{2,4}}\)?(?:[\s-]\d{{2,5}}){{2,4}}\b)
  | (?P<number>\d+(?:[.,]\d+)*%?)
  | (?P<joined>[^\W\d_]+(?:'[^\W\d_]+)*)
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Without digits and addresses, nothing but words and ends of sentences can matter.
_WORDS_ONLY = re.compile(r"(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)|(?P<stop>[.!?\n])")
_NEEDS_ALL = re.compile(r"[\d@]|://|www\.", re.IGNORECASE)

_WEEKDAYS = frozenset(
    day + s for day in ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] for s in ("", "s")
)
_BARE_MONTHS = frozenset(
    ["january", "february", "april", "june", "july", "august", "september", "october", "november", "december"]
)
_ID_NOUNS = frozenset(
    [
        "order",
        "invoice",
        "ticket",
        "reference",
        "ref",
        "number",
        "no",
        "nr",
        "case",
        "account",
        "tracking",
        "booking",
        "reservation",
        "confirmation",
        "sku",
        "customer",
        "claim",
        "policy",
        "shipment",
        "parcel",
        "package",
        "receipt",
        "transaction",
        "payment",
        "request",
        "id",
        "code",
        "serial",
        "flight",
    ]
)
_HONORIFICS = frozenset(["mr", "mrs", "ms", "miss", "dr", "prof", "sir", "madam", "herr", "frau", "señor", "señora"])
_SIGN_OFFS = frozenset(
    ["regards", "thanks", "cheers", "sincerely", "best", "yours", "love", "gracias", "grüße", "saludos"]
)
_CONTRACTIONS = {
    "can't": "can not", "cannot": "can not", "won't": "will not", "shan't": "shall not", "i'm": "i am",
    "let's": "let us", "it's": "it is", "that's": "that is", "what's": "what is", "where's": "where is",
    "who's": "who is", "how's": "how is", "there's": "there is", "here's": "here is", "she's": "she is",
    "he's": "he is", "y'all": "you all",
}  # fmt: skip
_SPECIAL = _WEEKDAYS | _BARE_MONTHS | _HONORIFICS | _SIGN_OFFS | {"is", "cannot"}
_ENDINGS = (("n't", " not"), ("'re", " are"), ("'ve", " have"), ("'ll", " will"), ("'d", " would"))
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'"})


def normalise(text: str) -> str:
    """The text with incidental detail masked, case and punctuation folded, contractions written out."""
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    words: list[str] = []
    previous, name_ahead = "", 0
    pattern = _TOKEN if _NEEDS_ALL.search(text) else _WORDS_ONLY
    for found in pattern.finditer(text):
        kind, token = found.lastgroup, found.group()
        if kind == "word" or kind == "joined":
            folded = token.casefold()
            if name_ahead and token.istitle() and folded not in _CONTRACTIONS:
                if words[-1:] != ["<name>"]:
                    words.append("<name>")
                name_ahead -= 1
                continue
            special = folded in _SPECIAL or "'" in folded
            name_ahead = 0
            if special:
                introduces = folded == "is" and previous == "name"
                if introduces or folded in _HONORIFICS or folded in _SIGN_OFFS or folded == "i'm":
                    name_ahead = 2
            previous = folded
            words.append(_special(folded) if special else folded)
            continue
        if kind == "stop":
            if previous not in _SIGN_OFFS and previous not in _HONORIFICS:
                name_ahead = 0
            continue
        name_ahead = 0
        words.append(_mask(kind or "", token, previous))
        previous = ""
    return " ".join(words)


def _special(word: str) -> str:
    if word in _WEEKDAYS:
        return "<day>"
    if word in _BARE_MONTHS:
        return "<date>"
    if word in _CONTRACTIONS:
        return _CONTRACTIONS[word]
    for ending, full in _ENDINGS:
        if word.endswith(ending):
            return word[: -len(ending)] + full
    return word.removesuffix("'s")


def _mask(kind: str, token: str, previous: str) -> str:
    if kind == "hash":
        return "<id>"
    if kind == "money":
        return "money " + _amount(token)
    if kind == "mixed":
        digits = sum(c.isdigit() for c in token)
        if token[0].isdigit() and token[-1].isalpha() and "-" not in token and token.lstrip("0123456789").isalpha():
            return token.casefold()  # a quantity with its unit: 5kg, 30th
        return "<id>" if digits >= 4 or (digits >= 3 and "-" in token) or previous in _ID_NOUNS else token.casefold()
    if kind == "number":
        digits = sum(c.isdigit() for c in token)
        if previous in _ID_NOUNS or (digits >= 5 and token.isdigit()):
            return "<id>"
        if digits == 4 and token.isdigit() and "1900" <= token <= "2099":
            return "<date>"
        return _amount(token)
    return f"<{kind}>"


def _amount(token: str) -> str:
    digits = re.sub(r"[^\d.,%]", "", token).rstrip(".,")
    whole = re.fullmatch(r"(\d{1,3}(?:,\d{3})+|\d+)(?:\.0+)?(%?)", digits)
    return whole.group(1).replace(",", "") + whole.group(2) if whole else digits


def compared_texts(value: Any) -> Iterator[str]:
    """The texts in a case's inputs that a person would compare, in a fixed order, nested values included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from compared_texts(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from compared_texts(item)
    elif value is not None:
        yield str(value)
