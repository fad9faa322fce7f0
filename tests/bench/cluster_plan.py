"""The plan of the cluster tables."""

from __future__ import annotations

from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan


def plan_of(count: int) -> DatasetPlanInput:
    category = {"name": "orders", "count": count, "example_inputs": "Where is my order #12345?"}
    return parse_plan({"dataset_name": "bench", "categories": [category]}, "bench")
