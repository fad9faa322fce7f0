"""A plan as propose_plan takes it: the working copy that the sentences of a message change."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.domain.plan import DEFAULT_INPUT_FIELD, DatasetPlanInput


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
