"""The cost of a session, all runs and the main agent together."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.events import (
    AgentCalled,
)
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.spending import Spending
from dsbuilder_tui.domain.writing_mode import WritingMode
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.session.stage_costs import expected_stage_dollars
from dsbuilder_tui.session.template_costs import expected_template_costs
from dsbuilder_tui.settings.runner_names import BATCH_API, LOCAL
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.rows import AgentCall

_ENOUGH_SEEN = 10  # accepted cases, from which on the open slots cost what those did
# The main agent begins a run and tells of its end; its prompt is as large with any number of cases.
_AGENT_CALLS, _AGENT_PROMPT_TOKENS, _AGENT_ANSWER_TOKENS = 3, 6_000, 250


@dataclass(frozen=True, slots=True)
class ExpectedCost:
    """What is likely to be spent from now on, in dollars; None where a price is not known.

    ``cases`` is for writing and judging them; ``saved`` what they cost less than without a Batch API.
    """

    cases: float | None
    main_agent: float | None
    saved: float = 0.0

    @property
    def dollars(self) -> float | None:
        """All of it."""
        return None if self.cases is None or self.main_agent is None else self.cases + self.main_agent


class SessionCosts:
    """Tells what a session has cost, and keeps the calls of the main agent."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def spending(self) -> Spending:
        """What the session has cost, all runs and the main agent together, at the prices known now.

        Cached tokens of the workers are priced as other input: an upper bound.
        """
        return await self._context.files.spending(self._context.config)

    async def expected(self, accepted: int, left: int, plan: DatasetPlanInput | None = None) -> ExpectedCost:
        """What ``left`` open slots are likely to cost, where ``accepted`` cases are there, with the main agent's part.

        ``plan`` is one that is not in force yet.
        """
        config = self._context.config
        provider, prices = provider_of(config), PriceTable(config.prices)
        agent: float | None = 0.0
        if left and provider.make_agent_model is not None and not provider.is_free:
            usage = Usage(_AGENT_CALLS * _AGENT_PROMPT_TOKENS, _AGENT_CALLS * _AGENT_ANSWER_TOKENS, known=True)
            agent = prices.cost(config.model, usage)
        if provider.is_free:
            return ExpectedCost(0.0, agent)
        spent = await self.spending()
        workers, judge = spent.workers.dollars, spent.judge.dollars
        so_far = None if workers is None or judge is None else workers + judge
        if so_far and accepted >= _ENOUGH_SEEN:
            return ExpectedCost(so_far / accepted * left, agent, spent.batch_saving / accepted * left)
        plan = plan or self._context.plan
        cases = _at_first(plan, config, left)
        if config.runner != BATCH_API:
            return ExpectedCost(cases, agent)
        at_once = _at_first(plan, config.model_copy(update={"runner": LOCAL}), left)
        return ExpectedCost(cases, agent, at_once - cases if at_once is not None and cases is not None else 0.0)

    async def note_agent_call(self, purpose: str, model: str, usage: Usage, seconds: float) -> None:
        """Keep a call of the main agent, and say what it cost; it counts towards the budget of a run that goes on."""
        files, now = self._context.files, self._context.files.clock.now()
        dollars = PriceTable(self._context.config.prices).cost(model, usage)
        await files.store.costs.add_agent_call(
            AgentCall(
                seq=files.store.next_seq(), purpose=purpose, model=model, usage=usage, seconds=seconds, created_at=now
            )
        )
        files.emit(
            AgentCalled(
                ts=now, purpose=purpose, model=model, prompt_tokens=usage.prompt_tokens,
                cached_tokens=usage.cached_tokens, completion_tokens=usage.completion_tokens, seconds=round(seconds, 3),
                dollars=None if dollars is None else round(dollars, 9),
            )
        )  # fmt: skip
        if self._context.run:
            self._context.run.spent(dollars, usage)


def _at_first(plan: DatasetPlanInput, config: DatasetBuilderConfig, left: int) -> float | None:
    """What ``left`` slots of a plan are likely to cost in dollars, before anything is known; None without a price."""
    dollars = 0.0
    for category in plan.categories:
        cases = math.ceil(left * category.count / plan.total_instances)
        if category.mode is WritingMode.TEMPLATES and provider_of(config).make_text_model is not None:
            one = expected_template_costs(category, config, cases).dollars
        else:
            one = expected_stage_dollars(category, config, cases)
        if one is None:
            return None
        dollars += one if left else 0.0
    return dollars
