"""Reasons why candidates were turned away."""

from __future__ import annotations

from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line


class ExplainRejectionsArguments(ToolArguments):
    category: str | None = None


class ExplainRejections(Tool[ExplainRejectionsArguments]):
    name = "explain_rejections"
    order = 100
    description = "Why candidates were turned away: counts by stage, and a few of the newest with what they repeat."
    arguments = ExplainRejectionsArguments
    effect = False

    def doing(self, arguments: ExplainRejectionsArguments) -> str:
        return "looking at the rejections"

    async def run(self, call: ToolCall, arguments: ExplainRejectionsArguments) -> ToolAnswer:
        session = call.host.session
        await session.written()
        stages = await session.rejections.by_stage()
        if arguments.category is not None:
            counts = {
                stage: await session.rejections.count(category=arguments.category, stage=stage) for stage in stages
            }
            stages = {stage: count for stage, count in counts.items() if count}
        found = await session.rejections.page(0, 5, category=arguments.category)
        if not found:
            return ToolAnswer("Nothing was turned away.", {"stages": {}, "examples": []})
        examples = [
            {
                "text": one_line(r.text, 160),
                "stage": r.stage,
                "score": r.score,
                "threshold": r.threshold,
                "reason": one_line(r.reason, 160),
                "nearest": r.nearest_case_id,
            }
            for r in found
        ]
        words = ", ".join(f"{stage} {count:,}" for stage, count in sorted(stages.items(), key=lambda item: -item[1]))
        return ToolAnswer(
            f"{counted(sum(stages.values()), 'rejection')}: {words}.", {"stages": stages, "examples": examples}
        )
