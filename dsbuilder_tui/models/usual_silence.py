"""How long an endpoint usually is silent, before an answer begins and within it, and from when on that is too long."""

from __future__ import annotations

import math
from collections import deque

_KEPT = 200  # answers that are looked at
_ENOUGH, _FEW = 20, 3  # answers for the 95th of a hundred to be meant; fewer go by the longest of them
_RECKONED_EACH = 10  # answers
_USUAL = 0.95
_PATIENT, _SHORTEST_PATIENCE = 8.0, 3.0  # times what is usual, and seconds, until a call is given up
_DOUBTS, _SHORTEST_DOUBT = 3.0, 0.5  # … until a call is asked a second time
_MOST_SLACK, _REGAINED = 16.0, 0.98


class _Sample:
    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=_KEPT)
        self._added = 0
        self._usual = math.inf

    def add(self, seconds: float) -> None:
        self._seconds.append(seconds)
        self._added += 1
        if self._added < _FEW or (self._added > _ENOUGH and self._added % _RECKONED_EACH):
            return
        ranked = sorted(self._seconds)
        self._usual = ranked[int(_USUAL * (len(ranked) - 1))] if len(ranked) >= _ENOUGH else ranked[-1]

    @property
    def usual(self) -> float:
        """Seconds that nearly all stay under; infinite before enough was seen."""
        return self._usual


class UsualSilence:
    """Learns from answers. What is too long is a multiple of what is usual; each call that was given up doubles it for a
    while, so that an endpoint which has become slow is not given up again and again.
    """

    def __init__(self, longest: float) -> None:
        """``longest`` is how many seconds are too long before anything is known, and at most."""
        self._longest = longest
        self._first, self._gap = _Sample(), _Sample()
        self._slack = 1.0

    def began(self, seconds: float) -> None:
        """Take in how long an answer let wait for itself."""
        self._first.add(seconds)
        self._slack = max(1.0, self._slack * _REGAINED)

    def paused(self, seconds: float) -> None:
        """Take in the longest silence within an answer."""
        self._gap.add(seconds)

    def gave_up(self, seconds: float, *, begun: bool) -> None:
        """Take in a silence that was too long: how long it would have been is not known."""
        (self._gap if begun else self._first).add(seconds)
        self._slack = min(_MOST_SLACK, 2 * self._slack)

    def usual(self, *, begun: bool) -> float:
        """Seconds that nearly all silences stay under."""
        return (self._gap if begun else self._first).usual

    def patience(self, *, begun: bool) -> float:
        """Seconds of silence after which a call is given up: of one whose answer has begun, or has not."""
        return min(self._longest, max(_PATIENT * self.usual(begun=begun), _SHORTEST_PATIENCE) * self._slack)

    @property
    def doubt(self) -> float:
        """Seconds without a beginning after which a call may be asked a second time."""
        return max(_DOUBTS * self._first.usual, _SHORTEST_DOUBT) * self._slack
