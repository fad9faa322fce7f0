"""Figures and coverage of a session: what they say, that they follow what happens, and that they read only what is new."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.diversity.metrics import Spread
from dsbuilder_tui.domain.errors import ConfigError, DsbuilderError, EndpointUnavailable, StorageError
from dsbuilder_tui.domain.events import CaseAccepted, DiversityMeasured, Event, RunFinished
from dsbuilder_tui.domain.figures import Cell, Coverage
from dsbuilder_tui.session import diversity_figures as figuring
from dsbuilder_tui.session.replay import recorded_events
from tests.support.prints import Printed, fingerprint, put
from tests.support.studio import Scripted

Configs = Callable[..., DatasetBuilderConfig]

AXES = {"tone": ("polite", "angry", "formal"), "length": ("short", "long")}
PLAN = DatasetPlanInput(
    dataset_name="shop",
    categories=[
        DatasetCategory(name="orders", count=30, example_inputs="Where is my order #12345?", attributes=AXES),
        DatasetCategory(name="refunds", count=12, example_inputs="I want my $20 back", attributes=AXES),
    ],
)


@pytest.fixture
async def session(make_config: Configs) -> AsyncIterator[Printed]:
    async with await Printed.create(PLAN, make_config()) as made:
        yield made


async def counted(session: Session) -> dict[str, dict[str, Counter[str]]]:
    """Category → axis → value → cases, by hand."""
    found = {c.name: {axis: Counter[str]() for axis in AXES} for c in session.plan.categories}
    async for case in session.cases.all():
        for axis, value in case.tags["attributes"].items():
            if axis in AXES:
                found[case.category][axis][value if value in AXES[axis] else ""] += 1
    return found


async def agrees(session: Session) -> Coverage:
    """The coverage, which must be what counting the cases by hand says."""
    coverage = await session.diversity.coverage()
    held = {
        name: {axis: Counter({v: c.accepted for v, c in cells.items() if c.accepted}) for axis, cells in axes.items()}
        for name, axes in coverage.cells.items()
    }
    assert held == await counted(session)
    by_category = await session.cases.counts()
    assert {name: cell.accepted for name, cell in coverage.cases.items()} == by_category
    return coverage


def sums(coverage: Coverage, name: str) -> dict[str, int]:
    return {axis: sum(cell.planned for cell in cells.values()) for axis, cells in coverage.cells[name].items()}


# Coverage


async def test_coverage_of_a_run_is_what_was_planned(session: Printed) -> None:
    before = await agrees(session)
    assert before.cases == {"orders": Cell(30, 0), "refunds": Cell(12, 0)}
    assert sums(before, "orders") == {"tone": 30, "length": 30}
    assert before.axes() == AXES, "in the order of the plan"
    await session.run()
    after = await agrees(session)
    assert all(
        c.accepted == c.planned for axes in after.cells.values() for cells in axes.values() for c in cells.values()
    )


async def test_coverage_follows_a_run_without_reading_again(session: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Scripted(hold=2)
    await session.diversity.coverage()

    async def no_reading(*_: Any) -> Any:
        raise AssertionError("read again")

    monkeypatch.setattr(session._files.store.statistics, "attribute_page", no_reading)
    run = asyncio.create_task(session.run(model))
    seen = 0
    async for event in session.events():
        seen += isinstance(event, CaseAccepted)
        if seen == 4:
            break
    middle = await session.diversity.coverage()
    assert sum(cell.accepted for cell in middle.cases.values()) >= 4
    model.gate.set()
    await run
    end = await agrees(session)
    assert end.cases == {"orders": Cell(30, 30), "refunds": Cell(12, 12)}
    await session.cases.withdraw("orders", 3)
    assert (await agrees(session)).cases["orders"] == Cell(30, 29)


async def test_cases_that_came_while_it_was_read_count_once(session: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    store = session._files.store
    real = store.statistics.attribute_page
    await put(session, {("orders", n): f"text {n}" for n in range(1, 8)})

    async def slow(*asked: Any) -> Any:
        page = await real(*asked)
        if not page:  # all was read; now come some more, and their events
            monkeypatch.setattr(store.statistics, "attribute_page", real)
            await session.cases.withdraw("orders", 2)
        return page

    monkeypatch.setattr(store.statistics, "attribute_page", slow)
    assert (await agrees(session)).cases["orders"] == Cell(30, 6)


async def test_what_a_person_does_is_in_the_coverage(session: Printed) -> None:
    await session.run()
    await session.diversity.coverage()
    await session.cases.withdraw("orders", 5)
    await session.cases.withdraw("refunds", 1)
    await session.cases.edit("orders", 7, {"query": "another text"}, {"contains_order_id": True})
    assert (await agrees(session)).cases == {"orders": Cell(30, 29), "refunds": Cell(12, 11)}
    await session.run()
    await agrees(session)


async def test_cases_of_an_older_plan_stand_under_other_values(session: Printed) -> None:
    await put(session, {("orders", 1): "a", ("orders", 2): "b"}, {"tone": "sarcastic", "length": "short"})
    await put(session, {("orders", 3): "c"}, {"persona": "student"})
    coverage = await session.diversity.coverage()
    assert coverage.cells["orders"]["tone"][""] == Cell(0, 2)
    assert coverage.cells["orders"]["length"]["short"].accepted == 2
    assert coverage.cases["orders"] == Cell(30, 3)
    await session.cases.withdraw("orders", 2)
    coverage = await session.diversity.coverage()
    assert coverage.cells["orders"]["tone"][""] == Cell(0, 1), "what was counted is what is taken away"
    await session.cases.withdraw("orders", 1)
    assert (await session.diversity.coverage()).axes() == AXES


async def test_a_revised_plan_is_covered_anew(session: Printed) -> None:
    await session.run()
    await session.diversity.coverage()
    data = PLAN.model_dump(mode="json")
    del data["total_instances"]
    data["categories"][0]["count"] = 34
    data["categories"][0]["attributes"]["tone"] = ["polite", "angry", "icy"]
    data["categories"].append(
        {"name": "small_talk", "count": 5, "example_inputs": "Hello!", "attributes": {"tone": ["polite"]}}
    )
    await session.plans.revise(DatasetPlanInput.model_validate(data))
    coverage = await session.diversity.coverage()
    assert coverage.cases == {"orders": Cell(34, 30), "refunds": Cell(12, 12), "small_talk": Cell(5, 0)}
    tones = coverage.cells["orders"]["tone"]
    assert list(tones) == ["polite", "angry", "icy", ""]
    assert tones["icy"].accepted == 0 < tones["icy"].planned and tones[""].accepted == 10
    assert sums(coverage, "small_talk") == {"tone": 5}


async def test_retired_slots_are_not_planned(session: Printed) -> None:
    await put(session, {("orders", 30): "the last one"})
    data = PLAN.model_dump(mode="json")
    del data["total_instances"]
    data["categories"][0]["count"] = 6
    await session.plans.revise(DatasetPlanInput.model_validate(data))
    coverage = await agrees(session)
    assert sums(coverage, "orders") == {"tone": 6, "length": 6}
    await session.run()
    coverage = await agrees(session)
    assert all(c.accepted == c.planned for cells in coverage.cells["orders"].values() for c in cells.values())


async def test_coverage_of_a_moment_has_the_cases_of_that_moment(session: Printed) -> None:
    await put(session, {("orders", n): f"text {n}" for n in range(1, 5)})  # at second 1
    await session.run()
    now = await session.diversity.coverage()
    assert (await session.diversity.coverage(until=2.0)).cases["orders"] == Cell(30, 4)
    assert await session.diversity.coverage() == now


async def test_damaged_cases_count_as_cases_without_values(session: Printed) -> None:
    await put(session, {("orders", n): f"text {n}" for n in range(1, 5)})
    path = session.folder / "session.db"
    await session.aclose()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE accepted_case SET tags='{\"attributes', inputs='{' WHERE ordinal=2")
    async with await Printed.open(path.parent, session.config) as again:
        coverage = await again.diversity.coverage()
        assert coverage.cases["orders"] == Cell(30, 4)
        assert sum(cell.accepted for cell in coverage.cells["orders"]["tone"].values()) == 3
        assert await again.cases.repair() == ["orders-00002"]
        assert (await agrees(again)).cases["orders"] == Cell(30, 3)


async def test_an_undecided_session_covers_nothing(make_config: Configs) -> None:
    async with await Session.begin("untitled", make_config()) as session:
        assert await session.diversity.coverage() == Coverage()
        report = await session.diversity.figures()
        assert report.overall.cases == 0 and not report.categories


# Figures


def by_hand(texts: dict[str, list[str]]) -> Spread:
    spread = Spread()
    for name, own in texts.items():
        for text in own:
            spread.add(name, fingerprint(text)[None])
    return spread


async def texts_of(session: Session) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    async for case in session.cases.all():
        found.setdefault(case.category, []).append(case.inputs["query"])
    return found


async def test_figures_are_those_of_the_cases_there(session: Printed) -> None:
    await session.run()
    report = await session.diversity.figures()
    spread = by_hand(await texts_of(session))
    assert report.overall.variety == pytest.approx(spread.vendi(), rel=1e-4)
    assert list(report.categories) == ["orders", "refunds"]
    for name, figures in report.categories.items():
        assert figures.variety == pytest.approx(spread.vendi(name), rel=1e-4)
        assert figures.mean_likeness == pytest.approx(spread.mean_similarity(name), abs=1e-6)
        assert figures.nearest_likeness is not None and figures.packed is not None
        assert figures.cells == figures.cells_filled == 5
        assert figures.pairs == figures.pairs_filled == 6
        assert figures.evenness["tone"] == pytest.approx(1)
    assert (report.overall.cases, report.overall.compared, report.overall.most_variety) == (42, 42, 42)
    assert (report.overall.cells, report.overall.pairs) == (10, 12)


async def test_only_what_is_new_is_read(session: Printed) -> None:
    await put(session, {("orders", n): f"text {n}" for n in range(1, 21)})
    first = await session.diversity.figures()
    assert session.pages == 1 and await session.diversity.figures() == first and session.pages == 1
    await put(session, {("orders", n): f"text {n}" for n in range(21, 26)})
    session.diversity.forget_coverage()
    second = await session.diversity.figures()
    assert session.pages == 2 and second.overall.compared == 25
    assert second.overall.variety == pytest.approx(by_hand(await texts_of(session)).vendi(), rel=1e-4)


async def test_a_case_that_has_changed_has_its_old_text_in_no_figure(session: Printed) -> None:
    await put(session, {("orders", n): f"text {n}" for n in range(1, 21)})
    await session.diversity.figures()
    await session.cases.edit("orders", 1, {"query": "text 2"}, {})
    await session.cases.withdraw("orders", 20)
    report = await session.diversity.figures()
    assert report.overall.compared == report.overall.cases == 19
    assert report.overall.variety == pytest.approx(by_hand(await texts_of(session)).vendi(), rel=1e-4)
    assert report.overall.rejections == {"person": 1}


async def test_a_fingerprint_that_came_late_is_found(session: Printed) -> None:
    await put(session, {("orders", n): f"text {n}" for n in range(1, 21)})
    session.late = {3, 5}
    assert (await session.diversity.figures()).overall.compared == 18
    read = session.pages
    assert (await session.diversity.figures()).overall.compared == 18 and session.pages == read, (
        "looked for once, not each time"
    )
    session.late = set()
    await put(session, {("orders", 21): "one more"})
    assert (await session.diversity.figures()).overall.compared == 21


@pytest.mark.parametrize(
    "error", [EndpointUnavailable("It is down.", "Wait."), ConfigError("No such model.", "Choose.")]
)
async def test_figures_do_without_an_embedding_that_cannot_be_had(session: Printed, error: DsbuilderError) -> None:
    await put(session, {("orders", n): f"text {n}" for n in range(1, 21)})
    session.trouble = error
    report = await session.diversity.figures()
    assert report.overall.variety is None and report.overall.cases == 20 and report.overall.cells == 10
    session.trouble = None
    assert (await session.diversity.figures()).overall.compared == 20


async def test_what_was_cut_off_is_not_counted_twice(session: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    await put(session, {("orders", n): f"text {n}" for n in range(1, 21)})
    real = figuring._take_in

    def cut_off(*given: Any) -> None:
        real(*given)
        raise StorageError("The disk is full.", "Make room.")

    monkeypatch.setattr(figuring, "_take_in", cut_off)
    with pytest.raises(StorageError):
        await session.diversity.figures()
    monkeypatch.setattr(figuring, "_take_in", real)
    assert (await session.diversity.figures()).overall.compared == 20


async def test_calls_at_the_same_time_say_the_same(session: Printed) -> None:
    await put(session, {("orders", n): f"text {n}" for n in range(1, 21)})
    reports = await asyncio.gather(
        *(session.diversity.figures() for _ in range(5)), *(session.diversity.coverage() for _ in range(3))
    )
    assert all(report == reports[0] for report in reports[:5]) and session.pages == 1


async def test_large_categories_are_packed_by_a_sample(make_config: Configs) -> None:
    plan = DatasetPlanInput(
        dataset_name="large",
        categories=[DatasetCategory(name="orders", count=2500, example_inputs="Hi?", attributes=AXES)],
    )
    async with await Session.create(plan, make_config()) as session:
        await put(session, {("orders", n): f"text number {n}" for n in range(1, 2501)}, {})
        figures = (await session.diversity.figures()).categories["orders"]
        assert figures.sampled == 833 and figures.packed is not None
        assert figures.cells_filled == 0
        assert figures.variety == pytest.approx(1, abs=0.01), "but for the number they are the same"


async def test_rejections_are_told_by_stage_and_category(make_config: Configs) -> None:
    async with await Session.create(PLAN, make_config(max_attempts=2)) as session:
        await session.run(Scripted(echo="Where is it?"))
        report = await session.diversity.figures()
        stages = await session.rejections.by_stage()
        assert report.overall.rejections == stages and report.overall.rejected > 0
        for name, figures in report.categories.items():
            for stage, number in figures.rejections.items():
                assert number == await session.rejections.count(category=name, stage=stage)


# Announced


async def test_a_run_announces_the_figures_at_its_end(session: Printed) -> None:
    heard: list[Event] = []
    session.subscribe(heard.append)
    await session.run()
    measured = [event for event in heard if isinstance(event, DiversityMeasured)]
    assert [event.final for event in measured] == [True]
    assert isinstance(heard[-1], RunFinished), "who reads until the end of the run must have seen the figures"
    report = (await session.diversity.figures()).overall
    assert (measured[0].cases, measured[0].cells_filled, measured[0].cells) == (42, 10, 10)
    assert [event async for event in recorded_events(session) if isinstance(event, DiversityMeasured)] == measured
    assert measured[0].variety == pytest.approx(report.variety, abs=0.06)


async def test_a_long_run_announces_them_now_and_then(session: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figuring, "MEASURE_EVERY", 0.01)
    model, heard = Scripted(hold=1), asyncio.Queue[DiversityMeasured]()
    session.subscribe(lambda event: heard.put_nowait(event) if isinstance(event, DiversityMeasured) else None)
    run = asyncio.create_task(session.run(model))
    first, second = await heard.get(), await heard.get()
    assert not first.final and not second.final and second.cases >= first.cases
    model.gate.set()
    await run
    while not (last := heard.get_nowait()).final:
        pass
    assert last.cases == 42 and heard.empty()


async def test_figures_that_cannot_be_made_do_not_end_a_run(session: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:
        raise StorageError("The disk is gone.", "Bring it back.")

    monkeypatch.setattr(session._files.store.statistics, "disturbed", broken)
    result = await session.run()
    assert result.accepted == 42
