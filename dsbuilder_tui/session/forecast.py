"""Forecasts of what a plan costs and takes, as a range: wide before anything is known, narrow when cases are there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dsbuilder_tui.domain.plain_words import dollar_words, duration_words
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.session.costs import ExpectedCost, SessionCosts
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.settings.runner_names import BATCH_API

# How far off an estimate is likely to be, as factors: candidates are turned away and answers vary in length.
_GUESSED, _MEASURED = (0.7, 1.8), (0.85, 1.25)
_ENOUGH_SEEN = 10  # cases from which on it is measured
_CALL_SECONDS = (8.0, 40.0)  # of a batch, before a model was seen at work


@dataclass(frozen=True, slots=True)
class PlanForecast:
    """``dollars`` and ``seconds`` from and to; None where they are not known. ``expected`` is what the dollars are made of."""

    expected: ExpectedCost
    dollars: tuple[float, float] | None = None
    seconds: tuple[float, float] | None = None
    in_rounds: bool = False  # of a Batch API

    @property
    def words(self) -> str:
        """``likely to cost about $0.31 to $0.80, $0.01 of it for the main agent, and to take 2 min to 9 min``; empty where
        nothing is known."""
        parts = []
        if self.dollars is not None:
            low, high = (dollar_words(dollars) for dollars in self.dollars)
            agent = self.expected.main_agent
            own = f", {dollar_words(agent)} of it for the main agent" if agent else ""
            parts.append(f"to cost about {low if low == high else f'{low} to {high}'}{own}")
            if self.expected.saved:
                parts[-1] += f" (the Batch API saves about {dollar_words(self.expected.saved)})"
        if self.in_rounds:
            parts.append("to take up to 24 hours a round")
        if self.seconds is not None:
            low, high = (duration_words(_rounded(seconds)) for seconds in self.seconds)
            parts.append(f"to take {'about ' if low == high else ''}{low if low == high else f'{low} to {high}'}")
        comma = "," if self.dollars is not None and self.expected.main_agent else ""
        return f"likely {f'{comma} and '.join(parts)}" if parts else ""


class SessionForecast:
    """Forecasts what the open slots of a plan cost and take."""

    def __init__(self, context: SessionContext, costs: SessionCosts) -> None:
        self._context, self._costs = context, costs

    async def of(self, plan: DatasetPlanInput, accepted: int) -> PlanForecast:
        """The forecast for a plan that may not be in force yet, where so many of its cases are there."""
        left = max(0, plan.total_instances - accepted)
        expected = await self._costs.expected(accepted, left, plan)
        if not left:
            return PlanForecast(expected)
        off = _MEASURED if accepted >= _ENOUGH_SEEN else _GUESSED
        # What the main agent costs is named beside the range, and is no more than its lower end.
        own = expected.main_agent or 0.0
        dollars = (own + (expected.dollars - own) * off[0], expected.dollars * off[1]) if expected.dollars else None
        if self._context.config.runner == BATCH_API:
            return PlanForecast(expected, dollars, in_rounds=True)
        return PlanForecast(expected, dollars, await self._seconds(left))

    async def _seconds(self, left: int) -> tuple[float, float] | None:
        """By how fast the last cases came; before that by what calls usually take. The built-in writer's pace is the app's."""
        times = await self._context.files.store.statistics.run_times(running=self._context.run is not None)
        if times.newest_cases >= _ENOUGH_SEEN and times.newest_seconds > 0:
            usual = left * times.newest_seconds / times.newest_cases
            return usual * _MEASURED[0], usual * _MEASURED[1]
        config = self._context.config
        if not provider_of(config).has_endpoint:
            return None
        rounds = math.ceil(math.ceil(left / config.largest_batch) / config.workers)
        return rounds * _CALL_SECONDS[0], rounds * _CALL_SECONDS[1]


def _rounded(seconds: float) -> float:
    """As exact as a forecast is: seconds by fives, minutes as a whole."""
    return max(5.0, 5.0 * round(seconds / 5)) if seconds < 60 else 60.0 * round(seconds / 60)
