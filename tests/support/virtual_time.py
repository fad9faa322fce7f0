"""An event loop whose time passes by itself: a sleep of an hour takes as long as what happens in it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _NothingToWaitFor(selectors.SelectSelector):
    """Never waits; it notes for how long it was asked to."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everything waits for something that never comes")
        self.skipped += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """For code that waits for nothing but time: no sockets, no threads, no signals."""

    def __init__(self) -> None:
        self._never = _NothingToWaitFor()
        super().__init__(self._never)

    def time(self) -> float:
        return self._never.skipped


class VirtualClock:
    """The clock of a virtual loop, as the package wants one."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        return self._loop.time()

    def monotonic(self) -> float:
        return self._loop.time()


def run_virtually(work: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    """Run to the end, and close the loop."""
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
