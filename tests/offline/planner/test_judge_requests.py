"""What the judge is to read, and more cases from one place of a document, asked for in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.domain.judging import JudgeMode
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand
from tests.offline.planner.planning import NOTHING, PLANNED, acts_of, counts_of, proposed, revised, shop_plan

R, S, P = "refunds", "order_status", "product_info"
ALL, SAMPLE, OFF, AUTO = JudgeMode.ALL, JudgeMode.SAMPLE, JudgeMode.OFF, JudgeMode.AUTO


def modes(plan: DatasetPlanInput | None) -> tuple[JudgeMode, ...]:
    return tuple(category.judge for category in plan.categories) if plan else ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("judge all of the refunds", (ALL, AUTO, AUTO)),
        ("please judge the refunds", (ALL, AUTO, AUTO)),
        ("Judge every case of order status and product info, thanks", (AUTO, ALL, ALL)),
        ("let the judge read all refund cases", (ALL, AUTO, AUTO)),
        ("judge everything", (ALL, ALL, ALL)),
        ("judge all cases", (ALL, ALL, ALL)),
        ("could you judge the whole dataset?", (ALL, ALL, ALL)),
        ("judge only a sample", (SAMPLE, SAMPLE, SAMPLE)),
        ("judge a few of the refunds", (SAMPLE, AUTO, AUTO)),
        ("stop judging", (OFF, OFF, OFF)),
        ("stop judging the refunds", (OFF, AUTO, AUTO)),
        ("don't judge order status", (AUTO, OFF, AUTO)),
        ("turn off the judge", (OFF, OFF, OFF)),
        ("no judging any more", (OFF, OFF, OFF)),
    ],
)
def test_which_cases_are_judged_is_said_in_plain_words(text: str, expected: tuple[JudgeMode, ...]) -> None:
    assert modes(revised(understand(text, PLANNED), shop_plan())) == expected


def test_judging_is_one_change_among_others() -> None:
    plan = revised(
        understand("make refunds 80 and judge all of the refunds, then stop judging order status", PLANNED), shop_plan()
    )
    assert counts_of(plan) == {R: 80, S: 20, P: 10} and modes(plan) == (ALL, OFF, AUTO)


@pytest.mark.parametrize("text", ["judge for yourself", "stop", "don't judge me", "is the judge good?"])
def test_what_is_no_request_for_the_judge_changes_nothing_of_it(text: str) -> None:
    reading = understand(text, PLANNED)
    assert not [act for act in reading.acts if "judge" in str(act.arguments)]


def test_without_a_plan_there_is_nothing_to_judge() -> None:
    assert understand("judge everything", NOTHING).acts == ()


def sourced() -> DatasetPlanInput:
    return parse_plan(
        {
            "dataset_name": "shop_bot",
            "categories": [
                {"name": S, "count": 10, "example_inputs": ["Where is it?"]},
                {"name": R, "count": 40, "example_inputs": ["Refund?"], "sources": ["./docs"], "judge": "all"},
            ],
        }
    )


SOURCED = PlanningContext(plan=sourced())
PLACE = "./docs/refunds.md#Refunds › Late parcels"


@pytest.mark.parametrize(
    ("text", "like"),
    [
        (f"Write 20 more `refunds` cases from `{PLACE}`", R),
        (f"please write 20 more cases from `{PLACE}`", R),  # the one that is written from there
        (f"add twenty order status cases about “{PLACE}”", S),
    ],
)
def test_more_from_a_place_of_a_document_is_a_category_like_the_one_that_is_named(text: str, like: str) -> None:
    plan = revised(understand(text, SOURCED), sourced())
    assert counts_of(plan) == {S: 10, R: 40, f"{like}_late_parcels": 20}
    assert plan is not None
    own, model = plan.category(f"{like}_late_parcels"), plan.category(like)
    assert own.sources == (PLACE,) and own.example_inputs == model.example_inputs and own.judge is model.judge


def test_more_from_the_same_place_again_is_more_of_the_same_category() -> None:
    text = f"Write 20 more `refunds` cases from `{PLACE}`"
    once = revised(understand(text, SOURCED), sourced())
    assert once is not None
    twice = revised(understand(text, PlanningContext(plan=once)), once)
    assert counts_of(twice) == {S: 10, R: 40, "refunds_late_parcels": 40}
    waiting = proposed(understand(text, PlanningContext(proposed=once)))  # a plan that waits for its yes
    assert counts_of(waiting) == {S: 10, R: 40, "refunds_late_parcels": 40}


@pytest.mark.parametrize(
    ("text", "acts"),
    [
        ("Write 20 more cases from `./docs/refunds.md`", "sources"),
        (f"Write 9000000000 more cases from `{PLACE}`", ""),
        (f"Write 0 more cases from `{PLACE}`", ""),
    ],
)
def test_without_a_place_or_with_a_number_that_is_none_it_is_another_request(text: str, acts: str) -> None:
    found: list[tuple[str, dict[str, Any]]] = acts_of(understand(text, SOURCED))
    assert not any("add" in arguments for _, arguments in found)
    assert not acts or any(acts in arguments for _, arguments in found)
