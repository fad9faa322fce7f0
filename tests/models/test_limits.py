"""The adaptive limit and the waits between tries, with time held still."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dsbuilder_tui.models.endpoint_errors import retry_after_seconds
from dsbuilder_tui.models.limits import AdaptiveLimit
from dsbuilder_tui.models.retry import backoff


class StillClock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


def limit_of(most: int) -> tuple[AdaptiveLimit, StillClock, list[int]]:
    clock, changes = StillClock(), []
    return AdaptiveLimit(most, clock, lambda limit, _: changes.append(limit)), clock, changes


async def test_only_the_first_rate_limit_of_a_burst_cuts() -> None:
    limit, clock, changes = limit_of(100)
    began = clock.time
    clock.time += 1
    for _ in range(50):
        limit.rate_limited(began, None)
    assert limit.limit == 70
    clock.time += 1
    limit.rate_limited(clock.time - 0.5, None)
    assert limit.limit == 49
    assert changes == [70, 49]


async def test_it_never_falls_below_one_and_grows_back_with_success() -> None:
    limit, clock, _ = limit_of(10)
    for _ in range(30):
        clock.time += 1
        limit.rate_limited(clock.time - 0.1, None)
    assert limit.limit == 1
    for _ in range(200):
        limit.succeeded()
    assert limit.limit == 10


async def test_server_errors_hold_growth_back() -> None:
    limit, clock, _ = limit_of(10)
    clock.time += 1
    limit.rate_limited(clock.time, None)
    before = limit.limit
    limit.server_failed()
    for _ in range(50):
        limit.succeeded()
    assert limit.limit == before
    clock.time += 10
    for _ in range(50):
        limit.succeeded()
    assert limit.limit == 10


async def test_places_are_given_out_and_taken_back() -> None:
    limit, _, _ = limit_of(2)
    await limit.acquire()
    await limit.acquire()
    third, fourth = asyncio.create_task(limit.acquire()), asyncio.create_task(limit.acquire())
    await asyncio.sleep(0)
    assert not third.done()
    third.cancel()
    await asyncio.gather(third, return_exceptions=True)
    limit.release()
    await asyncio.wait_for(fourth, 1)
    limit.release()
    limit.release()
    await asyncio.wait_for(limit.acquire(), 1)


async def test_a_cancelled_waiter_hands_its_place_on() -> None:
    limit, _, _ = limit_of(1)
    await limit.acquire()
    first, second = asyncio.create_task(limit.acquire()), asyncio.create_task(limit.acquire())
    await asyncio.sleep(0)
    limit.release()  # wakes the first …
    first.cancel()  # … which is gone before it runs
    await asyncio.gather(first, return_exceptions=True)
    await asyncio.wait_for(second, 1)


def test_backoff_grows_jitters_and_obeys_the_server() -> None:
    rng = random.Random(1)
    waits = [backoff(attempt, None, rng) for attempt in range(1, 12)]
    assert all(0.25 * 2**n <= wait <= 0.5 * 2**n for n, wait in enumerate(waits[:6]))
    assert max(waits) <= 30
    assert all(7 <= backoff(1, 7.0, rng) <= 8 for _ in range(20))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "2"}, 2.0), ({"retry-after": "0.5"}, 0.5), ({"retry-after-ms": "250"}, 0.25),
     ({"retry-after": "soon"}, None), ({}, None), ({"retry-after": "-3"}, 0.0)],
)  # fmt: skip
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


def test_retry_after_as_a_date() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 <= (retry_after_seconds({"retry-after": moment}) or 0) <= 60


async def test_who_is_hurried_does_not_wait_and_what_it_finds_out_frees_the_others() -> None:
    limit, clock, _ = limit_of(4)
    limit.rate_limited(clock.time, 3000.0)
    waiting = asyncio.create_task(limit.acquire())
    await asyncio.sleep(0)
    await asyncio.wait_for(limit.acquire(hurried=True), 1)
    assert not waiting.done()
    limit.reopen()
    await asyncio.wait_for(waiting, 1)
    limit.rate_limited(clock.time + 1, 3000.0)
    again = asyncio.create_task(limit.acquire())
    await asyncio.sleep(0.01)
    assert not again.done(), "closed anew"
    again.cancel()
