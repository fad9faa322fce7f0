"""Long parts of inputs that many cases have in common: a system message, instructions, a document that questions are about.

Such a part is no likeness: of a case that has one what else stands in its inputs is compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass

import xxhash

from dsbuilder_tui.diversity.compared_text import PARTS
from dsbuilder_tui.diversity.normalise import normalise

MOST_PASSAGES = 4  # of a text that are kept in mind
_LONG = 40  # characters: what is shorter drowns nothing


@dataclass(frozen=True, slots=True)
class ReadText:
    """What of a text is compared.

    Attributes:
        compared: the text without what it shares with others.
        passages: hashes of its long parts as they are masked, shared or not, the longest first.
        left_out: a hash of what is not in ``compared``; 0 where all is.
    """

    compared: str
    passages: tuple[int, ...] = ()
    left_out: int = 0


def read_texts(texts: Sequence[str], known: Sequence[Container[int]]) -> list[ReadText]:
    """Each text without the passages that are ``known`` where it belongs, or that come again among these texts."""
    found = [_passages(text) for text in texts]
    again = Counter(passage for passages in found for passage in passages.values())
    return [
        _read(text, passages, {one for one in passages.values() if one in there or again[one] > 1})
        for text, passages, there in zip(texts, found, known, strict=True)
    ]


def _passages(text: str) -> dict[str, int]:
    """The long parts with their hashes, the longest first; none where a text has one part alone."""
    if PARTS not in text:
        return {}
    parts = sorted({part for part in text.split(PARTS) if len(part) >= _LONG}, key=lambda part: (-len(part), part))
    return {part: _digest(normalise(part)) for part in parts[:MOST_PASSAGES]}


def _read(text: str, passages: dict[str, int], shared: set[int]) -> ReadText:
    every = tuple(passages.values())
    if not shared:
        return ReadText(text, every)
    parts = text.split(PARTS)
    rest = PARTS.join(part for part in parts if passages.get(part) not in shared)
    if not rest.strip(" \t\r\n" + PARTS):
        return ReadText(text, every)
    left_out = " ".join(str(passages[part]) for part in parts if passages.get(part) in shared)
    return ReadText(rest, every, _digest(left_out))


def _digest(text: str) -> int:
    return xxhash.xxh32_intdigest(text.encode("utf-8", "surrogatepass")) or 1
