"""More cases where the application fails, proposed to the person."""

from __future__ import annotations

from pydantic import Field

from dsbuilder_tui.agent.plan_approval import plan_question, put_plan_in_force
from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.domain.approval import PlanApproval


class WriteWhereItFailsArguments(ToolArguments):
    more: int = Field(ge=1)
    """How many cases are to be added in all."""


class WriteWhereItFails(Tool[WriteWhereItFailsArguments]):
    name = "write_where_it_fails"
    order = 32
    description = (
        "Add cases where evaluations in MLflow say that the application fails: where pass rates are "
        "worst, each a harder variation of a failed case. The person sees a card. Propose it when results show failures."
    )
    arguments = WriteWhereItFailsArguments
    asks = True

    def doing(self, arguments: WriteWhereItFailsArguments) -> str:
        return "looking where it fails"

    async def question(self, call: ToolCall, arguments: WriteWhereItFailsArguments) -> PlanApproval:
        call.require_plan()
        session = call.host.session
        wanted = await session.failing_cells.plan(arguments.more)
        return await plan_question(call, session.plan, wanted.plan, list(wanted.notes), {})

    async def run(self, call: ToolCall, arguments: WriteWhereItFailsArguments) -> ToolAnswer:
        return await put_plan_in_force(call, self.name)
