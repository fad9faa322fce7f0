"""A change of the plan in force, proposed to the person."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.agent.plan_approval import plan_question, put_plan_in_force
from dsbuilder_tui.agent.plan_defaults import with_described_target
from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolCall
from dsbuilder_tui.domain.approval import PlanApproval
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan_patch import PlanPatch, patched


class RevisePlan(Tool[PlanPatch]):
    name = "revise_plan"
    order = 30
    description = (
        "Change the plan that is in force, also while a run is going on: what is accepted is kept, slots are added or taken "
        "out. The person sees what differs and must say yes."
    )
    arguments = PlanPatch
    asks = True

    def schema(self) -> dict[str, Any]:
        """The schema; what the fields of a new category mean is said in that of propose_plan, and not once more."""
        whole = super().schema()
        added = whole["properties"]["add"]
        added["description"] = "Categories to add; their fields are those of a category in propose_plan."
        for field in added["items"]["properties"].values():
            field.pop("description", None)
        whole["properties"]["fill"]["items"].pop("description")  # the field says it
        return whole

    def doing(self, arguments: PlanPatch) -> str:
        return "changing the plan"

    async def question(self, call: ToolCall, arguments: PlanPatch) -> PlanApproval:
        call.require_plan()
        session = call.host.session
        result = patched(session.plan, arguments, await session.cases.counts())
        plan = with_described_target(result.plan, session)
        if plan == session.plan:
            raise InputError("That changes nothing: the plan says so already.", "Say what should be different.")
        return await plan_question(call, session.plan, plan, list(result.notes), result.renamed)

    async def run(self, call: ToolCall, arguments: PlanPatch) -> ToolAnswer:
        return await put_plan_in_force(call, self.name)
