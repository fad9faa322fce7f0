"""Looking: where the session stands, a few cases, why candidates were turned away."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import Field

from dsbuilder_tui.agent.tools.base import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.agent.tools.running import NoArguments
from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.figures import told_figures
from dsbuilder_tui.domain.flags import flag_words, flags_of
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.sanitise import one_line

_MOST_TEXT = 300  # characters of a case that the agent sees
_MOST_CATEGORIES = 40


class GetBuilderStateSummary(Tool[NoArguments]):
    name = "get_builder_state_summary"
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
        told = told_figures((await session.figures()).overall)
        data["diversity"] = [f"{one.sentence} {one.advice}".strip() for one in told if one.name != "rejections"]
        exhausted = f", {counted(state.exhausted_slots, 'slot')} given up" if state.exhausted_slots else ""
        said = (
            f"{state.instances_created:,} of {state.total_instances_planned:,} cases ({state.progress_percentage:g} %), "
            f"{sum(state.rejections.values()):,} rejected{exhausted}, {'running' if call.host.running else state.state}."
        )
        return ToolAnswer(said, data)


class PreviewCasesArguments(ToolArguments):
    category: str
    """A category of the plan in force, or of the plan that waits for the person's yes."""
    count: int = Field(3, ge=1, le=5)


class PreviewCases(Tool[PreviewCasesArguments]):
    name = "preview_cases"
    description = "Write 3 to 5 sample cases of a category before the full run. They are shown and not kept."
    arguments = PreviewCasesArguments
    effect = False

    def doing(self, arguments: PreviewCasesArguments) -> str:
        return f"writing {counted(arguments.count, 'sample case')} of {arguments.category}"

    async def run(self, call: ToolCall, arguments: PreviewCasesArguments) -> ToolAnswer:
        session = call.host.session
        plans = [session.plan] if session.planned else []
        if (waiting := await session.open_approval()) and waiting[0].data.get("plan"):
            plans.insert(0, parse_plan(waiting[0].data["plan"], "the proposal"))
        plan = next((p for p in plans if arguments.category in [c.name for c in p.categories]), None)
        if plan is None:
            raise InputError(_no_category(arguments.category, plans), "Name one of the plan's categories.")
        model = call.host.make_model(session.config)
        try:
            cases = await session.preview(plan, arguments.category, arguments.count, model)
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


class ShowCasesArguments(ToolArguments):
    category: str | None = None
    count: int = Field(5, ge=1, le=10)
    text: str | None = None
    """Words that must be in the case."""


class ShowCases(Tool[ShowCasesArguments]):
    name = "show_cases"
    description = "A few of the accepted cases, the newest first; at most 10."
    arguments = ShowCasesArguments
    effect = False

    async def run(self, call: ToolCall, arguments: ShowCasesArguments) -> ToolAnswer:
        session = call.host.session
        if arguments.category is not None and arguments.category not in [c.name for c in session.plan.categories]:
            raise InputError(_no_category(arguments.category, [session.plan]), "Name one of the plan's categories.")
        await session.written()
        cases: list[AcceptedCase] = []
        if arguments.text:
            async for step in session.search_cases(arguments.text, category=arguments.category, newest_first=True):
                cases += await session.cases_by_seq(step.seqs[: arguments.count - len(cases)])
                if len(cases) >= arguments.count:
                    break
                await asyncio.sleep(0)
        else:
            cases = await session.case_page(0, arguments.count, category=arguments.category, newest_first=True)
        shown = [_shown(case) for case in cases]
        if not shown:
            return ToolAnswer("There are no such cases yet.", {"cases": []})
        return ToolAnswer(f"{counted(len(shown), 'case')}, the newest first.", {"cases": shown})


class ExplainRejectionsArguments(ToolArguments):
    category: str | None = None


class ExplainRejections(Tool[ExplainRejectionsArguments]):
    name = "explain_rejections"
    description = "Why candidates were turned away: counts by stage, and a few of the newest with what they repeat."
    arguments = ExplainRejectionsArguments
    effect = False

    def doing(self, arguments: ExplainRejectionsArguments) -> str:
        return "looking at the rejections"

    async def run(self, call: ToolCall, arguments: ExplainRejectionsArguments) -> ToolAnswer:
        session = call.host.session
        await session.written()
        stages = await session.rejections_by_stage()
        if arguments.category is not None:
            counts = {
                stage: await session.count_rejections(category=arguments.category, stage=stage) for stage in stages
            }
            stages = {stage: count for stage, count in counts.items() if count}
        found = await session.rejection_page(0, 5, category=arguments.category)
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


def _shown(case: AcceptedCase) -> dict[str, Any]:
    found: dict[str, Any] = {"id": case.case_id, "text": one_line(display_text(case.inputs), _MOST_TEXT)}
    flags = [one_line(flag_words(flag), 200) for flag in flags_of(case.tags)]
    return found | ({"flags": flags} if flags else {})


def _no_category(name: str, plans: list[DatasetPlanInput]) -> str:
    names = ", ".join(c.name for plan in plans for c in plan.categories)
    return f"There is no category {name!r}; there are: {names or 'none yet'}."
