"""Conversations and scenarios, as people ask for them."""

from __future__ import annotations

import pytest

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import NOTHING, PLANNED, counts_of, proposed, revised, shop_plan

SHOP = shop_plan()


@pytest.mark.parametrize(
    "said",
    [
        "Make 3 of the refunds multi-turn",
        "make three of the refunds multi turn please",
        "turn 3 of the refunds into conversations",
        "3 of the refunds should be dialogues",
        "have 3 refunds be multi-turn conversations",
        "set 3 of the refunds to multi-turn",
        "could you make 3 refunds back and forth?",
        "I want 3 of the refunds with several turns",
        "make 3 of the refunds multiturn",
    ],
)
def test_some_of_a_category_become_conversations_in_one_of_their_own_and_it_is_said(said: str) -> None:
    reading = understand(said, PLANNED)
    plan = revised(reading, SHOP)
    assert plan is not None and counts_of(plan) == {
        "refunds": 37, "order_status": 20, "product_info": 10, "refunds_multi_turn": 3,
    }  # fmt: skip
    assert plan.category("refunds_multi_turn").kind is CaseKind.CONVERSATION
    assert plan.category("refunds").kind is CaseKind.SINGLE
    assert "conversation of 3 or 5 messages" in reading.words and "refunds, which keeps 37" in reading.words


@pytest.mark.parametrize(
    ("said", "turns"),
    [
        ("make 3 of the refunds conversations of 5 messages", ("5",)),
        ("make 3 of the refunds multi-turn with 3 or 7 turns", ("3", "7")),
        ("make 3 of the refunds dialogues of 3 to 5 turns", ("3-5",)),
        ("make 3 of the refunds conversations with 3 or 5 or 7 messages", ("3", "5", "7")),
    ],
)
def test_the_lengths_that_are_named_become_an_axis(said: str, turns: tuple[str, ...]) -> None:
    plan = revised(understand(said, PLANNED), SHOP)
    assert plan is not None and plan.category("refunds_multi_turn").attributes["turns"] == turns


@pytest.mark.parametrize(
    "said",
    [
        "make 4 of the refunds scenarios",
        "turn 4 of the refunds into simulated conversations",
        "4 of the refunds should be scenarios for the simulator",
        "make 4 of the refunds simulations",
    ],
)
def test_some_of_a_category_become_scenarios_with_goals_for_examples(said: str) -> None:
    reading = understand(said, PLANNED)
    plan = revised(reading, SHOP)
    assert plan is not None and counts_of(plan)["refunds_scenarios"] == 4 and counts_of(plan)["refunds"] == 36
    category = plan.category("refunds_scenarios")
    assert category.kind is CaseKind.SCENARIO and category.example_inputs[0] == "Get a refund for order #12345."
    assert "datasets of their own" in reading.words


@pytest.mark.parametrize(
    "said", ["make the refunds multi-turn", "make all refunds conversations", "turn refunds into dialogues"]
)
def test_a_whole_category_changes_its_kind(said: str) -> None:
    plan = revised(understand(said, PLANNED), SHOP)
    assert plan is not None and counts_of(plan) == counts_of(SHOP)
    assert [category.kind for category in plan.categories] == [CaseKind.CONVERSATION, CaseKind.SINGLE, CaseKind.SINGLE]


def test_everything_can_become_conversations() -> None:
    plan = revised(understand("make everything multi-turn", PLANNED), SHOP)
    assert plan is not None and {category.kind for category in plan.categories} == {CaseKind.CONVERSATION}


@pytest.mark.parametrize(
    "said", ["add 10 refund conversations", "add 10 multi-turn refunds", "add 10 conversations about refunds"]
)
def test_more_of_another_kind_are_added(said: str) -> None:
    plan = revised(understand(said, PLANNED), SHOP)
    assert plan is not None and plan.total_instances == 80
    assert next(c for c in plan.categories if c.count == 10 and "multi_turn" in c.name).kind is CaseKind.CONVERSATION


def test_examples_that_are_mappings_go_over_into_the_other_kind() -> None:
    plan = parse_plan(
        {
            "dataset_name": "d",
            "input_fields": ["question", "locale"],
            "categories": [{"name": "visits", "count": 9, "example_inputs": [{"question": "Can I come on Friday?", "locale": "en-GB"}]}],
        }
    )  # fmt: skip
    for said, example in (
        ("make 2 of the visits multi-turn",
         {"messages": [{"role": "user", "content": "Can I come on Friday?"}], "locale": "en-GB"}),
        ("make 2 of the visits scenarios",
         {"goal": "Find out whether you can come on Friday.", "context": {"locale": "en-GB"}}),
    ):  # fmt: skip
        changed = revised(understand(said, PlanningContext(plan=plan)), plan)
        assert changed is not None and changed.categories[1].example_inputs == (example,)


def test_a_mood_of_conversations_stays_a_conversation() -> None:
    plan = revised(understand("make 8 of the refunds multi-turn", PLANNED), SHOP)
    assert plan is not None
    angry = revised(understand("make 2 of the refunds_multi_turn angry", PlanningContext(plan=plan)), plan)
    assert angry is not None
    added = next(category for category in angry.categories if category.name.endswith("angry"))
    assert added.kind is CaseKind.CONVERSATION and added.count == 2


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ("60 cases for a customer service bot: half order status, the rest refunds, 5 of them multi-turn",
         {"order_status": "single", "refunds": "single", "refunds_multi_turn": "conversation"}),
        ("40 cases for a support bot: 20 order status, 10 multi-turn refunds, 10 simulated conversations about product info",
         {"order_status": "single", "refunds_multi_turn": "conversation", "product_info_scenarios": "scenario"}),
        ("30 multi-turn conversations for a customer service bot: half order status, half refunds",
         {"order_status": "conversation", "refunds": "conversation"}),
        ("20 refunds and 20 order status for a shop", {"refunds": "single", "order_status": "single"}),
    ],
)  # fmt: skip
def test_a_first_request_names_kinds(said: str, kinds: dict[str, str]) -> None:
    reading = understand(said, NOTHING)
    plan = proposed(reading)
    assert plan is not None and {category.name: category.kind.value for category in plan.categories} == kinds
    assert ("conversation of 3 or 5" in reading.words) is ("conversation" in kinds.values())


def test_more_than_there_are_cannot_be_set_apart() -> None:
    reading = understand("make 50 of the refunds multi-turn", PLANNED)
    assert not reading.acts and "refunds has 40 cases" in reading.words
