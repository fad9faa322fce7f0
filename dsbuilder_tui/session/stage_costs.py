"""The likely cost of the stages in which the cases of a category are written."""

from __future__ import annotations

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.plain_words import dollar_words
from dsbuilder_tui.domain.plan import DatasetCategory
from dsbuilder_tui.domain.writing_stage import PlannedStage, WritingStage, pipeline_words
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.session.template_costs import ANSWER_TOKENS, PROMPT_TOKENS
from dsbuilder_tui.settings.runner_names import BATCH_API
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_VERDICT_TOKENS = 60  # of a critique of one case
_REVISED = 0.5  # of the cases, roughly, before anything is known


def expected_stage_dollars(category: DatasetCategory, config: DatasetBuilderConfig, cases: int) -> float | None:
    """What so many cases of a category are likely to cost, their draft included; None where a price is not known."""
    stages = {planned.stage: planned for planned in category.pipeline} or {
        WritingStage.DRAFT: PlannedStage(stage=WritingStage.DRAFT)
    }
    prices, dollars = PriceTable(config.prices), 0.0
    for planned in stages.values():
        own = config.judging_model if planned.stage is WritingStage.CRITIQUE else config.worker_model
        batched = config.runner == BATCH_API and planned.stage is WritingStage.DRAFT
        cost = prices.cost(planned.model or own, _usage(planned.stage, cases), batched=batched)
        if cost is None:
            return None
        dollars += cost
    return dollars


def expected_stage_words(category: DatasetCategory, config: DatasetBuilderConfig) -> str:
    """The stages of a category and what they cost, for the card of a plan; empty where its cases are drafted alone."""
    if not category.pipeline:
        return ""
    words = f"{category.name}: {pipeline_words(category.pipeline)}"
    if provider_of(config).is_free:
        return words
    drafted = category.model_copy(update={"pipeline": ()})
    whole, draft = (expected_stage_dollars(one, config, category.count) for one in (category, drafted))
    if whole is None or draft is None:
        return words
    return f"{words}, about {dollar_words(whole)} ({dollar_words(draft)} for a draft alone)"


def _usage(stage: WritingStage, cases: int) -> Usage:
    match stage:
        case WritingStage.DRAFT:
            return Usage(PROMPT_TOKENS * cases, ANSWER_TOKENS * cases, known=True)
        case WritingStage.EVOLVE:
            return Usage((PROMPT_TOKENS + ANSWER_TOKENS) * cases, ANSWER_TOKENS * cases, known=True)
        case WritingStage.CRITIQUE:
            return Usage((PROMPT_TOKENS + ANSWER_TOKENS) * cases, _VERDICT_TOKENS * cases, known=True)
        case WritingStage.REVISE:
            revised = round(_REVISED * cases)
            prompt = PROMPT_TOKENS + ANSWER_TOKENS + _VERDICT_TOKENS
            return Usage(prompt * revised, ANSWER_TOKENS * revised, known=True)
