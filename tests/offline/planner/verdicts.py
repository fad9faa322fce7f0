"""A reading of the planner in one line, for the conversation table."""

from __future__ import annotations

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.offline.planner.planning_context import Interpretation, PlanningContext
from tests.offline.planner.planning import proposed, revised


def verdict(reading: Interpretation, situation: PlanningContext) -> str:
    """``plan …`` and ``change …`` with the counts, the names of other tools, or ``says …`` with the words."""
    if (plan := proposed(reading)) is not None:
        return f"plan {_counts(plan)}"
    if situation.plan is not None and (plan := revised(reading, situation.plan)) is not None:
        return f"change {_counts(plan)}"
    return " ".join(act.tool for act in reading.acts) or f"says {reading.words}"


def _counts(plan: DatasetPlanInput) -> str:
    return ", ".join(
        f"{category.name} {category.count}"
        + ("" if category.kind is CaseKind.SINGLE else f" {category.kind.value}")
        + "".join(f" with {one.key}" for one in category.write)
        for category in plan.categories
    )
