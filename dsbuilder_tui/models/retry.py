"""Trying again after a failure that passes, and how long to wait before it."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.protocol import TransientError

_BACKOFF_BASE, _BACKOFF_CAP = 0.5, 30.0
LOADING_POLL = 5.0  # seconds between two looks at a server that loads its model

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
    startup_timeout: float = 0.0,
) -> T:
    """The result of ``call``, made again up to ``retries`` times while it raises ``TransientError``.

    ``waits`` is told of each wait with its cause, in seconds. The last ``TransientError`` is raised, and so is one
    after which ``longest_wait`` would not be enough; other errors at once. A server that loads its model is waited for up
    to ``startup_timeout`` seconds, which costs none of the ``retries``. Where there are none, that is the caller's business.
    """
    attempt, began = 0, time.monotonic()
    while True:
        attempt += 1
        try:
            return await call()
        except TransientError as error:
            wait, failed = backoff(attempt, error.retry_after, random.Random()), error
            if error.kind is FailureKind.LOADING and retries:
                wait = min(wait, LOADING_POLL)
                enough = time.monotonic() - began + wait <= startup_timeout
                attempt -= attempt >= retries
            else:
                enough = attempt <= retries and wait <= longest_wait
            if not enough:
                raise
        await waits(failed, wait)
        await asyncio.sleep(wait)
