"""A plan as propose_plan takes it: the working copy that the sentences of a message change."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.domain.plan import DEFAULT_INPUT_FIELD, DatasetPlanInput
from dsbuilder_tui.offline.planner.planning_context import Act, Interpretation, PlanningContext

PLANNING_TOOLS = ("propose_plan", "revise_plan")


def as_arguments(plan: DatasetPlanInput) -> dict[str, Any]:
    """A plan as propose_plan takes it."""
    data = plan.model_dump(mode="json", exclude={"total_instances"})
    data.setdefault("write", [])  # none is not the usual ones
    if data["input_fields"] == {DEFAULT_INPUT_FIELD: ""}:
        del data["input_fields"]
    for category in data["categories"]:
        own = category.pop("diversity", "on")
        if own != "on":
            category["diversity"] = own
        if not category["expected_tools"]:
            del category["expected_tools"]
    return data


def planning_act(reading: Interpretation, situation: PlanningContext) -> Act | None:
    """The call that draws up or changes the plan: the one among those understood, else one to start from.

    None where nothing was understood that plans, and there is no plan either.
    """
    planning = next((act for act in reading.acts if act.tool in PLANNING_TOOLS), None)
    if planning is not None or situation.base is None:
        return planning
    if situation.plan is None:
        return Act(
            "propose_plan", as_arguments(situation.base)
        )  # it waits for its yes: it is put before the person anew
    return Act("revise_plan", {})
