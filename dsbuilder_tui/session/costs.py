"""The cost of a session, all runs and the main agent together."""

from __future__ import annotations

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.events import (
    AgentCalled,
)
from dsbuilder_tui.domain.spending import Spending
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.store.rows import AgentCall


class SessionCosts:
    """Tells what a session has cost, and keeps the calls of the main agent."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def spending(self) -> Spending:
        """What the session has cost, all runs and the main agent together, at the prices known now.

        Cached tokens of the workers are priced as other input: an upper bound.
        """
        return await self._context.files.spending(self._context.config)

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
