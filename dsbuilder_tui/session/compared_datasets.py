"""The comparison of datasets, and a session as it takes it: as it stands, or at a checkpoint."""

from __future__ import annotations

import asyncio
from collections import Counter

from dsbuilder_tui.diversity.compared_text import compared_text
from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint
from dsbuilder_tui.domain.dataset_comparison import ComparedDataset, ComparedRow, DatasetComparison
from dsbuilder_tui.domain.judging import JudgedCounts, Judgement, verdict_of
from dsbuilder_tui.session.dataset_export import dataset_pages
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.imports.temporary_records import TemporaryRecords


async def compare(
    before: ComparedDataset, after: ComparedDataset, config: DatasetBuilderConfig | None = None, *, figures: bool = True
) -> DatasetComparison:
    """What differs between two datasets, beside the event loop. ``config`` has the threshold of near repeats. Without
    ``figures`` how different the cases of each are is not measured: that takes most of the time."""
    from dsbuilder_tui.diversity.case_matching import compare_datasets
    from dsbuilder_tui.diversity.thresholds import Rules

    rules = Rules(near=(config or DatasetBuilderConfig()).near_threshold)
    return await asyncio.to_thread(compare_datasets, before, after, rules, figures=figures)


async def session_dataset(context: SessionContext, name: str, at: Checkpoint | None) -> ComparedDataset:
    """A session at a checkpoint of any branch, or as it stands, in a temporary file. Damaged cases are left out, and counted."""
    files, plan, revision = context.files, context.plan, context.files.plan_revision
    if at is not None:
        revision, plan = await files.store.plans.of(at)
    damaged, cases, verdicts = list[str](), TemporaryRecords[ComparedRow](), Counter[Judgement]()

    def keep(page: list[AcceptedCase]) -> None:
        for case in page:
            cases.append(compared_case(case))
            if (verdict := verdict_of(case.tags)) is not None:
                verdicts[verdict.finding] += 1

    async for page in dataset_pages(files.store, [category.name for category in plan.categories], damaged, at):
        await asyncio.to_thread(keep, page)
    judged = JudgedCounts(verdicts[Judgement.GOOD], verdicts[Judgement.BAD], verdicts[Judgement.NOT_JUDGED], len(cases))
    return ComparedDataset(
        name=name, cases=cases, history=context.id, checkpoint=at.id if at is not None else None, revision=revision,
        plan=plan, judged=judged, unreadable=len(damaged),
    )  # fmt: skip


def compared_case(case: AcceptedCase) -> ComparedRow:
    """A case of a session as a comparison takes it."""
    return ComparedRow(
        place=case.seq, id=case.case_id, category=case.category, inputs=case.inputs, expectations=case.expectations,
        text=compared_text(case.inputs, case.kind),
    )  # fmt: skip
