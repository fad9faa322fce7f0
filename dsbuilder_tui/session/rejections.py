"""Candidates of a session that were turned away: in pages, counted, and each beside what it was like."""

from __future__ import annotations

from dsbuilder_tui.domain.case import Rejection
from dsbuilder_tui.domain.history import RejectionContext
from dsbuilder_tui.generation.slots import SlotPlan, slot_axes
from dsbuilder_tui.session.session_context import SessionContext


class SessionRejections:
    """Reads rejections, at rest and while the session runs."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def newest(self, limit: int = 100) -> list[Rejection]:
        """The newest rejections, newest first."""
        return await self.page(0, limit)

    async def page(
        self, offset: int, limit: int, *, category: str | None = None, stage: str | None = None, text: str = ""
    ) -> list[Rejection]:
        """Some rejections, newest first. Every word of ``text`` must be in the candidate, the reason or the case id."""
        return await self._context.files.store.rejections.page(offset, limit, category=category, stage=stage, text=text)

    async def count(self, *, category: str | None = None, stage: str | None = None, text: str = "") -> int:
        return await self._context.files.store.rejections.count(category=category, stage=stage, text=text)

    async def place(self, seq: int) -> int | None:
        """How many rejections come before this one in what ``page`` lists; None when there is none of that ``seq``."""
        return await self._context.files.store.rejections.place(seq)

    async def by_stage(self) -> dict[str, int]:
        return await self._context.files.store.rejections.by_stage()

    async def context(self, rejection: Rejection) -> RejectionContext:
        """What a rejection is to be seen against, as it is now."""
        nearest = (
            await self._context.files.store.cases.by_seq([rejection.nearest_seq])
            if rejection.nearest_seq is not None
            else []
        )
        return RejectionContext(
            nearest[0] if nearest else None,
            await self.slot_attributes(rejection.category, rejection.ordinal),
            (await self._context.files.store.cases.slot_facts(rejection.category, rejection.ordinal)).case,
        )

    async def slot_attributes(self, category: str, ordinal: int) -> dict[str, str]:
        """The attributes of a slot; empty when the plan no longer has it."""
        for known in self._context.plan.categories:
            if known.name == category and await self._context.files.store.slots.exists(category, known.count, ordinal):
                return SlotPlan(known, slot_axes(self._context.plan, known), self._context.files.seed).attributes(
                    ordinal
                )
        return {}
