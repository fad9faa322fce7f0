"""More cases like those of a file, which is kept and never repeated."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from pydantic import Field

from dsbuilder_tui.agent.host import at_rest
from dsbuilder_tui.agent.plan_approval import plan_question, put_plan_in_force
from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.agent.traced_datasets import traced_dataset
from dsbuilder_tui.domain.approval import PlanApproval
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.trace_query import TraceQuery
from dsbuilder_tui.session.library import ImportedDataset
from dsbuilder_tui.session.row_files import extend_rows
from dsbuilder_tui.session.traced_rows import traced_experiment


class ExtendDatasetArguments(ToolArguments):
    path: str
    """The file of rows, exactly as the person wrote it; or `traces:` and the experiment of MLflow whose traces say what users
    asked.
    """
    more: int = Field(ge=1)
    """How many cases are to be added to the rows that are there."""
    since: str = ""
    """Of traces: a span such as 7d or a date; empty for all."""
    only_new: bool = False
    """Whether the dataset is to be written without the rows that were there."""


class ExtendDataset(Tool[ExtendDatasetArguments]):
    name = "extend_dataset"
    order = 25
    description = (
        "Draw up a plan for more cases like the rows of a file: they become part of the dataset, nothing "
        "repeats them. Rows can be users' questions out of traces in MLflow, personal "
        "data masked. The person sees a card. Only in a session without cases."
    )
    arguments = ExtendDatasetArguments
    asks = True

    def doing(self, arguments: ExtendDatasetArguments) -> str:
        return f"reading {arguments.path}"

    async def question(self, call: ToolCall, arguments: ExtendDatasetArguments) -> PlanApproval:
        session = call.host.session
        if any((await session.cases.counts()).values()):
            raise InputError(
                f"{session.id} has cases already.", "Rows go into a session that has none: begin another one with /new."
            )
        if not call.was_typed(traced_experiment(arguments.path) or arguments.path):
            raise InputError(
                f"path: the person has not named {arguments.path}.", "Use the path as they wrote it; ask for it."
            )
        dataset = await asyncio.to_thread(_read, call, arguments)
        there = f"{counted(len(dataset.cases), 'row')} of {arguments.path} are there, {arguments.more:,} will be added"
        return await plan_question(call, session.plan, dataset.plan, [there, *dataset.notes], {})

    async def run(self, call: ToolCall, arguments: ExtendDatasetArguments) -> ToolAnswer:
        session = call.host.session
        dataset = await asyncio.to_thread(_read, call, arguments)
        answer = await put_plan_in_force(call, self.name)
        async with at_rest(call.host, "the rows are taken in"):
            await session.plans.take_in(dataset)
            await session.settings.set("diversity_across", True)  # nothing comes again, in whatever category
            if arguments.only_new:
                await session.dataset.leave_imported_out()
            await call.host.reread()
        return replace(
            answer, said=f"{counted(len(dataset.cases), 'row')} of {arguments.path} are there. {answer.said}"
        )


def _read(call: ToolCall, arguments: ExtendDatasetArguments) -> ImportedDataset:
    experiment = traced_experiment(arguments.path)
    if experiment is None:
        return extend_rows(Path(arguments.path).expanduser(), arguments.more)
    session = call.host.session
    query = TraceQuery(experiment=experiment, since=arguments.since)
    return traced_dataset(query, session.config, session.clock.now(), more=arguments.more)
