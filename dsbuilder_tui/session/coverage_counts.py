"""Counts of the attribute values that the cases of a session have: read once, then kept up to date from its events."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from dsbuilder_tui.domain.case_change import CaseChange
from dsbuilder_tui.domain.events import CaseAccepted, CaseEdited, CaseWithdrawn, Event, PlanRevised
from dsbuilder_tui.domain.figures import Cell, Coverage
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.undo_event import ActUndone
from dsbuilder_tui.generation.slots import SlotPlan, slot_axes, slot_plans
from dsbuilder_tui.session.files import SessionFiles
from dsbuilder_tui.store.statistics import AttributeRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dsbuilder_tui.diversity.coverage_grid import Grid

T = TypeVar("T")
_PAGE = 4096
_TRIES = 3  # to read while a person changes cases
_KNOWN = 20_000  # different attribute tuples that are remembered as read


class OddCases:
    """The attribute tuples of cases that have others than their slots were planned with, 4 bytes a slot up to the last of them:
    rows that came with a file are all such."""

    def __init__(self) -> None:
        self._codes: list[tuple[int, ...]] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        self._slots: dict[str, array[int]] = {}

    def note(self, category: str, ordinal: int, code: tuple[int, ...]) -> None:
        """The case of a slot has this tuple."""
        if code not in self._numbers:
            self._numbers[code] = len(self._codes)
            self._codes.append(code)
        slots = self._slots.setdefault(category, array("i"))
        if ordinal >= len(slots):
            slots.extend(array("i", [-1]) * (ordinal + 1 - len(slots)))
        slots[ordinal] = self._numbers[code]

    def pop(self, category: str, ordinal: int) -> tuple[int, ...] | None:
        """The tuple of the case of a slot, which is forgotten; None where it has that of its slot."""
        slots = self._slots.get(category)
        if slots is None or ordinal >= len(slots) or slots[ordinal] < 0:
            return None
        number, slots[ordinal] = slots[ordinal], -1
        return self._codes[number]


@dataclass(slots=True)
class CoverageCount:
    """The grids of all categories, and what is needed to go on counting."""

    plan: DatasetPlanInput
    grids: dict[str, Grid]
    slots: Mapping[str, NDArray[np.int32]]  # of each category, the row of every slot there ever was, from ordinal 1
    last: int = 0  # the last place in the history that was read
    odd: OddCases = field(default_factory=OddCases)
    known: dict[tuple[str, str | None], tuple[int, ...]] = field(default_factory=dict)

    def coverage(self) -> Coverage:
        cells = {
            name: {axis: {v: Cell(*pair) for v, pair in values.items()} for axis, values in grid.cells().items()}
            for name, grid in self.grids.items()
        }
        return Coverage({c.name: Cell(c.count, self.grids[c.name].cases) for c in self.plan.categories}, cells)

    def slots_with(self, category: str, axis: str, value: str) -> frozenset[int]:
        """The slots that were planned with a value of an axis; empty where the category has no such value."""
        import numpy as np

        axes = self.grids[category].axes
        if value not in axes.get(axis, ()):
            return frozenset()
        column = self.slots[category][:, list(axes).index(axis)]
        return frozenset((np.flatnonzero(column == axes[axis].index(value)) + 1).tolist())

    def take_page(self, page: Sequence[AttributeRow]) -> None:
        """CoverageCount cases that were read."""
        import numpy as np
        import orjson

        rows: dict[str, list[tuple[int, ...]]] = {}
        ordinals: dict[str, list[int]] = {}
        for _, name, ordinal, text in page:
            grid = self.grids.get(name)
            if grid is None:  # a category that the plan no longer has
                continue
            code = self.known.get((name, text))
            if code is None:
                found = orjson.loads(text) if text else {}
                code = grid.code(found if isinstance(found, dict) else {})
                if len(self.known) < _KNOWN:
                    self.known[name, text] = code
            rows.setdefault(name, []).append(code)
            ordinals.setdefault(name, []).append(ordinal)
        for name, codes in rows.items():
            found_rows = np.array(codes, dtype=np.int64).reshape(len(codes), -1)
            self.grids[name].add(found_rows)
            expected = self._rows(name, ordinals[name])
            for index in np.flatnonzero((found_rows != expected).any(axis=1)):
                self.odd.note(name, ordinals[name][index], codes[index])
        if page:
            self.last = page[-1][0]

    def take_events(self, heard: Sequence[CaseAccepted | CaseWithdrawn]) -> None:
        """CoverageCount cases that came or went. A case that comes has the attributes of its slot."""
        import numpy as np

        slots: dict[tuple[str, int], list[int]] = {}
        for event in heard:
            grid = self.grids.get(event.category)
            if grid is None:
                continue
            sign = 1 if isinstance(event, CaseAccepted) else -1
            odd = self.odd.pop(event.category, event.slot)
            if odd is not None and sign < 0:
                grid.add(np.array([odd], dtype=np.int64), -1)
            else:
                slots.setdefault((event.category, sign), []).append(event.slot)
        for (name, sign), ordinals in slots.items():
            self.grids[name].add(self._rows(name, ordinals), sign)

    def _rows(self, name: str, ordinals: Sequence[int]) -> NDArray[np.int64]:
        """The rows that slots have by the plan; a slot that it never had has no values."""
        import numpy as np

        slots, chosen = self.slots[name], np.array(ordinals, dtype=np.int64)
        rows: NDArray[np.int64] = slots[np.minimum(chosen, len(slots)) - 1].astype(np.int64)
        rows[chosen > len(slots)] = self.grids[name].code({})
        return rows


class CoverageCounts:
    """Keeps the count of one session. Used on the event loop; what takes long is done in threads."""

    def __init__(self, files: SessionFiles) -> None:
        self._files = files
        self._lock = asyncio.Lock()
        self._count: CoverageCount | None = None
        self._heard: list[CaseAccepted | CaseWithdrawn] = []
        self._listening = self._reading = False
        self._stale = True

    async def ask(self, question: Callable[[CoverageCount], T], *, until: float | None = None) -> T:
        """What ``question`` (asked in a thread) says of the count as it is now, or as it was at a time, in seconds.

        Reads the session the first time, and after what cannot be counted from events; with ``until`` each time.
        """
        if until is not None:
            return await asyncio.to_thread(question, await self._counted(until))
        async with self._lock:
            if not self._listening:
                self._listening = True
                self._files.listeners.append(self._take)
            for _ in range(_TRIES):
                if self._stale or self._count is None:
                    await self._read()
            assert self._count is not None
            heard, self._heard = self._heard, []
            try:
                return await asyncio.to_thread(_answer, self._count, heard, question)
            except BaseException:
                self._stale = True  # a thread may still be counting in it
                raise

    def forget(self) -> None:
        """Cases have changed without an event: read again."""
        self._stale = True

    async def _read(self) -> None:
        self._count, self._stale, self._heard, self._reading = None, False, [], True
        try:
            count = await self._counted(None)
        except BaseException:
            self._stale = True
            raise
        finally:
            self._reading = False
        self._count = count
        # Announced meanwhile, and in part read already.
        self._heard = [event for event in self._heard if event.seq > count.last]

    async def _counted(self, until: float | None) -> CoverageCount:
        files = self._files
        plan, retired = files.plan, await files.store.slots.retired()
        count = await asyncio.to_thread(_planned, plan, files.seed, retired)
        while page := await files.store.statistics.attribute_page(count.last, _PAGE, until):
            await asyncio.to_thread(count.take_page, page)
        return count

    def _take(self, event: Event) -> None:
        match event:
            case CaseAccepted() if self._count is None or event.seq > self._count.last:
                self._heard.append(event)
            case CaseWithdrawn():
                if self._reading:  # it may have been read before or after
                    self._stale = True
                else:
                    self._heard.append(event)
            case CaseEdited(change=CaseChange.KEPT) | PlanRevised() | ActUndone():
                self._stale = True
            case _:
                return


async def coverage_at(files: SessionFiles, checkpoint: int, plan: DatasetPlanInput) -> Coverage:
    """What the cases of a checkpoint covered of the plan of then. Reads all of them."""
    retired = await files.store.past_cases.retired(checkpoint)
    count = await asyncio.to_thread(_planned, plan, files.seed, retired)
    while page := await files.store.past_cases.attribute_page(checkpoint, count.last, _PAGE):
        await asyncio.to_thread(count.take_page, page)
    return await asyncio.to_thread(count.coverage)


def _answer(
    count: CoverageCount, heard: Sequence[CaseAccepted | CaseWithdrawn], question: Callable[[CoverageCount], T]
) -> T:
    count.take_events(heard)
    return question(count)


def _planned(plan: DatasetPlanInput, seed: int, retired: Mapping[str, Sequence[int]]) -> CoverageCount:
    import numpy as np

    from dsbuilder_tui.diversity.coverage_grid import Grid

    plans, grids, slots = slot_plans(plan, seed), {}, {}
    for category in plan.categories:
        gone = np.array(retired.get(category.name, ()), dtype=np.int64)
        axes = slot_axes(plan, category)
        rows = _rows_of(plans[category.name], axes, np.arange(1, category.count + len(gone) + 1))
        slots[category.name] = rows.astype(np.int32)
        grids[category.name] = Grid(axes, np.delete(rows, gone - 1, axis=0))
    return CoverageCount(plan=plan, grids=grids, slots=slots)


def _rows_of(slots: SlotPlan, axes: Mapping[str, Sequence[str]], ordinals: NDArray[np.int64]) -> NDArray[np.int64]:
    """A row for each slot: the place that its value has in each axis of the plan."""
    import numpy as np

    columns = []
    for name, values, places in slots.columns(ordinals):
        order = {value: place for place, value in enumerate(axes[name])}
        columns.append(np.array([order[value] for value in values], dtype=np.int64)[places])
    return np.array(columns, dtype=np.int64).reshape(len(columns), len(ordinals)).T
