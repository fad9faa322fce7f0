"""The card of a plan, which the conversation keeps and the studio draws."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dsbuilder_tui.domain.message import PlanContent, PlanRow
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.slots import slot_axes
from dsbuilder_tui.wording import pair_words, row_words, writing_words


def plan_content(
    plan: DatasetPlanInput,
    revision: int,
    before: DatasetPlanInput | None = None,
    *,
    call_id: str = "",
    notes: Sequence[str] = (),
) -> PlanContent:
    """What a card shows of a plan. With ``call_id`` it is a proposal that waits for the person's yes."""
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
    card = PlanContent(
        revision=revision,
        planned=plan.total_instances,
        rows=tuple(rows),
        changed=bool(old),
        writing="; ".join(filter(None, (writing_words(plan), f"rows: {rows_of}" if rows_of else "", pair_words(plan)))),
    )
    if call_id:
        return card.model_copy(update={"call": call_id, "dataset": plan.dataset_name, "notes": tuple(notes)})
    return card
