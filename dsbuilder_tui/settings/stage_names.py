"""The comparing stages that settings and plans can name. Here they are names and import paths; ``diversity`` loads them."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.domain.diversity import CategoryDiversity, chosen_stages
from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.stage import COMPARING_STAGES, Stage
from dsbuilder_tui.registry import Registry

STAGES: Registry[Any] = Registry(
    "dsbuilder.stages",
    "comparing stage",
    {
        Stage.STRUCTURAL: "dsbuilder_tui.diversity.stages.structural:STAGE",
        Stage.NEAR: "dsbuilder_tui.diversity.stages.near:STAGE",
        Stage.SEMANTIC: "dsbuilder_tui.diversity.stages.semantic:STAGE",
    },
    "dsbuilder_tui.diversity.comparing_stage:ComparingStage",
)


def installed_stages(value: object) -> tuple[str, ...]:
    """As ``chosen_stages``; raises ``ValueError`` for one that is not registered, too. Imports none."""
    names = chosen_stages(value)
    if unknown := _unknown(names):
        raise ValueError(unknown)
    return names


def check_stages(plan: DatasetPlanInput, source: str) -> None:
    """Raises ``PlanError`` when a category names comparing stages that are not registered. Imports none."""
    problems = []
    for n, category in enumerate(plan.categories):
        own = category.diversity if isinstance(category.diversity, CategoryDiversity) else CategoryDiversity()
        for field, names in (("stages", own.stages or ()), ("thresholds", tuple(own.thresholds or ()))):
            if unknown := _unknown(names):
                problems.append(f"categories[{n}].diversity.{field}: {list(names)!r} — {unknown}")
    if problems:
        raise PlanError(source, problems)


def _unknown(names: tuple[str, ...]) -> str:
    """Which of the names is not registered, in words; empty when all are."""
    if all(name in COMPARING_STAGES for name in names):  # without a look at what is installed
        return ""
    there = STAGES.names()
    missing = next((name for name in names if name not in there), None)
    return "" if missing is None else f"has {missing!r}; choose from {', '.join(there)}"
