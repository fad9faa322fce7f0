"""The session's state: progress, categories, diversity, cost."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import NoArguments, Tool, ToolAnswer, ToolCall
from dsbuilder_tui.domain.figures import told_figures
from dsbuilder_tui.domain.plain_words import counted

_MOST_CATEGORIES = 40


class GetBuilderStateSummary(Tool[NoArguments]):
    name = "get_builder_state_summary"
    order = 70
    description = (
        "Where the session stands: progress, categories, rejections, how different the cases are, checkpoints, cost and "
        "what was saved by it."
    )
    arguments = NoArguments
    effect = False

    def doing(self, arguments: NoArguments) -> str:
        return "looking where things stand"

    async def run(self, call: ToolCall, arguments: NoArguments) -> ToolAnswer:
        session = call.host.session
        await session.written()
        state = await session.summary()
        data = state.as_dict() | {"running": call.host.running}
        if len(data["categories"]) > _MOST_CATEGORIES:
            data["categories"] = dict(list(data["categories"].items())[:_MOST_CATEGORIES])
            data["more_categories"] = len(state.categories) - _MOST_CATEGORIES
        if not session.planned:
            return ToolAnswer("There is no plan yet.", {"planned": False})
        told = told_figures((await session.diversity.figures()).overall)
        data["diversity"] = [f"{one.sentence} {one.advice}".strip() for one in told if one.name != "rejections"]
        exhausted = f", {counted(state.exhausted_slots, 'slot')} exhausted" if state.exhausted_slots else ""
        said = (
            f"{state.instances_created:,} of {counted(state.total_instances_planned, 'case')} ({state.progress_percentage:g} %), "
            f"{sum(state.rejections.values()):,} rejected{exhausted}, {'running' if call.host.running else state.state}."
        )
        return ToolAnswer(said, data)
