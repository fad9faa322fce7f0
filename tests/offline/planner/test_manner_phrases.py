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
    "returns without receipt", "simple interest", "format errors",
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
