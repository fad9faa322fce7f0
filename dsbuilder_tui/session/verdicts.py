"""The judge's verdicts in a session, beside what its person has decided."""

from __future__ import annotations

from dsbuilder_tui.domain.agreement import Agreement
from dsbuilder_tui.domain.judge_modes import judge_modes
from dsbuilder_tui.domain.judging import JudgedCounts, JudgeMode
from dsbuilder_tui.generation.judge_sample import JudgeSample
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
        return self._of_mode(JudgeMode.ALL)

    def _of_mode(self, wanted: JudgeMode) -> list[str]:
        context = self._context
        by_model = context.config.resolved_provider != OFFLINE
        modes = judge_modes(context.plan, context.config.judge, by_model=by_model)
        return [name for name, mode in modes.items() if mode is wanted]

    async def unread(self, *, cut_off: bool = False) -> int:
        """How many cases have no verdict that the next run has judged: of categories that are judged whole, and, when the
        last run was ``cut_off``, of the sample that it had not read to its end.
        """
        context, whole = self._context, self.whole
        unread = 0
        if whole:
            counts, progress = await self.counts(), await context.files.store.progress.by_category()
            read = {name: found.judged + found.not_judged for name, found in counts.items()}
            unread = sum(max(0, progress[name].accepted - read.get(name, 0)) for name in whole)
        sampled = self._of_mode(JudgeMode.SAMPLE) if cut_off else []
        if sampled:
            plan = context.plan
            sample = JudgeSample(
                {c.name: c.count for c in plan.categories}, context.config.judge_share, context.files.seed
            )
            rows, judged = await context.files.store.slots.ledger_rows(), await context.files.store.verdicts.judged()
            unread += sum(len(sample.unread(name, rows.filled.get(name, ()), judged)) for name in sampled)
        return unread

    async def agreement(self) -> Agreement:
        """How far the judge agrees with what the person kept, pinned, edited and took out."""
        return Agreement(await self._context.files.store.verdicts.labels())
