"""Trying again after a failure that passes, and how long to wait before it."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from dsbuilder_tui.models.protocol import TransientError

_BACKOFF_BASE, _BACKOFF_CAP = 0.5, 30.0

T = TypeVar("T")


def backoff(attempt: int, retry_after: float | None, rng: random.Random) -> float:
    """Seconds to wait before try ``attempt`` (from 1): what the server asked for, or exponential, with jitter."""
    if retry_after is not None:
        return retry_after + rng.uniform(0.0, min(1.0, 0.1 + retry_after * 0.1))
    return float(min(_BACKOFF_CAP, _BACKOFF_BASE * 2 ** (attempt - 1)) * rng.uniform(0.5, 1.0))


async def with_retries(
    call: Callable[[], Awaitable[T]],
    retries: int,
    waits: Callable[[TransientError, float], Awaitable[None]],
    longest_wait: float = math.inf,
) -> T:
    """The result of ``call``, made again up to ``retries`` times while it raises ``TransientError``.

    ``waits`` is told of each wait with its cause, in seconds. The last ``TransientError`` is raised, and so is one
    after which ``longest_wait`` would not be enough; other errors at once.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return await call()
        except TransientError as error:
            wait, failed = backoff(attempt, error.retry_after, random.Random()), error
            if attempt > retries or wait > longest_wait:
                raise
        await waits(failed, wait)
        await asyncio.sleep(wait)
