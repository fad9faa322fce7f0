"""Requests for templates, in words, without a model."""

from __future__ import annotations

import pytest

from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand


def _plan(*templated: str) -> DatasetPlanInput:
    names = ("refunds", "order_status", "delivery")
    mode = {name: {"mode": "templates"} for name in templated}
    return parse_plan(
        {"dataset_name": "shop", "categories": [{"name": name, "count": 10, **mode.get(name, {})} for name in names]}
    )


@pytest.mark.parametrize(
    ("said", "modes"),
    [
        ("use templates for the refunds", {"refunds": "templates"}),
        ("Please use templates for refunds and delivery.", {"refunds": "templates", "delivery": "templates"}),
        ("make the refunds from templates", {"refunds": "templates"}),
        ("write the order status cases with templates", {"order_status": "templates"}),
        ("Could you do the delivery questions the cheap way?", {"delivery": "templates"}),
        ("use templates", dict.fromkeys(("refunds", "order_status", "delivery"), "templates")),
        ("do it the cheap way", dict.fromkeys(("refunds", "order_status", "delivery"), "templates")),
        ("write them as cheaply as possible", dict.fromkeys(("refunds", "order_status", "delivery"), "templates")),
        ("no templates for the delivery", {"delivery": "each"}),
        ("don't use templates for refunds", {"refunds": "each"}),
    ],
)
def test_a_plan_in_force_is_changed(said: str, modes: dict[str, str]) -> None:
    [act] = understand(said, PlanningContext(plan=_plan("delivery"))).acts
    assert act.tool == "revise_plan"
    assert {change["category"]: change["mode"] for change in act.arguments["change"]} == modes


@pytest.mark.parametrize(
    ("said", "total", "templated"),
    [
        ("1000 cases for a shop bot: refunds, order status, using templates", 1000, ("refunds", "order_status")),
        ("60 cases for a shop bot: half refunds, half order status. Use templates for the refunds", 60, ("refunds",)),
        ("Make 40 cases for our shop bot about refunds and delivery, the cheap way", 40, ("refunds", "delivery")),
    ],
)
def test_a_first_request_can_ask_for_them(said: str, total: int, templated: tuple[str, ...]) -> None:
    [act] = [act for act in understand(said, PlanningContext()).acts if act.tool == "propose_plan"]
    plan = parse_plan(act.arguments)
    assert plan.total_instances == total and not any("templat" in c.name or "cheap" in c.name for c in plan.categories)
    assert {c.name for c in plan.categories if c.mode == "templates"} == set(templated)


def test_a_plan_that_waits_for_its_yes_is_proposed_anew() -> None:
    [act] = understand("use templates for the refunds", PlanningContext(proposed=_plan())).acts
    assert act.tool == "propose_plan"
    assert [c.mode for c in parse_plan(act.arguments).categories] == ["templates", "each", "each"]


def test_a_change_and_a_request_for_templates_are_one_revision() -> None:
    [act] = understand("make refunds 200 and use templates for them", PlanningContext(plan=_plan())).acts
    assert act.arguments["counts"] == {"refunds": 200} and act.arguments["change"][0]["mode"] == "templates"


def test_a_category_that_there_is_not_is_named() -> None:
    reading = understand("use templates for the invoices", PlanningContext(plan=_plan()))
    assert not reading.acts and "invoices" in reading.words and "refunds" in reading.words


@pytest.mark.parametrize(
    "said",
    [
        "40 cases for a bot that helps with e-mail templates: creating templates, sharing templates",
        "30 cases for a travel bot: cheap flights, hotels",
        "make refunds 20",
    ],
)
def test_templates_and_cheapness_that_are_the_topic_change_nothing(said: str) -> None:
    for act in understand(said, PlanningContext(plan=_plan()) if said.startswith("make") else PlanningContext()).acts:
        assert "mode" not in str(act.arguments)
