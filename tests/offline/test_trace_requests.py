"""“Take what users really asked last week”, without a model: which experiment, since when, how many."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("take what users really asked last week from my_bot, 50 cases", {"path": "traces:my_bot", "more": 50, "since": "1w"}),
        ("50 cases like the traces of my_bot of the last 7 days", {"path": "traces:my_bot", "more": 50, "since": "7d"}),
        ("Use the traces of shop/bot-2, add 30 cases please", {"path": "traces:shop/bot-2", "more": 30}),
        (
            "100 more from the traces of support-bot since 2026-11-20, only the new ones",
            {"path": "traces:support-bot", "more": 100, "since": "2026-11-20", "only_new": True},
        ),
        ("write 20 cases out of what customers asked in my_bot over the past 2 months",
         {"path": "traces:my_bot", "more": 20, "since": "60d"}),
        ("10 questions from our MLflow traces of my_bot today", {"path": "traces:my_bot", "more": 10, "since": "1d"}),
    ],
)  # fmt: skip
def test_traces_are_taken(said: str, arguments: dict[str, Any]) -> None:
    reading = understand(said, PlanningContext())
    assert [(act.tool, act.arguments) for act in reading.acts] == [("extend_dataset", arguments)]
    assert not reading.words


@pytest.mark.parametrize(
    "said", ["Take what users really asked last week", "use the traces", "like the traces of my_bot"]
)
def test_what_is_missing_is_asked_for(said: str) -> None:
    reading = understand(said, PlanningContext())
    assert not reading.acts and "which experiment" in reading.words


def test_the_rest_is_told() -> None:
    reading = understand("20 cases from the traces of my_bot, in Spanish", PlanningContext())
    assert reading.acts and "in Spanish" in reading.words


@pytest.mark.parametrize(
    "said", ["60 cases for a bot that traces parcels: tracking, refunds", "60 cases: what users want, refunds"]
)
def test_other_sentences_are_no_such_request(said: str) -> None:
    assert all(act.tool != "extend_dataset" for act in understand(said, PlanningContext()).acts)
    assert "which experiment" not in understand(said, PlanningContext()).words
