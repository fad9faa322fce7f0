"""Figures of how different the cases of a session are: at rest and while it runs, off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import ConfigError, DsbuilderError, EndpointRefused, EndpointUnavailable
from dsbuilder_tui.domain.events import DiversityMeasured
from dsbuilder_tui.domain.figures import DiversityReport, Figures
from dsbuilder_tui.session.coverage_counts import CoverageCount, CoverageCounts
from dsbuilder_tui.session.session_context import SessionContext

if TYPE_CHECKING:
    from dsbuilder_tui.diversity.fingerprint_reader import FingerprintPage
    from dsbuilder_tui.diversity.metrics import Spread

PageReader = Callable[[int], Awaitable["FingerprintPage | None"]]
MEASURE_EVERY = 30.0  # seconds between two announcements of the figures during a run


@dataclass(frozen=True, slots=True)
class _Packed:
    """How well a sample of a category packed, when it held so many cases."""

    cases: int
    ratio: float | None
    sampled: int
    thin: Sequence[str]  # a few of the texts, for the sample of all categories


class DiversityFigures:
    """The figures of a session. What is known is kept, so that a call reads only what is new."""

    def __init__(self, context: SessionContext, counts: CoverageCounts, fingerprints: PageReader) -> None:
        """``fingerprints`` reads the next page of them behind a place in the history."""
        self._context, self._counts, self._fingerprints = context, counts, fingerprints
        self._lock = asyncio.Lock()
        self._spread: Spread | None = None
        self._spread_to = 0  # the last place in the history that is in it
        self._packed: dict[str, _Packed] = {}
        self._announcing: asyncio.Task[None] | None = None
        self._known: object = None  # what must be the same for the spread to hold
        self._sought = (0, 0)  # cases there were, and those with a fingerprint, when all were read again

    async def report(self, *, settled: bool) -> DiversityReport:
        """The figures of all categories. ``settled``: nothing is being written, so a case without a fingerprint is worth
        another look. Raises ``StorageError`` or ``SessionDamaged``.
        """
        async with self._lock:
            store = self._context.files.store
            known = await store.statistics.disturbed()
            if known != self._known:
                self._spread, self._packed = None, {}
            self._known = known
            names, progress = self._context.categories(), await store.progress.by_category()
            compared = sum(progress[c.name].accepted for c in self._context.plan.categories if c.compared)
            spread = await self._spread_now()
            if settled:
                spread = await self._with_all(spread, compared)
            whole, grids = await self._counts.ask(_all_grid_figures)
            rejections = await store.rejections.by_category()
            for name in names:
                await self._pack(name, progress[name].accepted, len(names))
            return await asyncio.to_thread(
                self._report, spread, {name: progress[name].accepted for name in names}, grids, whole, rejections
            )

    async def _with_all(self, spread: Spread, cases: int) -> Spread:
        """The spread of so many cases: when it lacks some, which had no fingerprint when they were passed by, made anew."""
        if spread.count() < cases and self._sought != (cases, spread.count()):
            self._spread = None
            spread = await self._spread_now()
            self._sought = cases, spread.count()
        return spread

    async def _spread_now(self) -> Spread:
        from dsbuilder_tui.diversity.metrics import Spread

        if self._spread is None:
            self._spread, self._spread_to = Spread(), 0
        spread = self._spread
        try:
            while (page := await self._fingerprints(self._spread_to)) is not None:
                await asyncio.to_thread(_take_in, spread, page)
                self._spread_to = int(page.seqs[-1])
        except (ConfigError, EndpointRefused, EndpointUnavailable):
            pass  # whoever makes the vectors cannot be asked now; what there is is measured
        except BaseException:
            self._spread = None  # a thread may still be at it, so it is not known what is in there
            raise
        return spread

    async def _pack(self, name: str, cases: int, categories: int) -> None:
        """Pack a sample of a category's texts, unless that was done already."""
        from dsbuilder_tui.diversity.metrics import MOST_TEXTS, packed

        known = self._packed.get(name)
        if known is not None and known.cases == cases:
            return
        sample = (
            await self._context.files.store.statistics.text_sample(name, max(1, -(-cases // MOST_TEXTS)))
            if cases
            else []
        )
        ratio = await asyncio.to_thread(packed, sample)
        step = max(1, len(sample) * categories // MOST_TEXTS)
        self._packed[name] = _Packed(cases, ratio, len(sample), sample[::step])

    def _report(
        self,
        spread: Spread,
        cases: Mapping[str, int],
        grids: Mapping[str, Mapping[str, object]],
        whole: Mapping[str, object],
        rejections: Mapping[str, Mapping[str, int]],
    ) -> DiversityReport:
        from dsbuilder_tui.diversity.metrics import mixed, packed

        categories = {}
        for name, count in cases.items():
            pack = self._packed[name]
            categories[name] = _figures_of(
                spread, name, count, pack.ratio, pack.sampled, grids.get(name, {}), rejections.get(name, {})
            )
        sums: dict[str, int] = {}
        for stages in rejections.values():
            for stage, number in stages.items():
                sums[stage] = sums.get(stage, 0) + number
        sample = mixed([self._packed[name].thin for name in cases])
        overall = _figures_of(spread, None, sum(cases.values()), packed(sample), len(sample), whole, sums)
        return DiversityReport(overall, categories)

    @contextlib.asynccontextmanager
    async def announcing(self) -> AsyncIterator[None]:
        """Announce the figures now and then, until the block ends."""
        self._announcing = task = asyncio.create_task(self._keep_announcing())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep_announcing(self) -> None:
        while True:
            await asyncio.sleep(MEASURE_EVERY)
            await self.announce(False)

    async def announce(self, final: bool) -> None:
        """Announce the figures now; ``final`` for the last time in a run."""
        if final and self._announcing is not None:
            self._announcing.cancel()
        # Figures are an extra: what keeps them from being made must not end a run.
        with contextlib.suppress(DsbuilderError):
            f = (await self.report(settled=final)).overall
            await self._context.files.tell(
                DiversityMeasured(
                    ts=self._context.files.clock.now(), cases=f.cases, variety=_rounded(f.variety, 1),
                    mean_likeness=_rounded(f.mean_likeness, 3), nearest_likeness=_rounded(f.nearest_likeness, 3),
                    packed=_rounded(f.packed, 2), cells=f.cells, cells_filled=f.cells_filled, rejected=f.rejected,
                    final=final,
                )
            )  # fmt: skip


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _take_in(spread: Spread, page: FingerprintPage) -> None:
    rows: dict[str, list[int]] = {}
    for index, name in enumerate(page.categories):
        rows.setdefault(name, []).append(index)
    for name, chosen in rows.items():
        spread.add(name, page.vectors[chosen], page.nearest[chosen])


def _all_grid_figures(count: CoverageCount) -> tuple[dict[str, object], dict[str, dict[str, object]]]:
    return _grid_figures(count, list(count.grids)), {name: _grid_figures(count, [name]) for name in count.grids}


def _grid_figures(count: CoverageCount, names: Sequence[str]) -> dict[str, object]:
    """The figures that come from the counters of some categories, by their names in ``Figures``."""
    from dsbuilder_tui.diversity.coverage_grid import evenness

    grids = [count.grids[name] for name in names]
    cells, pairs = [grid.filled() for grid in grids], [grid.filled_pairs() for grid in grids]
    known = [pair for pair in pairs if pair is not None]
    held: dict[str, dict[str, int]] = {}
    for grid in grids:
        for axis, counts in grid.held().items():
            values = held.setdefault(axis, {})
            for value, number in zip(grid.axes[axis], counts.tolist(), strict=True):
                values[value] = values.get(value, 0) + number
    even = {axis: evenness(list(values.values())) for axis, values in held.items()}
    return {
        "cells_filled": sum(filled for filled, _ in cells),
        "cells": sum(planned for _, planned in cells),
        "pairs_filled": sum(filled for filled, _ in known) if len(known) == len(pairs) else None,
        "pairs": sum(planned for _, planned in known) if len(known) == len(pairs) else None,
        "evenness": {axis: value for axis, value in even.items() if value is not None},
    }


def _figures_of(
    spread: Spread,
    group: str | None,
    cases: int,
    ratio: float | None,
    sampled: int,
    grid: Mapping[str, object],
    rejections: Mapping[str, int],
) -> Figures:
    compared = spread.count(group)
    return Figures(
        cases=cases,
        compared=compared,
        variety=spread.vendi(group),
        most_variety=min(compared, spread.dimensions()),
        mean_likeness=spread.mean_similarity(group),
        nearest_likeness=spread.nearest_similarity(group),
        packed=ratio,
        sampled=sampled,
        rejections=dict(rejections),
        **grid,  # type: ignore[arg-type]
    )
