"""The diversity of a session: what its cases cover, how different they are, what another threshold would have meant."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.cell_cause import CellFacts
from dsbuilder_tui.domain.figures import Coverage, DiversityReport
from dsbuilder_tui.domain.whatif import WhatIf
from dsbuilder_tui.session.case_map import CaseMap, CaseMapping, MapArea
from dsbuilder_tui.session.cell_causes import CellCauses
from dsbuilder_tui.session.coverage_counts import CoverageCount, CoverageCounts
from dsbuilder_tui.session.diversity_figures import DiversityFigures
from dsbuilder_tui.session.fingerprint_pages import FingerprintPages
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.session.threshold_review import MOST_FLIPS, ThresholdReview

if TYPE_CHECKING:
    from dsbuilder_tui.diversity.fingerprint_reader import FingerprintPage


class SessionDiversity:
    """Measures the cases of a session, at rest and while it runs."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._counts = CoverageCounts(context.files)
        self._prints = FingerprintPages(context)
        self._figures = DiversityFigures(context, self._counts, lambda after: self.fingerprints(after))
        self._mapping = CaseMapping(context, lambda after: self.fingerprints(after))
        self._review = ThresholdReview(context)
        self._causes = CellCauses(context, self._counts)

    async def coverage(self, *, until: float | None = None) -> Coverage:
        """How many cases of each category are planned and accepted with each axis value.

        Reads the session once and counts on from its events. ``until`` asks for the cases accepted up to a time
        instead, which is read each time.
        """
        return await self._counts.ask(CoverageCount.coverage, until=until)

    async def cell(self, category: str, axis: str = "", value: str = "") -> CellFacts:
        """Why the cases of a category are not all there; with an axis and a value those that have it.

        Raises ``InputError`` for a category that the plan does not have.
        """
        return await self._causes.facts(category, axis, value)

    def forget_coverage(self) -> None:
        """Cases have changed without an event: read them again when the coverage is asked for next."""
        self._counts.forget()

    async def figures(self) -> DiversityReport:
        """How different the accepted cases are. Reads what came since the last call; all of it after a case has changed.

        During a run the newest cases may not be compared yet. Raises ``StorageError`` or ``SessionDamaged``.
        """
        return await self._figures.report(settled=self._context.run is None)

    def announcing(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Announce the figures now and then, until the block ends."""
        return self._figures.announcing()

    async def announce(self, final: bool) -> None:
        """Announce the figures now; ``final`` for the last time in a run."""
        await self._figures.announce(final)

    async def fingerprints(self, after: int = 0, most: int = 4096) -> FingerprintPage | None:
        """The next accepted cases behind a place in the history; None when no more have a fingerprint.

        Cases of categories that may repeat themselves have none.
        """
        return await self._prints.page(after, most)

    async def map(self) -> CaseMap:
        """The accepted cases on a plane, like ones near one another, and the newest rejections. The plane stays as it is while
        cases come, until there are half as many more. Raises ``StorageError`` or ``SessionDamaged``.
        """
        return await self._mapping.now()

    async def map_area(self, seqs: Sequence[int]) -> MapArea:
        """What lies in an area of the map: some cases by their places in the history."""
        return await self._mapping.area(seqs)

    def threshold(self, stage: str, category: str | None = None) -> float:
        """The score (0 to 1) from which a case is a repeat now: in a category, or where none sets its own."""
        return self._review.threshold(stage, category)

    async def what_if(
        self, stage: str, threshold: float, *, category: str | None = None, most: int = MOST_FLIPS
    ) -> WhatIf:
        """What another threshold (0 to 1) for a stage would have meant for what was decided so far.

        Rejections count by their score, whatever threshold they failed; accepted cases that a guard kept apart do not
        count. ``most`` bounds the decisions that are named, of each kind. Raises ``InputError`` for a stage without a
        threshold, or a threshold that is none.
        """
        return await self._review.what_if(stage, threshold, category=category, most=most)
