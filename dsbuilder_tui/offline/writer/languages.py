"""Which language an example is in, and the phrases the built-in writer has for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

ENGLISH, UNKNOWN = "en", "other"
NAMES = {"en": "English", "es": "Spanish", "de": "German", "fr": "French"}
LOCALES = {"en": "en-US", "es": "es-ES", "de": "de-DE", "fr": "fr-FR"}

_ENGLISH_WORDS = frozenset(
    "the a an is are was my your i you we it to of for and or not in on with what where when who why how can could "
    "do does did will would want need please tell me about order refund this that have has".split()
)
_ANGRY = ("frustrated", "impatient")
_POLITE = ("polite", "formal")


def language_of(texts: Sequence[str], phrases: Mapping[str, Any]) -> str:
    """The language whose small words are met most often; ``other`` for what is written in another script."""
    text = " ".join(texts).lower()
    words = re.findall(r"[^\W\d_]+", text)
    scores = {ENGLISH: sum(word in _ENGLISH_WORDS for word in words)}
    for code, bank in phrases["language"].items():
        scores[code] = sum(word in bank["words"] for word in words)
    best = max(scores, key=lambda code: scores[code])
    letters = [c for c in text if c.isalpha()]
    latin = sum(c < "\u0250" for c in letters)
    if letters and latin < len(letters) / 2:
        return UNKNOWN
    if scores[best] > 1 or (scores[best] and (best != ENGLISH or all(c.isascii() for c in letters))):
        return (
            best  # a single English word, which may be a part of an id, proves nothing in a text with foreign letters
        )
    return ENGLISH if all(c.isascii() for c in letters) else UNKNOWN


def phrases_in(language: str, phrases: Mapping[str, Any]) -> Mapping[str, Any]:
    """The phrases of a language in the shape of the English ones; empty banks for a language we have none of."""
    if language == ENGLISH:
        return phrases
    bank: Mapping[str, Any] = phrases["language"].get(language, {})

    def take(*names: str) -> list[str]:
        return next((bank[name] for name in names if bank.get(name)), [""])

    def tone(name: str) -> dict[str, list[str]]:
        mood = "angry" if name in _ANGRY else "polite" if name in _POLITE else "open"
        return {"open": take(mood), "close": take("close_angry" if mood == "angry" else "close")}

    expected = bank.get("expected", phrases["expected"])
    attacks = {"place": "before", "say": take("adversarial"), "must_not": expected.get("must_not", [""])}
    return {
        "tone": {name: tone(name) for name in phrases["tone"]},
        "persona": {},
        "situation": {
            "asked_before": take("again"),
            "missing_id": take("missing"),
            "missing_detail": take("missing"),
            "ambiguous": take("unclear"),
            "out_of_scope": take("off_topic"),
        },
        "attack": [attacks],
        "fillers": {"voice": take("fillers")},
        "channel": {"email": {"open": take("email_open"), "close": take("email_close")}},
        "detail": [{"say": [sentence]} for sentence in take("detail") if sentence],
        "second": [{"say": take("second")}],
        "expected": expected,
    }


def lead_ins(language: str, phrases: Mapping[str, Any]) -> list[str]:
    """Ways to introduce a core in a language that has no paraphrase rules."""
    return list(phrases["language"].get(language, {}).get("lead_in", ["{core}"]))
