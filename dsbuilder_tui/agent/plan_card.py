"""The card of a plan, which the conversation keeps and the studio draws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dsbuilder_tui.domain.judge_modes import judge_modes
from dsbuilder_tui.domain.judging import JudgeMode
from dsbuilder_tui.domain.message import PlanContent, PlanRow
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.plan_difference import axis_parts, plan_differences
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.settings.provider_names import OFFLINE
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.wording import pair_words, row_words, writing_words

_MOST_PARTS = 24


def plan_content(
    plan: DatasetPlanInput,
    revision: int,
    before: DatasetPlanInput | None = None,
    *,
    call_id: str = "",
    notes: Sequence[str] = (),
    renamed: Mapping[str, str] | None = None,
) -> PlanContent:
    """What a card shows of a plan, and of what differs from the one ``before``, some categories of which may be ``renamed``
    (old to new). With ``call_id`` it is a proposal that waits for the person's yes.
    """
    old = {c.name: c.count for c in before.categories} if before else {}
    rows = [
        PlanRow(
            name=c.name,
            count=c.count,
            was=old.get(c.name),
            axes=len(slot_axes(plan, c)),
            combinations=math.prod(len(values) for values in slot_axes(plan, c).values()),
            case_kind=c.kind,
        )
        for c in plan.categories
    ]
    names = {c.name for c in plan.categories}
    rows += [
        PlanRow(name=name, count=0, was=was, axes=0, combinations=0) for name, was in old.items() if name not in names
    ]
    rows_of = row_words(plan)
    apart = _apart(plan) | (_apart(before) if before else set())
    axes = axis_parts(_axes(before or plan, apart), _axes(plan, apart))
    card = PlanContent(
        revision=revision,
        planned=plan.total_instances,
        rows=tuple(rows),
        changed=bool(old),
        axes=tuple(axes[:_MOST_PARTS]),
        differences=tuple(plan_differences(before, plan, renamed or {})[:_MOST_PARTS]) if before else (),
        writing="; ".join(filter(None, (writing_words(plan), f"rows: {rows_of}" if rows_of else "", pair_words(plan)))),
    )
    if call_id:
        return card.model_copy(update={"call": call_id, "dataset": plan.dataset_name, "notes": tuple(notes)})
    return card


def judge_words(plan: DatasetPlanInput, config: DatasetBuilderConfig) -> str:
    """Which cases a judge reads, for the card of a plan; empty where it reads none."""
    modes = judge_modes(plan, config.judge, by_model=config.resolved_provider != OFFLINE)
    said = []
    for mode, words in ((JudgeMode.ALL, "each case"), (JudgeMode.SAMPLE, f"{config.judge_share:.0%} of the cases")):
        names = [name for name, one in modes.items() if one is mode]
        if names:
            said.append(words if len(names) == len(modes) else f"{words} of {', '.join(names)}")
    return f"{config.judging_model} judges {' and '.join(said)}" if said else ""


def _apart(plan: DatasetPlanInput) -> set[str]:
    """The axes that not all categories have alike."""
    of = [slot_axes(plan, category) for category in plan.categories]
    return {axis for axes in of for axis, values in axes.items() if any(other.get(axis) != values for other in of)}


def _axes(plan: DatasetPlanInput, apart: set[str]) -> dict[str, tuple[str, ...]]:
    """The axes by name; those that are told ``apart`` by the names of their categories too."""
    return {
        f"{category.name} {axis}" if axis in apart else axis: values
        for category in plan.categories
        for axis, values in slot_axes(plan, category).items()
    }
