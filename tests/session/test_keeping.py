"""A rejected candidate that a person keeps after all: in each situation its slot can be in."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.case import Rejection
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.view import RunView, reduce
from tests.support.curating import check, texts, told
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]
C = "category_1"


async def rejected(session: Session) -> Rejection:
    return next(r for r in await session.rejections.newest() if r.candidate)


async def test_kept_where_nothing_is_or_the_slot_was_exhausted(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        fake._text = lambda: "Where is my one and only?"  # type: ignore[method-assign]
        config = make_config(base_url=fake.url, batch_size=2, max_attempts=2, max_workers=1)
        events: list[Event] = []
        async with await Session.create(make_plan(3), config) as session:
            assert (await session.run()).exhausted == 2
            session.subscribe(events.append)
            first, second = {r.ordinal: r for r in await session.rejections.newest()}.values()
            # Exhausted.
            case = await session.cases.keep_rejected(first.seq)
            assert (case.ordinal, case.inputs) == (first.ordinal, {"query": "Where is my one and only?"})
            await check(session)
            state = await session.summary()
            assert (state.state, state.instances_created, state.exhausted_slots) == ("short", 2, 1)
            with pytest.raises(InputError, match="says this already"):
                await session.cases.keep_rejected(first.seq)
            # Open; with it all slots are filled, and the session is complete.
            await session.cases.retry_exhausted()
            await session.cases.keep_rejected(second.seq)
            await check(session)
            state = await session.summary()
            assert (state.state, state.instances_created, state.exhausted_slots) == ("complete", 3, 0)
        assert [e["accepted"] for e in told(events, "case_accepted")] == [2, 3]
        async with await Session.open(None, config) as session:
            assert (await session.summary()).state == "complete"
            view = RunView()
            async for event in recorded_events(session):
                view = reduce(view, event)
            assert view.accepted == 3


async def test_kept_in_place_of_a_later_case(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(duplicate_rate=0.5, seed=2) as fake:
        config = make_config(base_url=fake.url, batch_size=3, max_attempts=30, max_workers=1)
        events: list[Event] = []
        async with await Session.create(make_plan(12), config) as session:
            assert (await session.run()).state == "complete"
            session.subscribe(events.append)
            rejection = await rejected(session)
            context = await session.rejections.context(rejection)
            assert context.successor is not None
            slot = (C, rejection.ordinal)
            await session.cases.annotate(*slot, pinned=True)
            with pytest.raises(InputError, match="pinned"):
                await session.cases.keep_rejected(rejection.seq)
            await session.cases.annotate(*slot, pinned=False)
            case = await session.cases.keep_rejected(rejection.seq)
            assert case.batch == rejection.batch and await session.cases.get(*slot) == case
            await check(session)
            assert (await session.summary()).state == "complete"
            assert told(events, "case_edited")[-1]["change"] == "kept" and not told(events, "case_accepted")
            past = [event async for event in recorded_events(session)]
            assert [e.facts() for e in past if e.type == "case_edited"] == told(events, "case_edited")
            assert sum(e.type == "case_accepted" for e in past) == 12
            with pytest.raises(InputError, match="no rejection"):
                await session.cases.keep_rejected(9999)
        plain = sqlite3.connect(session.folder / "session.db")
        assert plain.execute("SELECT seq, replaced_by FROM withdrawn_case").fetchall() == [
            (context.successor.seq, case.seq)
        ]
        plain.close()


@pytest.mark.usefixtures("answers_held_back")
async def test_not_kept_while_its_slot_is_written_again(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        lines = iter(["First text", "First text", "Second text"])
        fake._text = lines.__next__  # type: ignore[method-assign]
        config = make_config(base_url=fake.url, batch_size=1, max_workers=1)
        async with await Session.create(make_plan(2), config) as session:

            def watch(event: Event) -> None:
                if event.type == "batch_started" and event.attempt == 1:  # type: ignore[attr-defined]
                    fake.gate = asyncio.Event()

            session.subscribe(watch)
            running = asyncio.create_task(session.run())
            while fake.gate is None or not fake.in_flight:
                await asyncio.sleep(0.01)
            rejection = await rejected(session)
            with pytest.raises(InputError, match=r"category_1-00002 is being written again right now.*pause"):
                await session.cases.keep_rejected(rejection.seq)
            fake.gate.set()
            assert (await running).state == "complete"
            assert await texts(session) == ["First text", "Second text"]


async def test_kept_during_a_run(make_plan: Plans, make_config: Configs) -> None:
    """Whatever state its slot is in by then: kept, or refused with a reason, and the counts stay exact."""
    async with FakeOpenAI(duplicate_rate=0.4, seed=8, latency=0.002) as fake:
        config = make_config(base_url=fake.url, batch_size=4, max_workers=4, max_attempts=2)
        async with await Session.create(make_plan(60), config) as session:
            acts: list[asyncio.Task[Any]] = []

            def watch(event: Event) -> None:
                if event.type in ("case_rejected", "slot_exhausted") and len(acts) < 30:
                    seq = getattr(event, "seq", None)
                    if seq and event.stage == "structural":  # type: ignore[attr-defined]
                        acts.append(asyncio.create_task(session.cases.keep_rejected(seq)))

            session.subscribe(watch)
            await session.run()
            ends = await asyncio.gather(*acts, return_exceptions=True)
            assert all(isinstance(end, InputError) for end in ends if isinstance(end, BaseException)), ends
            assert sum(not isinstance(end, BaseException) for end in ends) > 3
            await check(session)
            state = await session.summary()
            assert state.instances_created + state.exhausted_slots == 60
            if state.exhausted_slots:
                await session.cases.retry_exhausted()
                await session.settings.set("max_attempts", 30)
            await session.run()
            assert (await session.summary()).state == "complete"
            await check(session)


async def test_a_candidate_that_was_no_case_cannot_be_kept(make_plan: Plans, make_config: Configs) -> None:
    async with (
        FakeOpenAI(script=["wrong_types"]) as fake,
        await Session.create(make_plan(3), make_config(base_url=fake.url)) as session,
    ):
        await session.run()
        rejection = (await session.rejections.newest())[0]
        with pytest.raises(InputError, match="no whole case"):
            await session.cases.keep_rejected(rejection.seq)


async def test_a_candidate_of_an_earlier_plan_cannot_be_kept(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        fake._text = lambda: "Where is my one and only?"  # type: ignore[method-assign]
        plan = make_plan(2, 2)
        config = make_config(base_url=fake.url, batch_size=2, max_attempts=1, max_workers=1)
        async with await Session.create(plan, config) as session:
            await session.run()
            by_slot = {(r.category, r.ordinal): r for r in await session.rejections.newest()}
            data = plan.model_dump(mode="json")
            smaller = [{**category, "count": 1} for category in data["categories"]]
            await session.plans.revise(DatasetPlanInput(dataset_name="support", categories=smaller))
            with pytest.raises(InputError, match="no longer has a place"):
                await session.cases.keep_rejected(by_slot[C, 2].seq)
            other = {
                **data,
                "input_fields": ["question"],
                "categories": [{**c, "example_inputs": ["x"]} for c in data["categories"]],
            }
            await session.plans.revise(DatasetPlanInput.model_validate(other))
            with pytest.raises(InputError, match="other fields"):
                await session.cases.keep_rejected(by_slot[C, 2].seq)
