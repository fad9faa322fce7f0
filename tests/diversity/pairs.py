"""The labelled set: pairs of texts that are a repeat or a contrast, as a person judged them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

STRUCTURAL = ("ids", "names", "dates", "case_punctuation", "contractions")
QUANTITIES = ("amount", "age", "duration", "unit", "count")
ASKED = ("question", "owner", "particle", "compared", "role", "kind")
REPEATS = (*STRUCTURAL, "word_order", "light_edit", "paraphrase")
CONTRASTS = (
    *QUANTITIES, "negation", "entity", "direction", "refusal_request", "topic", "expectations", *ASKED, "subject"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """Two inputs of one category; ``expectations`` (of one and of the other) only where they are what differs."""

    one: str
    other: str
    kind: str
    domain: str
    language: str
    repeat: bool
    expectations: tuple[dict[str, Any], dict[str, Any]] = ({}, {})


def pairs(*kinds: str) -> list[Pair]:
    """The pairs of these kinds, or all, in the order of the files."""
    every = [pair for path in sorted(Path(__file__).parent.glob("pairs_*.yaml")) for pair in _read(path)]
    return [pair for pair in every if not kinds or pair.kind in kinds]


def unseen_pairs() -> list[Pair]:
    """A smaller set that the word lists were not fitted to."""
    return _read(Path(__file__).parent / "unseen_pairs.yaml")


@functools.cache
def _read(path: Path) -> list[Pair]:
    rows = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return [Pair(**row | {"expectations": tuple(row.get("expectations", ({}, {})))}) for row in rows]
