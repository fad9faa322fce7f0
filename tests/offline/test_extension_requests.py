"""“300 more like ./old.jsonl”, however it is said, is the order to extend that file."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.offline.planner.extension_requests import extension_in
from dsbuilder_tui.offline.planner.utterance import hear


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("300 more like ./old.jsonl, none of them again", {"path": "./old.jsonl", "more": 300}),
        ("I need 40 more cases like the ones in data/old.csv, please", {"path": "data/old.csv", "more": 40}),
        ("Write me fifty more questions like those in old.parquet without repeating any of them.", {"path": "old.parquet", "more": 50}),
        ("extend old.csv by 25 cases", {"path": "old.csv", "more": 25}),
        ("Extend 'my rows.jsonl' with 12 more", {"path": "my rows.jsonl", "more": 12}),
        ("another 20 like ../last/old.json", {"path": "../last/old.json", "more": 20}),
        ("add 1,000 rows to ./old.jsonl.gz and don't repeat them", {"path": "./old.jsonl.gz", "more": 1000}),
        ("60 further examples similar to old.yaml, only the new ones", {"path": "old.yaml", "more": 60, "only_new": True}),
        ("like old.csv, 30 more", {"path": "old.csv", "more": 30}),
    ],
)  # fmt: skip
def test_ways_to_ask_for_more(said: str, arguments: dict[str, Any]) -> None:
    found = extension_in(hear(said))
    assert found is not None and found.words == ""
    assert [(act.tool, act.arguments) for act in found.acts] == [("extend_dataset", arguments)]


@pytest.mark.parametrize(
    "said",
    [
        "20 more refund cases", "40 cases for the bot in ./bot", "make it like old.csv", "40 more like handbook.pdf",
        "0 more like old.csv", "use the policies in ./docs", "20 cases written from old.md", "export it to old.jsonl",
    ],
)  # fmt: skip
def test_what_is_no_such_request(said: str) -> None:
    assert extension_in(hear(said)) is None


def test_what_is_not_understood_is_said() -> None:
    found = extension_in(hear("30 more like old.csv, half of them in Spanish"))
    assert found is not None and found.words == "I did not understand “1/2 of them in Spanish”."
