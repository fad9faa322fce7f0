"""How many cases the next worker call is asked for."""

from __future__ import annotations

from collections import deque

from dsbuilder_tui.domain.call_outcome import CallOutcome

_LOW_ACCEPTANCE = 0.5
_REMEMBERED = 8  # calls that say how many cases the model writes


class BatchSizer:
    """Moves one category's batch size between 1 and ``most`` with what its workers bring back.

    It is one more than the model has lately been seen to write in one answer: some write three whatever they are asked for.
    A truncated answer says how many cases fit; many rejections say that the model repeats itself within one answer; a slow
    or failed call says that less is safer.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._written: deque[int] = deque(maxlen=_REMEMBERED)
        self.size = most

    def observe(self, *, asked: int, delivered: int, accepted: int, outcome: CallOutcome) -> None:
        if outcome in (CallOutcome.TRUNCATED, CallOutcome.TOO_LARGE):
            self._shrink(delivered or asked // 2)
        elif outcome is CallOutcome.FAILED:
            self._shrink((asked + 1) // 2)
        elif delivered > 1 and accepted < delivered * _LOW_ACCEPTANCE:
            self._shrink(asked * 3 // 4)
        elif outcome is CallOutcome.OK:
            if delivered >= asked:
                self.size = min(self._most, self.size + 1)
            else:
                self._written.append(delivered)
                self.size = max(1, min(self.size, max(self._written) + 1))

    def _shrink(self, size: int) -> None:
        self._written.clear()
        self.size = max(1, min(self.size, size))
