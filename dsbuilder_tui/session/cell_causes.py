"""Causes of empty and thin cells, from what the session file holds of their slots."""

from __future__ import annotations

from collections import Counter

from dsbuilder_tui.domain.call_outcome import CALL_ENDINGS, CallOutcome
from dsbuilder_tui.domain.cell_cause import CellFacts
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.figures import Cell
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.session.coverage_counts import CoverageCount, CoverageCounts
from dsbuilder_tui.session.session_context import SessionContext

_BROUGHT = (CallOutcome.OK, CallOutcome.CANCELLED)


class CellCauses:
    """Finds out about one cell at a time. Costs as much as its category has rejections."""

    def __init__(self, context: SessionContext, counts: CoverageCounts) -> None:
        self._context, self._counts = context, counts

    async def facts(self, category: str, axis: str, value: str) -> CellFacts:
        """What is known of a cell; of all cases of the category without an axis. Raises ``InputError`` for one unknown."""
        if category not in self._context.categories():
            raise InputError(f"There is no category {one_line(category, 80)!r}.", "F3 has a column for each.")
        coverage = await self._counts.ask(CoverageCount.coverage)
        cell = coverage.cases[category]
        slots: frozenset[int] | None = None
        if axis:
            cell = coverage.cells[category].get(axis, {}).get(value, Cell(0, 0))
            slots = await self._counts.ask(lambda count: count.slots_with(category, axis, value))
        store = self._context.files.store
        exhausted = [
            one for one in await store.slots.exhausted()
            if one.category == category and (slots is None or one.ordinal in slots)
        ]  # fmt: skip
        rejections = [
            one for one in await store.rejections.of_empty_slots(category) if slots is None or one.ordinal in slots
        ]
        stages: Counter[str] = Counter()
        repeated: Counter[str] = Counter()
        for one in rejections:
            stages[one.stage] += one.count
            if one.nearest_case_id:
                repeated[one.nearest_case_id] += one.count
        reasons = [one for one in rejections if not one.nearest_case_id]
        tally = await store.calls.tally(category)
        failed = tally.last_failed
        return CellFacts(
            category=category,
            value=value,
            planned=cell.planned,
            accepted=cell.accepted,
            exhausted=len(exhausted),
            tries=max((one.attempts for one in exhausted), default=0),
            turned_away=stages,
            repeated=repeated.most_common(1)[0][0] if repeated else "",
            reason=max(reasons, key=lambda one: one.seq).reason if reasons else "",
            failed_calls=sum(count for outcome, count in tally.endings.items() if outcome not in _BROUGHT),
            failure=failed.detail or CALL_ENDINGS[failed.outcome] if failed else "",
            running=self._context.run is not None or self._context.files.at_work_elsewhere,
            started=self._context.was_started,
        )
