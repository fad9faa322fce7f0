"""Axes as people ask for them, categories that are moved, merged and split, and what the words of a plan mean."""

from __future__ import annotations

import pytest

from dsbuilder_tui.domain.axes import DEFAULT_AXES
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import NOTHING, PLANNED, proposed, revised, shop_plan
from tests.offline.planner.verdicts import verdict

AXES = [
    ("add an axis difficulty: easy, medium, hard", {"difficulty": ("easy", "medium", "hard")}, ()),
    ("add a difficulty axis: easy, medium and hard", {"difficulty": ("easy", "medium", "hard")}, ()),
    ("please use an attribute called region with the values EU, US", {"region": ("EU", "US")}, ()),
    ("vary the difficulty: easy, hard", {"difficulty": ("easy", "hard")}, ()),
    ("set the axis tone to calm, angry", {"tone": ("calm", "angry")}, ()),
    ("add furious and sarcastic to the tones", {"tone": (*DEFAULT_AXES["tone"], "furious", "sarcastic")}, ()),
    ("remove polite from the tone axis", {"tone": tuple(t for t in DEFAULT_AXES["tone"] if t != "polite")}, ()),
    ("remove the tone axis", {}, ("tone",)),
    ("drop the axis persona", {}, ("persona",)),
    ("don't vary the tone", {}, ("tone",)),
]


@pytest.mark.parametrize(("said", "changed", "gone"), AXES)
def test_axes_are_changed_and_no_category_is(
    said: str, changed: dict[str, tuple[str, ...]], gone: tuple[str, ...]
) -> None:
    plan = revised(understand(said, PLANNED), shop_plan())
    assert plan is not None
    wanted = {name: values for name, values in (DEFAULT_AXES | changed).items() if name not in gone}
    assert dict(plan.attributes) == wanted
    assert [c.name for c in plan.categories] == ["refunds", "order_status", "product_info"]


def test_an_axis_and_a_count_in_one_message() -> None:
    plan = revised(understand("add a difficulty axis: easy, hard and make refunds 80", PLANNED), shop_plan())
    assert plan is not None
    assert plan.attributes["difficulty"] == ("easy", "hard") and plan.categories[0].count == 80


def test_one_message_may_ask_for_several_of_these() -> None:
    said = "add furious to the tones and move 10 from refunds to order status and merge refunds and product info"
    reading = understand(said, PLANNED)
    plan = revised(reading, shop_plan())
    assert plan is not None and "did not understand" not in reading.words
    assert plan.attributes["tone"][-1] == "furious"
    assert {c.name: c.count for c in plan.categories} == {"refunds": 40, "order_status": 30}


def test_a_first_request_may_name_an_axis() -> None:
    plan = proposed(understand("60 cases for a shop bot: refunds, returns. Vary by difficulty: easy, hard", NOTHING))
    assert plan is not None and [c.name for c in plan.categories] == ["refunds", "returns"]
    assert plan.attributes["difficulty"] == ("easy", "hard") and "tone" in plan.attributes


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("remove the zebra axis", "There is no axis called zebra; there are persona, tone"),
        ("remove purple from the tones", "tone has no such value; it has neutral"),
        ("remove short, medium and long from the length", "That would leave length without a value"),
        ("add polite to the tones", "That is how it is planned already"),
    ],
)
def test_what_cannot_be_changed_is_said(said: str, wanted: str) -> None:
    reading = understand(said, PLANNED)
    assert not reading.acts and reading.words.startswith(wanted)


CHANGES = [
    ("move 10 from refunds to order status", "change refunds 30, order_status 30, product_info 10"),
    ("move half of refunds to product info", "change refunds 20, order_status 20, product_info 30"),
    ("move 50 from refunds to order status", "says refunds has 40 cases, so 50 of them cannot be moved"),
    ("make refunds as large as order status", "change refunds 20, order_status 20, product_info 10"),
    ("as many product info as refunds", "change refunds 40, order_status 20, product_info 40"),
    ("merge refunds and order status", "change refunds 60, product_info 10"),
    ("combine refunds and product info into money", "change money 50, order_status 20"),
    ("merge refunds and order status into product info", "says There is already a category called product_info"),
    ("split refunds into damaged goods, late delivery and wrong item",
     "change order_status 20, product_info 10, damaged_goods 14, late_delivery 13, wrong_item 13"),
    ("split refunds in two", "says Into which?"),
    ("no product info", "change refunds 40, order_status 20"),
    ("15 should be in Spanish", "says Which category should those come from"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "wanted"), CHANGES)
def test_categories_are_moved_merged_and_split(said: str, wanted: str) -> None:
    found = verdict(understand(said, PLANNED), PLANNED)
    assert found == wanted or (wanted.startswith("says") and found.startswith(wanted)), found


def test_a_category_that_others_were_merged_into_keeps_their_examples() -> None:
    shop = shop_plan()
    other = shop.categories[1].model_copy(update={"example_inputs": ("Where is it?",)})
    plan = shop.model_copy(update={"categories": (shop.categories[0], other, shop.categories[2])})
    merged = revised(understand("merge refunds and order status", PlanningContext(plan=plan)), plan)
    assert merged is not None and merged.categories[0].example_inputs == ("I want a refund", "Where is it?")


def test_expected_answers_can_be_left_out_again() -> None:
    plan = revised(understand("with expected answers", PLANNED), shop_plan())
    assert plan is not None and all([w.key for w in c.write] == ["expected_facts"] for c in plan.categories)
    without = revised(understand("no expected answers needed", PlanningContext(plan=plan)), plan)
    assert without is not None and not any(category.write for category in without.categories)


MEANINGS = [
    ("What does 294 combinations mean?", "One value of each axis makes a combination"),
    ("why are there 294 combinations?", "One value of each axis makes a combination"),
    ("what is a category?", "A category is one kind of case"),
    ("why three examples?", "Examples show the writer"),
    ("what are the axes", "An axis is something that cases vary along"),
    ("I don't understand what a batch is", "A batch is some open slots"),
    ("what's the difference between near and semantic?", "Three comparisons look for repeats"),
    ("how do branches work", "A branch is a line of the session's history"),
    ("what is the judge for?", "The judge is a model that reads cases"),
    ("what is an exhausted slot", "A slot is exhausted when"),
]


@pytest.mark.parametrize(("said", "wanted"), MEANINGS)
@pytest.mark.parametrize(
    "situation", [NOTHING, PLANNED, PlanningContext(proposed=shop_plan())], ids=["first", "planned", "card"]
)
def test_what_a_word_means_is_told_and_changes_nothing(said: str, wanted: str, situation: PlanningContext) -> None:
    reading = understand(said, situation)
    assert not reading.acts and reading.words.startswith(wanted)


def test_a_category_of_that_name_is_not_the_word_of_a_plan() -> None:
    plan = shop_plan(judges=5, refunds=5)
    assert "The judge is a model" not in understand("what are judges", PlanningContext(plan=plan)).words
