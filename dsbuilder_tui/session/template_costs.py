"""The cost of cases that are made of templates, beside what they would cost written each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.plain_words import counted, dollar_words
from dsbuilder_tui.domain.plan import DatasetCategory
from dsbuilder_tui.domain.writing_mode import WritingMode
from dsbuilder_tui.generation.template_prompt import templates_for
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.session.files import SessionFiles
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

# What a case takes of a worker's prompt and answer, roughly, before anything is known.
PROMPT_TOKENS, ANSWER_TOKENS = 80, 150
_CHARACTERS_A_TOKEN, _TOKENS_AROUND = 4, 10
# What a call for templates takes: the prompt, the fillers of the answer, and each of its templates.
_TEMPLATES_PROMPT, _FILLERS_TOKENS, _TEMPLATE_TOKENS = 1_100, 900, 160


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCosts:
    """What ``cases`` cost that are made of templates: ``dollars`` for the calls, and, about, ``each_dollars`` had each been
    written by the model. None where a price is not known."""

    cases: int
    dollars: float | None
    each_dollars: float | None

    @property
    def words(self) -> str:
        """``$0.003 per 1,000 cases; written each about $0.11``; empty where the prices are not known."""
        if self.dollars is None or self.each_dollars is None or not self.cases:
            return ""
        made, each = (dollar_words(1000 * dollars / self.cases) for dollars in (self.dollars, self.each_dollars))
        return f"{made} per 1,000 cases; written each about {each}"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def expected_template_costs(category: DatasetCategory, config: DatasetBuilderConfig, left: int) -> TemplateCosts:
    """What ``left`` cases of a category are likely to cost, made of templates and written each."""
    prices = PriceTable(config.prices)
    call = Usage(_TEMPLATES_PROMPT, _FILLERS_TOKENS + templates_for(category.count) * _TEMPLATE_TOKENS, known=True)
    each = Usage(PROMPT_TOKENS * left, ANSWER_TOKENS * left, known=True)
    return TemplateCosts(
        cases=left, dollars=prices.cost(config.worker_model, call), each_dollars=prices.cost(config.worker_model, each)
    )


def expected_words(category: DatasetCategory, config: DatasetBuilderConfig) -> str:
    """How a category is made of templates and what that costs, for the card of a plan; empty where it is not."""
    if category.mode is not WritingMode.TEMPLATES:
        return ""
    if provider_of(config).make_text_model is None:
        return f"{category.name}: from templates anyway"
    costs = expected_template_costs(category, config, category.count).words
    return f"{category.name}: from {counted(templates_for(category.count), 'template')}" + (
        f", about {costs}" if costs else ""
    )


async def template_costs(files: SessionFiles, config: DatasetBuilderConfig) -> TemplateCosts | None:
    """What the cases of a session cost that are made of templates; None when there are none."""
    cases, characters, usage = await files.store.templates.made()
    if not cases:
        return None
    prices = PriceTable(config.prices)
    costs = [prices.cost(model, used) for model, used in usage.items()]
    known = [dollars for dollars in costs if dollars is not None]
    answer = characters // _CHARACTERS_A_TOKEN + _TOKENS_AROUND * cases
    model = next(iter(usage), config.worker_model)
    return TemplateCosts(
        cases=cases,
        dollars=sum(known) if len(known) == len(costs) else None,
        each_dollars=prices.cost(model, Usage(PROMPT_TOKENS * cases, answer, known=True)),
    )


async def template_costs_sentence(files: SessionFiles, config: DatasetBuilderConfig) -> str:
    """What was made of templates and what it cost, for the end of a run; empty when nothing was."""
    costs = await template_costs(files, config)
    if costs is None:
        return ""
    kept = await files.store.templates.all()
    dropped = sum(bool(one.dropped) for one in kept)
    gone = f" ({dropped} of them dropped)" if dropped else ""
    text = f"{counted(costs.cases, 'case')} made of {counted(len(kept), 'template')}{gone}"
    return f"{text}: {costs.words}." if costs.words else f"{text}."
