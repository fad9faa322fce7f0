"""Slots: distinct, balanced, and the same every time."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsbuilder_tui import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.generation.slots import SlotPlan, slot_order, slot_plans
from tests.support.process import printed_with_hash_seeds

AXES = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1, max_size=5)


def planned(axes: dict[str, int], seed: int = 0) -> SlotPlan:
    category = DatasetCategory(name="c", count=1)
    return SlotPlan(category, {name: [f"{name}{n}" for n in range(size)] for name, size in axes.items()}, seed)


@given(AXES, st.integers(0, 99))
def test_tuples_are_distinct_until_all_are_used(axes: dict[str, int], seed: int) -> None:
    slots = planned(axes, seed)
    count = min(math.prod(axes.values()), 400)
    assert len({tuple(slots.attributes(n).values()) for n in range(1, count + 1)}) == count


@given(AXES, st.integers(1, 400))
def test_every_axis_is_balanced_in_every_prefix(axes: dict[str, int], count: int) -> None:
    slots = planned(axes)
    tuples = [slots.attributes(n) for n in range(1, count + 1)]
    faster = 1
    for name, size in sorted(axes.items(), key=lambda item: -item[1]):
        seen = Counter(t[name] for t in tuples)
        rounds = math.ceil(count / faster) if faster > 1 else 1
        assert max(seen.values()) <= count / size + min(rounds, size) + 1
        faster *= size


def test_realistic_axes_are_balanced_and_do_not_move_in_step() -> None:
    axes = {"persona": 8, "tone": 7, "situation": 7, "length": 3, "channel": 3}
    for seed in range(5):
        slots = planned(axes, seed)
        tuples = [slots.attributes(n) for n in range(1, 201)]
        for name, size in axes.items():
            seen = Counter(t[name] for t in tuples)
            assert len(seen) == size and max(seen.values()) - min(seen.values()) <= 6
        for one in axes:
            for other in axes:
                pairs = {(t[one], t[other]) for t in tuples}
                assert one == other or len(pairs) >= 0.85 * axes[one] * axes[other]


def test_the_order_of_axes_is_the_plans() -> None:
    assert list(planned({"z": 2, "a": 5}).attributes(1)) == ["z", "a"]


@given(
    st.dictionaries(st.text("abcde", min_size=1), st.integers(1, 9), max_size=5),
    st.lists(st.integers(1, 100_000), max_size=60),
    st.integers(0, 3),
)
def test_many_slots_at_once_have_the_attributes_of_each(axes: dict[str, int], ordinals: list[int], seed: int) -> None:
    values = {name: tuple(f"{name}{n}" for n in range(size)) for name, size in axes.items()}
    category = DatasetCategory(name="c", count=5, example_inputs="Hi?")
    slots = SlotPlan(category, values, seed)
    columns = slots.columns(np.array(ordinals, dtype=np.int64))
    for index, ordinal in enumerate(ordinals):
        assert {name: own[places[index]] for name, own, places in columns} == slots.attributes(ordinal)


def test_axes_with_more_tuples_than_a_number_can_hold_are_no_trouble() -> None:
    axes = {f"axis{n}": tuple(map(str, range(40))) for n in range(20)}
    slots = SlotPlan(DatasetCategory(name="c", count=5, example_inputs="Hi?"), axes, 1)
    columns = slots.columns(np.arange(1, 5001))
    assert {name: own[places[4999]] for name, own, places in columns} == slots.attributes(5000)


def test_slots_are_the_same_in_every_process() -> None:
    code = (
        "from dsbuilder_tui import *;from dsbuilder_tui.generation.slots import slot_plans;"
        "p=DatasetPlanInput(dataset_name='d',categories=[DatasetCategory(name='c',count=9)]);"
        "print([slot_plans(p,7)['c'].attributes(n) for n in range(1,10)])"
    )
    runs = printed_with_hash_seeds(code, "1", "2")
    plan = DatasetPlanInput(dataset_name="d", categories=[DatasetCategory(name="c", count=9)])
    here = [slot_plans(plan, 7)["c"].attributes(n) for n in range(1, 10)]
    assert runs == {f"{here}\n"}


def test_another_seed_gives_other_slots() -> None:
    axes = {"a": 7, "b": 6}
    assert [planned(axes, 1).attributes(n) for n in range(1, 20)] != [
        planned(axes, 2).attributes(n) for n in range(1, 20)
    ]


def test_categories_advance_together_and_every_slot_comes_once(make_plan) -> None:  # type: ignore[no-untyped-def]
    plan = make_plan(200, 100, 7)
    seen: dict[str, list[int]] = {c.name: [] for c in plan.categories}
    shares = []
    for name, first, last in slot_order(plan, 20):
        seen[name] += range(first, last + 1)
        shares.append([len(seen[c.name]) / c.count for c in plan.categories])
    assert all(seen[c.name] == list(range(1, c.count + 1)) for c in plan.categories)
    assert all(abs(a - b) < 0.25 for a, b, _ in shares)


@given(st.sets(st.integers(1, 60)), st.integers(1, 60))
def test_retired_slots_have_no_place_in_the_order(gone: set[int], count: int) -> None:
    while any(n > count + len(gone) for n in gone):
        gone = {n for n in gone if n <= count + len(gone)}
    plan = DatasetPlanInput(
        dataset_name="d", categories=[DatasetCategory(name="c", count=count), DatasetCategory(name="d", count=30)]
    )
    order = list(slot_order(plan, 20, {"c": sorted(gone)}))
    mine = [n for name, first, last in order if name == "c" for n in range(first, last + 1)]
    assert mine == [n for n in range(1, count + len(gone) + 1) if n not in gone] and len(mine) == count
    assert [n for name, first, last in order if name == "d" for n in range(first, last + 1)] == list(range(1, 31))


def test_a_partner_has_the_tuple_of_its_case_and_the_others_stay_balanced() -> None:
    category = parse_plan(
        {"dataset_name": "p", "categories": [{"name": "a", "count": 400, "contrast": 0.1, "same": 0.1}]}
    ).categories[0]
    axes = {"tone": [f"t{n}" for n in range(10)], "length": ["short", "long"]}
    slots = SlotPlan(category, axes, 3)
    ordinals = list(range(1, 401))
    columns = slots.columns(np.array(ordinals, dtype=np.int64))
    alone = Counter[str]()
    for index, ordinal in enumerate(ordinals):
        own = slots.attributes(ordinal)
        assert {name: values[places[index]] for name, values, places in columns} == own
        pair = slots.pairs.of(ordinal)
        if pair is None:
            alone[own["tone"]] += 1
        else:
            assert own == slots.attributes(pair.original)
    assert set(alone.values()) == {32}
