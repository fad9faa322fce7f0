"""Slowing the offline writer down to a pace that a person can watch."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import InputError

_LOOK = 0.1  # seconds after which a waiting stream looks whether the pace has changed
_LATENESS = 0.05  # seconds a turn may come late and the next one still come when it was due


class Pacer:
    """Gives out turns at even distances to all who ask, in the order they ask, at most ``pace`` a second.

    Turns keep to a grid of ``1/pace`` seconds: one that comes a little late (timers are coarse) does not delay the
    next, and one that was not asked for is not made up for.
    """

    def __init__(self, pace: float, clock: Clock, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self.pace = pace
        self._clock, self._sleep = clock, sleep
        self._last = -math.inf  # when the last turn was due, by the monotonic clock
        self._asking = 0
        self._queue = asyncio.Lock()  # first come, first served; whoever is cancelled leaves without using a turn

    @property
    def pace(self) -> float:
        """Turns a second, 0 for no limit. May be changed at any time; those who wait follow within 0.1 s.

        Setting it raises ``InputError`` for a negative or an infinite number.
        """
        return self._pace

    @pace.setter
    def pace(self, pace: float) -> None:
        if not (math.isfinite(pace) and pace >= 0):
            raise InputError(f"A pace of {pace} cases a second is none.", "Give a number from 0 (no limit) upwards.")
        self._pace = pace

    async def turn(self) -> None:
        """Wait for one's turn."""
        if not self._pace:
            return
        waited = self._asking > 0
        self._asking += 1
        try:
            async with self._queue:
                while pace := self._pace:
                    now = self._clock.monotonic()
                    due = self._last + 1 / pace
                    if due <= now:
                        self._last = max(due, now - _LATENESS) if waited else now
                        return
                    await self._sleep(min(due - now, _LOOK))
                    waited = self._pace == pace
        finally:
            self._asking -= 1
