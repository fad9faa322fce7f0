"""Contrast pairs and paraphrase partners in plain words, without a model."""

from __future__ import annotations

import pytest

from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import NOTHING, PLANNED, counts_of, proposed, revised, shop_plan

Shares = dict[str, tuple[float, float]]


def shares(plan: DatasetPlanInput | None) -> Shares:
    """(contrast, same) of the categories that have any."""
    assert plan is not None
    return {c.name: (c.contrast, c.same) for c in plan.categories if c.pairs}


REFUNDS, ALL = ("refunds",), ("refunds", "order_status", "product_info")
CHANGES: list[tuple[str, Shares]] = [
    ("10 % contrast pairs for refunds", {"refunds": (0.1, 0)}),
    ("add paraphrase partners", dict.fromkeys(ALL, (0, 0.1))),
    ("Please add 20% contrast pairs to order status.", {"order_status": (0.2, 0)}),
    ("add contrast pairs to the refunds and 5 % paraphrase pairs to product info",
     {"refunds": (0.1, 0), "product_info": (0, 0.05)}),
    ("I'd like ten percent contrast partners in all categories", dict.fromkeys(ALL, (0.1, 0))),
    ("make 25 % of the refunds contrast pairs", {"refunds": (0.25, 0)}),
    ("add 4 contrast pairs to refunds", {"refunds": (0.1, 0)}),
    ("set the contrast pairs of refunds to 15 %", {"refunds": (0.15, 0)}),
    ("with 7.5 % paraphrase twins everywhere", dict.fromkeys(ALL, (0, 0.075))),
    ("10% paraphrases for refunds and order status", {"refunds": (0, 0.1), "order_status": (0, 0.1)}),
    ("add minimal pairs for refunds", {"refunds": (0.1, 0)}),
]  # fmt: skip


@pytest.mark.parametrize(("said", "wanted"), CHANGES)
def test_pairs_are_asked_for_in_words(said: str, wanted: Shares) -> None:
    reading = understand(said, PLANNED)
    assert shares(revised(reading, shop_plan())) == wanted and not reading.words
    waiting = understand(said, PlanningContext(proposed=shop_plan()))
    assert shares(proposed(waiting)) == wanted


@pytest.mark.parametrize(
    ("said", "counts", "wanted"),
    [
        ("60 cases for a shop bot: refunds 40, order status 20, with 10 % contrast pairs for refunds",
         {"refunds": 40, "order_status": 20}, {"refunds": (0.1, 0)}),
        ("40 refunds and 20 order status cases for a shop bot, plus paraphrase partners",
         {"refunds": 40, "order_status": 20}, {"refunds": (0, 0.1), "order_status": (0, 0.1)}),
    ],
)  # fmt: skip
def test_a_plan_is_proposed_with_pairs(said: str, counts: dict[str, int], wanted: Shares) -> None:
    plan = proposed(understand(said, NOTHING))
    assert counts_of(plan) == counts and shares(plan) == wanted


def test_another_change_is_made_with_it() -> None:
    plan = revised(understand("set refunds to 60 and add 10 % contrast pairs to refunds", PLANNED), shop_plan())
    assert counts_of(plan)["refunds"] == 60 and shares(plan) == {"refunds": (0.1, 0)}


def test_pairs_are_taken_out_again() -> None:
    plan = shop_plan()
    one = plan.categories[0].model_copy(update={"contrast": 0.1, "same": 0.2})
    plan = plan.model_copy(update={"categories": (one, *plan.categories[1:])})
    for said in ("no contrast pairs", "remove the contrast pairs from refunds", "drop all contrast pairs"):
        assert shares(revised(understand(said, PlanningContext(plan=plan)), plan)) == {"refunds": (0, 0.2)}


def test_what_cannot_be_is_said() -> None:
    assert "refunds, order_status" in understand("10 % contrast pairs for unicorns", PLANNED).words
    many = understand("add 30 contrast pairs to refunds", PLANNED)
    assert not many.acts and "20 of 40" in many.words
    assert understand("10 % contrast pairs", NOTHING).asks


@pytest.mark.parametrize(
    "said",
    [
        "30 cases for a bot that paraphrases texts: paraphrasing, summaries",
        "20 cases about contrast agents in radiology",
    ],
)
def test_a_topic_is_no_pair(said: str) -> None:
    reading = understand(said, NOTHING)
    assert all("contrast" not in c and "same" not in c for a in reading.acts for c in a.arguments.get("categories", []))
