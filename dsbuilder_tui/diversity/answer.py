"""A question to the comparison, and its answer: the case that a text repeats, or what is worth knowing about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.diversity.thresholds import Rules
from dsbuilder_tui.registry import PlugInBroken


@dataclass(frozen=True, slots=True)
class Partner:
    """What a text is the partner of: ``exact`` is the hash of that text. ``reworded`` when its words have to differ, not
    only ids, amounts and other detail.
    """

    exact: int
    reworded: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A text to be judged. Cases of one ``category`` are compared with each other; ``rules`` say how.

    As the ``partner`` of a case it may be like that one, as long as it is not its very text.
    """

    category: str
    text: str
    expectations: Mapping[str, Any]
    rules: Rules
    partner: Partner | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """The nearest earlier case in a stage: its row, and how like it is (0 to 1)."""

    row: int
    value: float


@dataclass(frozen=True, slots=True)
class Match:
    """An admitted case that a candidate repeats. ``score`` has reached ``threshold``."""

    row: int
    stage: str  # its name
    score: float
    threshold: float
    reason: str


@dataclass(frozen=True, slots=True)
class Flag:
    """What is worth knowing about a case that was let in.

    ``kind``: contrast (as like as a repeat, but ``differs`` in something that matters), contradiction (the same text
    with other expectations), similar (nearly as like as a repeat).
    """

    kind: str
    row: int
    stage: str
    score: float
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """``row`` is the number of the admitted case; None when it was turned away because of ``match``, or was only asked about.

    ``near`` and ``semantic`` are the nearest cases that nothing but the score speaks for keeping apart. With ``broken``
    nobody can tell: a plug-in's stage has failed. ``beginning``: its meaning was compared by so many characters from the
    start of the text, for which alone an embedding was to be had; None: by all of it.
    """

    row: int | None
    text: int  # its structural hash
    match: Match | None = None
    flags: tuple[Flag, ...] = ()
    near: Score | None = None
    semantic: Score | None = None
    broken: PlugInBroken | None = None
    beginning: int | None = None
