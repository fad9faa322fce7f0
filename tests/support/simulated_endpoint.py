"""An endpoint in simulated time: what limits it, what calls to it look like, and a crowd of callers."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency, CallSize
from dsbuilder_tui.models.advertised_limits import AdvertisedLimits
from dsbuilder_tui.models.protocol import TransientError
from dsbuilder_tui.models.retry import backoff
from tests.support.virtual_time import VirtualClock, VirtualLoop, run_virtually


class Limit(Protocol):
    def takes(self, now: float) -> bool: ...


@dataclass
class Unlimited:
    def takes(self, now: float) -> bool:
        return True


@dataclass
class TokenBucket:
    """So many a second, and so many saved up."""

    per_second: float
    saved: float
    _as_of: float = 0.0

    def __post_init__(self) -> None:
        self.left = self.saved

    def takes(self, now: float, size: float = 1.0) -> bool:
        self.left = min(self.saved, self.left + (now - self._as_of) * self.per_second)
        self._as_of = now
        if self.left < size:
            return False
        self.left -= size
        return True


@dataclass
class FixedWindow:
    """So many in each stretch of so many seconds, the first of which began before the first call."""

    most: int
    seconds: float
    begun: float = 0.0  # seconds ago
    taken: int = 0  # in this stretch
    _window: int = -1

    def takes(self, now: float) -> bool:
        window = int((now + self.begun) / self.seconds)
        if window != self._window:
            self._window, self.taken = window, 0
        self.taken += 1
        return self.taken <= self.most


@dataclass
class SlidingWindow:
    """So many in the last so many seconds."""

    most: int
    seconds: float
    _taken: deque[float] = field(default_factory=deque)

    def takes(self, now: float) -> bool:
        while self._taken and self._taken[0] <= now - self.seconds:
            self._taken.popleft()
        if len(self._taken) >= self.most:
            return False
        self._taken.append(now)
        return True


@dataclass
class SimulatedEndpoint:
    """``limits`` are (from when on, what limits it), the first at 0. ``random_refusals`` is a share of all calls."""

    limits: Sequence[tuple[float, Limit]]
    seconds_a_call: Callable[[random.Random], float] = lambda rng: 0.2
    seconds_a_refusal: float = 0.002
    random_refusals: float = 0.0
    retry_after: float | None = None
    outage: tuple[float, float] = (-1.0, -1.0)
    most_at_once: int = 10**9
    tokens_a_call: int = 0
    headers: Callable[[float], Mapping[str, str]] | None = None  # of each answer, by when it is


@dataclass
class Weather:
    """What came of it: (when, taken) of each call that reached the endpoint, and what the limit told."""

    calls: list[tuple[float, bool]] = field(default_factory=list)
    told: list[tuple[float, int, str]] = field(default_factory=list)
    down: list[float] = field(default_factory=list)  # when a call found nobody there

    def taken(self, since: float, until: float) -> int:
        return sum(taken for at, taken in self.calls if since <= at < until)

    def refused(self, since: float, until: float) -> float:
        """The share of calls that were answered with 429."""
        calls = [taken for at, taken in self.calls if since <= at < until]
        return 1 - sum(calls) / len(calls) if calls else 0.0


def simulate(
    endpoint: SimulatedEndpoint,
    seconds: float,
    *,
    workers: int = 50,
    seed: int = 1,
    requests_per_minute: int | None = None,
    tokens_per_minute: int | None = None,
) -> Weather:
    """Callers without end work at the endpoint for so many simulated seconds, as workers do."""
    loop = VirtualLoop()
    clock, rng, weather, advertised = VirtualClock(loop), random.Random(seed), Weather(), AdvertisedLimits()
    limit = AdaptiveConcurrency(
        workers, clock, lambda most, reason: weather.told.append((loop.time(), most, reason)),
        requests_per_minute=requests_per_minute, tokens_per_minute=tokens_per_minute, advertised=advertised,
    )  # fmt: skip
    at_once = 0

    def tell(now: float) -> None:
        if endpoint.headers is not None:
            advertised.read(endpoint.headers(now), now)

    async def call() -> None:
        nonlocal at_once
        now = loop.time()
        if endpoint.outage[0] <= now < endpoint.outage[1]:
            weather.down.append(now)
            await asyncio.sleep(endpoint.seconds_a_refusal)
            raise TransientError(FailureKind.CONNECTION, "refused")
        limiting = [one for since, one in endpoint.limits if since <= now][-1]
        by_chance = rng.random() < endpoint.random_refusals
        taken = not by_chance and at_once < endpoint.most_at_once and limiting.takes(now)
        weather.calls.append((now, taken))
        tell(now)
        if not taken:
            await asyncio.sleep(endpoint.seconds_a_refusal)
            raise TransientError(FailureKind.RATE_LIMIT, "slow down", endpoint.retry_after)
        at_once += 1
        try:
            await asyncio.sleep(endpoint.seconds_a_call(rng))
        finally:
            at_once -= 1

    async def work() -> None:
        tries = 0
        while True:
            permit = await limit.acquire(CallSize(400, 1), again=tries > 0)
            try:
                await call()
                limit.succeeded(permit, Usage(100, endpoint.tokens_a_call - 100, endpoint.tokens_a_call > 0))
                return
            except TransientError as error:
                limit.failed(permit, error)
                tries += 1
                wait = backoff(min(tries, 3), error.retry_after, rng)
            finally:
                limit.release(permit)
            with limit.rest():
                await asyncio.sleep(wait)

    async def crowd() -> None:
        at_work: set[asyncio.Task[None]] = set()
        while loop.time() < seconds:
            while len(at_work) - limit.resting < limit.limit and len(at_work) < limit.most_begun():
                task = asyncio.create_task(work())
                at_work.add(task)
                task.add_done_callback(at_work.discard)
            await asyncio.sleep(0.01)
        for task in at_work:
            task.cancel()
        await asyncio.gather(*at_work, return_exceptions=True)

    run_virtually(crowd(), loop)
    return weather
