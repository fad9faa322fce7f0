"""Repeats planted in streams: all history misses none of them, a window most."""

from __future__ import annotations

import pytest

from tests.support.streams import KINDS, PATTERNS, judged, stream


@pytest.mark.parametrize("pattern", PATTERNS)
def test_all_history_finds_what_was_planted(pattern: str) -> None:
    tally = judged(stream(pattern, 600))
    assert tally.planted.total() > 120 and set(tally.planted) == set(KINDS)
    assert tally.recall_of("ids and case") == 1.0
    assert min(map(tally.recall_of, KINDS)) >= 0.98
    assert tally.wrongly <= tally.fresh * 0.002
    for kind, stage in KINDS.items():  # each stage does its part
        assert tally.stages[kind, stage] >= tally.planted[kind] * 0.8


@pytest.mark.parametrize(("pattern", "most"), [("uniform", 0.3), ("zipf", 0.6)])
def test_a_window_of_20_misses_most(pattern: str, most: float) -> None:
    assert judged(stream(pattern, 600), 20).recall < most


@pytest.mark.slow
@pytest.mark.parametrize("pattern", PATTERNS)
def test_ten_thousand(pattern: str) -> None:
    tally = judged(stream(pattern, 10_000))
    assert min(map(tally.recall_of, KINDS)) >= 0.99 and tally.wrongly <= 20
    assert judged(stream(pattern, 10_000), 20).recall < (1 if pattern == "bursty" else 0.5)
