"""Sample cases of a category, which are not kept."""

from __future__ import annotations

from pydantic import Field

from dsbuilder_tui.agent.tool import (
    Tool,
    ToolAnswer,
    ToolArguments,
    ToolCall,
    no_such_category,
)
from dsbuilder_tui.domain.approval import PlanApproval
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line

_MOST_TEXT = 300  # characters of a case that the agent sees


class PreviewCasesArguments(ToolArguments):
    category: str
    """A category of the plan in force, or of the plan that waits for the person's yes."""
    count: int = Field(3, ge=1, le=5)


class PreviewCases(Tool[PreviewCasesArguments]):
    name = "preview_cases"
    order = 80
    description = "Write 3 to 5 sample cases of a category before the full run. They are shown and not kept."
    arguments = PreviewCasesArguments
    effect = False

    def doing(self, arguments: PreviewCasesArguments) -> str:
        return f"writing {counted(arguments.count, 'sample case')} of {arguments.category}"

    async def run(self, call: ToolCall, arguments: PreviewCasesArguments) -> ToolAnswer:
        session = call.host.session
        plans = [session.plan] if session.planned else []
        waiting = await session.approvals.open()
        if waiting is not None and isinstance(waiting[0].request, PlanApproval):
            plans.insert(0, waiting[0].request.plan)
        plan = next((p for p in plans if arguments.category in [c.name for c in p.categories]), None)
        if plan is None:
            raise InputError(no_such_category(arguments.category, plans), "Name one of the plan's categories.")
        model = call.host.make_model(session.config)
        try:
            cases = await session.preview.samples(plan, arguments.category, arguments.count, model)
        finally:
            await model.close()
        if not cases:
            return ToolAnswer(
                "The worker wrote no usable sample.", ok=False, hint="Try again, or look at the category's examples."
            )
        return ToolAnswer(
            f"{counted(len(cases), 'sample case')} of {arguments.category}; none of them is kept.",
            {"cases": [{"text": one_line(display_text(inputs), _MOST_TEXT), "expectations": e} for inputs, e in cases]},
        )
