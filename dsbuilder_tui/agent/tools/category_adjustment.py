"""Settings of how cases are made, of one category or of the session."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dsbuilder_tui.agent.host import at_rest
from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.domain.approval import QuestionApproval, QuestionSubject
from dsbuilder_tui.domain.diversity import CategoryDiversity
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.plan_patch import CategoryChange, PlanPatch, patched
from dsbuilder_tui.settings.stage_names import installed_stages

# What a category may set for itself, and what it is called there.
_OWN = {"diversity_stages": "stages", "near_threshold": "near", "semantic_threshold": "semantic"}
_STATIC = "static"


def _installed(value: object) -> list[str]:
    return list(installed_stages(value))


class AdjustCategoryArguments(ToolArguments):
    category: str | None = None
    """The category that `diversity`, `diversity_stages` and the thresholds are meant for; without it, `diversity` is for
    every category, the others for the session (all categories that do not set their own)."""
    diversity: Literal["on", "off"] | None = None
    """Whether repeats are turned away in that category."""
    diversity_stages: Annotated[list[str], BeforeValidator(_installed)] | None = None
    """All the stages that compare, out of structural, near, semantic and those of plug-ins; the others are off."""
    near_threshold: float | None = Field(None, gt=0, le=1)
    """Share of words and word pairs from which a case is a repeat; 0.10 less in short texts."""
    semantic_threshold: float | None = Field(None, gt=0, le=1)
    """Cosine from which a case is a repeat."""
    embedding_model: str | None = Field(None, min_length=1)
    """What the semantic stage compares with: static, or one that the person named."""
    candidates_per_slot: int | None = Field(None, ge=1, le=10)
    """Candidates a worker writes for each slot, of which the least expected that is new is taken."""
    diversity_scope: Literal["history", "window"] | None = None
    """Compare with all accepted cases, or with the last diversity_window."""
    diversity_window: int | None = Field(None, ge=1)
    batch_size: int | None = Field(None, ge=1, le=500)
    """Most cases one worker call writes; for the whole session."""
    max_workers: int | None = Field(None, ge=1, le=2000)
    worker_model: str | None = None
    """The workers' model, for the whole session; only one that the person named."""
    checkpoint_interval: int | None = Field(None, ge=1)


class AdjustCategory(Tool[AdjustCategoryArguments]):
    name = "adjust_category"
    order = 110
    description = (
        "Change how cases are made: the diversity check with its stages and thresholds (of one category, or of all), batch "
        "size, number of workers, the workers' model. A run that is going on is paused and goes on by itself."
    )
    arguments = AdjustCategoryArguments
    asks = True

    def doing(self, arguments: AdjustCategoryArguments) -> str:
        return "changing the settings"

    async def question(self, call: ToolCall, arguments: AdjustCategoryArguments) -> QuestionApproval | None:
        session = call.host.session
        if arguments.category is not None and arguments.category not in [c.name for c in session.plan.categories]:
            names = ", ".join(c.name for c in session.plan.categories)
            raise InputError(f"There is no category {arguments.category!r}.", f"There are: {names or 'none yet'}.")
        if arguments.model_dump(exclude_none=True, exclude={"category"}) == {}:
            raise InputError(
                "Nothing to change was given.", "Name one, such as the batch size or the number of workers."
            )
        model, embedding = arguments.worker_model, arguments.embedding_model
        if model is not None and not call.was_typed(model):
            return QuestionApproval(
                text=f"Have {model} write the cases from now on? You have not named it yourself.",
                subject=QuestionSubject.SETTING,
            )
        if embedding not in (None, _STATIC) and not call.was_typed(embedding):
            return QuestionApproval(
                text=f"Compare cases with the embedding model {embedding}? You have not named it yourself.",
                subject=QuestionSubject.SETTING,
            )
        return None

    async def run(self, call: ToolCall, arguments: AdjustCategoryArguments) -> ToolAnswer:
        host, session = call.host, call.host.session
        values: dict[str, Any] = arguments.model_dump(exclude_none=True, exclude={"category", "diversity"})
        own = {short: values.pop(name) for name, short in _OWN.items() if arguments.category and name in values}
        said = []
        async with at_rest(host, "settings change"):
            if values:
                await session.settings.change(values)
                said += [f"{_named(name)} {_shown(value)} now" for name, value in values.items()]
                said += _kept_apart(session.plan, values)
            if arguments.diversity is not None or own:
                call.require_plan()
                chosen = [arguments.category] if arguments.category else [c.name for c in session.plan.categories]
                change = [
                    CategoryChange(category=c.name, diversity=_diversity(c, arguments.diversity, own))
                    for c in session.plan.categories
                    if c.name in chosen
                ]
                result = patched(session.plan, PlanPatch(change=change), await session.cases.counts())
                await session.plans.revise(result.plan)
                if arguments.diversity is not None:
                    said.append(f"the diversity check of {', '.join(chosen)} is {arguments.diversity} now")
                where = f" of {arguments.category}"
                said += [f"{_named(name, where)} {_shown(own[key])} now" for name, key in _OWN.items() if key in own]
            await host.reread()
        text = "; ".join(said)
        return ToolAnswer(f"{text[:1].upper()}{text[1:]}.", {"running": host.running, **values, **own})


def _diversity(
    category: DatasetCategory, switch: Literal["on", "off"] | None, own: dict[str, Any]
) -> Literal["on", "off"] | CategoryDiversity:
    """The category's check after a change: what it sets for itself stays unless it is changed or all is switched off."""
    if switch == "off":
        return "off"
    now = category.diversity if isinstance(category.diversity, CategoryDiversity) else CategoryDiversity()
    if switch == "on" and now.stages == ():
        now = now.model_copy(update={"stages": None})
    new = CategoryDiversity(**{**now.model_dump(), **own})
    return "on" if new == CategoryDiversity() else new


def _kept_apart(plan: DatasetPlanInput, values: dict[str, Any]) -> list[str]:
    """Which categories a setting of the session does not reach, because they have their own."""
    told = []
    for name, short in _OWN.items():
        apart = [
            f"{c.name} ({_shown(value)})"
            for c in plan.categories
            if isinstance(c.diversity, CategoryDiversity) and (value := getattr(c.diversity, short)) is not None
        ]
        if name in values and apart:
            told.append(f"{', '.join(apart)} {'keeps its' if len(apart) == 1 else 'keep their'} own")
    return told


def _named(name: str, where: str = "") -> str:
    """``near threshold of refunds is``, ``diversity stages are``."""
    return f"{name.replace('_', ' ')}{where} {'are' if name == 'diversity_stages' else 'is'}"


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value) or "none"
    return str(value)
