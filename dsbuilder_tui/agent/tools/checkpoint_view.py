"""The session as it was at a point of its history."""

from __future__ import annotations

from dsbuilder_tui.agent.checkpoint_arguments import CheckpointArguments
from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolCall
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.plain_words import counted

_SHOWN, _TEXT = 3, 160


class ShowCheckpoint(Tool[CheckpointArguments]):
    name = "show_checkpoint"
    order = 122
    description = "What dataset and plan were at a point of the history, without going there."
    arguments = CheckpointArguments
    effect = False

    def doing(self, arguments: CheckpointArguments) -> str:
        return "looking back"

    async def run(self, call: ToolCall, arguments: CheckpointArguments) -> ToolAnswer:
        session = call.host.session
        point = await arguments.find(session)
        looked = await session.checkpoints.preview(point.id, most_cases=_SHOWN)
        now = {category.name: category for category in session.plan.categories}
        then = {category.name: category for category in looked.plan.categories}
        differs = [
            f"{name}: {then[name].count if name in then else 0} cases then, {now[name].count if name in now else 0} now"
            if name not in then or name not in now or then[name].count != now[name].count
            else f"{name}: described otherwise"
            for name in {**then, **now}
            if then.get(name) != now.get(name)
        ]
        counts = ", ".join(f"{name} {c.accepted:,} of {then[name].count:,}" for name, c in looked.counts.items())
        said = f"Checkpoint {point.id}, on {point.branch}: {point.accepted:,} of {counted(point.planned, 'case')}"
        said += f" ({counts})." if counts else "."
        said += f" The plan differs from today's in {counted(len(differs), 'category')}." if differs else ""
        data = {
            "checkpoint": point.id,
            "plan_differs": differs,
            "newest_cases": [display_text(case.inputs)[:_TEXT] for case in looked.cases],
        }
        return ToolAnswer(said, data)
