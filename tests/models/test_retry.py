"""The waits between tries, and what a server asks for."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dsbuilder_tui.models.error_report import retry_after_seconds
from dsbuilder_tui.models.retry import backoff


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
