"""Helpers for the planner's tests: readings told in short, and a plan to change."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.domain.axes import DEFAULT_AXES
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.plan_patch import PlanPatch, patched
from dsbuilder_tui.offline.planner.planning_context import Interpretation, PlanningContext


def shop_plan(**counts: int) -> DatasetPlanInput:
    """refunds 40, order_status 20, product_info 10, unless told otherwise."""
    wanted = counts or {"refunds": 40, "order_status": 20, "product_info": 10}
    categories = [{"name": name, "count": n, "example_inputs": ["I want a refund"]} for name, n in wanted.items()]
    return parse_plan({"dataset_name": "shop_bot", "categories": categories})


def proposed(reading: Interpretation) -> DatasetPlanInput | None:
    """The valid plan that a reading proposes."""
    found = [act for act in reading.acts if act.tool == "propose_plan"]
    return parse_plan({k: v for k, v in found[0].arguments.items() if k != "not_understood"}) if found else None


def counts_of(plan: DatasetPlanInput | None) -> dict[str, int]:
    return {category.name: category.count for category in plan.categories} if plan else {}


def revised(reading: Interpretation, plan: DatasetPlanInput) -> DatasetPlanInput | None:
    """The valid plan that a reading's revision makes of ``plan``."""
    found = [act for act in reading.acts if act.tool == "revise_plan"]
    return patched(plan, PlanPatch.model_validate(found[0].arguments), {}).plan if found else None


def acts_of(reading: Interpretation) -> list[tuple[str, dict[str, Any]]]:
    return [(act.tool, act.arguments) for act in reading.acts]


NOTHING = PlanningContext()
PLANNED = PlanningContext(plan=shop_plan())
WITH_AXES = PlanningContext(
    plan=shop_plan(),
    first=shop_plan(refunds=5, complaints=7),
    axes={**DEFAULT_AXES, "tone": ("neutral", "polite", "angry"), "language": ("English", "Spanish")},
)
