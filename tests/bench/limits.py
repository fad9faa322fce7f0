"""How well the limits of endpoints are found, in simulated time: ``python -m tests.bench.limits`` (--seeds 12, --only NAME).

Each row is a kind of limit. ``reached`` is the share of what it would have taken that was taken after the warm-up, and
``refused`` the share of calls that were refused in vain, beyond those that are refused by chance: mean and worst of all seeds.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.support.simulated_endpoint import (
    FixedWindow,
    Limit,
    SimulatedEndpoint,
    SlidingWindow,
    TokenBucket,
    Unlimited,
    simulate,
)

_WORKERS = 50
_SHARE, _REFUSED = 0.9, 0.02  # what is aimed at


@dataclass(frozen=True)
class Scenario:
    """``stretches`` are (from, until, calls a second that are possible in it), in seconds of the run."""

    endpoint: Callable[[int], SimulatedEndpoint]
    stretches: tuple[tuple[float, float, float], ...]
    workers: int = _WORKERS


def _steady(
    limit: Callable[[int], Limit],
    rate: float,
    since: float = 10,
    until: float = 70,
    *,
    chance: float = 0.0,
    retry_after: float | None = None,
    most_at_once: int = 10**9,
    seconds_a_call: float = 0.2,
    workers: int = _WORKERS,
) -> Scenario:
    def endpoint(seed: int) -> SimulatedEndpoint:
        return SimulatedEndpoint(
            [(0, limit(seed))], random_refusals=chance, retry_after=retry_after, most_at_once=most_at_once,
            seconds_a_call=lambda rng: rng.uniform(0.5, 1.5) * seconds_a_call,
        )  # fmt: skip

    return Scenario(endpoint, ((since, until, rate),), workers)


def _changing(*limits: tuple[float, float], until: float, warm_up: float = 10, chance: float = 0.0) -> Scenario:
    def endpoint(seed: int) -> SimulatedEndpoint:
        return SimulatedEndpoint([(since, TokenBucket(rate, rate)) for since, rate in limits], random_refusals=chance)

    ends = [since for since, _ in limits[1:]] + [until]
    return Scenario(
        endpoint, tuple((since + warm_up, end, rate) for (since, rate), end in zip(limits, ends, strict=True))
    )


def _outage(retry_after: float | None = None) -> Scenario:
    def endpoint(seed: int) -> SimulatedEndpoint:
        return SimulatedEndpoint([(0, TokenBucket(40, 40))], outage=(20, 50), retry_after=retry_after)

    return Scenario(endpoint, ((10, 20, 40), (55, 90, 40)))


def scenarios() -> dict[str, Scenario]:
    def bucket(seed: int) -> Limit:
        return TokenBucket(40, 40)

    def fixed(most: int, seconds: float) -> Callable[[int], Limit]:
        return lambda seed: FixedWindow(most, seconds, seed * 0.37 % 1 * seconds)

    def unlimited(seed: int) -> Limit:
        return Unlimited()

    rows = {
        "bucket 40/s": _steady(bucket, 40),
        "bucket 40/s, reserve 4": _steady(lambda seed: TokenBucket(40, 4), 40),
        "bucket 40/s, reserve 400": _steady(lambda seed: TokenBucket(40, 400), 40, 20, 80),
        "bucket 8/s, slow calls": _steady(lambda seed: TokenBucket(8, 8), 8, 20, 120, seconds_a_call=3.0),
        "sliding 40 in 1 s": _steady(lambda seed: SlidingWindow(40, 1), 40),
        "sliding 400 in 10 s": _steady(lambda seed: SlidingWindow(400, 10), 40, 30, 130),
        "sliding 2400 in 60 s": _steady(lambda seed: SlidingWindow(2400, 60), 40, 120, 420),
        "fixed 40 in 1 s": _steady(fixed(40, 1), 40),
        "fixed 400 in 10 s": _steady(fixed(400, 10), 40, 30, 130),
        "fixed 2400 in 60 s": _steady(fixed(2400, 60), 40, 120, 420),
        "fixed 300 in 60 s": _steady(fixed(300, 60), 5, 120, 420),
        "10 at once": _steady(unlimited, 50, most_at_once=10),
        "10 at once, 5 % chance": _steady(unlimited, 50, most_at_once=10, chance=0.05),
        "halved and doubled": _changing((0, 40), (30, 20), (60, 40), (90, 80), until=120),
        "halved and doubled, 5 %": _changing((0, 40), (40, 20), (80, 40), until=120, warm_up=15, chance=0.05),
        "outage of 30 s": _outage(),
        "outage, Retry-After 1": _outage(1.0),
    }
    for share in (0.02, 0.05, 0.1):
        rows[f"no limit, {share:.0%} chance"] = _steady(unlimited, 250 * (1 - share), chance=share)
        rows[f"bucket 40/s, {share:.0%} chance"] = _steady(bucket, 40, 15, 75, chance=share)
        rows[f"fixed 400 in 10 s, {share:.0%}"] = _steady(fixed(400, 10), 40, 30, 130, chance=share)
    for wait in (0.05, 1.0, 20.0):
        rows[f"bucket 40/s, Retry-After {wait:g}"] = _steady(bucket, 40, retry_after=wait)
        rows[f"fixed 400 in 10 s, R-A {wait:g}"] = _steady(fixed(400, 10), 40, 40, 140, retry_after=wait)
    rows["no limit, 5 %, Retry-After 1"] = _steady(unlimited, 237, chance=0.05, retry_after=1.0, workers=60)
    rows["bucket 40/s, 5 %, Retry-After 1"] = _steady(bucket, 40, 15, 75, chance=0.05, retry_after=1.0)
    return rows


def measure(name: str, seed: int) -> list[tuple[float, float]]:
    """(reached, refused) of each stretch."""
    scenario = scenarios()[name]
    endpoint = scenario.endpoint(seed)
    weather = simulate(endpoint, scenario.stretches[-1][1], workers=scenario.workers, seed=seed)
    found = []
    for since, until, rate in scenario.stretches:
        refused = weather.refused(since, until)
        by_chance = endpoint.random_refusals
        found.append((weather.taken(since, until) / (rate * (until - since)), max(0.0, refused - by_chance)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--only", default="")
    parser.add_argument("--each", action="store_true", help="every seed by itself")
    given = parser.parse_args()
    names = [name for name in scenarios() if given.only in name]
    seeds = range(1, given.seeds + 1)
    print(f"{'limit':<34} {'reached':>8} {'worst':>6} {'refused':>8} {'worst':>6}")
    with ProcessPoolExecutor(2) as pool:
        work = [(name, seed) for name in names for seed in seeds]
        results = list(pool.map(measure, *zip(*work, strict=True), chunksize=2))
    for name in names:
        of_it = [found for (which, _), found in zip(work, results, strict=True) if which == name]
        reached, refused = [r for one in of_it for r, _ in one], [f for one in of_it for _, f in one]
        good = min(reached) >= _SHARE and max(refused) <= _REFUSED
        print(
            f"{name:<34} {statistics.mean(reached):8.1%} {min(reached):6.0%} {statistics.mean(refused):8.1%} "
            f"{max(refused):6.1%} {'' if good else '  <-'}"
        )
        if given.each:
            print("   ", "  ".join(f"{min(r for r, _ in one):.2f}/{max(f for _, f in one):.3f}" for one in of_it))


if __name__ == "__main__":
    main()
