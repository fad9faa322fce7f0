"""Requests for stages of writing: which categories they are for, and what they set."""

from __future__ import annotations

import pytest

from dsbuilder_tui.domain.writing_stage import pipeline_words
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import PLANNED, revised, shop_plan

HARDER, RARER = "draft → evolve (harder)", "draft → evolve (rarer)"
REQUESTS = [
    ("make the refunds harder", {"refunds": HARDER}),
    ("make refunds and order status much harder", {"refunds": HARDER, "order_status": HARDER}),
    ("please make everything harder", dict.fromkeys(("refunds", "order_status", "product_info"), HARDER)),
    ("make it harder", dict.fromkeys(("refunds", "order_status", "product_info"), HARDER)),
    ("make the product info cases rarer", {"product_info": RARER}),
    ("make refunds more unusual", {"refunds": RARER}),
    ("give the refunds more constraints", {"refunds": "draft → evolve (constraints)"}),
    ("add more constraints to the refunds", {"refunds": "draft → evolve (constraints)"}),
    ("make the refunds more adversarial", {"refunds": "draft → evolve (adversarial)"}),
    ("evolve the refunds", {"refunds": HARDER}),
    ("I'd like the refunds to be harder", {"refunds": HARDER}),
    ("refunds should be harder", {"refunds": HARDER}),
    ("the refunds are too easy", {"refunds": HARDER}),
    ("harder refunds please", {"refunds": HARDER}),
    ("evolve refunds with `gpt-4o`", {"refunds": "draft → evolve (harder, gpt-4o)"}),
    ("make the refunds rarer with gpt-4o", {"refunds": "draft → evolve (rarer, gpt-4o)"}),
    ("let a stronger model make the refunds harder", {"refunds": HARDER}),
    ("add a critique and a revision to the refunds", {"refunds": "draft → critique → revise"}),
    ("let a second model criticise and revise the refunds", {"refunds": "draft → critique → revise"}),
    ("have another model critique refunds", {"refunds": "draft → critique"}),
    ("have the refunds reviewed and improved", {"refunds": "draft → critique → revise"}),
    ("let `gpt-4o` criticise and revise the refunds", {"refunds": "draft → critique (gpt-4o) → revise"}),
    ("criticize and rewrite order status", {"order_status": "draft → critique → revise"}),
    (
        "make the refunds harder and let a second model criticise and revise them",
        {"refunds": "draft → evolve (harder) → critique → revise"},
    ),
    (
        "make the refunds harder, let a second model criticise and revise them",
        {"refunds": "draft → evolve (harder) → critique → revise"},
    ),
]


@pytest.mark.parametrize(("said", "wanted"), REQUESTS)
def test_a_sentence_sets_the_stages_of_what_it_names(said: str, wanted: dict[str, str]) -> None:
    plan = shop_plan()
    after = revised(understand(said, PLANNED), plan)
    assert after is not None, understand(said, PLANNED).words
    assert {c.name: pipeline_words(c.pipeline) for c in after.categories if c.pipeline} == wanted
    assert [c.count for c in after.categories] == [c.count for c in plan.categories]


def test_stages_add_up_and_can_be_taken_back() -> None:
    first = revised(understand("make the refunds rarer", PLANNED), shop_plan())
    assert first is not None
    second = revised(understand("have a critic review and fix the refunds", PlanningContext(plan=first)), first)
    assert second is not None
    assert pipeline_words(second.category("refunds").pipeline) == "draft → evolve (rarer) → critique → revise"
    third = revised(understand("no stages for refunds", PlanningContext(plan=second)), second)
    assert third is not None and third.category("refunds").pipeline == ()


@pytest.mark.parametrize("said", ["make 10 of the refunds adversarial", "make refunds 80", "make refunds angrier"])
def test_other_changes_set_no_stages(said: str) -> None:
    after = revised(understand(said, PLANNED), shop_plan())
    assert after is not None and not any(category.pipeline for category in after.categories)
