"""The judge's verdicts in a session, beside what its person has decided."""

from __future__ import annotations

from dsbuilder_tui.domain.agreement import Agreement
from dsbuilder_tui.domain.judge_modes import judge_modes
from dsbuilder_tui.domain.judging import JudgedCounts, JudgeMode
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.settings.provider_names import OFFLINE


class SessionVerdicts:
    """Counts verdicts, and compares them with a person's acts."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def counts(self) -> dict[str, JudgedCounts]:
        """What stands, by category in the plan's order; those without a verdict are left out."""
        found = await self._context.files.store.verdicts.counts()
        return {name: found[name] for name in self._context.categories() if name in found}

    @property
    def whole(self) -> list[str]:
        """The categories that are judged whole."""
        context = self._context
        by_model = context.config.resolved_provider != OFFLINE
        modes = judge_modes(context.plan, context.config.judge, by_model=by_model)
        return [name for name, mode in modes.items() if mode is JudgeMode.ALL]

    async def unread(self) -> int:
        """How many cases of categories that are judged whole have no verdict; the next run has them judged."""
        context, whole = self._context, self.whole
        if not whole:
            return 0
        counts, progress = await self.counts(), await context.files.store.progress.by_category()
        read = {name: found.judged + found.not_judged for name, found in counts.items()}
        return sum(max(0, progress[name].accepted - read.get(name, 0)) for name in whole)

    async def agreement(self) -> Agreement:
        """How far the judge agrees with what the person kept, pinned, edited and took out."""
        return Agreement(await self._context.files.store.verdicts.labels())
