"""Libraries that the studio needs later than its first frame: loaded beside the event loop before somebody waits for them."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.screen import StudioScreen


class Preparation:
    """Loads for one screen what a run needs, then what an answer needs, one after the other."""

    def __init__(self, screen: StudioScreen) -> None:
        self._screen = screen
        self._one = asyncio.Lock()
        self._answers = False

    def for_runs(self) -> None:
        """Load what a run needs."""
        self._begin(self._screen.watched.session.prepare)

    def for_answers(self) -> None:
        """Load what an answer needs, once: it takes seconds, which a person hardly notices while they type a request, or
        while the first case of a run is not there."""
        if not self._answers and self._screen.watched.acts:
            self._answers = True
            self._begin(self._screen.live.talk.prepare)

    def _begin(self, load: Callable[[], Awaitable[None]]) -> None:
        async def begun() -> None:
            async with self._one:
                await loaded_for_good(load)

        self._screen.background(begun, group="prepare")


async def loaded_for_good(load: Callable[[], Awaitable[None]]) -> None:
    """Import something with the garbage collector at rest. What is loaded stays as long as the process: the collector, which
    holds up every key while it looks, has nothing to find in it and never looks at it again."""
    known, rested = len(sys.modules), gc.isenabled()
    gc.disable()
    try:
        await load()
    finally:
        if rested:
            gc.enable()
        if len(sys.modules) > known:
            gc.freeze()
