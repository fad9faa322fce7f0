"""Parts of a list that name no category are told as not understood, and never become one."""

from __future__ import annotations

import pytest

from dsbuilder_tui.offline.planner.proposal import propose
from dsbuilder_tui.offline.planner.request import read_request
from dsbuilder_tui.offline.planner.topics import Topics
from dsbuilder_tui.offline.planner.utterance import hear

TOPICS = Topics()
TOLD = (
    "make it snappy", "keep it short", "nothing too long", "without emojis", "with emojis", "use emojis", "avoid jargon",
    "be creative", "don't repeat yourself", "as soon as possible", "asap", "by tomorrow", "etc", "and so on",
    "whatever you think fits", "you choose", "snappy", "funny tone", "like a pirate", "as realistic as possible",
    "high quality", "very diverse", "at most 20 words each", "under 15 words", "3 sentences each", "out.jsonl",
    "save to out.jsonl", "save it as parquet", "products.csv", "ready for Monday", "seed 7", "budget 5 dollars",
    "in British spelling", "mix up the wording", "vary the length", "lots of slang", "think step by step",
    "my boss needs it today", "version 2", "surprise me", "would be great",
)  # fmt: skip
SILENT = ("thanks a lot", "thank you so much", "if you can", "no duplicates please", "please")
CATEGORIES = (
    "book a table", "export data", "send money", "print boarding pass", "sound problems", "node.js",
    "product quality", "keep number", "save payment method", "add passenger", "hair style", "human agent", "budget planning",
    "returns without receipt", "simple interest", "format errors", "it support", "IT rollouts", "it tickets",
)  # fmt: skip


def plan(part: str) -> tuple[list[str], list[str]]:
    """The categories, and what was not understood, of a list that ends with ``part``."""
    proposed = propose(read_request(hear(f"40 cases for a travel bot: seat changes, refunds, {part}"), TOPICS), TOPICS)
    assert proposed is not None and proposed.plan is not None
    return [one["name"] for one in proposed.plan["categories"]], proposed.plan.get("not_understood", [])


@pytest.mark.parametrize("part", TOLD)
def test_what_names_no_category_is_told(part: str) -> None:
    names, left_out = plan(part)
    assert names == ["seat_changes", "refunds"] and len(left_out) == 1


@pytest.mark.parametrize("part", SILENT)
def test_a_courtesy_is_neither(part: str) -> None:
    assert plan(part) == (["seat_changes", "refunds"], [])


@pytest.mark.parametrize("part", CATEGORIES)
def test_what_only_resembles_one_stays_a_category(part: str) -> None:
    names, left_out = plan(part)
    assert len(names) == 3 and not left_out


@pytest.mark.parametrize("part", ["it takes a day", "it is for Monday", "it matters to us", "it crashes"])
def test_a_sentence_about_it_is_told(part: str) -> None:
    names, left_out = plan(part)
    assert names == ["seat_changes", "refunds"] and left_out == [part]


@pytest.mark.parametrize(
    ("part", "axis", "value"),
    [
        ("in a friendly tone", "tone", "casual"),
        ("friendly", "tone", "casual"),
        ("in a very formal style", "tone", "formal"),
        ("short", "length", "short"),
        ("with typos", "situation", "typos"),
    ],
)
def test_a_manner_that_the_plan_knows_is_that_of_every_case(part: str, axis: str, value: str) -> None:
    request = read_request(hear(f"40 cases for a travel bot: seat changes, refunds, {part}"), TOPICS)
    proposed = propose(request, TOPICS)
    assert proposed is not None and proposed.plan is not None and "not_understood" not in proposed.plan
    for category in proposed.plan["categories"]:
        assert value in category["attributes"][axis]
    assert [one["name"] for one in proposed.plan["categories"]] == ["seat_changes", "refunds"]


def test_a_language_at_the_end_is_that_of_every_case() -> None:
    proposed = propose(
        read_request(hear("40 cases for a travel bot: seat changes, refunds, in Spanish"), TOPICS), TOPICS
    )
    assert proposed is not None and proposed.plan is None
    assert "no Spanish example of seat changes" in proposed.words[0]  # as where it is said first


def test_a_second_manner_of_its_kind_is_told() -> None:
    assert plan("formal, in a friendly tone")[1] == ["in a friendly tone"]
    assert not plan("short, in a friendly tone")[1]


def test_a_manner_within_a_category_leaves_its_name_whole() -> None:
    request = read_request(hear("40 cases for a travel bot: seat changes, refunds in a friendly tone"), TOPICS)
    proposed = propose(request, TOPICS)
    assert proposed is not None and proposed.plan is not None
    assert [one["name"] for one in proposed.plan["categories"]] == ["seat_changes", "refunds_casual"]


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("20 short, 20 human", ["short", "human"]),
        ("20 long, 20 short", ["long", "short"]),
        ("10 angry, 30 refunds", ["angry", "refunds"]),
    ],
)
def test_a_manner_with_a_count_can_be_a_category(said: str, names: list[str]) -> None:
    proposed = propose(read_request(hear(f"40 cases for a travel bot: {said}"), TOPICS), TOPICS)
    assert proposed is not None and proposed.plan is not None
    assert [one["name"] for one in proposed.plan["categories"]] == names
    assert sum(one["count"] for one in proposed.plan["categories"]) == 40
