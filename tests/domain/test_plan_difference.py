"""What differs between two plans, in the words and values that go and come."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.domain.message import PlanPart
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.plan_difference import axis_parts, plan_differences


def plan(category: dict[str, Any] | None = None, **parts: Any) -> DatasetPlanInput:
    refunds = {"name": "refunds", "count": 10, "description": "Money back for parcels", **(category or {})}
    return parse_plan({"dataset_name": "shop", "categories": [refunds, {"name": "rest", "count": 5}], **parts})


def test_values_of_an_axis_come_go_and_stay() -> None:
    before = {"tone": ("neutral", "polite", "calm"), "channel": ("chat",)}
    after = {"tone": ("calm", "angry"), "language": ("English",)}
    assert axis_parts(before, after) == [
        PlanPart(subject="tone", kept=("calm",), removed=("neutral", "polite"), added=("angry",)),
        PlanPart(subject="language", added=("English",)),
        PlanPart(subject="channel", removed=("chat",)),
    ]
    (moved,) = axis_parts({"tone": ("a", "b", "c")}, {"tone": ("c", "a", "b")})
    assert not moved.removed and not moved.added and set(moved.kept) == {"a", "b", "c"}
    (many,) = axis_parts({"n": ()}, {"n": [str(n) for n in range(40)]})
    assert len(many.added) == 12 and many.more == 28


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        (
            {"description": "Money back for late parcels"},
            PlanPart(subject="refunds", added=("late",)),
        ),
        (
            {"description": "Vouchers for parcels"},
            PlanPart(subject="refunds", removed=("Money back",), added=("Vouchers",)),
        ),
        ({"kind": "conversation"}, PlanPart(subject="refunds kind", removed=("single",), added=("conversation",))),
        ({"judge": "all"}, PlanPart(subject="refunds judge", removed=("auto",), added=("all",))),
        ({"write": ["expected_facts"]}, PlanPart(subject="refunds written for each", added=("expected_facts",))),
        ({"pipeline": ["critique"]}, PlanPart(subject="refunds stages", added=("draft critique",))),
        ({"contrast": "20 %"}, PlanPart(subject="refunds contrast", removed=("0%",), added=("20%",))),
        (
            {"held": [{"attributes": {"tone": "angry"}, "slots": [9, 10]}]},
            PlanPart(subject="refunds more", added=("2 with tone angry",)),
        ),
        ({"mode": "templates"}, PlanPart(subject="refunds mode", removed=("each",), added=("templates",))),
        ({"diversity": "off"}, PlanPart(subject="refunds diversity", removed=("on",), added=("off",))),
    ],
)
def test_each_field_of_a_category_is_told(changed: dict[str, Any], part: PlanPart) -> None:
    assert part in plan_differences(plan(), plan(changed), {})


def test_every_field_of_a_plan_is_told_or_told_elsewhere() -> None:
    """Counts and axes have their own place on the card."""
    told_elsewhere = {"name", "count", "attributes"}
    values: dict[str, Any] = {
        "description": "Else", "kind": "scenario", "example_inputs": ["Hello"], "expectations": {"polite": True},
        "expected_tools": ["refund"], "diversity": "off", "write": ["guidelines"], "validators": ["-placeholders"],
        "judge": "off", "sources": ["a.md"], "passages": 2, "answerable": False, "rows": "a.csv", "contrast": "10 %",
        "same": "10 %", "pipeline": ["critique"], "variations": [{"of": 1, "slots": [2]}],
        "held": [{"attributes": {"tone": "sad"}, "slots": [3]}], "mode": "templates",
    }  # fmt: skip
    fields = set(type(plan().categories[0]).model_fields) - told_elsewhere
    assert fields == set(values)
    for field, value in values.items():
        assert plan_differences(plan(), plan({field: value}), {}), field


def test_shared_parts_and_new_names_are_told() -> None:
    after = parse_plan(
        plan().model_dump(mode="json") | {"description": "A shop", "write": ["guidelines"], "sources": ["a.md"]}
    )
    told = plan_differences(plan(), after, {})
    assert [part.subject for part in told] == ["description", "written for each", "sources"]
    paid = plan().model_dump(mode="json")
    paid["categories"][0]["name"] = "paybacks"
    assert plan_differences(plan(), parse_plan(paid), {"refunds": "paybacks"}) == [
        PlanPart(subject="name", removed=("refunds",), added=("paybacks",))
    ]
    assert not plan_differences(plan(), plan(), {})
