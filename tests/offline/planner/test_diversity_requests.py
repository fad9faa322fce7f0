"""What the built-in planner makes of orders about likeness, and of a yes to fewer cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dsbuilder_tui.domain.diversity import CategoryDiversity
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.offline.planner.plan_arguments import as_arguments
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.replies import note
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import PLANNED, acts_of, shop_plan

ORDERS: list[tuple[str, dict[str, Any]]] = [
    ("set the semantic threshold to 0.94", {"semantic_threshold": 0.94}),
    ("Set the semantic threshold to 0.94 in refunds", {"semantic_threshold": 0.94, "category": "refunds"}),
    ("Please set the semantic threshold to 0.95 for order status.", {"semantic_threshold": 0.95, "category": "order_status"}),
    ("set the near threshold to 0.8", {"near_threshold": 0.8}),
    ("near threshold 80%", {"near_threshold": 0.8}),
    ("raise the semantic threshold to .97 for all categories", {"semantic_threshold": 0.97}),
    ("lower the near_threshold to 0,65 in product info", {"near_threshold": 0.65, "category": "product_info"}),
    ("semantic threshold = 1", {"semantic_threshold": 1.0}),
    ("turn off the semantic stage", {"diversity_stages": ["structural", "near"]}),
    ("turn the near check off", {"diversity_stages": ["structural", "semantic"]}),
    ("disable the structural stage in refunds", {"diversity_stages": ["near", "semantic"], "category": "refunds"}),
    ("write 3 candidates per slot", {"candidates_per_slot": 3}),
    ("set candidates_per_slot to 2", {"candidates_per_slot": 2}),
    ('use the embedding model "nomic-embed-text"', {"embedding_model": "nomic-embed-text"}),
    ("set the embedding model to static", {"embedding_model": "static"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "arguments"), ORDERS)
def test_an_order_about_likeness_is_carried_out(text: str, arguments: dict[str, Any]) -> None:
    assert acts_of(understand(text, PLANNED)) == [("adjust_category", arguments)]


def test_two_orders_in_one_message() -> None:
    reading = understand("Set the near threshold to 0.75 and turn off the semantic stage in refunds.", PLANNED)
    assert acts_of(reading) == [
        ("adjust_category", {"near_threshold": 0.75}),
        ("adjust_category", {"category": "refunds", "diversity_stages": ["structural", "near"]}),
    ]


def test_a_stage_is_switched_against_what_is_in_force() -> None:
    plan = shop_plan()
    own = plan.categories[0].model_copy(update={"diversity": CategoryDiversity(stages=("structural",))})
    plan = plan.model_copy(update={"categories": (own, *plan.categories[1:])})
    situation = PlanningContext(plan=plan, stages=("structural", "near"))
    on = understand("turn on the semantic stage", situation)
    assert acts_of(on) == [("adjust_category", {"diversity_stages": ["structural", "near", "semantic"]})]
    near = understand("turn on the near stage in refunds", situation)
    assert acts_of(near) == [("adjust_category", {"category": "refunds", "diversity_stages": ["structural", "near"]})]
    already = understand("turn off the semantic stage", situation)
    assert not already.acts and "is off already" in already.words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("set the semantic threshold to 1.4", "between 0 and 1"),
        ("set the near threshold to 0.0", "between 0 and 1"),
        ("set the near threshold to 0.8 in nowhere", "no category called nowhere"),
        ("turn off the near stage for nowhere", "no category called nowhere"),
    ],
)
def test_what_does_not_fit_is_said(text: str, words: str) -> None:
    reading = understand(text, PLANNED)
    assert not reading.acts and words in reading.words


def test_pairs_that_are_to_stay_are_told_how() -> None:
    said = (
        "These two are different on purpose: “Give me 5 back” (turned away for refunds-00012, near) and “Give me 50 "
        "back” (refunds-00003). Keep such pairs in refunds."
    )
    reading = understand(said, PLANNED)
    assert not reading.acts and "set the near threshold to 0.80" in reading.words and "k keeps" in reading.words
    structural = understand(said.replace("near", "structural"), PLANNED)
    assert "turn off the structural stage" in structural.words


@pytest.mark.parametrize(
    "text", ["lower it", "Do that.", "ok, lower the count", "fewer cases please", "settle for what we have"]
)
def test_a_yes_to_fewer_cases_lowers_the_counts(text: str) -> None:
    exhausted = replace(PLANNED, exhausted={"refunds": 7, "product_info": 10, "gone": 3})
    # A category of which nothing would be left is not lowered.
    assert acts_of(understand(text, exhausted)) == [("revise_plan", {"counts": {"refunds": 33}})]
    assert not acts_of(understand("lower it", PLANNED))


def test_a_note_with_proposals_says_what_to_answer() -> None:
    told = note(
        '[dsbuilder] {"note": "exhausted", "said": "3 slots exhausted.", "way_out": "1. That.", "proposals": [{}]}'
    )
    assert told.words == "3 slots exhausted. 1. That. Say “lower it” and I put the lower count into the plan."
    assert note('[dsbuilder] {"note": "x", "said": "So.", "way_out": ""}').words == "So."


def test_a_plan_keeps_what_its_categories_set_for_themselves() -> None:
    plan = shop_plan()
    own = CategoryDiversity(stages=("near",), near=0.8)
    first = plan.categories[0].model_copy(update={"diversity": own})
    off = plan.categories[1].model_copy(update={"diversity": "off"})
    again = parse_plan(as_arguments(plan.model_copy(update={"categories": (first, off, plan.categories[2])})))
    assert [category.diversity for category in again.categories] == [own, "off", "on"]
