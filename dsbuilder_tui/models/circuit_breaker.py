"""Whether an endpoint answers at all: while it does not, one call at a time tries it and the others wait."""

from __future__ import annotations

import math

_MOST_IN_A_ROW = 5
_SILENT = 0.3  # seconds without a request that was let in
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_GROWTH = 0.15  # of the time that it has been out: so much of it may be lost when it is back


class CircuitBreaker:
    """Opens when calls fail one after another for a third of a second and none is let in; times are monotonic seconds.

    While it is open a call may try the endpoint at ``next_try``: after what the server asked for, else after waits that
    double up to half a minute.
    """

    def __init__(self, most_calls: int) -> None:
        """``most_calls`` is how many may be in flight: with fewer than five, that many failures are enough."""
        self._enough = min(_MOST_IN_A_ROW, most_calls)
        self._silent = _SILENT if most_calls >= _MOST_IN_A_ROW else 0.0
        self.failures = 0
        self._last_success = -math.inf
        self._first_failure = math.inf
        self._last_failure = -math.inf
        self._wait = _FIRST_WAIT
        self._asked_until = -math.inf
        self.open = False
        self.next_try = -math.inf
        self.ever_closed = False  # a call was let in at some time

    def succeeded(self, sent: float, now: float) -> bool:
        """Note that a call which was sent then was let in. Returns whether this closed the circuit."""
        if self.open and sent < self._first_failure:
            return False  # it says how things were before
        was_open, self.open = self.open, False
        self.failures, self._last_success = 0, now
        self._first_failure, self._wait, self._asked_until = math.inf, _FIRST_WAIT, -math.inf
        self.ever_closed = True
        return was_open

    def failed(self, sent: float, now: float, retry_after: float | None, let_in_after: float) -> bool:
        """Note that a call which was sent then failed. Returns whether this opened the circuit.

        ``let_in_after`` is when the last call was sent that has not failed so far, though it would have by now.
        """
        self._last_failure = now
        if retry_after is not None:
            self._asked_until = max(self._asked_until, now + retry_after)
        if self.open:
            self.failures += 1
            if sent >= self.next_try:  # it was the one that tried
                self._wait = min(max(_GROWTH * (now - self._first_failure), _FIRST_WAIT), _LONGEST_WAIT)
                self._close_until(now)
            else:
                self.next_try = max(self.next_try, self._asked_until)
            return False
        if let_in_after > self._first_failure:
            self.failures, self._first_failure = 0, math.inf
        self.failures += 1
        self._first_failure = min(self._first_failure, now)
        if self.failures < self._enough or now - max(self._last_success, self._first_failure) < self._silent:
            return False
        self.open = True
        self._close_until(now)
        return True

    def outage(self, now: float) -> float:
        """Seconds since every call fails; 0 while some are let in."""
        return now - self._first_failure if self.open else 0.0

    def unknown(self, now: float) -> float:
        """Seconds since the last failure: for how long it may have been back already."""
        return now - self._last_failure if self.open else 0.0

    def _close_until(self, now: float) -> None:
        self.next_try = max(now + self._wait, self._asked_until)
