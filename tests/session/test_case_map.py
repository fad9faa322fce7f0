"""The map of a session: every case is a point, it stays where it was while others come, and goes when it is removed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.session.case_map import CaseMap
from tests.support.prints import Printed, put
from tests.support.studio import Scripted

Configs = Callable[..., DatasetBuilderConfig]
PLAN = DatasetPlanInput(
    dataset_name="shop",
    categories=[
        DatasetCategory(name="orders", count=200, example_inputs="Where is my order?", attributes={"tone": ("calm", "angry")}),
        DatasetCategory(name="refunds", count=100, example_inputs="I want my money back"),
    ],
)  # fmt: skip


@pytest.fixture
async def session(make_config: Configs) -> AsyncIterator[Printed]:
    async with await Printed.create(PLAN, make_config()) as made:
        yield made


def orders(first: int, last: int) -> dict[tuple[str, int], str]:
    return {("orders", n): f"order {n} of a customer" for n in range(first, last + 1)}


def places(drawn: CaseMap) -> dict[int, tuple[float, float]]:
    return {int(seq): (float(x), float(y)) for seq, (x, y) in zip(drawn.seqs, drawn.places, strict=True)}


async def test_each_case_is_a_point_and_stays_where_it_is_until_there_are_half_as_many_more(session: Printed) -> None:
    await put(session, orders(1, 80))
    first = places(await session.diversity.map())
    assert len(first) == 80
    await put(session, orders(81, 110))
    second = places(await session.diversity.map())
    assert len(second) == 110 and {seq: second[seq] for seq in first} == first
    await put(session, orders(111, 125))
    third = await session.diversity.map()
    assert len(third.seqs) == 125 and {seq: places(third)[seq] for seq in first} != first
    assert sum(group.cases for group in third.groups) == 125


async def test_a_second_look_reads_only_what_is_new(session: Printed) -> None:
    await put(session, orders(1, 100))
    await session.diversity.map()
    before = session.pages
    await session.diversity.map()
    assert session.pages == before
    await put(session, orders(101, 110))
    await session.diversity.map()
    assert session.pages == before + 1


async def test_an_area_holds_the_cases_in_it_with_their_attributes(session: Printed) -> None:
    await put(session, orders(1, 40))
    await put(session, {("refunds", n): f"refund {n}" for n in range(1, 21)})
    drawn = await session.diversity.map()
    assert [drawn.names[number] for number in drawn.categories] == ["orders"] * 40 + ["refunds"] * 20
    everything = drawn.within(0, 0, 1, 1)
    assert sorted(everything) == sorted(int(seq) for seq in drawn.seqs)
    x, y = drawn.places[0].tolist()
    assert int(drawn.seqs[0]) in drawn.within(x, y, x, y)
    area = await session.diversity.map_area(everything)
    assert area.total == 60 and len(area.cases) == 60
    assert area.likeness is not None and 0 < area.likeness < 1
    of_orders = await session.diversity.map_area([int(seq) for seq in drawn.seqs[:40]])
    assert of_orders.attributes == [("tone", [("calm", 20), ("angry", 20)])]
    alone = await session.diversity.map_area(everything[:1])
    assert alone.likeness is None and (await session.diversity.map_area([])).total == 0


async def test_a_case_that_is_removed_is_no_point_any_more(make_config: Configs) -> None:
    async with await Session.create(PLAN, make_config()) as session:
        await session.run()
        assert len((await session.diversity.map()).seqs) == 300
        case = (await session.cases.page(0, 1))[0]
        await session.cases.withdraw(case.category, case.ordinal)
        drawn = await session.diversity.map()
        assert len(drawn.seqs) == 299 and case.seq not in drawn.seqs
        assert all(group.name for group in drawn.groups)


async def test_what_was_turned_away_is_shown_faintly(make_config: Configs) -> None:
    plan = DatasetPlanInput(dataset_name="shop", categories=[DatasetCategory(name="orders", count=20)])
    async with await Session.create(plan, make_config(max_attempts=2)) as session:
        await session.run(Scripted(echo="Where is my order?"))
        drawn = await session.diversity.map()
        assert len(drawn.seqs) == 1 and len(drawn.rejected) >= 10
        assert drawn.rejected_within(0, 0, 1, 1) == len(drawn.rejected)


async def test_cases_that_are_not_compared_are_counted_and_an_empty_session_has_a_map(make_config: Configs) -> None:
    plan = DatasetPlanInput(
        dataset_name="shop",
        categories=[DatasetCategory(name="orders", count=12), DatasetCategory(name="free", count=5, diversity=False)],
    )
    async with await Session.create(plan, make_config()) as session:
        empty = await session.diversity.map()
        assert len(empty.seqs) == 0 and empty.left_out == 0 and not empty.groups
        await session.run()
        drawn = await session.diversity.map()
        assert (len(drawn.seqs), drawn.left_out) == (12, 5)


async def test_the_map_is_the_same_after_reopening(make_config: Configs) -> None:
    config = make_config()
    async with await Session.create(PLAN, config) as session:
        await session.run()
        first = await session.diversity.map()
        name = session.id
    async with await Session.open(name, config) as session:
        again = await session.diversity.map()
    assert np.array_equal(first.places, again.places) and first.groups == again.groups
