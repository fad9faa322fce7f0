"""Slots that are held to a cell: of their category, with its values, and no other slot moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.held_slots import HeldSlots
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.domain.plan_patch import PlanPatch, changes, patched
from dsbuilder_tui.generation.slots import slot_plans
from tests.support.likeness import accept
from tests.support.talking import talking, tools_used

Configs = Callable[..., DatasetBuilderConfig]
AXES = {"tone": ("calm", "angry", "sad"), "length": ("short", "long", "medium"), "channel": ("chat", "mail")}


def plan_with(*held: HeldSlots, count: int = 9, contrast: float = 0.0) -> DatasetPlanInput:
    category = DatasetCategory(name="refunds", count=count, attributes=AXES, held=held, contrast=contrast)
    return DatasetPlanInput(dataset_name="air", categories=[category])


@pytest.mark.parametrize("cell", [{"tone": "angry"}, {"channel": "mail"}, {"tone": "sad", "length": "long"}])
@pytest.mark.parametrize("contrast", [0.0, 0.2])
def test_held_slots_are_in_their_cell_and_no_other_moves(cell: dict[str, str], contrast: float) -> None:
    held = HeldSlots(attributes=cell, slots=tuple(range(10, 20)))
    before = slot_plans(plan_with(contrast=contrast), 0)["refunds"]
    after = slot_plans(plan_with(held, count=19, contrast=contrast), 0)["refunds"]
    assert [after.attributes(n) for n in range(1, 10)] == [before.attributes(n) for n in range(1, 10)]
    assert all(cell.items() <= after.attributes(n).items() for n in held.slots)
    ordinals = np.arange(1, 25)
    for name, values, places in after.columns(ordinals):
        assert [values[p] for p in places] == [after.attributes(int(n))[name] for n in ordinals]
    assert not any(after.pairs.of(n) for n in held.slots)


def test_held_slots_take_tuples_that_no_slot_before_them_has() -> None:
    held = HeldSlots(attributes={"tone": "angry"}, slots=(10, 11, 12))
    slots = slot_plans(plan_with(held, count=12), 0)["refunds"]
    tuples = [tuple(slots.attributes(n).items()) for n in range(1, 13)]
    assert len(set(tuples)) == 12
    again = HeldSlots(attributes={"tone": "angry"}, slots=(13, 14))
    later = slot_plans(plan_with(held, again, count=14), 0)["refunds"]
    assert [tuple(later.attributes(n).items()) for n in range(1, 13)] == tuples
    assert len({tuple(later.attributes(n).items()) for n in range(10, 15)}) == 5


def test_more_than_a_cell_has_goes_round_and_what_the_axes_lost_holds_nothing() -> None:
    held = HeldSlots(attributes={"tone": "angry", "length": "short"}, slots=tuple(range(10, 16)))
    slots = slot_plans(plan_with(held, count=15), 0)["refunds"]
    assert Counter(slots.attributes(n)["channel"] for n in held.slots) == {"chat": 3, "mail": 3}
    for gone in ({"tone": "jolly"}, {"mood": "angry"}):
        plain = slot_plans(plan_with(HeldSlots(attributes=gone, slots=(10, 11)), count=11), 0)["refunds"]
        assert [plain.attributes(n) for n in (10, 11)] == [
            slot_plans(plan_with(count=11), 0)["refunds"].attributes(n) for n in (10, 11)
        ]


def test_a_fill_is_a_change_that_a_patch_says_both_ways() -> None:
    plan = plan_with()
    patch = PlanPatch.model_validate({"fill": [{"category": "refunds", "attributes": {"tone": "angry"}, "count": 4}]})
    filled = patched(plan, patch, {}).plan
    assert filled.category("refunds").count == 13 and filled.category("refunds").held[0].slots == (10, 11, 12, 13)
    between = PlanPatch.between(plan, filled)
    assert patched(plan, PlanPatch.model_validate(between.arguments()), {}).plan == filled
    assert parse_plan(filled.model_dump(mode="json")) == filled and "held" not in plan.model_dump_json()
    assert any("9 → 13" in line for line in changes(plan, filled))


async def test_a_cell_is_filled_in_the_slots_that_the_session_opens(make_config: Configs) -> None:
    async with talking(make_config(), plan=plan_with(count=8)) as talk:
        session = talk.session
        await accept(session, "refunds", ["one", "two"], first=7)  # so that lowering the count leaves holes before them
        session.diversity.forget_coverage()
        await session.plans.revise(plan_with(count=5))
        await talk.say("Write 4 more `angry` cases in refunds")
        ended = [one for one in tools_used(await talk.answer(True)) if one.tool == "revise_plan"]
        assert ended and ended[0].ok
        (held,) = session.plan.category("refunds").held
        assert held.attributes == {"tone": "angry"} and held.slots == (4, 5, 6, 9) and session.plan.total_instances == 9
        await talk.host.wait()
        await session.run()
        cases = [case async for case in session.cases.all()]
        angry = {c.ordinal for c in cases if c.tags.get("attributes", {}).get("tone") == "angry"}
        assert len(cases) == 9 and set(held.slots) <= angry
        coverage = await session.diversity.coverage()
        assert sum(cell.planned for cell in coverage.cells["refunds"]["tone"].values()) == 9
