"""Places for calls, and the rate that an endpoint takes, found out in simulated time: nothing here sleeps."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from itertools import pairwise

import pytest

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency, CallSize
from dsbuilder_tui.models.circuit_breaker import CircuitBreaker
from dsbuilder_tui.models.protocol import TransientError
from tests.support.simulated_endpoint import (
    FixedWindow,
    Limit,
    SimulatedEndpoint,
    SlidingWindow,
    TokenBucket,
    Unlimited,
    simulate,
)

SIZE = CallSize()
HIDDEN: dict[str, Callable[[], Limit]] = {
    "bucket": lambda: TokenBucket(40, 40),
    "bucket without a reserve": lambda: TokenBucket(40, 4),
    "fixed window": lambda: FixedWindow(40, 1),
    "sliding window": lambda: SlidingWindow(40, 1),
}


class StillClock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


def limit_of(most: int, clock: StillClock | None = None) -> AdaptiveConcurrency:
    return AdaptiveConcurrency(most, clock or StillClock(), lambda *_: None)


# The rate


@pytest.mark.parametrize(("workers", "retry_after"), [(50, 1.0), (100, None)])
@pytest.mark.parametrize("kind", HIDDEN)
def test_a_hidden_limit_is_found_and_kept(kind: str, retry_after: float | None, workers: int) -> None:
    endpoint = SimulatedEndpoint([(0, HIDDEN[kind]())], retry_after=retry_after)
    weather = simulate(endpoint, 60, workers=workers)
    assert weather.taken(10, 60) >= 0.9 * 40 * 50
    assert weather.refused(10, 60) <= 0.02
    assert weather.taken(0, 10) >= 0.7 * 40 * 10, "it is found soon"


def test_a_limit_is_kept_where_calls_are_slow_and_refusals_too() -> None:
    endpoint = SimulatedEndpoint([(0, TokenBucket(40, 40))], seconds_a_call=lambda rng: rng.uniform(1, 8))
    weather = simulate(endpoint, 60, workers=400)
    assert weather.taken(10, 60) >= 0.9 * 40 * 50 and weather.refused(10, 60) <= 0.02
    endpoint = SimulatedEndpoint([(0, TokenBucket(40, 40))], seconds_a_refusal=0.2)
    weather = simulate(endpoint, 60, workers=100)
    assert weather.taken(10, 60) >= 0.9 * 40 * 50 and weather.refused(10, 60) <= 0.03


@pytest.mark.parametrize("share", [0.01, 0.03, 0.1, 0.2])
def test_refusals_by_chance_do_not_slow_it_down(share: float) -> None:
    weather = simulate(SimulatedEndpoint([(0, Unlimited())], random_refusals=share), 40)
    assert weather.taken(10, 40) >= 0.8 * 250 * 30 * (1 - share)
    slow = SimulatedEndpoint([(0, Unlimited())], seconds_a_call=lambda rng: rng.uniform(1, 4), random_refusals=share)
    assert simulate(slow, 120, workers=8).taken(0, 120) >= 0.75 * 3.2 * 120 * (1 - share)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_limit_among_refusals_by_chance(share: float, seed: int) -> None:
    endpoint = SimulatedEndpoint([(0, TokenBucket(40, 40))], random_refusals=share)
    weather = simulate(endpoint, 75, workers=50, seed=seed)
    assert weather.taken(15, 75) >= 0.88 * 40 * 60
    assert weather.refused(15, 75) <= share + 0.08


LONG_WINDOWS: dict[str, Callable[[], Limit]] = {
    "fixed window of 10 s": lambda: FixedWindow(400, 10, begun=3),
    "sliding window of 10 s": lambda: SlidingWindow(400, 10),
    "fixed window of a minute": lambda: FixedWindow(600, 60, begun=20),
    "sliding window of a minute": lambda: SlidingWindow(600, 60),
}


@pytest.mark.parametrize("kind", LONG_WINDOWS)
def test_a_limit_that_counts_by_longer_stretches_is_kept_over_them(kind: str) -> None:
    seconds, rate = (60, 10) if "minute" in kind else (10, 40)
    weather = simulate(SimulatedEndpoint([(0, LONG_WINDOWS[kind]())]), 10 * seconds)
    assert weather.taken(3 * seconds, 10 * seconds) >= 0.9 * rate * 7 * seconds
    assert weather.refused(3 * seconds, 10 * seconds) <= 0.02


@pytest.mark.parametrize("seed", [1, 2])
def test_refusals_by_chance_beside_a_window_of_10_seconds(seed: int) -> None:
    endpoint = SimulatedEndpoint([(0, FixedWindow(400, 10, begun=seed))], random_refusals=0.05)
    weather = simulate(endpoint, 130, seed=seed)
    assert weather.taken(30, 130) >= 0.78 * 40 * 100 and weather.refused(30, 130) <= 0.05 + 0.03


@pytest.mark.parametrize("retry_after", [0.0, 20.0])
def test_a_wrong_wait_that_the_endpoint_asks_for(retry_after: float) -> None:
    weather = simulate(SimulatedEndpoint([(0, TokenBucket(40, 40))], retry_after=retry_after), 70)
    assert weather.taken(10, 70) >= 0.9 * 40 * 60 and weather.refused(10, 70) <= 0.08


def test_what_was_on_its_way_before_a_stop_does_not_end_it() -> None:
    breaker = CircuitBreaker(8)
    for _ in range(5):
        breaker.failed(10.0, 10.4, None, -math.inf)
    assert breaker.failed(10.2, 10.8, None, -math.inf) and breaker.open
    assert not breaker.succeeded(9.0, 11.0) and breaker.open
    assert breaker.succeeded(11.5, 12.0) and not breaker.open


def test_a_limit_that_is_halved_and_doubled_in_mid_run() -> None:
    kinds = [(0, TokenBucket(40, 40)), (30, TokenBucket(20, 20)), (60, TokenBucket(40, 40)), (90, TokenBucket(80, 80))]
    weather = simulate(SimulatedEndpoint(kinds), 120, workers=100)
    for since, until, rate in ((40, 60, 20), (70, 90, 40), (100, 120, 80)):
        assert weather.taken(since, until) >= 0.9 * rate * (until - since)
        assert weather.refused(since, until) <= 0.03
    assert weather.refused(30, 40) <= 0.15, "it comes down within the first seconds"
    assert weather.taken(60, 70) >= 0.6 * 40 * 10 and weather.taken(90, 100) >= 0.6 * 80 * 10


def test_an_outage_of_half_a_minute() -> None:
    weather = simulate(SimulatedEndpoint([(0, TokenBucket(40, 40))], outage=(20, 50)), 90, workers=100)
    assert weather.taken(55, 60) >= 0.8 * 40 * 5, "it is back soon after the endpoint"
    assert weather.taken(60, 90) >= 0.9 * 40 * 30
    assert len(weather.down) <= 200 + 40, "one after another, after the calls that were on their way"
    late = [at for at in weather.down if at > 22]
    assert all(later - at >= 0.3 for at, later in pairwise(late)), "one call at a time tries it"


def test_a_limit_by_the_minute() -> None:
    weather = simulate(SimulatedEndpoint([(0, FixedWindow(20, 60))], seconds_a_call=lambda rng: 2.0), 600, workers=8)
    assert weather.taken(60, 600) >= 0.7 * 20 * 9
    assert sum(not taken for _, taken in weather.calls) <= 150


def test_so_many_at_once_and_not_more() -> None:
    weather = simulate(SimulatedEndpoint([(0, Unlimited())], most_at_once=10), 60)
    assert weather.taken(10, 60) >= 0.8 * 50 * 50 and weather.refused(10, 60) <= 0.05


def test_requests_a_minute_are_kept_from_the_start() -> None:
    weather = simulate(SimulatedEndpoint([(0, Unlimited())]), 120, requests_per_minute=600)
    for since in range(0, 60, 7):
        assert 570 <= weather.taken(since, since + 60) <= 606
    assert weather.taken(0, 1) <= 12, "not all at once"


def test_tokens_a_minute_are_kept() -> None:
    endpoint = SimulatedEndpoint([(0, Unlimited())], tokens_a_call=1500)
    weather = simulate(endpoint, 180, tokens_per_minute=60_000)
    assert 0.9 <= weather.taken(60, 180) * 1500 / 120_000 <= 1.05


def test_what_it_does_is_told_and_not_too_often() -> None:
    weather = simulate(SimulatedEndpoint([(0, TokenBucket(40, 40))]), 120, workers=100)
    assert weather.told and weather.told[0][1:] == (weather.told[0][1], "rate-limited by the endpoint")
    assert len(weather.told) <= 20
    assert not simulate(SimulatedEndpoint([(0, Unlimited())]), 30).told


# Places


async def test_places_are_given_out_and_taken_back() -> None:
    limit = limit_of(2)
    first = await limit.acquire(SIZE)
    second = await limit.acquire(SIZE)
    third, fourth = asyncio.create_task(limit.acquire(SIZE)), asyncio.create_task(limit.acquire(SIZE))
    await asyncio.sleep(0)
    assert not third.done() and limit.try_acquire(SIZE) is None
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)
    limit.release(first)
    last = await asyncio.wait_for(fourth, 1)
    limit.release(second)
    limit.release(last)
    assert limit.try_acquire(SIZE) is not None


async def test_a_cancelled_waiter_hands_its_place_on() -> None:
    limit = limit_of(1)
    held = await limit.acquire(SIZE)
    first, second = asyncio.create_task(limit.acquire(SIZE)), asyncio.create_task(limit.acquire(SIZE))
    await asyncio.sleep(0)
    limit.release(held)  # wakes the first …
    first.cancel()  # … which is gone before it runs
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.wait_for(second, 1)


async def test_a_waiter_that_is_cancelled_and_passed_over_at_once() -> None:
    limit = limit_of(1)
    held = await limit.acquire(SIZE)
    first, second = asyncio.create_task(limit.acquire(SIZE)), asyncio.create_task(limit.acquire(SIZE))
    await asyncio.sleep(0)
    first.cancel()
    limit.release(held)  # passes the first over before it learns that it was cancelled
    (gone,) = await asyncio.gather(first, return_exceptions=True)
    assert isinstance(gone, asyncio.CancelledError)
    await asyncio.wait_for(second, 1)


async def test_a_call_that_is_made_again_comes_before_new_ones() -> None:
    limit = limit_of(1)
    held = await limit.acquire(SIZE)
    new, again = asyncio.create_task(limit.acquire(SIZE)), None
    await asyncio.sleep(0)
    again = asyncio.create_task(limit.acquire(SIZE, again=True))
    await asyncio.sleep(0)
    limit.release(held)
    await asyncio.wait_for(again, 1)
    assert not new.done()
    new.cancel()


async def test_one_refusal_stops_nobody_else() -> None:
    limit = limit_of(8)
    refused = await limit.acquire(SIZE)
    limit.failed(refused, TransientError(FailureKind.RATE_LIMIT, "slow down", 3000.0))
    limit.release(refused)
    await asyncio.wait_for(limit.acquire(SIZE), 1)
    assert not limit.is_out


async def test_who_is_hurried_does_not_wait_and_what_it_finds_out_frees_the_others() -> None:
    clock = StillClock()
    limit = limit_of(4, clock)
    for _ in range(4):  # as many in a row as there are places
        permit = await limit.acquire(SIZE)
        limit.failed(permit, TransientError(FailureKind.RATE_LIMIT, "slow down", 3000.0))
        limit.release(permit)
    assert limit.is_out
    waiting = asyncio.create_task(limit.acquire(SIZE))
    await asyncio.sleep(0)
    hurried = await asyncio.wait_for(limit.acquire(SIZE, hurried=True), 1)
    assert not waiting.done()
    limit.succeeded(hurried, Usage())
    limit.release(hurried)
    await asyncio.wait_for(waiting, 1)
    assert not limit.is_out


async def test_an_endpoint_that_never_lets_anything_in_is_given_up_sooner() -> None:
    clock = StillClock()
    limit = limit_of(1, clock)

    async def fail(count: int) -> None:
        for _ in range(count):
            permit = await limit.acquire(SIZE, hurried=True)
            limit.failed(permit, TransientError(FailureKind.CONNECTION, "refused"))
            limit.release(permit)

    await fail(2)
    clock.time += 29
    assert limit.is_out and not limit.gave_up(6)
    clock.time += 2
    assert limit.gave_up(6)
    limit.let_in(await limit.acquire(SIZE, hurried=True))
    assert not limit.is_out
    await asyncio.sleep(0)
    assert not limit.gave_up(6) and math.isfinite(limit.limit)


async def test_calls_that_wait_where_they_are_made_are_given_out_ahead_of_their_turn() -> None:
    """As many as are on their way; none where a pace is kept to, and none beside a call that waits nowhere."""
    limit = limit_of(8)
    assert limit.ahead == 0
    limit.way_share = 0.1  # a tenth of the time: uneven as ways are, two fifths of the calls
    assert limit.ahead == 3
    permits = [await limit.acquire(SIZE, waits_there=True) for _ in range(11)]
    assert limit.try_acquire(SIZE, waits_there=True) is None

    here = asyncio.create_task(limit.acquire(SIZE))
    await asyncio.sleep(0)
    assert limit.ahead == 0 and not here.done()
    for permit in permits[:3]:
        limit.release(permit)
    await asyncio.sleep(0)
    assert not here.done(), "eight are in flight"
    limit.release(permits[3])
    limit.release(await here)
    assert limit.ahead == 3

    await limit.acquire(SIZE, waits_there=True)  # now eight are in flight again
    given_up = asyncio.create_task(limit.acquire(SIZE))
    await asyncio.sleep(0)
    assert limit.ahead == 0
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert limit.ahead == 3
    limit.way_share = 5.0
    assert limit.ahead == 8

    paced = AdaptiveConcurrency(8, StillClock(), lambda *_: None, requests_per_minute=600)
    paced.way_share = 0.1
    assert paced.ahead == 0
