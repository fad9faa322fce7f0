"""Slowing the offline writer down to a pace that a person can watch."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import InputError

_LOOK = 0.1  # seconds after which a waiting stream looks whether the pace has changed
_LATENESS = 0.05  # seconds a turn may come late and the next one still come when it was due
_SHARED = 4  # one turn of so many goes to whoever has waited longest


@dataclass(order=True, slots=True)
class _Asker:
    stream: int
    place: int  # in the order of asking
    turn: asyncio.Future[None] = field(
        compare=False, default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Pacer:
    """Gives out turns at even distances to all who ask, at most ``pace`` a second.

    Most turns go to the stream that began first: what is written is let in batch by batch, so that what comes then comes as
    evenly as it is written. Every fourth turn is for whoever has waited longest: all streams move.

    Turns keep to a grid of ``1/pace`` seconds: one that comes a little late (timers are coarse) does not delay the
    next, and one that was not asked for is not made up for.
    """

    def __init__(self, pace: float, clock: Clock, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self.pace = pace
        self._clock, self._sleep = clock, sleep
        self._last = -math.inf  # when the last turn was due, by the monotonic clock
        self._asking: list[_Asker] = []  # a heap; whoever is cancelled leaves without using a turn
        self._places = itertools.count()
        self._given = 0
        self._giving: asyncio.Task[None] | None = None

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

    async def turn(self, stream: int = 0) -> None:
        """Wait for a turn of one of the streams, which are numbered as they began."""
        if not self._pace:
            return
        heapq.heappush(self._asking, asker := _Asker(stream, next(self._places)))
        if self._giving is None:
            self._giving = asyncio.create_task(self._give())
        await asker.turn

    async def _give(self) -> None:
        """Give a turn whenever one is due, for as long as somebody asks."""
        waited = False
        try:
            while self._drop_gone():
                pace, now = self._pace, self._clock.monotonic()
                if not pace:
                    self._next().turn.set_result(None)
                    continue
                due = self._last + 1 / pace
                if due <= now:
                    self._last = max(due, now - _LATENESS) if waited else now
                    self._next().turn.set_result(None)
                    waited = bool(self._asking)
                    await asyncio.sleep(0)  # whoever got it may ask again
                else:
                    await self._sleep(min(due - now, _LOOK))
                    waited = self._pace == pace
        finally:
            self._giving = None
            for asker in self._asking:  # none, unless giving was broken off
                asker.turn.cancel()

    def _drop_gone(self) -> bool:
        """Forget those who wait no longer. Whether anybody does."""
        while self._asking and self._asking[0].turn.done():
            heapq.heappop(self._asking)
        return any(not asker.turn.done() for asker in self._asking)

    def _next(self) -> _Asker:
        """Whose turn it is."""
        self._given += 1
        if self._given % _SHARED:
            return heapq.heappop(self._asking)
        asker = min((asker for asker in self._asking if not asker.turn.done()), key=lambda asker: asker.place)
        self._asking.remove(asker)
        heapq.heapify(self._asking)
        return asker
