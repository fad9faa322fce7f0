"""The rubric that a judge goes by: the packaged one, as far as a plan does not change it."""

from __future__ import annotations

from importlib.resources import files

from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.rubric import Rubric


def packaged_rubric() -> str:
    """The rubric that comes with the package, as Markdown."""
    return files("dsbuilder_tui.quality").joinpath("rubric.md").read_text(encoding="utf-8")


def rubric_of(plan: DatasetPlanInput) -> Rubric:
    """The rubric that holds for a plan."""
    return plan.rubric.applied(packaged_rubric())
