"""A change of a plan: what it makes of the plan, what it refuses, and the change between two plans."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.plan_patch import CategoryChange, PlanPatch, changes, patched

BEFORE: dict[str, Any] = {
    "dataset_name": "shop",
    "description": "A shop",
    "input_fields": {"query": "what is asked"},
    "attributes": {"tone": ["calm", "angry"]},
    "categories": [
        {"name": "a", "count": 5, "description": "first", "expected_tools": ["find"]},
        {"name": "b", "count": 6, "example_inputs": ["Hello"], "expectations": {"ok": None}},
        {"name": "c", "count": 7, "attributes": {"size": ["s", "m"]}, "diversity": "off"},
    ],
}
PLAN = parse_plan(BEFORE)


def after(**given: Any) -> DatasetPlanInput:
    """The plan with other fields of its own, or of its categories (by name; None takes one out)."""
    own = {name: value for name, value in given.items() if name in DatasetPlanInput.model_fields}
    held = {c["name"]: c for c in BEFORE["categories"]}
    for name in given.keys() - own.keys():
        value = given[name]
        held[name] = {"name": name, "count": 1, **held.get(name, {}), **value} if value is not None else None
    return parse_plan({**BEFORE, **own, "categories": [c for c in held.values() if c is not None]})


WANTED: list[tuple[DatasetPlanInput, dict[str, Any]]] = [
    (after(), {}),
    (after(d={"count": 3}), {"add": [{"name": "d", "count": 3}]}),
    (
        after(d={"count": 3, "diversity": {"near": 0.5}, "expected_tools": [{"name": "f", "arguments": {"x": None}}]}),
        {"add": [{"name": "d", "count": 3, "diversity": {"near": 0.5},
                  "expected_tools": [{"name": "f", "arguments": {"x": None}}]}]},
    ),
    (after(a=None, c=None), {"remove": ["a", "c"]}),
    (after(a={"count": 50}, b={"count": 1}), {"counts": {"a": 50, "b": 1}}),
    (after(a={"description": ""}), {"change": [{"category": "a", "description": ""}]}),
    (after(a={"expected_tools": []}), {"change": [{"category": "a", "expected_tools": []}]}),
    (after(b={"expected_tools": ["find"]}), {"change": [{"category": "b", "expected_tools": ["find"]}]}),
    (after(b={"example_inputs": [{"query": None}]}), {"change": [{"category": "b", "example_inputs": [{"query": None}]}]}),
    (after(b={"expectations": {"x": [None]}}), {"change": [{"category": "b", "expectations": {"x": [None]}}]}),
    (after(b={"expectations": {}}), {"change": [{"category": "b", "expectations": {}}]}),
    (after(c={"attributes": {}}), {"change": [{"category": "c", "attributes": {}}]}),
    (after(c={"diversity": "on"}), {"change": [{"category": "c", "diversity": "on"}]}),
    (after(c={"diversity": {"stages": []}}),
     {"change": [{"category": "c", "diversity": {"stages": [], "near": None, "semantic": None}}]}),
    (after(attributes={}), {"attributes": {}}),
    (after(input_fields={"query": "", "lang": "which"}), {"input_fields": {"query": "", "lang": "which"}}),
    (after(dataset_name="mall", description="A mall"), {"dataset_name": "mall", "description": "A mall"}),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "arguments"), WANTED)
def test_the_change_between_two_plans_leads_from_one_to_the_other(
    wanted: DatasetPlanInput, arguments: dict[str, Any]
) -> None:
    patch = PlanPatch.between(PLAN, wanted)
    assert patch.arguments() == arguments
    result = patched(PLAN, PlanPatch.model_validate(patch.arguments()), {})
    assert result.plan == wanted and not result.notes
    assert bool(changes(PLAN, wanted)) is bool(arguments)


@pytest.mark.parametrize(
    ("wanted", "renamed"),
    [
        (after(a=None, d={"count": 5, "description": "first", "expected_tools": ["find"]}), {"a": "d"}),
        (after(a=None, d={"count": 9, "description": "other", "expected_tools": ["find"]}), {"a": "d"}),
        (after(a=None, b={**BEFORE["categories"][0], "name": "b", "example_inputs": [], "expectations": {}}), {"a": "b"}),
    ],
)  # fmt: skip
def test_what_is_renamed_is_not_dropped_and_added(wanted: DatasetPlanInput, renamed: dict[str, str]) -> None:
    result = patched(PLAN, PlanPatch.between(PLAN, wanted, renamed), {})
    assert result.renamed == renamed
    assert sorted(result.plan.categories, key=str) == sorted(wanted.categories, key=str)


def test_a_change_reaches_every_field_of_a_plan() -> None:
    assert set(CategoryChange.model_fields) - {"category"} == set(DatasetCategory.model_fields) - {"name", "count"}
    of_categories = {"add", "remove", "rename", "counts", "change", "fill"}
    own = set(DatasetPlanInput.model_fields) - {"categories", "total_instances"}
    assert set(PlanPatch.model_fields) - of_categories == own


def test_a_renamed_category_has_both_names() -> None:
    for name in ("a", "d"):
        patch = PlanPatch(
            rename={"a": "d"}, counts={name: 9}, change=[CategoryChange(category=name, description="new")]
        )
        category = patched(PLAN, patch, {}).plan.category("d")
        assert (category.count, category.description) == (9, "new")


UNKNOWN = PlanPatch.model_validate({
    "remove": ["x1"], "rename": {"x2": "y", "b": "c"}, "counts": {"x3": 2, "a": 8}, "change": [{"category": "x4"}],
    "add": [{"name": "c", "count": 1}],
})  # fmt: skip


def test_each_part_that_cannot_be_carried_out_is_named() -> None:
    with pytest.raises(PlanError) as caught:
        patched(PLAN, UNKNOWN, {})
    told = caught.value.problems
    assert [problem.partition(":")[0] for problem in told] == ["remove", "rename", "rename", "counts", "change", "add"]
    for name in ("'x1'", "'x2'", "'x3'", "'x4'"):
        assert any(name in problem and "there are: a, b, c" in problem for problem in told)


def test_what_cannot_be_carried_out_can_be_passed_over() -> None:
    result = patched(PLAN, UNKNOWN, {}, pass_over=True)
    assert result.plan == after(a={"count": 8}) and len(result.notes) == 6 and result.renamed == {}
    with pytest.raises(PlanError, match="at least one category"):
        patched(PLAN, PlanPatch(remove=["a", "b", "c"]), {}, pass_over=True)


def test_what_is_accepted_is_kept() -> None:
    result = patched(PLAN, PlanPatch(remove=["a", "b"], counts={"c": 1}), {"a": 2, "b": 0, "c": 3})
    assert {c.name: c.count for c in result.plan.categories} == {"a": 2, "c": 3} and len(result.notes) == 2
    with pytest.raises(PlanError, match="ids carry its name"):
        patched(PLAN, PlanPatch(rename={"a": "d"}), {"a": 2})


def test_an_empty_name_or_description_leaves_what_is_there() -> None:
    assert patched(PLAN, PlanPatch(dataset_name="", description="", input_fields={}), {}).plan == PLAN
