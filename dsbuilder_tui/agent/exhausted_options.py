"""Options for exhausted slots, with their numbers filled in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.axes import DEFAULT_AXES
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.stage_names import STAGES

_MOST_CATEGORIES = 3
_MOST_AGAINST = 3  # cases that tries were too close to
_TEXT = 120  # characters of a case that is named
# Values that fit any application, for axes that plans often have.
_MORE_VALUES = {
    **DEFAULT_AXES, "difficulty": ("easy", "medium", "hard"), "edge_case": ("ambiguous", "adversarial", "out of scope"),
    "language": ("English", "Spanish", "German", "French"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LostSlots:
    """The tries of one category's exhausted slots: how many, at which stage, too close to which case."""

    category: str
    slots: int
    stages: Mapping[str, int]
    against: Mapping[str, int]

    @property
    def tries(self) -> int:
        return sum(self.stages.values())

    def words(self) -> str:
        """``Of 30 tries in refunds 22 were turned away as semantic, most often against refunds-00003 (9).``"""
        if not self.tries:
            return ""
        stage, many = next(iter(self.stages.items()))
        was = "was" if many == 1 else "were"
        how = f"as {stage} repeats" if stage in STAGES.names() else f"({stage})"
        named = [f"{case_id} ({times})" for case_id, times in list(self.against.items())[:_MOST_AGAINST]]
        nearest = f", most often against {' and '.join(named)}" if named else ""
        return f"Of {counted(self.tries, 'try')} in {self.category} {many:,} {was} turned away {how}{nearest}."


class ExhaustedTally:
    """Collects the tries of slots that are open, and keeps those of the exhausted ones."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], list[tuple[str, str | None]]] = {}
        self._slots: Counter[str] = Counter()
        self._stages: dict[str, Counter[str]] = {}
        self._against: dict[str, Counter[str]] = {}

    def rejected(self, category: str, slot: int, stage: str, nearest: str | None) -> None:
        self._open.setdefault((category, slot), []).append((stage, nearest))

    def accepted(self, category: str, slot: int) -> None:
        self._open.pop((category, slot), None)

    def exhausted(self, category: str, slot: int) -> None:
        self._slots[category] += 1
        stages = self._stages.setdefault(category, Counter())
        against = self._against.setdefault(category, Counter())
        for stage, nearest in self._open.pop((category, slot), ()):
            stages[stage] += 1
            against.update([nearest] if nearest else [])

    def all(self) -> tuple[LostSlots, ...]:
        """By category, the one with the most slots first."""
        return tuple(
            LostSlots(
                name,
                slots,
                dict(self._stages[name].most_common()),
                dict(self._against[name].most_common(_MOST_AGAINST)),
            )
            for name, slots in self._slots.most_common()
        )


@dataclass(frozen=True, slots=True)
class ExhaustedOption:
    """``options`` are sentences, the cheapest to try first; ``counts`` is what revise_plan takes for the last of them."""

    category: str
    options: tuple[str, ...]
    counts: Mapping[str, int]

    def words(self) -> str:
        listed = " ".join(f"{number}. {option}" for number, option in enumerate(self.options, 1))
        return f"For {self.category}: {listed}"

    def data(self) -> dict[str, Any]:
        return {"category": self.category, "options": list(self.options), "counts": dict(self.counts)}


async def exhausted_options(lost: Sequence[LostSlots], session: Session) -> list[ExhaustedOption]:
    """What to do for the categories that lost the most. Those that the plan no longer has are left out."""
    exhausted = await session.cases.exhausted_counts()
    found = []
    for one in lost[:_MOST_CATEGORIES]:
        category = next((c for c in session.plan.categories if c.name == one.category), None)
        if category is None or not exhausted.get(one.category):
            continue
        options = [_axis(session.plan, category), await _examples(one, session)]
        reached = category.count - exhausted[one.category]
        if reached > 0:
            options.append(f"Fewer cases: {reached:,} in place of {category.count:,}, which is what it can reach now.")
        counts = {category.name: reached} if reached > 0 else {}
        found.append(ExhaustedOption(category.name, tuple(filter(None, options)), counts))
    return found


def _axis(plan: DatasetPlanInput, category: DatasetCategory) -> str:
    """The axis with the fewest values, and a value that it lacks."""
    name, values = min(slot_axes(plan, category).items(), key=lambda axis: (len(axis[1]), axis[0]))
    there = {value.casefold() for value in values}
    more = [value for value in _MORE_VALUES.get(name, ()) if value.casefold() not in there]
    has = f"which has only {', '.join(values)}" if len(values) < 3 else f"which has {len(values)}"
    example = f", for instance {more[0]}" if more else ""
    return f"A new value for the axis {name}, {has}{example}."


async def _examples(lost: LostSlots, session: Session) -> str:
    """Other examples than what the tries came close to."""
    if not lost.against:
        stage = next(iter(lost.stages), "")
        return f"A clearer description: most tries failed at {stage}, not for being alike." if stage else ""
    nearest, times = next(iter(lost.against.items()))
    name, _, ordinal = nearest.rpartition("-")
    case = await session.cases.get(name, int(ordinal)) if ordinal.isdecimal() else None
    text = f" (“{one_line(display_text(case.inputs), _TEXT)}”)" if case is not None and not case.damaged else ""
    return f"Other examples: {times:,} of {lost.tries:,} tries came too close to {nearest}{text}; show some unlike it."
