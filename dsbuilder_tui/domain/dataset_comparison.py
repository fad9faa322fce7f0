"""Two datasets held against each other, case by case: branches, checkpoints, or files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.figures import Figures
from dsbuilder_tui.domain.judging import JudgedCounts
from dsbuilder_tui.domain.plan import DatasetPlanInput

_TEXT_LENGTH = 500  # characters of a case that are told


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
    """One side of a comparison before it is compared: all its cases in memory.

    ``history`` is the id of the session of which it is a point, where places in it mean cases; ``plan`` None for a file.
    """

    name: str
    cases: list[ComparedRow]
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
    something else than they did, and cases of ``near`` are new words for the same. ``plan``: what differs between the
    plans, a line each; empty where a side has none.
    """

    before: ComparedSide
    after: ComparedSide
    same: int
    plan: tuple[str, ...]
    added: tuple[ComparedRow, ...]
    removed: tuple[ComparedRow, ...]
    edited: tuple[ChangedCase, ...]
    moved: tuple[ChangedCase, ...]
    near: tuple[NearMatch, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many cases are of each kind."""
        return {
            "same": self.same, "added": len(self.added), "removed": len(self.removed), "edited": len(self.edited),
            "moved": len(self.moved), "near": len(self.near),
        }  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        lists = ("added", "removed", "edited", "moved", "near")
        return {
            "before": self.before.as_dict(), "after": self.after.as_dict(), "counts": self.counts, "plan": list(self.plan),
            **{name: [one.as_dict() for one in getattr(self, name)] for name in lists},
        }  # fmt: skip
