"""How many calls an endpoint gets at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from dsbuilder_tui.domain.clock import Clock

_GROWTH_PAUSE = 1.0  # seconds without growth after a server error
_CUT = 0.7  # what is left of the limit after a rate limit
_GROWTH = 0.1  # share of the most that a whole round of successes adds


class AdaptiveLimit:
    """Additive increase, multiplicative decrease of concurrent calls (as in TCP congestion avoidance).

    Only the first rate limit of a burst cuts: a reply to a call that began before the last cut says nothing new.
    """

    def __init__(self, most: int, clock: Clock, changed: Callable[[int, str], None]) -> None:
        self._most, self._clock, self._changed = most, clock, changed
        self._limit = float(most)
        self._active = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._last_cut = self._no_growth_until = float("-inf")
        self._closed_until = float("-inf")
        self._reopened = asyncio.Event()

    @property
    def limit(self) -> int:
        return max(1, int(self._limit))

    async def acquire(self, *, hurried: bool = False) -> None:
        """Wait for a place, and, unless ``hurried``, for the end of a ``Retry-After`` that the endpoint asked for."""
        while self._active >= self.limit:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake()
                raise
        self._active += 1
        if hurried:
            return
        try:
            while (wait := self._closed_until - self._clock.monotonic()) > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._reopened.wait()
        except asyncio.CancelledError:
            self.release()
            raise

    def release(self) -> None:
        self._active -= 1
        self._wake()

    def succeeded(self) -> None:
        if self._limit >= self._most or self._clock.monotonic() < self._no_growth_until:
            return
        before = self.limit
        self._limit = min(float(self._most), self._limit + max(1.0, self._most * _GROWTH) / self._limit)
        if self.limit > before:
            self._changed(self.limit, "the endpoint answers again")
            self._wake()

    def rate_limited(self, started: float, retry_after: float | None) -> None:
        """Note a 429 to a call that began at ``started`` (monotonic seconds)."""
        now = self._clock.monotonic()
        if retry_after:
            self._closed_until = max(self._closed_until, now + retry_after)
            self._reopened.clear()
        if started > self._last_cut:
            self._last_cut = now
            before, self._limit = self.limit, max(1.0, self._limit * _CUT)
            if self.limit < before:
                self._changed(self.limit, "rate-limited by the endpoint")

    def reopen(self) -> None:
        """The endpoint answers before the time it named; nobody needs to wait for that any more."""
        self._closed_until = float("-inf")
        self._reopened.set()

    def server_failed(self) -> None:
        self._no_growth_until = self._clock.monotonic() + _GROWTH_PAUSE

    def _wake(self) -> None:
        free = self.limit - self._active
        while self._waiters and free > 0:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                free -= 1
