"""Looking at a session: cases, rejections and worker calls in pages; memory stays flat whatever the size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint, Rejection
from dsbuilder_tui.domain.history import HistoryEntry, RejectionContext, SearchStep
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.slots import SlotPlan, slot_axes
from dsbuilder_tui.session.core import SessionCore
from dsbuilder_tui.store.case_search import CaseQuery
from dsbuilder_tui.store.rows import WorkerCall


class Reading(SessionCore):
    """What can be read of a session, at rest and while it runs."""

    async def cases(self, *, damaged: list[str] | None = None) -> AsyncIterator[AcceptedCase]:
        """The accepted cases in slot order, read a page at a time.

        A damaged one raises ``SessionDamaged``, or is left out and named in ``damaged`` when that list is given.
        """
        async for page in self._files.store.cases.pages(self._categories(), damaged=damaged):
            for case in page:
                yield case

    async def case_page(
        self, offset: int, limit: int, *, category: str | None = None, newest_first: bool = False
    ) -> list[AcceptedCase]:
        """Some accepted cases, in slot order or the newest first. A damaged one is marked, not left out."""
        return await self._files.store.cases.page(self._categories(category), offset, limit, newest_first=newest_first)

    async def search_cases(
        self,
        text: str = "",
        *,
        category: str | None = None,
        pinned: bool = False,
        noted: bool = False,
        edited: bool = False,
        flagged: bool = False,
        newest_first: bool = False,
    ) -> AsyncIterator[SearchStep]:
        """Look for cases that hold every word of ``text`` in inputs, expectations, tags or id, and bear the marks.

        A step comes for every window of about 2,000 cases, so that a long search can be shown and left.
        """
        query = CaseQuery(text, pinned, noted, edited, flagged, newest_first)
        async for step in self._files.store.cases.search(self._categories(category), query):
            yield step

    async def cases_by_seq(self, seqs: Sequence[int]) -> list[AcceptedCase]:
        """The cases at these places in the history, in the order given; those that are gone are left out."""
        return await self._files.store.cases.by_seq(seqs)

    async def case(self, category: str, ordinal: int) -> AcceptedCase | None:
        """The case that fills a slot, or None."""
        return (await self._files.store.cases.slot_facts(category, ordinal)).case

    async def history_of_case(self, category: str, ordinal: int) -> list[HistoryEntry]:
        """What a person did to the cases of a slot, oldest first."""
        return await self._files.store.history.of_case(category, ordinal)

    async def rejections(self, limit: int = 100) -> list[Rejection]:
        """The newest rejections, newest first."""
        return await self.rejection_page(0, limit)

    async def rejection_page(
        self, offset: int, limit: int, *, category: str | None = None, stage: str | None = None, text: str = ""
    ) -> list[Rejection]:
        """Some rejections, newest first. Every word of ``text`` must be in the candidate, the reason or the case id."""
        return await self._files.store.rejections.page(offset, limit, category=category, stage=stage, text=text)

    async def count_rejections(self, *, category: str | None = None, stage: str | None = None, text: str = "") -> int:
        return await self._files.store.rejections.count(category=category, stage=stage, text=text)

    async def rejections_by_stage(self) -> dict[str, int]:
        return await self._files.store.rejections.by_stage()

    async def rejection_context(self, rejection: Rejection) -> RejectionContext:
        """What a rejection is to be seen against, as it is now."""
        nearest = await self.cases_by_seq([rejection.nearest_seq]) if rejection.nearest_seq is not None else []
        return RejectionContext(
            nearest[0] if nearest else None,
            await self._attributes(rejection.category, rejection.ordinal),
            await self.case(rejection.category, rejection.ordinal),
        )

    async def call_page(self, offset: int, limit: int) -> list[WorkerCall]:
        """Some finished worker calls, newest first."""
        return await self._files.store.calls.page(offset, limit)

    async def count_calls(self) -> int:
        return await self._files.store.calls.count()

    async def checkpoints(self) -> list[Checkpoint]:
        return await self._files.store.checkpoints.newest()

    async def counts_at(self, seq: int) -> dict[str, int]:
        """Accepted cases of each category up to a place in the history, such as a checkpoint's ``seq``."""
        found = await self._files.store.cases.counts_at(seq)
        return {name: found.get(name, 0) for name in self._categories()}

    async def plan_at(self, seq: int) -> tuple[int, DatasetPlanInput]:
        """The plan that was in force at a place in the history, and which revision it was."""
        return await self._files.store.plans.at(seq)

    async def _attributes(self, category: str, ordinal: int) -> dict[str, str]:
        """The attributes of a slot; empty when the plan no longer has it."""
        for known in self.plan.categories:
            if known.name == category and await self._files.store.slots.exists(category, known.count, ordinal):
                return SlotPlan(known, slot_axes(self.plan, known), self._files.seed).attributes(ordinal)
        return {}
