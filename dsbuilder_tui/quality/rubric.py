"""The rubric that a judge goes by: the packaged one, as far as a plan does not change it."""

from __future__ import annotations

from importlib.resources import files

from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.rubric import Rubric, parse_rubric


def packaged_rubric() -> str:
    """The rubric that comes with the package, as Markdown."""
    return files("dsbuilder_tui.quality").joinpath("rubric.md").read_text(encoding="utf-8")


def pair_rubric() -> str:
    """What a judge is told besides, in plans that have partners of cases, as Markdown."""
    return files("dsbuilder_tui.quality").joinpath("pair_rubric.md").read_text(encoding="utf-8")


def rubric_of(plan: DatasetPlanInput) -> Rubric:
    """The rubric that holds for a plan."""
    rubric = plan.rubric.applied(packaged_rubric())
    has_pairs = any(category.pairs for category in plan.categories)
    return rubric.extended(parse_rubric(pair_rubric())) if has_pairs else rubric
