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
        self.usual = math.inf  # seconds that nearly all stay under; infinite before enough was seen

    def add(self, seconds: float) -> bool:
        """Returns whether this changed what is usual."""
        self._seconds.append(seconds)
        self._added += 1
        if self._added < _FEW or (self._added > _ENOUGH and self._added % _RECKONED_EACH):
            return False
        ranked = sorted(self._seconds)
        self.usual = ranked[int(_USUAL * (len(ranked) - 1))] if len(ranked) >= _ENOUGH else ranked[-1]
        return True


class UsualSilence:
    """Learns from answers. What is too long is a multiple of what is usual; each call that was given up doubles it for a
    while, so that an endpoint which has become slow is not given up again and again.

    Attributes:
        patience_before: seconds of silence after which a call is given up whose answer has not begun.
        patience_within: … of one whose answer has.
        doubt: seconds without a beginning after which a call may be asked a second time.
    """

    def __init__(self, longest: float) -> None:
        """``longest`` is how many seconds are too long before anything is known, and at most."""
        self._longest = longest
        self._before, self._within = _Sample(), _Sample()
        self._slack = 1.0
        self._reckon()

    def began(self, seconds: float) -> None:
        """Take in how long an answer let wait for itself."""
        changed = self._before.add(seconds)
        if self._slack > 1.0:
            self._slack = max(1.0, self._slack * _REGAINED)
            changed = True
        if changed:
            self._reckon()

    def paused(self, seconds: float) -> None:
        """Take in the longest silence within an answer."""
        if self._within.add(seconds):
            self._reckon()

    def gave_up(self, seconds: float, *, begun: bool) -> None:
        """Take in a silence that was too long: how long it would have been is not known."""
        (self._within if begun else self._before).add(seconds)
        self._slack = min(_MOST_SLACK, 2 * self._slack)
        self._reckon()

    def usual(self, *, begun: bool) -> float:
        """Seconds that nearly all silences stay under, within an answer or before it."""
        return (self._within if begun else self._before).usual

    def _reckon(self) -> None:
        self.patience_before, self.patience_within = (
            min(self._longest, max(_PATIENT * sample.usual, _SHORTEST_PATIENCE) * self._slack)
            for sample in (self._before, self._within)
        )
        self.doubt = max(_DOUBTS * self._before.usual, _SHORTEST_DOUBT) * self._slack
