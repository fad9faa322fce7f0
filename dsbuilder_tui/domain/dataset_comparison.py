"""Two datasets held against each other, case by case: branches, checkpoints, or files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, overload

from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.figures import Figures
from dsbuilder_tui.domain.judging import JudgedCounts
from dsbuilder_tui.domain.plan import DatasetPlanInput

T = TypeVar("T")
_TEXT_LENGTH = 500  # characters of a case that are told


class ReadOnDemand(Sequence[T], Generic[T]):
    """A sequence of so many things, each of which is made when it is asked for: none is held."""

    def __init__(self, count: int, read: Callable[[int], T]) -> None:
        self._count, self._read = count, read

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, number: int) -> T: ...
    @overload
    def __getitem__(self, number: slice) -> list[T]: ...
    def __getitem__(self, number: int | slice) -> T | list[T]:
        if isinstance(number, slice):
            return [self._read(one) for one in range(*number.indices(self._count))]
        return self._read(range(self._count)[number])


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRow:
    """A case of one side. ``place`` is its place in the session's history, or its line in the file; ``id`` its name, empty where
    it has none; ``text`` what it is compared by."""

    place: int
    id: str
    category: str
    inputs: Mapping[str, Any]
    expectations: Mapping[str, Any]
    text: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data, with the beginning of what it says."""
        return {
            "id": self.id, "place": self.place, "category": self.category, "text": display_text(self.inputs)[:_TEXT_LENGTH],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChangedCase:
    """A case that stands in both, but says something else or stands in another category."""

    before: ComparedRow
    after: ComparedRow

    @property
    def fields(self) -> list[str]:
        """What of it differs: ``category``, ``inputs.query``, ``expectations.tone``."""
        names = ["category"] if self.before.category != self.after.category else []
        for part in ("inputs", "expectations"):
            old, new = getattr(self.before, part), getattr(self.after, part)
            names += [
                f"{part}.{name}"
                for name in {**old, **new}
                if (name in old, old.get(name)) != (name in new, new.get(name))
            ]
        return names

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {"before": self.before.as_dict(), "after": self.after.as_dict(), "fields": self.fields}


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMatch:
    """A case of each side that repeat each other as the gate sees it: at which stage, with which score (0 to 1)."""

    before: ComparedRow
    after: ComparedRow
    stage: str
    score: float
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "before": self.before.as_dict(), "after": self.after.as_dict(), "stage": self.stage,
            "score": round(self.score, 4), "reason": self.reason,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedDataset:
    """One side of a comparison before it is compared. Its cases are read from where they lie, each as often as it is needed.

    ``history`` is the id of the session of which it is a point, where places in it mean cases; ``plan`` None for a file.
    """

    name: str
    cases: Sequence[ComparedRow]
    history: str | None = None
    checkpoint: int | None = None
    revision: int | None = None
    plan: DatasetPlanInput | None = None
    judged: JudgedCounts = field(default_factory=JudgedCounts)
    unreadable: int = 0  # damaged cases, or lines that are no rows


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSide:
    """One side of a comparison, in figures. ``planned`` and ``revision`` (of the plan) are None for a file."""

    name: str
    cases: int
    categories: Mapping[str, int]
    checkpoint: int | None
    revision: int | None
    planned: int | None
    judged: JudgedCounts
    figures: Figures
    unreadable: int

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "name": self.name, "cases": self.cases, "categories": dict(self.categories), "checkpoint": self.checkpoint,
            "revision": self.revision, "planned": self.planned, "judged": self.judged.as_dict(),
            "diversity": self.figures.as_dict(), "unreadable": self.unreadable,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetComparison:
    """What of two datasets differs. Each case of either side is counted once: ``same``, or in one of the lists.

    ``removed`` are only in ``before``, ``added`` only in ``after``. ``moved`` say the same in another category, ``edited``
    something else than they did, and cases of ``near`` are new words for the same; those are sought among the first
    ``near_sought`` of either side that have no other. ``plan``: what differs between the plans, a line each; empty where a side
    has none. What the lists hold is read when it is asked for.
    """

    before: ComparedSide
    after: ComparedSide
    same: int
    plan: tuple[str, ...]
    added: Sequence[ComparedRow]
    removed: Sequence[ComparedRow]
    edited: Sequence[ChangedCase]
    moved: Sequence[ChangedCase]
    near: Sequence[NearMatch]
    near_sought: int

    @property
    def counts(self) -> dict[str, int]:
        """How many cases are of each kind."""
        return {
            "same": self.same, "added": len(self.added), "removed": len(self.removed), "edited": len(self.edited),
            "moved": len(self.moved), "near": len(self.near),
        }  # fmt: skip

    @property
    def lists(self) -> dict[str, Sequence[ComparedRow] | Sequence[ChangedCase] | Sequence[NearMatch]]:
        """The cases that are not the same, by kind."""
        return {
            "added": self.added, "removed": self.removed, "edited": self.edited, "moved": self.moved, "near": self.near,
        }  # fmt: skip

    def head(self) -> dict[str, Any]:
        """JSON-ready data without the cases."""
        return {
            "before": self.before.as_dict(), "after": self.after.as_dict(), "counts": self.counts, "plan": list(self.plan),
            "near_sought": self.near_sought,
        }  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data: all of it, in memory."""
        return {**self.head(), **{name: [one.as_dict() for one in found] for name, found in self.lists.items()}}
