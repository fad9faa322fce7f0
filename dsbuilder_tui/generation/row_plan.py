"""Which row each slot is about. Derived from plan, file and seed alone, and kept: a row stays with its slot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import orjson

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.row_axis import RowAxis, SourceRow
from dsbuilder_tui.sources.rows.named_rows import choose_rows, digest_of, field_values, order_of, shown_name
from dsbuilder_tui.store.source_rows import KeptRows, SourceRowTable

_GONE = "gone"  # no digest is that


class RowPlan:
    """The rows of one category's slots: each is used before any is used a second time."""

    def __init__(self, axis: RowAxis, rows: KeptRows) -> None:
        self._axis, self._rows, self._name = axis, rows, shown_name(axis.file)

    def of(self, place: int) -> SourceRow:
        """The row of a slot, by its place (from 1) among those that are no partners."""
        order = self._rows.order
        number = order[(place - 1) % len(order)]
        record = orjson.loads(self._rows.bodies[number])
        return SourceRow(self._name, number, field_values(record, self._axis.fields))


RowPlans = Mapping[str, RowPlan]


def _untold(note: str) -> None:
    pass


async def row_plans(
    plan: DatasetPlanInput,
    kept: SourceRowTable,
    seed: int,
    retired: Mapping[str, int],
    told: Callable[[str], object] = _untold,
) -> RowPlans:
    """The row plan of each category that has rows; ``retired`` says how many slots beyond its count it has.

    A file is read once, and of it is kept what slots use; it is read again when more slots need more of its rows, unless it
    has changed: then they get the rows that are kept, again. ``told`` hears of that, and of what was left out. Raises
    ``InputError`` for a file that is not there or cannot be read.
    """
    found, short = dict[str, KeptRows](), dict[str, dict[str, RowAxis]]()
    places = {c.name: c.count + retired.get(c.name, 0) for c in plan.categories}
    axes = {category.name: category.rows for category in plan.categories if category.rows is not None}
    for name, axis in axes.items():
        known = await kept.of(name, axis.file)
        if known is not None:
            found[name] = known
        if known is None or len(known.order) < places[name]:
            short.setdefault(axis.file, {})[name] = axis
    for file, wanting in short.items():
        for name, rows in (await _completed(file, wanting, found, places, seed, told)).items():
            await kept.add(name, file, rows)
            found[name] = rows
    return {name: RowPlan(axes[name], rows) for name, rows in found.items()}


async def _completed(
    file: str,
    wanting: Mapping[str, RowAxis],
    known: Mapping[str, KeptRows],
    places: Mapping[str, int],
    seed: int,
    told: Callable[[str], object],
) -> dict[str, KeptRows]:
    """The rows of these categories, with one for each place; the places that have one keep it."""
    reading, done, now = dict[str, RowAxis](), dict[str, KeptRows](), ""
    for name, axis in wanting.items():
        rows = known.get(name)
        if rows is None:
            reading[name] = axis
            continue
        has_all = len(rows.bodies) == rows.total
        if not has_all and rows.digest == (now := now or await asyncio.to_thread(_digest_now, file)):
            reading[name] = axis
            continue
        if not has_all:
            told(f"{file} is not what it was when {name} began: its further cases are about rows that it has already.")
        order = order_of(list(rows.bodies), places[name], seed, name)
        done[name] = replace(rows, order=[*rows.order, *order[len(rows.order) :]])
    if reading:
        chosen = await asyncio.to_thread(choose_rows, reading, places, seed)
        if chosen.notes:
            told(f"Of {file} not everything is read: {'; '.join(chosen.notes)}.")
        for name in reading:
            before = known[name].order if name in known else ()
            order = [*before, *chosen.orders[name][len(before) :]]
            bodies = {number: chosen.bodies[number] for number in set(order)}
            done[name] = KeptRows(chosen.digest, chosen.totals[name], order, bodies)
    return done


def _digest_now(file: str) -> str:
    """The digest of the file as it is now; ``gone`` when it cannot be read."""
    try:
        return digest_of(file)
    except InputError:
        return _GONE
