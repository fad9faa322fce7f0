"""Figures from the fingerprints that runs write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.events import CaseAccepted, DiversityMeasured
from tests.session.test_figures import PLAN
from tests.support.studio import Scripted

Configs = Callable[..., DatasetBuilderConfig]


async def test_every_case_of_a_run_is_in_the_figures_at_its_end(make_config: Configs) -> None:
    told: list[DiversityMeasured] = []
    async with await Session.create(PLAN, make_config()) as session:
        session.subscribe(lambda event: told.append(event) if isinstance(event, DiversityMeasured) else None)
        await session.run()
        report = await session.diversity.figures()
        folder = session.folder
    f = report.overall
    assert (f.cases, f.compared, f.most_variety) == (42, 42, 42)
    assert f.variety is not None and 2 < f.variety < 42
    assert f.mean_likeness is not None and f.nearest_likeness is not None
    assert 0 < f.mean_likeness < f.nearest_likeness < 1
    assert [(event.final, event.cases, event.variety) for event in told] == [
        (True, 42, pytest.approx(f.variety, abs=0.06))
    ]
    assert [figures.compared for figures in report.categories.values()] == [30, 12]
    async with await Session.open(folder, make_config()) as again:
        later = (await again.diversity.figures()).overall
    assert later.variety == pytest.approx(f.variety, rel=1e-4) and later.compared == 42


async def test_figures_follow_what_a_person_does_to_cases(make_config: Configs) -> None:
    async with await Session.create(PLAN, make_config()) as session:
        await session.run()
        before = (await session.diversity.figures()).categories["refunds"]
        for ordinal in range(1, 13):
            case = await session.cases.get("refunds", ordinal)
            assert case is not None
            same = {"query": f"I want ${20 + ordinal} back"}
            await session.cases.edit("refunds", ordinal, same, case.expectations)
        after = (await session.diversity.figures()).categories["refunds"]
        assert after.compared == 12 and after.variety is not None and before.variety is not None
        assert after.variety < before.variety / 2, "they all say the same now"
        await session.cases.withdraw("refunds", 4)
        assert (await session.diversity.figures()).categories["refunds"].compared == 11


async def test_figures_can_be_asked_for_while_it_runs(make_config: Configs) -> None:
    model = Scripted(hold=3)
    async with await Session.create(PLAN, make_config()) as session:
        events = session.events()
        run = asyncio.create_task(session.run(model))
        async for event in events:
            if isinstance(event, CaseAccepted) and event.accepted >= 6:
                break
        middle = (await session.diversity.figures()).overall
        assert middle.compared <= middle.cases < 42 and middle.cells_filled > 0
        model.gate.set()
        await run
        assert (await session.diversity.figures()).overall.compared == 42


async def test_cases_that_are_not_compared_have_no_likeness(make_config: Configs) -> None:
    async with await Session.create(PLAN, make_config(diversity_stages="structural")) as session:
        await session.run()
        f = (await session.diversity.figures()).overall
        assert f.variety is None and f.mean_likeness is None and f.compared == 0
        assert f.packed is not None and f.cells == f.cells_filled == 10
