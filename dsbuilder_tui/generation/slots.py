"""Slots: which attribute tuple each planned case must have. Derived from plan and seed alone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput

# Used for a category whose plan names no axes.
DEFAULT_AXES: dict[str, tuple[str, ...]] = {
    "persona": (
        "first-time user", "long-time customer", "busy professional", "worried parent", "older person", "student",
        "small-business owner", "someone asking for another person",
    ),
    "tone": ("neutral", "polite", "impatient", "frustrated", "cheerful", "formal"),
    "situation": (
        "ordinary", "missing detail", "several intents", "typos", "mixed case", "adversarial", "has asked before",
    ),
    "length": ("short", "medium", "long"),
    "channel": ("chat", "e-mail", "mobile app", "voice transcript"),
}  # fmt: skip


class SlotPlan:
    """The slots of one category: their number and the attribute tuple of each."""

    def __init__(self, category: DatasetCategory, axes: Mapping[str, Sequence[str]], seed: int) -> None:
        self.category = category
        # A string seed: Python hashes it with SHA-512, so it is the same in every process.
        rng = random.Random(f"{seed}\x1f{category.name}")
        self._axes = [(name, rng.sample(list(values), len(values))) for name, values in axes.items()]
        # Walking the longest axis fastest keeps every prefix of the slots balanced.
        self._order = sorted(range(len(self._axes)), key=lambda index: -len(self._axes[index][1]))

    def attributes(self, ordinal: int) -> dict[str, str]:
        """The attribute tuple of a slot (``ordinal`` from 1), in the axes' own order.

        The ordinal is written in mixed radix and each digit is turned by the digits before it. That map is one to
        one, so tuples repeat only when all have been used, and the turning keeps each axis balanced from the start.
        """
        rest, turn = ordinal - 1, 0
        chosen: dict[int, str] = {}
        for index in self._order:
            values = self._axes[index][1]
            rest, digit = divmod(rest, len(values))
            place = (digit + turn) % len(values)
            turn += place
            chosen[index] = values[place]
        return {self._axes[index][0]: chosen[index] for index in range(len(self._axes))}


def slot_plans(plan: DatasetPlanInput, seed: int) -> dict[str, SlotPlan]:
    return {c.name: SlotPlan(c, plan.axes(c) or DEFAULT_AXES, seed) for c in plan.categories}


def slot_order(plan: DatasetPlanInput, chunk: int) -> Iterator[tuple[str, int, int]]:
    """All slots as (category, first ordinal, last ordinal), interleaved so that categories advance together."""
    done = {category.name: 0 for category in plan.categories}
    left = {category.name: category.count for category in plan.categories}
    while left:
        name = min(left, key=lambda n: (done[n] + 1) / (done[n] + left[n]))
        size = min(chunk, left[name])
        yield name, done[name] + 1, done[name] + size
        done[name] += size
        left[name] -= size
        if not left[name]:
            del left[name]
