"""Which cases of each category a judge reads: what the plan says, and else the setting."""

from __future__ import annotations

from dsbuilder_tui.domain.judging import JudgeMode
from dsbuilder_tui.domain.plan import DatasetPlanInput


def judge_modes(plan: DatasetPlanInput, setting: JudgeMode, *, by_model: bool) -> dict[str, JudgeMode]:
    """The mode of each category; ``by_model`` says whether a language model writes the cases."""
    auto = JudgeMode.SAMPLE if by_model else JudgeMode.OFF
    general = auto if setting is JudgeMode.AUTO else setting
    return {
        category.name: general if category.judge is JudgeMode.AUTO else category.judge for category in plan.categories
    }
