"""Times in words, read on this machine's clock."""

from __future__ import annotations

from datetime import datetime

import pytest

from dsbuilder_tui.domain.moment_words import local_time, moment

NOW = datetime(2026, 11, 28, 10, 46, 11)  # a Saturday


@pytest.mark.parametrize(
    ("words", "then"),
    [
        ("yesterday evening", "2026-11-28 00:00"), ("Yesterday", "2026-11-28 00:00"), ("yesterday at 18:30", "2026-11-27 18:30"),
        ("yesterday morning", "2026-11-27 12:00"), ("the day before yesterday at 6 pm", "2026-11-26 18:00"),
        ("this morning", "2026-11-28 12:00"), ("last night", "2026-11-28 06:00"), ("last evening", "2026-11-28 00:00"),
        ("two hours ago", "2026-11-28 08:46"), ("half an hour ago", "2026-11-28 10:16"), ("10 minutes ago", "2026-11-28 10:36"),
        ("3 days ago", "2026-11-25 10:46"), ("on Friday", "2026-11-28 00:00"), ("last saturday", "2026-11-22 00:00"),
        ("monday at 9:15", "2026-11-23 09:15"), ("2026-11-20", "2026-11-21 00:00"), ("2026-11-20 14:05", "2026-11-20 14:05"),
        ("2026-11-20T14:05", "2026-11-20 14:05"), ("at 9:30", "2026-11-28 09:30"), ("17:00", "2026-11-27 17:00"),
        ("at 12 am", "2026-11-28 00:00"), ("noon", "2026-11-27 12:00"),
    ],
)  # fmt: skip
def test_what_is_meant(words: str, then: str) -> None:
    found = moment(words, NOW.timestamp())
    assert found is not None and local_time(found) == then


@pytest.mark.parametrize(
    "words", ["", "tomorrow", "refunds", "2026-13-40", "at 27:00", "12", "yesterday at half past", "ago"]
)
def test_what_is_no_time(words: str) -> None:
    assert moment(words, NOW.timestamp()) is None
