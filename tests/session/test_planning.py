"""The conversation of a session, and revisions of its plan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import InputError, PlanError
from dsbuilder_tui.domain.events import Event, MessageAdded, PlanRevised
from dsbuilder_tui.domain.message import MessageRole, NoticeContent
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


def recount(plan: DatasetPlanInput, **counts: int) -> DatasetPlanInput:
    """The plan with other counts; 0 takes a category out, a new name puts one in."""
    data = plan.model_dump(mode="json")
    known = {category["name"]: category for category in data["categories"]}
    model = data["categories"][0]
    for name, count in counts.items():
        known[name] = {**known.get(name, {**model, "name": name}), "count": count}
    data["categories"] = [category for category in known.values() if category["count"]]
    data["total_instances"] = None
    return DatasetPlanInput.model_validate(data)


async def test_messages_and_the_draft_survive(make_plan: Plans, make_config: Configs) -> None:
    events: list[Event] = []
    async with await Session.create(make_plan(3), make_config()) as session:
        session.subscribe(events.append)
        assert (session.chat.draft, await session.chat.messages()) == ("", [])
        first = await session.chat.add(MessageRole.PERSON, "Make it \ud800 café \x1b[2J")
        await session.run()
        await session.chat.add(MessageRole.DSBUILDER, "Done", NoticeContent.model_validate({"cases": 3}))
        await session.chat.save_draft("half a sen")
    async with await Session.open(None, make_config()) as session:
        assert session.chat.draft == "half a sen"
        messages = await session.chat.messages()
        assert [(m.role, m.kind, m.text, m.content.data()) for m in messages] == [
            ("person", "text", "Make it \ufffd café \x1b[2J", {}), ("dsbuilder", "notice", "Done", {"cases": 3}),
        ]  # fmt: skip
        assert messages[0] == first and await session.chat.messages(1) == messages[1:]
        third = await session.chat.add(MessageRole.AGENT, "Again")
        assert third.seq > messages[1].seq
    told = [event for event in events if isinstance(event, MessageAdded)]
    assert [event.message for event in told] == messages


async def test_before_any_case_the_plan_can_become_anything(make_plan: Plans, make_config: Configs) -> None:
    plan = make_plan(5, 5)
    events: list[Event] = []
    async with await Session.create(plan, make_config(max_dataset_size=50)) as session:
        session.subscribe(events.append)
        assert session.plans.revision == 1
        other = recount(plan, category_1=0, category_2=2, third=9)
        assert await session.plans.revise(other) == 2
        assert await session.plans.revise(other) == 2, "the same plan is no new revision"
        with pytest.raises(PlanError, match="max_dataset_size"):
            await session.plans.revise(recount(plan, category_1=60))
        assert (session.plan, session.plans.revision) == (other, 2)
        assert (await session.summary()).state == "new"
        assert (await session.run()).accepted == 11
        assert (await session.checkpoints.all())[0].reason == "plan"
    async with await Session.open(None, make_config()) as session:
        assert (session.plan, session.plans.revision) == (other, 2)
        assert (await session.summary()).categories["third"]["accepted"] == 9
    revised = [event for event in events if isinstance(event, PlanRevised)]
    zero = {"accepted": 0, "rejected": 0, "exhausted": 0}
    assert [(e.revision, e.planned, e.categories) for e in revised] == [
        (2, 11, {"category_2": {"planned": 2, **zero}, "third": {"planned": 9, **zero}})
    ]


async def test_later_no_case_may_lose_its_place(make_plan: Plans, make_config: Configs) -> None:
    plan = make_plan(6, 4)
    config = make_config()
    async with await Session.create(plan, config) as session:
        await session.run()
        with pytest.raises(PlanError) as caught:
            await session.plans.revise(recount(plan, category_1=5, category_2=0, third=3))
        assert len(caught.value.problems) == 2
        assert "at least 6" in caught.value.problems[0] and "'category_2' holds 4 cases" in caught.value.problems[1]
        assert session.plans.revision == 1
        assert await session.plans.revise(recount(plan, category_1=8, third=3)) == 2
        state = await session.summary()
        assert (state.state, state.instances_created, state.total_instances_planned) == ("paused", 10, 15)
    async with await Session.open(None, config) as session:
        assert (await session.run()).state == "complete"
        assert [c.case_id async for c in session.cases.all()][5:8] == [f"category_1-0000{n}" for n in (6, 7, 8)]
        assert await session.plans.revise(recount(session.plan, category_1=8, third=3)) == 2
        assert (await session.summary()).state == "complete"


async def test_slots_the_plan_no_longer_has_are_no_longer_exhausted(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        fake._text = lambda: "Where is my one and only?"  # type: ignore[method-assign]
        plan = make_plan(4, 2)
        config = make_config(base_url=fake.url, batch_size=4, max_attempts=2, max_workers=1)
        async with await Session.create(plan, config) as session:
            assert (await session.run()).exhausted == 5  # a text that stands in one category is taken in the other too
            highest = max([case.ordinal async for case in session.cases.all() if case.category == "category_1"])
            await session.plans.revise(recount(plan, category_1=max(1, highest), category_2=2))
            state = await session.summary()
            assert state.exhausted_slots == state.total_instances_planned - 1
            assert state.state == ("short" if state.exhausted_slots else "complete")
            await session.plans.revise(recount(plan, category_1=4, category_2=2))
            state = await session.summary()
            assert state.state == "paused"
            del fake._text
            assert (await session.run()).accepted + state.exhausted_slots == 6
            await session.cases.retry_exhausted()
            assert (await session.run()).state == "complete"


async def test_a_plan_is_not_revised_while_it_runs(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(rates={"hang": 1.0}) as fake:
        plan = make_plan(4)
        async with await Session.create(plan, make_config(base_url=fake.url, drain_timeout=0)) as session:
            running = asyncio.create_task(session.run())
            while not fake.in_flight:
                await asyncio.sleep(0.01)
            with pytest.raises(InputError, match="Pause it first"):
                await session.plans.revise(recount(plan, category_1=9))
            await session.pause()
            await running
            assert await session.plans.revise(recount(plan, category_1=9)) == 2
