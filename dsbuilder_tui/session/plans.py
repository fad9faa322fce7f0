"""The revisions of a session's plan."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice

from dsbuilder_tui.domain.branch import CheckpointCause
from dsbuilder_tui.domain.errors import (
    InputError,
    PlanError,
)
from dsbuilder_tui.domain.events import (
    PlanRevised,
)
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.session.costs import SessionCosts
from dsbuilder_tui.session.files import check_plan
from dsbuilder_tui.session.forecast import SessionForecast
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.imports.import_format import ImportedDataset
from dsbuilder_tui.store.rows import CategoryProgress


class SessionPlans:
    """Reads and writes revisions of the plan."""

    def __init__(self, context: SessionContext, costs: SessionCosts) -> None:
        self._context = context
        self.forecast = SessionForecast(context, costs)

    @property
    def revision(self) -> int:
        """The number of the plan's newest revision, from 1; 0 while there is no plan yet."""
        return self._context.files.plan_revision

    async def at(self, seq: int) -> tuple[int, DatasetPlanInput]:
        """The plan that was in force at a place in the history, and which revision it was."""
        return await self._context.files.store.plans.at(seq)

    async def revise(self, plan: DatasetPlanInput, renamed: Mapping[str, str] | None = None) -> int:
        """Replace the plan; returns the number of its revision (the present one when nothing differs).

        Cases that are accepted stay, each in its slot; slots without one are retired when a count is lowered and come
        back when it is raised. ``renamed`` maps names of the present plan to names of the new one, for categories that
        have had no case. Raises ``PlanError`` naming each problem, or ``InputError`` while the session runs.
        """
        return await self._context.whole(
            lambda: self._revise(plan, {k: v for k, v in (renamed or {}).items() if k != v})
        )

    async def _revise(self, plan: DatasetPlanInput, renamed: dict[str, str]) -> int:
        self._context.only_at_rest()
        files = self._context.files
        if plan == files.plan and not renamed:
            return files.plan_revision
        check_plan(plan, self._context.config, there=self._context.files.imported.total)
        problems = [*await self._name_problems(plan, renamed), *await self._count_problems(plan, renamed)]
        if problems:
            raise PlanError(plan.dataset_name, problems)
        revision, now = files.plan_revision + 1, files.clock.now()

        def revised(progress: dict[str, CategoryProgress]) -> tuple[PlanRevised, SessionState]:
            sums = [progress[category.name] for category in plan.categories]
            left = plan.total_instances - sum(p.accepted + p.exhausted for p in sums)
            event = PlanRevised(
                ts=now,
                revision=revision,
                planned=plan.total_instances,
                categories={c.name: {"planned": c.count, **asdict(progress[c.name])} for c in plan.categories},
            )
            state = SessionState(files.meta["state"])
            if state.is_settled:
                ended = SessionState.SHORT if any(p.exhausted for p in sums) else SessionState.COMPLETE
                state = SessionState.PAUSED if left else ended
            return event, state

        event, state = await files.store.plans.revise(plan, files.plan, revision, revised, renamed)
        files.plan, files.plan_revision = plan, revision
        files.meta["state"] = state
        if self._context.config.enable_checkpointing:
            await files.checkpoint(CheckpointCause.PLAN)
        await files.note_status(running=False)
        files.emit(event)
        return revision

    async def with_open_slots(self, plan: DatasetPlanInput) -> DatasetPlanInput:
        """A plan to come, with the slots that it newly holds to values moved to those that it will open."""
        retired = await self._context.files.store.slots.retired()
        now = {category.name: category for category in self._context.plan.categories}
        categories = []
        for category in plan.categories:
            before = now.get(category.name)
            had = before.held if before is not None else ()
            new = [one for one in category.held if one not in had]
            if before is not None and new:
                gone = sorted(retired.get(category.name, ()))
                last, more = before.count + len(gone), category.count - before.count
                opened = iter([*gone, *range(last + 1, last + max(0, more) + 1)][: max(0, more)])
                moved = [one.model_copy(update={"slots": tuple(islice(opened, len(one.slots)))}) for one in new]
                held = (*(one for one in category.held if one in had), *(one for one in moved if one.slots))
                category = category.model_copy(update={"held": held})
            categories.append(category)
        return plan.model_copy(update={"categories": tuple(categories)})

    async def take_in(self, dataset: ImportedDataset) -> None:
        """Fill slots of the plan with the rows of a file. Where there are cases already, that has happened: nothing is done.

        Raises ``InputError`` while the session runs, or when the plan has no place for a row.
        """
        await self._context.whole(lambda: self._take_in(dataset))

    async def _take_in(self, dataset: ImportedDataset) -> None:
        self._context.only_at_rest()
        files = self._context.files
        if any((await self._accepted()).values()):
            return
        await asyncio.to_thread(_require_places, files.plan, dataset)
        await files.take_in(dataset)
        progress = await files.store.progress.by_category()
        await files.note_status(running=False)
        files.emit(
            PlanRevised(
                ts=files.clock.now(),
                revision=files.plan_revision,
                planned=files.plan.total_instances,
                categories={c.name: {"planned": c.count, **asdict(progress[c.name])} for c in files.plan.categories},
            )
        )

    async def _count_problems(self, plan: DatasetPlanInput, renamed: Mapping[str, str]) -> list[str]:
        """What in the plan would cost an accepted case its place."""
        counts, problems = {category.name: category.count for category in plan.categories}, []
        for name, accepted in (await self._accepted()).items():
            count, cases = counts.get(renamed.get(name, name)), counted(accepted, "case")
            if accepted and count is None:
                problems.append(
                    f"categories: {name!r} holds {cases} and must stay; its count can be lowered to {accepted}, or take "
                    "the cases out first (F2)"
                )
            elif count is not None and count < accepted:
                problems.append(
                    f"categories: {name!r}.count: {count} — the category holds {cases}; make it at least {accepted}, or "
                    "take cases out first (F2)"
                )
        return problems

    async def _name_problems(self, plan: DatasetPlanInput, renamed: Mapping[str, str]) -> list[str]:
        """What is wrong with the new names of categories."""
        now, wanted = set(self._context.categories()), {category.name for category in plan.categories}
        had = await self._accepted()
        for name, cases in (await self._context.files.store.plans.former_cases(renamed)).items():
            had[name] = had.get(name, 0) + cases
        taken = await self._context.files.store.plans.remembered(set(renamed.values()) - set(renamed))
        problems, targets = [], list(renamed.values())
        for old, new in renamed.items():
            wrong = ""
            if old not in now:
                wrong = f"the plan has no category {old!r}"
            elif new not in wanted:
                wrong = f"the new plan has no category {new!r}"
            elif targets.count(new) > 1:
                wrong = f"two categories cannot both become {new!r}"
            elif new in now and new not in renamed:
                wrong = f"{new!r} is another category already"
            elif old in wanted and old not in targets:
                wrong = f"{old!r} is still in the new plan"
            elif had[old]:
                carried = "the id of its {} carries" if had[old] == 1 else "the ids of its {} carry"
                ids = carried.format(counted(had[old], "case"))
                wrong = f"{old!r} must keep its name ({ids} its name)"
            elif new in taken:
                wrong = f"{new!r} was a category before; choose a name that this session has not had"
            if wrong:
                problems.append(f"renamed: {wrong}")
        return problems

    async def _accepted(self) -> dict[str, int]:
        progress = await self._context.files.store.progress.by_category()
        return {name: progress[name].accepted for name in self._context.categories()}


def _require_places(plan: DatasetPlanInput, dataset: ImportedDataset) -> None:
    """Raises ``InputError`` when a plan has no place for a row."""
    counts = {category.name: category.count for category in plan.categories}
    for case in dataset.cases:
        if case.ordinal > counts.get(case.category, 0):
            raise InputError(
                f"The plan has no place for row {case.ordinal:,} of {case.category!r}.",
                "Give each category at least as many cases as it has rows.",
            )
