"""Streams of texts with planted repeats: which text is a repeat of which, and how it was made from it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from dsbuilder_tui.diversity.answer import Question
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.static_embedding import built_in_embedder
from dsbuilder_tui.diversity.thresholds import Rules
from tests.support.fake_contents import word

PATTERNS = ("uniform", "zipf", "bursty", "round_robin")
KINDS = {"ids and case": "structural", "a word or two": "near", "word order": "semantic"}
CATEGORIES = 50
_SHARE = 0.3  # of the texts that repeat an earlier one


@dataclass(frozen=True, slots=True)
class Text:
    category: str
    words: tuple[str, ...]
    kind: str = ""  # how it repeats the one at ``of``
    of: int = -1

    @property
    def shown(self) -> str:
        return " ".join(self.words)


def stream(pattern: str, count: int, seed: int = 1) -> Iterator[Text]:
    """``count`` texts, some of them repeats. The pattern says what is repeated: any text (uniform), a few again and again
    (zipf), what has just been said (bursty); round_robin goes through 50 categories in turn and repeats any text."""
    rng = random.Random(f"{pattern} {seed}")
    fresh: list[Text] = []
    while count:
        count -= 1
        if fresh and rng.random() < _SHARE:
            place = _chosen(pattern, len(fresh), rng)
            yield _repeat(fresh[place], place, rng)
            continue
        category = f"category {len(fresh) % CATEGORIES}" if pattern == "round_robin" else "all"
        words = tuple(word(rng.randrange(30, 20_000)) for _ in range(rng.randint(9, 20)))
        fresh.append(Text(category, (*words, f"#{rng.randrange(10_000, 99_999)}")))
        yield fresh[-1]


def _chosen(pattern: str, there: int, rng: random.Random) -> int:
    if pattern == "zipf":
        return min(there - 1, int(rng.paretovariate(0.6)) - 1)
    if pattern == "bursty":
        return max(0, there - 1 - int(rng.expovariate(1 / 4)))
    return rng.randrange(there)


def _repeat(text: Text, place: int, rng: random.Random) -> Text:
    kind, words = rng.choice(list(KINDS)), list(text.words)
    words[-1] = f"#{rng.randrange(10_000, 99_999)}"
    if kind == "ids and case":
        words = [w.upper() for w in words]
    elif kind == "a word or two":
        words[rng.randrange(len(words) - 1)] = word(rng.randrange(30, 20_000))
    else:
        head = words[:-1]
        rng.shuffle(head)
        words[:-1] = head
    return Text(text.category, tuple(words), kind, place)


@dataclass
class Tally:
    """What became of a stream."""

    planted: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    stages: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, stage)
    wrongly: int = 0  # fresh texts turned away
    fresh: int = 0

    @property
    def recall(self) -> float:
        return self.caught.total() / max(1, self.planted.total())

    def recall_of(self, kind: str) -> float:
        return self.caught[kind] / max(1, self.planted[kind])


def judged(texts: Iterator[Text], window: int | None = None, rules: Rules | None = None) -> Tally:
    """Hold a stream against a comparer."""
    comparer, tally = Comparer(built_in_embedder(), window=window), Tally()
    rules = rules or Rules()
    while batch := [text for _, text in zip(range(64), texts, strict=False)]:
        answers = comparer.judge([Question(text.category, text.shown, {}, rules) for text in batch])
        for text, answer in zip(batch, answers, strict=True):
            if not text.kind:
                tally.fresh += 1
                tally.wrongly += answer.match is not None
                continue
            tally.planted[text.kind] += 1
            if answer.match is not None:
                tally.caught[text.kind] += 1
                tally.stages[text.kind, answer.match.stage] += 1
    comparer.file.close()
    return tally
