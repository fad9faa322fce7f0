"""The words that tell a group of texts from the others: said often in it and seldom elsewhere.

The measure is the log odds with an informative prior of Monroe, Colaresi and Quinn (2008), "Fightin' Words".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import log, sqrt

_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_LEAST_LETTERS = 3
_LEAST_TEXTS = 0.12  # the share of a group's texts that its words stand in, at the least
_PAIR_GAIN = 1.25  # a pair of words says more than either
_PRIOR = 0.5
_EMPTY_WORDS = frozenset(
    "about after again all also and any are because been before being but can cannot could did does doing don down for from get "
    "got had has have having her here hers him his how into isn it's i'm i'd i've i'll its just like let made make may might "
    "more most much must need needs never not now off one only other our out over please really same shall she should some still "
    "such tell than thanks that that's the their them then there these they this those through too two until very want wants "
    "was wasn way well were what what's when where which while who whom why will with won would you your yours".split()
)  # fmt: skip


def telling_words(groups: Sequence[Sequence[str]]) -> list[str]:
    """A word or two for each group of texts; empty for one without a word of its own. A name is given once."""
    counts = [_counted(texts) for texts in groups]
    everywhere: Counter[str] = Counter()
    for counted in counts:
        everywhere.update(counted)
    total = max(1, sum(everywhere.values()))
    names: list[str] = []
    for texts, counted in zip(groups, counts, strict=True):
        names.append(_name(counted, everywhere, total, len(texts), names))
    return names


def _counted(texts: Sequence[str]) -> Counter[str]:
    """In how many texts each word and each pair of neighbours stands."""
    counts: Counter[str] = Counter()
    for text in texts:
        seen: set[str] = set()
        before = ""
        for word in _WORD.findall(text.lower()):
            telling = len(word) >= _LEAST_LETTERS and word not in _EMPTY_WORDS
            if telling:
                seen.add(word)
                if before:
                    seen.add(f"{before} {word}")
            before = word if telling else ""
        counts.update(seen)
    return counts


def _name(own: Counter[str], everywhere: Counter[str], total: int, texts: int, taken: Sequence[str]) -> str:
    inside = max(1, sum(own.values()))
    best, name = 0.0, ""
    for words, count in own.items():
        if count < max(2, _LEAST_TEXTS * texts) or words in taken:
            continue
        elsewhere = everywhere[words] - count
        here, there = count + _PRIOR, elsewhere + _PRIOR
        odds = log(here / (inside + 1 - here)) - log(there / (max(total - inside, 0) + 1 + _PRIOR - there + _PRIOR))
        score = odds / sqrt(1 / here + 1 / there) * (_PAIR_GAIN if " " in words else 1.0)
        if (score, words) > (best, name):
            best, name = score, words
    return name
