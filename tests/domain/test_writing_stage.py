"""``pipeline`` of a category: the forms in which it can be written, and what is wrong with others."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.plan_patch import PlanPatch, patched
from dsbuilder_tui.domain.writing_stage import pipeline_words
from dsbuilder_tui.store.plan_file import plan_of_text


def _plan(pipeline: Any) -> DatasetPlanInput:
    return parse_plan({"dataset_name": "d", "categories": [{"name": "refunds", "count": 3, "pipeline": pipeline}]})


FULL = "draft → evolve (harder, big) → critique → revise"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["draft", {"evolve": {"how": "harder", "model": "big"}}, "critique", "revise"], FULL),
        ([{"evolve": {"model": "big"}}, "critique", "revise"], FULL),
        ([{"stage": "draft"}, {"stage": "evolve", "how": "harder", "model": "big"}, {"stage": "critique"}, "revise"], FULL),
        ({"evolve": {"how": "hard", "model": "big"}, "critique": None, "revise": {}}, FULL),
        ("evolve", "draft → evolve (harder)"),
        ("draft, evolve, critique, revise", "draft → evolve (harder) → critique → revise"),
        ("draft → critique → revise", "draft → critique → revise"),
        ([{"evolve": "rarer"}], "draft → evolve (rarer)"),
        ([{"evolve": "more constraints"}], "draft → evolve (constraints)"),
        ([{"evolve": {"how": "Adversarial"}}], "draft → evolve (adversarial)"),
        ([{"critique": "judge-1"}, {"revise": "mender"}], "draft → critique (judge-1) → revise (mender)"),
        ([{"draft": {"model": "small"}}, "critique"], "draft (small) → critique"),
        ("draft", ""), (["draft"], ""), ([], ""), (None, ""),
    ],
)  # fmt: skip
def test_short_and_long_forms(given: Any, words: str) -> None:
    plan = _plan(given)
    assert pipeline_words(plan.categories[0].pipeline) == words
    dumped = plan.model_dump(mode="json")
    assert parse_plan(dumped) == plan
    assert ("pipeline" in dumped["categories"][0]) is bool(words)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["revise"], "without critique"),
        (["critique", "evolve"], "order is"),
        (["evolve", "evolve"], "twice"),
        (["draft", "draft"], "twice"),
        (["polish"], "no stage 'polish'"),
        ([{"evolve": {"how": "softer"}}], "no way 'softer'"),
        ([{"critique": {"how": "harder"}}], "`how` is for evolve"),
        ([{"evolve": {"hwo": "harder"}}], "'hwo'"),
        ([{"evolve": {"model": ""}}], "must be a name"),
        ([{"evolve": 3}], "cannot be set so"),
        (7, "list of stages"),
        ([{"evolve": {}, "critique": {}}], "list of stages"),
    ],
)
def test_what_is_no_pipeline_is_told_with_the_way_out(given: Any, said: str) -> None:
    with pytest.raises(PlanError) as caught:
        _plan(given)
    assert said in str(caught.value) and "pipeline" in str(caught.value)


def test_yaml_as_in_the_manual() -> None:
    text = """
dataset_name: d
categories:
  - name: refunds
    count: 3
    pipeline: [draft, {evolve: {how: harder, model: big}}, critique, revise]
"""
    assert pipeline_words(plan_of_text(text, "plan.yaml").categories[0].pipeline) == FULL


def test_a_change_of_a_plan_keeps_sets_and_takes_away_stages() -> None:
    plan = _plan(["evolve"])
    kept = patched(plan, PlanPatch.model_validate({"counts": {"refunds": 5}}), {}).plan
    assert kept.categories[0].pipeline == plan.categories[0].pipeline
    change = {"change": [{"category": "refunds", "pipeline": ["critique", {"revise": {"model": "m"}}]}]}
    after = patched(plan, PlanPatch.model_validate(change), {}).plan
    assert pipeline_words(after.categories[0].pipeline) == "draft → critique → revise (m)"
    for first, second in ((plan, after), (after, plan), (plan, _plan([])), (_plan([]), plan)):
        patch = PlanPatch.model_validate(PlanPatch.between(first, second).arguments())
        assert patched(first, patch, {}).plan == second
    both = parse_plan({"dataset_name": "d", "categories": [
        {"name": "refunds", "count": 3}, {"name": "x", "count": 1, "pipeline": ["evolve"]},
    ]})  # fmt: skip
    patch = PlanPatch.model_validate(PlanPatch.between(_plan([]), both).arguments())
    assert patched(_plan([]), patch, {}).plan == both


def test_cases_that_are_made_of_templates_go_through_no_stages() -> None:
    category = {"name": "refunds", "count": 3, "pipeline": ["evolve"], "mode": "templates"}
    with pytest.raises(PlanError, match="go through no stages"):
        parse_plan({"dataset_name": "d", "categories": [category]})
