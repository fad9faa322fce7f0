"""A change of the plan in force, proposed to the person."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from dsbuilder_tui.agent.plan_approval import CategoryArguments, ExpectedToolArguments, plan_question, put_plan_in_force
from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.domain.approval import PlanApproval
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan_patch import patched


class ChangeArguments(ToolArguments):
    category: str
    """The category to change."""
    description: str | None = None
    example_inputs: list[str | dict[str, Any]] | None = None
    expectations: dict[str, Any] | None = None
    attributes: dict[str, list[str]] | None = None
    expected_tools: list[str | ExpectedToolArguments] | None = None


class RevisePlanArguments(ToolArguments):
    add: list[CategoryArguments] = Field(default_factory=list)
    """Categories to add."""
    remove: list[str] = Field(default_factory=list)
    """Categories to take out; one that holds accepted cases keeps those."""
    rename: dict[str, str] = Field(default_factory=dict)
    """Old name to new name; only for categories without cases."""
    counts: dict[str, int] = Field(default_factory=dict)
    """New total count by category, not the difference."""
    change: list[ChangeArguments] = Field(default_factory=list)
    """Other fields of a category; each given field replaces what was there."""
    attributes: dict[str, list[str]] | None = None
    """New axes shared by all categories."""
    description: str | None = None
    dataset_name: str | None = None


class RevisePlan(Tool[RevisePlanArguments]):
    name = "revise_plan"
    order = 30
    description = (
        "Change the plan that is in force, also while a run is going on: what is accepted is kept, slots are added or taken "
        "out. The person sees what differs and must say yes."
    )
    arguments = RevisePlanArguments
    asks = True

    def doing(self, arguments: RevisePlanArguments) -> str:
        return "changing the plan"

    async def question(self, call: ToolCall, arguments: RevisePlanArguments) -> PlanApproval:
        call.require_plan()
        session = call.host.session
        patch = arguments.model_dump(mode="json", exclude_defaults=True)
        result = patched(session.plan, patch, await session.cases.counts())
        if result.plan == session.plan:
            raise InputError(
                "That changes nothing: the plan says so already.", "Tell the person, or change something else."
            )
        return plan_question(call, session.plan, result.plan, list(result.notes), result.renamed)

    async def run(self, call: ToolCall, arguments: RevisePlanArguments) -> ToolAnswer:
        return await put_plan_in_force(call, self.name)
