"""The question about a plan, and what a yes to it does; what proposing and revising a plan have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dsbuilder_tui.agent.host import at_rest
from dsbuilder_tui.agent.plan_card import judge_words, plan_content
from dsbuilder_tui.agent.tool import ToolAnswer, ToolCall, plan_in_force
from dsbuilder_tui.domain.approval import PlanApproval
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.plan_patch import changes
from dsbuilder_tui.quality.validation import check_validators
from dsbuilder_tui.session.stage_costs import expected_stage_words
from dsbuilder_tui.session.template_costs import expected_words
from dsbuilder_tui.settings.stage_names import check_stages
from dsbuilder_tui.sources.plan_sources import require_sources

_BOTH = {MlflowKey.FACTS, MlflowKey.RESPONSE}


async def plan_question(
    call: ToolCall,
    before: DatasetPlanInput,
    plan: DatasetPlanInput,
    notes: list[str],
    renamed: dict[str, str],
) -> PlanApproval:
    """The card that asks for a yes to ``plan``; ``notes`` are what the person should know of it.

    Raises ``PlanError`` for a plan with validators or comparing stages that are not registered, ``InputError`` for
    documents or rows that are not there, or that the person did not name.
    """
    _require_named(call, before, plan)
    require_sources(plan, before)
    check_validators(plan, "the plan")
    check_stages(plan, "the plan")
    session = call.host.session
    plan = await session.plans.with_open_slots(plan) if session.planned else plan
    limit = session.config.max_dataset_size
    if plan.total_instances > limit:
        notes = [*notes, f"more than your limit of {counted(limit, 'case')}: a yes raises it for this session"]
    if both := [
        c.name for c in plan.categories if {*c.expectations, *(one.key for one in plan.written_for(c))} >= _BOTH
    ]:
        notes = [*notes, f"MLflow's Correctness takes expected_facts or expected_response, not both ({both[0]})"]
    if sources := plan.all_sources():
        notes = [*notes, f"written from {', '.join(sources)}; each expected fact is quoted from there"]
    notes = [*notes, *filter(None, (expected_words(category, session.config) for category in plan.categories))]
    notes = [*notes, *filter(None, (expected_stage_words(category, session.config) for category in plan.categories))]
    accepted = sum((await session.cases.counts()).values())
    if told := (await session.plans.forecast.of(plan, accepted)).words:
        notes = [*notes, told]
    if judged := judge_words(plan, session.config):
        notes = [*notes, judged]
    revision = session.plans.revision + 1
    size = f"{counted(plan.total_instances, 'case')} in {counted(len(plan.categories), 'category')}"
    return PlanApproval(
        card=plan_content(
            plan, revision, before if session.planned else None, call_id=call.call_id, notes=notes, renamed=renamed
        ),
        plan=plan,
        against=session.plans.revision,
        renamed=renamed,
        changes=tuple(changes(before, plan)),
        text=f"{plan.dataset_name}: {size}",
    )


def _require_named(call: ToolCall, before: DatasetPlanInput, plan: DatasetPlanInput) -> None:
    """A model does not choose what is read on this machine. Raises ``InputError`` for files that nobody named."""
    known = {*before.all_sources(), *_row_files(before)}
    for part, paths in (("sources", plan.all_sources()), ("rows", _row_files(plan))):
        for path in paths:
            if path not in known and not call.was_typed(path):
                raise InputError(
                    f"{part}: the person has not named {path}.",
                    "Put only paths there that the person wrote, exactly as they wrote them; ask for them.",
                )


def _row_files(plan: DatasetPlanInput) -> list[str]:
    return [category.rows.file for category in plan.categories if category.rows is not None]


def _with_room(plan: DatasetPlanInput, accepted: Mapping[str, int], renamed: Mapping[str, str]) -> DatasetPlanInput:
    """The plan with places for the cases that came while its card waited for the person's yes."""
    there = {renamed.get(name, name): cases for name, cases in accepted.items()}
    categories = tuple(
        category.model_copy(update={"count": cases})
        if (cases := there.get(category.name, 0)) > category.count
        else category
        for category in plan.categories
    )
    total = sum(category.count for category in categories)
    return plan.model_copy(update={"categories": categories, "total_instances": total})


async def put_plan_in_force(call: ToolCall, tool: str) -> ToolAnswer:
    """Revise the session's plan as it was approved. Raises ``InputError`` when the plan has changed since the question."""
    approved = call.approved
    if not isinstance(approved, PlanApproval):
        raise InputError(f"{tool} needs the person's yes.", "Call it again; the person is asked.")
    host, session = call.host, call.host.session
    plan = approved.wanted
    if session.plans.revision != approved.against and plan != session.plan:
        raise InputError(
            f"The plan has changed since this was proposed (it is at revision {session.plans.revision} now).",
            "Look at where it stands, and propose the change again.",
        )
    async with at_rest(host, "the plan changes"):
        first = not session.planned
        renamed = {} if approved.edited else approved.renamed
        plan = _with_room(plan, await session.cases.counts(), renamed)
        if plan.total_instances > session.config.max_dataset_size:
            await session.settings.set("max_dataset_size", plan.total_instances)
        await session.plans.revise(plan, renamed=renamed)
        if first:
            await session.take_name_of_plan()
        await host.reread()
    answer = plan_in_force(session, running=host.running)
    if approved.edited:
        changed = changes(approved.plan, plan)
        answer = replace(answer, data={**answer.data, "changed_by_the_person": changed})
    return answer
