"""How many cases the next worker call is asked for."""

from __future__ import annotations

from dsbuilder_tui.domain.call_outcome import CallOutcome

_LOW_ACCEPTANCE = 0.5


class BatchSizer:
    """Moves one category's batch size between 1 and ``most`` with what its workers bring back.

    A truncated answer says how many cases fit; many rejections say that the model repeats itself within one answer;
    a slow or failed call says that less is safer. A clean batch lets the size grow by one.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = most

    def observe(self, *, asked: int, delivered: int, accepted: int, outcome: CallOutcome) -> None:
        if outcome in (CallOutcome.TRUNCATED, CallOutcome.TOO_LARGE):
            self.size = max(1, min(self.size, delivered or asked // 2))
        elif outcome is CallOutcome.FAILED:
            self.size = max(1, min(self.size, (asked + 1) // 2))
        elif asked > 1 and accepted < asked * _LOW_ACCEPTANCE:
            self.size = max(1, min(self.size, asked * 3 // 4))
        elif outcome is CallOutcome.OK:
            self.size = min(self._most, self.size + 1)
