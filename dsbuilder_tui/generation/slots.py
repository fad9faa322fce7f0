"""Slots: which attribute tuple each planned case must have. Derived from plan and seed alone."""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.axes import DEFAULT_AXES, GROUNDED_AXES
from dsbuilder_tui.domain.case import runs
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.conversation import TURNS, usual_lengths
from dsbuilder_tui.domain.held_slots import HeldValues
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.variation import VariedSlots
from dsbuilder_tui.domain.writing_mode import WritingMode
from dsbuilder_tui.generation.pair_plan import PairPlan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_MOST_LOOKED = 20_000  # tuples that are looked through for those of a cell
_MOST_SHUFFLES = 4096  # that are kept: seeding a generator costs more than the rest of a slot


class SlotPlan:
    """The slots of one category: their number and the attribute tuple of each. ``pairs`` says which are partners."""

    def __init__(self, category: DatasetCategory, axes: Mapping[str, Sequence[str]], seed: int) -> None:
        self.category = category
        # A string seed: Python hashes it with SHA-512, so it is the same in every process.
        self._seed = f"{seed}\x1f{category.name}"
        rng = random.Random(self._seed)
        self._varied = VariedSlots(category.variations)
        self._held = HeldValues(category.held, axes)
        self.pairs = PairPlan(category, self._seed, frozenset((*self._varied, *self._held)))
        self._axes = [(name, rng.sample(list(values), len(values))) for name, values in axes.items()]
        # The longest axis turns fastest: by the time a shorter one turns over, every value of it has been used.
        self._order = sorted(range(len(self._axes)), key=lambda index: -len(self._axes[index][1]))
        self._shuffled: dict[tuple[int, int], list[int]] = {}
        self._cells: dict[tuple[tuple[str, str], ...], list[dict[str, str]]] = {}  # of held slots, in their order

    def place(self, ordinal: int) -> int:
        """The place of a slot among those that are neither partners nor variations, whose place is that of their case."""
        return self.pairs.place(self._varied.root(ordinal))

    def varies(self, ordinal: int) -> int | None:
        """The slot whose case it is to vary; None for most. Cases that are made of templates vary none."""
        return None if self.category.mode is WritingMode.TEMPLATES else self._varied.of(ordinal)

    def attributes(self, ordinal: int) -> dict[str, str]:
        """The attribute tuple of a slot (``ordinal`` from 1), in the axes' own order.

        The ordinal is written in mixed radix, and each digit is shifted by an amount that the faster digits fix. That
        map is one to one, so tuples repeat only when all have been used. The shifts run through shuffled blocks of the
        axis's values, so each axis is balanced from the start and no two axes move in step. A partner has the tuple of its
        original, a variation that of its case; one that is held to a cell has a tuple of that cell.
        """
        root = self._varied.root(ordinal)
        return self._in_cell(root) if root in self._held else self._tuple(self.pairs.place(root))

    def _in_cell(self, ordinal: int) -> dict[str, str]:
        """The tuple of a slot that is held: those of its cell in turn, first the ones that no slot before has."""
        found = self._held.of(ordinal)
        assert found is not None
        cell, turn = found
        tuples = self._cells.get(cell)
        if tuples is None:
            tuples = self._cells[cell] = self._tuples_of(dict(cell))
        return tuples[turn % len(tuples)]

    def _tuples_of(self, cell: Mapping[str, str]) -> list[dict[str, str]]:
        """The tuples of a cell, in the order in which the slots would come to them behind those that were planned before;
        of a very large product only so many as are looked through.
        """
        size = math.prod(len(values) for _, values in self._axes)
        before = self.place(self._held.first() - 1) if self._held.first() > 1 else 0
        looked = range(before, before + min(size, _MOST_LOOKED))
        places = (place % size + 1 for place in looked)
        found = [chosen for place in places if cell.items() <= (chosen := self._tuple(place)).items()]
        return found or [{**self._tuple(1), **cell}]

    def _tuple(self, place: int) -> dict[str, str]:
        rest, below, faster = place - 1, 0, 1
        chosen: dict[int, str] = {}
        for index in self._order:
            values = self._axes[index][1]
            rest, digit = divmod(rest, len(values))
            block, place = divmod(below, len(values))
            shift = self._shuffle(index, block, len(values))[place] if faster > 1 else 0
            chosen[index] = values[(digit + shift) % len(values)]
            below, faster = below + digit * faster, faster * len(values)
        return {self._axes[index][0]: chosen[index] for index in range(len(self._axes))}

    def columns(self, ordinals: NDArray[np.int64]) -> list[tuple[str, list[str], NDArray[np.int64]]]:
        """What ``attributes`` says of many slots, in one go: of each axis its name, its values, and the place that each
        slot's value has among those.
        """
        import numpy as np

        if self._varied:
            ordinals = np.array([self._varied.root(int(ordinal)) for ordinal in ordinals], dtype=np.int64)
        roots = ordinals
        ordinals = self.pairs.places(ordinals)
        rest, below, faster = ordinals - 1, np.zeros_like(ordinals), 1
        top = int(ordinals.max(initial=0))
        chosen: dict[int, NDArray[np.int64]] = {}
        for index in self._order:
            size = len(self._axes[index][1])
            rest, digit = np.divmod(rest, size)
            chosen[index] = digit
            if faster > 1:
                block, place = np.divmod(below, size)
                blocks, which = np.unique(block, return_inverse=True)
                shifts = np.array([self._shuffle(index, int(number), size) for number in blocks], dtype=np.int64)
                chosen[index] = (digit + shifts.reshape(len(blocks), size)[which, place]) % size
            if faster <= top:  # beyond, every digit is 0, and the factor may be too large for the numbers of an array
                below = below + digit * faster
            faster *= size
        columns = [(name, values, chosen[index]) for index, (name, values) in enumerate(self._axes)]
        for at, ordinal in enumerate(roots.tolist()) if self._held else ():
            if ordinal in self._held:
                own = self._in_cell(ordinal)
                for name, values, places in columns:
                    places[at] = values.index(own[name])
        return columns

    def _shuffle(self, index: int, block: int, size: int) -> list[int]:
        known = self._shuffled.get((index, block))
        if known is None:
            if len(self._shuffled) >= _MOST_SHUFFLES:
                self._shuffled.clear()
            known = random.Random(f"{self._seed}\x1f{index}\x1f{block}").sample(range(size), size)
            self._shuffled[index, block] = known
        return known


