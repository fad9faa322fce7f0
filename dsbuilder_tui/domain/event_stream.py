"""Events for one reader, bounded: the engine never waits for whoever watches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import Event, EventsSkipped

_BOUND = 20_000


class EventStream:
    """A bounded queue of events for one reader. A reader that falls behind gets ``EventsSkipped``, never a wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: deque[Event] = deque()
        self._skipped = 0
        self._ready = asyncio.Event()
        self._closed = False

    def push(self, event: Event) -> None:
        if len(self._events) >= _BOUND:
            self._events.popleft()
            self._skipped += 1
        self._events.append(event)
        self._ready.set()

    def close(self) -> None:
        self._closed = True
        self._ready.set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            while self._events or self._skipped:
                if self._skipped:
                    count, self._skipped = self._skipped, 0
                    yield EventsSkipped(ts=self._clock.now(), count=count)
                else:
                    yield self._events.popleft()
            if self._closed:
                return
            self._ready.clear()
            await self._ready.wait()
