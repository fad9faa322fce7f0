"""Perturbations that change how a message looks and leave what it asks: typos, case, speech, texting."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

_NEIGHBOURS = {
    "a": "qs", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
_TEXTING = {
    "please": "pls", "you": "u", "are": "r", "your": "ur", "thanks": "thx", "because": "cos", "tomorrow": "tmrw",
    "before": "b4", "and": "&", "with": "w/", "about": "abt", "people": "ppl", "message": "msg",
}  # fmt: skip


def typos(text: str, rng: random.Random) -> str:
    """One slip in about every eight words of four letters or more: swapped, dropped, doubled or neighbouring keys."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if re.fullmatch(r"[^\W\d_]{4,}[.,!?]*", word)]
    for place in rng.sample(places, min(len(places), 1 + len(words) // 8)):
        word = words[place]
        at = rng.randint(1, max(1, len(word.rstrip(".,!?")) - 2))
        slip = rng.randrange(4)
        if slip == 0:
            word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        elif slip == 1:
            word = word[:at] + word[at + 1 :]
        elif slip == 2:
            word = word[:at] + word[at] + word[at:]
        else:
            word = word[:at] + rng.choice(_NEIGHBOURS.get(word[at].lower(), "e")) + word[at + 1 :]
        words[place] = word
    return " ".join(words)


def mixed_case(text: str, rng: random.Random) -> str:
    """All capitals, all small letters, or a few SHOUTED words."""
    kind = rng.randrange(3)
    if kind == 0:
        return text.upper()
    if kind == 1:
        return text.lower()
    words = text.split(" ")
    for place in rng.sample(range(len(words)), min(len(words), 2 + len(words) // 6)):
        words[place] = words[place].upper()
    return " ".join(words)


def spoken(text: str, rng: random.Random, fillers: Sequence[str]) -> str:
    """A transcript: no capitals, no punctuation, a few fillers."""
    words = re.sub(r"(?<![.,!?;:\"])[.,!?;:\"]++(?=\s|$)", "", text).replace("\n", " ").lower().split()
    for _ in range(1 + len(words) // 12):
        words.insert(rng.randint(0, len(words)), rng.choice(fillers))
    return " ".join(words)


def texting(text: str, rng: random.Random) -> str:
    """Typed with thumbs: abbreviations here and there, and not much care."""
    words = [
        _TEXTING[word.lower()] if word.lower() in _TEXTING and rng.random() < 0.5 else word for word in text.split(" ")
    ]
    text = " ".join(words)
    return text.lower() if rng.random() < 0.3 else text
