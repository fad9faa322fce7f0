"""Names: from what a person calls a thing to the name a plan gives it, and back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from dsbuilder_tui.domain.sanitise import one_line

_LONGEST = 48
# What follows a category's name without being part of it: "refund requests", "order status cases".
_NOUNS = (
    "test cases|cases|case|examples|example|requests|request|questions|question|queries|messages|ones|one|category|"
    "categories|inputs|prompts|instances|samples|tests|items|inquiries|enquiries|tickets|chats|emails"
)
_HEADS = (
    "the|a|an|some|more|other|new|extra|additional|of|about|for|on|from|in|with|to|are|is|be|should|will|must|test|"
    "cases|examples|questions|messages|queries|prompts|requests|inputs|case|example|question|message|query|prompt|"
    "please|thanks|dataset|data set|test set|suite|"
    "evals|evaluations|tests|samples|items|that|which|ask|asking|covering|cover|category|"
    "few|couple|handful|bunch|several|called|named|regarding|concerning|just|only|as|go|goes|into|total|all|overall|altogether|evaluation|eval|"
    "realistic|diverse|different|synthetic"
)
# Words that name nothing without the noun behind them: "product questions" is no category "product".
_NEEDS_NOUN = re.compile(
    r"(?:products?|services?|general|technical|simple|common|random|customers?|typical|basic|quick|users?|follow[ -]up)",
    re.IGNORECASE,
)
_DEVICES = re.compile(r"con|prn|aux|nul|(?:com|lpt)\d", re.IGNORECASE)


def slug(phrase: str) -> str:
    """``Order status`` → ``order_status``; empty when there is nothing a name can be made of."""
    text = unicodedata.normalize("NFC", phrase).lower()
    name = re.sub(r"[^\w]+|_+", "_", re.sub(r"['’]", "", text)).strip("_")
    if len(name) > _LONGEST:
        cut = name[:_LONGEST]
        name = cut.rsplit("_", 1)[0] if "_" in cut else cut
    name = unicodedata.normalize("NFC", name).strip("_")
    return f"{name}_cases" if _DEVICES.fullmatch(name) else name


def words_of(phrase: str) -> str:
    """A name or a phrase as words on one line, for a sentence."""
    return one_line(re.sub(r"[{}<>\[\]\\`*_|\s]+", " ", phrase).strip(), 80)


def bare_phrase(phrase: str) -> str:
    """A phrase without the words around what it names: ``of cases about the refunds`` → ``refunds``."""
    text = " ".join(phrase.split()).strip(" .,:;!?-–—()[]*•\"'")
    while (shorter := re.sub(rf"^(?:{_HEADS})\b[ :]*", "", text, flags=re.IGNORECASE)) != text:
        text = shorter
    kept = re.sub(rf"\s+(?:{_NOUNS}|please|too|as well|in total|each|instead|now)$", "", text, flags=re.IGNORECASE)
    if _NEEDS_NOUN.fullmatch(kept) and re.search(r" (?:questions?|requests?|queries|inquiries|enquiries)$", text, re.I):
        kept = text
    return kept.strip(" .,:;!?-–—()\"'")


def singular(word: str) -> str:
    """A word's singular, well enough to compare: ``refunds`` → ``refund``, ``queries`` → ``query``."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "uses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def forms(name: str) -> str:
    """A pattern for the ways a category's name is written in a sentence."""
    parts = [re.escape(singular(part)) for part in re.split(r"[\W_]+", name.lower()) if part]
    loose = [rf"{part[:-1]}(?:y|ies)" if part.endswith("y") else rf"{part}(?:e?s)?" for part in parts]
    return r"(?<!\w)" + r"[ _.-]+".join(loose) + rf"(?!\w)(?: (?:{_NOUNS})(?!\w))?"


def unused(name: str, taken: Iterable[str]) -> str:
    """The name, or with a number behind it when it is taken (small and capital letters count as the same)."""
    used = {other.casefold() for other in taken}
    found, number = name, 2
    while found.casefold() in used:
        found, number = f"{name}_{number}", number + 1
    return found
