"""The budget of a session: what its run costs while it goes on, against what it may cost."""

from __future__ import annotations

from collections.abc import Callable

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.spending import Spending
from dsbuilder_tui.models.prices import PriceTable


class Budget:
    """Adds the calls of a run to what the session had cost before it.

    ``limit`` is asked each time, so that a person can change it while the run goes on. A call that is cut off has no
    usage to be charged: what the endpoint bills for it is not seen here.
    """

    def __init__(self, prices: PriceTable, limit: Callable[[], float | None]) -> None:
        self.prices, self._limit = prices, limit
        self.known = 0.0  # dollars
        self._unpriced = False
        self._dearest: float | None = None  # dollars of a call of this run

    def begin(self, before: Spending) -> None:
        """Take in what the session had cost before the run."""
        self.known, self._unpriced = before.known_dollars, before.dollars is None

    @property
    def limit(self) -> float | None:
        """Dollars that the session may cost, or None."""
        return self._limit()

    @property
    def dollars(self) -> float | None:
        """What the session has cost, or None when a part has no known price."""
        return None if self._unpriced else round(self.known, 9)

    @property
    def used_up(self) -> bool:
        limit = self.limit
        return limit is not None and self.known >= limit

    def affords(self, calls: int) -> bool:
        """Whether so many calls that are not charged yet leave something of the limit, each as dear as the dearest so far."""
        limit = self.limit
        if limit is None:
            return True
        return self._dearest is not None and self.known + calls * self._dearest < limit

    def charge(self, model: str, usage: Usage, *, batched: bool = False) -> float | None:
        """Add a call; returns what it cost in dollars, or None when the model's price is not known. ``batched`` when it was
        made in a batch job."""
        cost = self.prices.cost(model, usage, batched=batched)
        if cost is not None:
            self._dearest = max(cost, self._dearest or 0.0)
        self.add(cost, usage)
        return None if cost is None else round(cost, 9)

    def add(self, dollars: float | None, usage: Usage) -> None:
        """Add what has a price already."""
        if dollars is not None:
            self.known += dollars
        elif usage.prompt_tokens or usage.completion_tokens:
            self._unpriced = True
