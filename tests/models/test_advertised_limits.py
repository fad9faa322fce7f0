"""What headers say of an endpoint's limits: how it is read, and that it is kept to. In simulated time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from dsbuilder_tui.models.advertised_limits import Advertised, AdvertisedLimits, Allowance, read_limits
from tests.support.simulated_endpoint import FixedWindow, SimulatedEndpoint, TokenBucket, simulate

NOW = datetime(2026, 5, 4, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "requests", "tokens"),
    [
        (
            {
                "x-ratelimit-limit-requests": "600", "x-ratelimit-remaining-requests": "599",
                "x-ratelimit-reset-requests": "100ms", "x-ratelimit-limit-tokens": "150000",
                "x-ratelimit-remaining-tokens": "149984", "x-ratelimit-reset-tokens": "6m0s",
            },
            Allowance(600, 599, 0.1), Allowance(150_000, 149_984, 360),
        ),
        ({"X-RateLimit-Remaining-Requests": "7"}, Allowance(None, 7, None), None),
        (
            {
                "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-05-04T10:00:30Z",
                "anthropic-ratelimit-input-tokens-limit": "40000", "anthropic-ratelimit-input-tokens-remaining": "40000",
                "anthropic-ratelimit-output-tokens-limit": "8000", "anthropic-ratelimit-output-tokens-remaining": "100",
                "anthropic-ratelimit-output-tokens-reset": "2026-05-04T12:00:05+02:00",
            },
            Allowance(50, 0, 30), Allowance(8000, 100, 5),
        ),
        ({"ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "50", "ratelimit-reset": "30"}, Allowance(100, 50, 30), None),
        ({"RateLimit": '"default";r=50;t=30', "RateLimit-Policy": '"default";q=100;w=60'}, Allowance(100, 50, 30), None),
        ({"RateLimit": "limit=100, remaining=50, reset=30"}, Allowance(100, 50, 30), None),
        (
            {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59", "x-ratelimit-reset": str(int(NOW.timestamp()) + 20)},
            Allowance(60, 59, 20), None,
        ),
        (
            {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59", "x-ratelimit-reset": f"{int(NOW.timestamp()) + 20}000"},
            Allowance(60, 59, 20), None,
        ),
        (
            {
                "date": "Mon, 04 May 2026 10:00:10 GMT", "x-ratelimit-limit": "60", "x-ratelimit-remaining": "1",
                "x-ratelimit-reset": "Mon, 04 May 2026 10:00:30 GMT",
            },
            Allowance(60, 1, 20), None,
        ),
        ({"x-ratelimit-remaining-requests": "soon", "x-ratelimit-limit-requests": "600"}, None, None),
        ({"x-ratelimit-remaining-requests": "-3", "x-ratelimit-limit-requests": "600"}, None, None),
        ({"x-ratelimit-remaining-requests": "700", "x-ratelimit-limit-requests": "600"}, None, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-limit-requests": "0"}, None, None),
        ({"x-ratelimit-remaining-requests": "9" * 400, "x-ratelimit-reset-requests": "NaN"}, None, None),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "whenever"}, Allowance(None, 5, None), None),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "-4"}, Allowance(None, 5, None), None),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "9999-99-99T00:00:00Z"}, Allowance(None, 5, None), None),
        ({"ratelimit": "what; is=this", "content-type": "text/plain"}, None, None),
        ({}, None, None),
    ],
)  # fmt: skip
def test_headers_are_read(headers: dict[str, str], requests: Allowance | None, tokens: Allowance | None) -> None:
    assert read_limits(headers, NOW) == Advertised(requests, tokens)


def test_a_date_in_the_past_is_now() -> None:
    headers = {
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": (NOW - timedelta(hours=1)).isoformat(),
    }
    assert read_limits(headers, NOW).requests == Allowance(None, 0, 0.0)


# Keeping to them


def bucket_told(limit: int, seconds: float, unit: str) -> tuple[TokenBucket, Callable[[float], Mapping[str, str]]]:
    """As OpenAI has it: refilled all the time, whole again when so much time has passed."""
    bucket = TokenBucket(limit / seconds, limit)

    def headers(now: float) -> dict[str, str]:
        whole = (limit - bucket.left) * seconds / limit
        return {
            "x-ratelimit-limit-requests": str(limit), "x-ratelimit-remaining-requests": str(int(bucket.left)),
            "x-ratelimit-reset-requests": f"{whole * 1000:.0f}ms" if unit == "ms" else f"{int(whole // 60)}m{whole % 60:.3f}s",
        }  # fmt: skip

    return bucket, headers


def window_told(limit: int, seconds: float) -> tuple[FixedWindow, Callable[[float], Mapping[str, str]]]:
    window = FixedWindow(limit, seconds, begun=0.3 * seconds)

    def headers(now: float) -> dict[str, str]:
        until = seconds - (now + window.begun) % seconds
        return {
            "ratelimit": f'"a";r={max(0, limit - window.taken)};t={until:.0f}',
            "ratelimit-policy": f'"a";q={limit}',
        }

    return window, headers


@pytest.mark.parametrize(("limit", "seconds"), [(600, 60), (40, 1), (150, 10)])
@pytest.mark.parametrize("unit", ["ms", "m"])
def test_a_limit_that_is_told_is_used_and_hardly_ever_reached(limit: int, seconds: float, unit: str) -> None:
    bucket, headers = bucket_told(limit, seconds, unit)
    weather = simulate(SimulatedEndpoint([(0, bucket)], headers=headers), 150)
    assert weather.taken(60, 150) >= 0.9 * limit / seconds * 90
    assert weather.refused(0, 150) <= 0.02


@pytest.mark.parametrize(("limit", "seconds"), [(600, 60), (150, 10)])
def test_a_window_that_is_told_is_spread_evenly(limit: int, seconds: float) -> None:
    window, headers = window_told(limit, seconds)
    weather = simulate(SimulatedEndpoint([(0, window)], headers=headers), 240)
    assert weather.taken(60, 240) >= 0.9 * limit / seconds * 180
    assert weather.refused(0, 240) <= 0.02


def test_tokens_that_are_told_are_kept_to() -> None:
    bucket = TokenBucket(2000, 120_000)  # tokens
    taken = 0

    def headers(now: float) -> dict[str, str]:
        nonlocal taken
        taken += 1
        bucket.takes(now, 500)
        return {
            "x-ratelimit-limit-tokens": "120000", "x-ratelimit-remaining-tokens": str(max(0, int(bucket.left))),
            "x-ratelimit-reset-tokens": f"{(120_000 - bucket.left) / 2000:.2f}s",
        }  # fmt: skip

    endpoint = SimulatedEndpoint([(0, TokenBucket(1000, 1000))], headers=headers, tokens_a_call=500)
    weather = simulate(endpoint, 200)
    assert 0.9 * 4 <= weather.taken(100, 200) / 100 <= 1.1 * 4


def test_nothing_is_sent_until_the_reset_when_nothing_is_left() -> None:
    limits = AdvertisedLimits()
    limits.read({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s"}, 100.0)
    assert 20 <= limits.delay(100.0) <= 20.5 and 1 <= limits.delay(119) <= 1.5 and limits.delay(121) == 0
    limits.read({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6h"}, 130.0)
    assert limits.delay(130.0) == 0, "so long is not waited for before it is refused"


def test_a_header_that_never_changes_stops_nothing_for_ever() -> None:
    nonsense = {
        "x-ratelimit-limit-requests": "600",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "60",
    }
    weather = simulate(SimulatedEndpoint([(0, TokenBucket(40, 40))], headers=lambda now: nonsense), 240)
    assert weather.taken(150, 240) >= 0.9 * 40 * 90
    nearly = nonsense | {"x-ratelimit-remaining-requests": "1"}
    weather = simulate(SimulatedEndpoint([(0, TokenBucket(40, 40))], headers=lambda now: nearly), 60)
    assert weather.taken(10, 60) >= 0.4 * 10 * 50
    for odd in ({"x-ratelimit-remaining-requests": "5"}, {"x-ratelimit-reset-requests": "1s"}, {"ratelimit": "r=1"}):
        limits = AdvertisedLimits()
        limits.read(odd, 0.0)
        assert limits.delay(0.0) == 0 and not math.isnan(limits.delay(1.0))
