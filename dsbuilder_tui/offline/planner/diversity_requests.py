"""Requests about cases that are alike: pairs that are to be kept, and counts to be lowered after slots were exhausted."""

from __future__ import annotations

import re

from dsbuilder_tui.domain.plan_patch import PlanPatch
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.planning_context import Act, PlanningContext


def about_pairs(said: str) -> str:
    """What can be done for cases that are alike on purpose; empty when nothing of the kind is said."""
    table = intent_table()
    if not table.phrase("pairs").search(said):
        return ""
    named = (
        one for one in (Stage.SEMANTIC, Stage.NEAR, Stage.STRUCTURAL) if re.search(rf"\b{one}\b", said, re.IGNORECASE)
    )
    stage = next(named, Stage.SEMANTIC)
    if stage is Stage.STRUCTURAL:
        return f"{table.reply('keeps_pair')} {table.reply('pair_stage_off')}"
    number = "0.80" if stage is Stage.NEAR else "0.96"
    return f"{table.reply('keeps_pair')} {table.reply('pair_threshold', stage=stage, number=number)}"


def fewer(said: str, situation: PlanningContext) -> Act | None:
    """“Lower it”, after slots were exhausted: the counts that the categories can reach."""
    if situation.plan is None or not intent_table().phrase("fewer").fullmatch(said.strip(" .!,")):
        return None
    planned = {c.name: c.count for c in situation.plan.categories}
    counts = {
        name: planned[name] - many for name, many in situation.exhausted.items() if 0 < many < planned.get(name, 0)
    }
    return Act("revise_plan", PlanPatch(counts=counts).arguments()) if counts else None
