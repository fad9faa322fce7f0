"""Two texts beside each other: the words in which they differ, and what both share folded away. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.tui.paint.flow import flow
from dsbuilder_tui.tui.paint.line import Line

_WORDS = re.compile(r"\w+\s*|[^\w\s]\s*|\s+", re.UNICODE)  # a word takes its spaces along: they line up with anything
_MOST_WORDS = 1500  # pieces of each text, between a common beginning and end, that are lined up
_LONG_RUN, _AROUND = 60, 15  # pieces that both share: so many are folded, and so many stay in view beside a change

# A text in pieces: ``same`` in both texts, what the other one lacks (``differs``), or ``folded`` words that are alike.
Pieces = list[tuple[str, str]]


def readable(inputs: object) -> str:
    """The inputs as a person reads them: the text of a single field, turns of a conversation one below the other."""
    if not isinstance(inputs, Mapping):
        return str(inputs)
    if len(inputs) == 1:
        return _said(next(iter(inputs.values())))
    return "\n".join(f"{name}: {_said(value)}" for name, value in inputs.items())


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and value and all(isinstance(turn, Mapping) for turn in value):
        turns = [(turn.get("role"), turn.get("content", turn.get("text"))) for turn in value]
        if all(isinstance(role, str) and isinstance(words, str) for role, words in turns):
            return "\n".join(f"{role}: {words}" for role, words in turns)
    return json.dumps(value, ensure_ascii=False, default=str)


def word_diff(left: str, right: str) -> tuple[Pieces, Pieces]:
    """Both texts in pieces. Words are compared without regard to case; long stretches that both share are folded."""
    a, b = _WORDS.findall(visible(left)), _WORDS.findall(visible(right))
    x, y = [word.strip().casefold() for word in a], [word.strip().casefold() for word in b]
    head = _shared(x, y)
    tail = _shared(x[head:][::-1], y[head:][::-1])
    ends, other_ends = len(a) - tail, len(b) - tail
    to, other_to = min(ends, head + _MOST_WORDS), min(other_ends, head + _MOST_WORDS)
    # With words that come again and again taken for anchors, the time would grow with the cube of the length.
    matcher = SequenceMatcher(None, x[head:to], y[head:other_to], autojunk=True)
    ours, theirs = _runs(a[:head], "same"), _runs(b[:head], "same")
    for kind, a0, a1, b0, b1 in matcher.get_opcodes():
        mark = "same" if kind == "equal" else "differs"
        ours += _runs(a[head + a0 : head + a1], mark)
        theirs += _runs(b[head + b0 : head + b1], mark)
    ours += _loose(a[to:ends], x[to:ends], y[other_to:other_ends])
    theirs += _loose(b[other_to:other_ends], y[other_to:other_ends], x[to:ends])
    return _folded(ours + _runs(a[ends:], "same")), _folded(theirs + _runs(b[other_ends:], "same"))


def _shared(x: list[str], y: list[str]) -> int:
    """How many words two texts begin with alike."""
    return next((n for n, (one, other) in enumerate(zip(x, y, strict=False)) if one != other), min(len(x), len(y)))


def _runs(words: list[str], mark: str) -> Pieces:
    return [("".join(words), mark)] if words else []


def _loose(words: list[str], plain: list[str], other: list[str]) -> Pieces:
    """What is too long to be lined up: a word differs when the other text does not have it as often."""
    left = Counter(other)
    pieces: Pieces = []
    for word, key in zip(words, plain, strict=True):
        left[key] -= 1
        pieces.append((word, "differs" if left[key] < 0 else "same"))
    return pieces


def _folded(pieces: Pieces) -> Pieces:
    """The pieces with neighbours of one mark joined, and long shared stretches cut down to what is beside a change."""
    joined: Pieces = []
    for text, mark in pieces:
        if joined and joined[-1][1] == mark:
            joined[-1] = (joined[-1][0] + text, mark)
        else:
            joined.append((text, mark))
    if len(joined) < 2:
        return joined
    found: Pieces = []
    for place, (text, mark) in enumerate(joined):
        words = _WORDS.findall(text) if mark == "same" else []
        before, after = (_AROUND if place else 0), (_AROUND if place < len(joined) - 1 else 0)
        if len(words) <= max(_LONG_RUN, before + after):
            found.append((text, mark))
            continue
        hidden = words[before : len(words) - after]
        count = sum(word[0].isalnum() for word in hidden)
        found.append(("".join(words[:before]).rstrip(), mark))
        found.append((f"\n⋯ {count:,} words alike ⋯\n", "folded"))
        found.append(("".join(words[len(words) - after :]).lstrip() if after else "", mark))
    return [piece for piece in found if piece[0]]


def side(pieces: Pieces, width: int, role: str) -> list[Line]:
    """One side of the duel as wrapped lines; what differs in ``role``, bold."""
    roles = {"differs": f"{role}+bold", "folded": "faint"}
    return flow([(text, roles.get(mark, "text")) for text, mark in pieces], width)