def slot_axes(plan: DatasetPlanInput, category: DatasetCategory) -> dict[str, tuple[str, ...]]:
    """The axes of a category's slots: the plan's, or the default ones where it names none; conversations vary in length."""
    axes = plan.axes(category)
    own = {axis: values for axis, values in axes.items() if axis != TURNS or category.kind is not CaseKind.CONVERSATION}
    found = own or (GROUNDED_AXES if category.rows or plan.sources_of(category) else DEFAULT_AXES)
    if category.kind is CaseKind.CONVERSATION:
        return {**found, TURNS: axes.get(TURNS) or usual_lengths(plan.examples(category))}
    return found


def all_axes(plan: DatasetPlanInput) -> dict[str, tuple[str, ...]]:
    """The axes of all categories' slots, each with every value that it has in any of them."""
    found: dict[str, dict[str, None]] = {}
    for category in plan.categories:
        for axis, values in slot_axes(plan, category).items():
            found.setdefault(axis, {}).update(dict.fromkeys(values))
    return {axis: tuple(values) for axis, values in found.items()}


def slot_plans(plan: DatasetPlanInput, seed: int) -> dict[str, SlotPlan]:
    return {c.name: SlotPlan(c, slot_axes(plan, c), seed) for c in plan.categories}


def slot_order(
    plan: DatasetPlanInput, chunk: int, retired: Mapping[str, Collection[int]] | None = None
) -> Iterator[tuple[str, int, int]]:
    """All slots as (category, first ordinal, last ordinal), interleaved so that categories advance together.

    Slots that are ``retired`` are left out; a category then has as many higher ones instead.
    """
    present = {
        c.name: [n for n in range(1, c.count + len(gone) + 1) if n not in gone]
        for c in plan.categories
        if (gone := frozenset((retired or {}).get(c.name, ())))
    }
    done = {category.name: 0 for category in plan.categories}
    left = {category.name: category.count for category in plan.categories}
    while left:
        name = min(left, key=lambda n: (done[n] + 1) / (done[n] + left[n]))
        size = min(chunk, left[name])
        if name in present:
            for first, last in runs(present[name][done[name] : done[name] + size]):
                yield name, first, last
        else:
            yield name, done[name] + 1, done[name] + size
        done[name] += size
        left[name] -= size
        if not left[name]:
            del left[name]
