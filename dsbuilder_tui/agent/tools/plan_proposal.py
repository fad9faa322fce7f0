"""A whole plan, proposed to the person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from dsbuilder_tui.agent.plan_approval import plan_question, put_plan_in_force
from dsbuilder_tui.agent.plan_defaults import with_described_target, with_usual_writing
from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.domain.approval import PlanApproval
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.domain.plan_patch import CategoryDraft
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.offline.planner.target_requests import path_of_target

_MOST_NOTES = 6


class ProposePlanArguments(ToolArguments):
    dataset_name: str
    """Short, in snake_case, such as support_bot_v1."""
    description: str = ""
    """What the application does, in a sentence or two."""
    categories: list[CategoryDraft]
    input_fields: dict[str, str] = Field(default_factory=dict)
    """The keys of each case's inputs and what they mean; leave it out for one field `query`."""
    attributes: dict[str, list[str]] = Field(default_factory=dict)
    """Axes shared by all categories."""
    write: list[str | dict[str, Any]] | None = None
    """Expectations that are written anew for each case of every category. Leave it out for what is usual: `expected_facts`,
    `guidelines`, `expected_tool_calls` where the application has tools, `language` where cases come in several."""
    target: SkipJsonSchema[dict[str, Any]] = Field(default_factory=dict)
    sources: list[str] = Field(default_factory=list)
    """Documents (files, folders) that all cases are written from, as the person named them; each expected fact is then
    quoted from them."""
    validators: SkipJsonSchema[list[str | dict[str, dict[str, Any]]]] = Field(default_factory=list)
    assumptions: list[str] = Field(default_factory=list)
    """What you assumed, one short sentence each; the person sees them on the card."""
    not_understood: list[str] = Field(default_factory=list)
    """Parts of the person's request that you could not understand or put into the plan, in their words."""


class ProposePlan(Tool[ProposePlanArguments]):
    name = "propose_plan"
    order = 20
    description = (
        "Propose a whole plan. The person sees it as a card and approves it, edits it, or asks for changes; their answer "
        "comes back as this tool's answer. To change a plan that is in force use revise_plan."
    )
    arguments = ProposePlanArguments
    asks = True

    def doing(self, arguments: ProposePlanArguments) -> str:
        return "drawing up the plan"

    async def question(self, call: ToolCall, arguments: ProposePlanArguments) -> PlanApproval:
        data = arguments.model_dump(mode="json", exclude={"assumptions", "not_understood"}, exclude_defaults=True)
        plan = parse_plan(data, "the proposal")
        session = call.host.session
        _require_target_read(call)
        plan = with_described_target(plan, session)
        if arguments.write is None and not any(category.write for category in plan.categories):
            plan = with_usual_writing(plan)
        if session.was_started:
            for name, cases in (await session.cases.counts()).items():
                held = next((c.count for c in plan.categories if c.name == name), 0)
                if cases and held < cases:
                    raise InputError(
                        f"The category {name!r} holds {counted(cases, 'accepted case')}, which are kept.",
                        "Change the plan in force, or give it that many cases at least.",
                    )
        unread = tuple(one_line(part, 200) for part in arguments.not_understood[:_MOST_NOTES] if part.strip())
        notes = [*arguments.assumptions[:_MOST_NOTES], *(f"not understood: “{part}”" for part in unread)]
        question = await plan_question(call, session.plan, plan, notes, {})
        return question.model_copy(update={"not_understood": unread}) if unread else question

    async def run(self, call: ToolCall, arguments: ProposePlanArguments) -> ToolAnswer:
        return await put_plan_in_force(call, self.name)


def _require_target_read(call: ToolCall) -> None:
    """Raises ``InputError`` where the person asks for a first plan and names an application that nobody has read yet."""
    session = call.host.session
    path = path_of_target(call.typed[-1], Path.cwd()) if call.typed and not session.planned else ""
    if path and not session.agent_memory.target:
        raise InputError(
            f"The application in {path} has not been read.",
            f"Read the application at {path} first, and plan from what it says; if it is not there, say so.",
        )
