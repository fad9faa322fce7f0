"""The judge's verdicts in a session, beside what its person has decided."""

from __future__ import annotations

from dsbuilder_tui.domain.agreement import Agreement
from dsbuilder_tui.domain.judging import JudgedCounts
from dsbuilder_tui.session.session_context import SessionContext


class SessionVerdicts:
    """Counts verdicts, and compares them with a person's acts."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def counts(self) -> dict[str, JudgedCounts]:
        """What stands, by category in the plan's order; those without a verdict are left out."""
        found = await self._context.files.store.verdicts.counts()
        return {name: found[name] for name in self._context.categories() if name in found}

    async def agreement(self) -> Agreement:
        """How far the judge agrees with what the person kept, pinned, edited and took out."""
        return Agreement(await self._context.files.store.verdicts.labels())
