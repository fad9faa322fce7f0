"""The facts of a dataset that its reader is told: where it comes from, what it holds, how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCategory:
    """One category. ``judged`` says in words what the judge found, empty where nothing was judged."""

    name: str
    description: str
    planned: int
    cases: int
    judged: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCard:
    """The facts of one dataset. ``splits`` has the number of cases of each; ``figures`` are sentences on its diversity."""

    name: str
    target: str
    created: str  # the day
    licence: str
    version: str  # of dsbuilder
    seed: int
    models: Sequence[str]
    categories: Sequence[CardCategory]
    splits: Mapping[str, int]
    figures: Sequence[str] = ()
    notes: Sequence[str] = field(default=())

    @property
    def cases(self) -> int:
        return sum(self.splits.values())
