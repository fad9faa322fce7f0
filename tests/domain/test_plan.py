"""Plans: what is accepted, and what each problem says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from dsbuilder_tui import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.plan import parse_plan

GOOD: dict[str, Any] = {
    "dataset_name": "support",
    "total_instances": 3,
    "categories": [
        {"name": "orders", "count": 3, "example_inputs": "Where is my order?", "expectations": {"ok": True}}
    ],
}


def changed(**category: Any) -> dict[str, Any]:
    return {**GOOD, "total_instances": None, "categories": [{**GOOD["categories"][0], **category}]}


def problems(data: object) -> str:
    with pytest.raises(PlanError) as caught:
        parse_plan(data, "plan.yaml")
    return str(caught.value)


def test_the_documented_plan_is_a_plan() -> None:
    plan = DatasetPlanInput(
        dataset_name="large_eval_set",
        categories=[
            DatasetCategory(
                name="order_status",
                description="Test order status queries",
                count=200,
                example_inputs="Where is my order #12345?",
                expectations={"contains_order_id": True},
            ),
            DatasetCategory(
                name="refunds",
                description="Test refund requests",
                count=300,
                example_inputs=["I want a refund for order #12345", {"query": "Refund please"}],
                expectations='{"initiates_refund_flow": true}',
            ),
        ],
        total_instances=500,
    )
    assert plan.total_instances == 500
    assert plan.input_fields == {"query": ""}
    assert plan.categories[1].expectations == {"initiates_refund_flow": True}
    assert plan.examples(plan.categories[1]) == [
        {"query": "I want a refund for order #12345"},
        {"query": "Refund please"},
    ]


def test_a_plan_survives_being_stored() -> None:
    plan = parse_plan({**GOOD, "attributes": {"tone": ["a", "b"]}, "input_fields": ["query", "locale"]})
    assert parse_plan(json.loads(plan.model_dump_json())) == plan


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        ({**GOOD, "total_instances": 4}, ["total_instances: 4", "add up to 3", "orders 3", "write total_instances: 3"]),
        (changed(count=0), ["categories[0].count: 0", "at least 1"]),
        (changed(count=-5), ["categories[0].count: -5", "at least 1"]),
        (changed(count="many"), ["categories[0].count: 'many'", "whole number"]),
        (changed(count=2.5), ["categories[0].count: 2.5", "whole number"]),
        (changed(count=True), ["categories[0].count: True", "whole number"]),
        (changed(name="../etc"), ["categories[0].name: '../etc'", "safe name"]),
        (changed(name="a/b"), ["categories[0].name", "safe name"]),
        (changed(name="con"), ["categories[0].name", "Windows"]),
        (changed(name="x\x1b[2J"), ["categories[0].name", "safe name"]),
        (changed(name=""), ["categories[0].name", "must not be empty"]),
        (changed(name="x" * 65), ["categories[0].name", "at most 64"]),
        (changed(name=7), ["categories[0].name: 7", "must be text"]),
        (changed(exmaple_inputs="x"), ["categories[0].exmaple_inputs", "did you mean example_inputs?"]),
        (changed(expectations='{"a": '), ["categories[0].expectations", "looks like JSON but is not", "character"]),
        (changed(expectations="[1]"), ["categories[0].expectations", "JSON object"]),
        (changed(expectations=5), ["categories[0].expectations: 5"]),
        (changed(example_inputs=["", "x"]), ["categories[0].example_inputs", "remove the empty one"]),
        (changed(attributes={"tone": []}), ["categories[0].attributes", "'tone' needs at least one value"]),
        (changed(attributes={"tone": ["a", "a"]}), ["categories[0].attributes", "names 'a' twice"]),
        (changed(attributes=["tone"]), ["categories[0].attributes", "must map each axis"]),
        (changed(diversity="maybe"), ["categories[0].diversity: 'maybe'", "'on', 'off'"]),
        (changed(example_inputs={"goal": "x"}), ["'goal'", "reserved by MLflow"]),
        ({**GOOD, "input_fields": ["goal"]}, ["input_fields", "reserved by MLflow"]),
        ({**GOOD, "input_fields": ["a"], "categories": changed(example_inputs={"b": "x"})["categories"]}, ["'b'", "input_fields (a)"]),
        ({**GOOD, "categories": []}, ["categories: []", "at least one category"]),
        ({**GOOD, "categories": GOOD["categories"] * 2, "total_instances": 6}, ["'orders' is named twice"]),
        ({"categories": GOOD["categories"]}, ["dataset_name: missing"]),
        (["not", "a", "mapping"], ["holds a list"]),
        (None, ["holds nothing"]),
    ],
)  # fmt: skip
def test_problems_name_field_value_and_fix(data: object, parts: list[str]) -> None:
    said = problems(data)
    for part in ["plan.yaml", *parts]:
        assert part in said


def test_names_that_differ_in_case_only_are_the_same_name() -> None:
    twice = [{**GOOD["categories"][0]}, {**GOOD["categories"][0], "name": "ORDERS"}]
    assert "named twice" in problems({**GOOD, "categories": twice, "total_instances": 6})


def test_all_problems_are_told_at_once() -> None:
    said = problems({**GOOD, "dataset_name": "a/b", "categories": [{"name": "x", "count": 0}]})
    assert "2 problems" in said and "dataset_name" in said and "categories[0].count" in said


def test_yaml_bare_off_means_off() -> None:
    assert parse_plan(changed(diversity=False)).categories[0].diversity == "off"
    assert parse_plan(changed(diversity=True)).categories[0].diversity == "on"


def test_plain_text_expectations_become_guidelines() -> None:
    assert parse_plan(changed(expectations="Names the order.")).categories[0].expectations == {
        "guidelines": "Names the order."
    }


def test_tools_may_be_names_or_mappings() -> None:
    plan = parse_plan(changed(expected_tools=["lookup", {"name": "refund", "arguments": {"id": 1}}]))
    assert [tool.name for tool in plan.categories[0].expected_tools] == ["lookup", "refund"]


def test_unicode_names_are_names() -> None:
    assert parse_plan(changed(name="Größe und Maße")).categories[0].name == "Größe und Maße"


def test_yamls_dates_and_odd_keys_become_json() -> None:
    import datetime

    plan = parse_plan(changed(expectations={"due": datetime.date(2026, 1, 2), 7: [datetime.time(3, 4)]}))
    assert plan.categories[0].expectations == {"due": "2026-01-02", "7": ["03:04:00"]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (2**70, "too large"),
        (float("nan"), "nan"),
        ("half \ud83d", "surrogate"),
        ({1, 2}, "a set"),
        (object(), "a object"),
    ],
)
def test_what_json_cannot_hold_is_refused(value: object, words: str) -> None:
    assert words in problems(changed(expectations={"x": value}))
    assert words in problems(changed(example_inputs=[{"query": value}]))


def test_from_python_the_error_is_pydantics() -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        DatasetCategory(name="x", count=0)


def test_shared_axes_give_way_to_the_categorys_own() -> None:
    plan = parse_plan(
        {**changed(attributes={"tone": ["own"]}), "attributes": {"tone": ["shared"], "length": ["s", "l"]}}
    )
    assert plan.axes(plan.categories[0]) == {"tone": ("own",), "length": ("s", "l")}
    assert plan.combinations(plan.categories[0]) == 2
