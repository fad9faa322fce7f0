"""Plan revisions retire slots and bring them back; what is accepted keeps its slot, its id and its attributes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import InputError, PlanError, SessionDamaged
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.store.imports.seed_checkpoint import read_seed_checkpoint
from dsbuilder_tui.view import opening_view
from tests.session.test_planning import recount
from tests.session.test_replay import seen
from tests.support.curating import check
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


async def slots(session: Session, name: str = "category_1") -> tuple[list[int], list[int]]:
    """The filled and the retired slots of a category; its other slots fill the count up."""
    filled = [case.ordinal async for case in session.cases.all() if case.category == name]
    retired = (await session._files.store.slots.retired()).get(name, [])
    assert not set(filled) & set(retired)
    return filled, retired


async def export(session: Session, folder: Path) -> bytes:
    await session.export(folder / "out.jsonl")
    return (folder / "out.jsonl").read_bytes()


async def test_a_lower_count_takes_the_highest_open_slots(make_plan: Plans, make_config: Configs) -> None:
    plan = make_plan(10)
    async with await Session.create(plan, make_config()) as session:
        assert await session.cases.counts() == {"category_1": 0}
        await session.plans.revise(recount(plan, category_1=6))
        assert await slots(session) == ([], [7, 8, 9, 10])
        await session.plans.revise(recount(plan, category_1=8))
        assert await slots(session) == ([], [9, 10])
        await session.plans.revise(recount(plan, category_1=11))
        assert await slots(session) == ([], [])
        assert (await session.run()).state == "complete"
        assert await slots(session) == (list(range(1, 12)), [])
        assert await session.cases.counts() == {"category_1": 11}
        await check(session)


async def test_what_is_accepted_stays_and_gaps_are_kept(make_plan: Plans, make_config: Configs) -> None:
    plan, config = make_plan(8), make_config()
    async with await Session.create(plan, config) as session:
        await session.run()
        whole = {case.case_id: case async for case in session.cases.all()}
        for ordinal in (2, 3, 5):
            await session.cases.withdraw("category_1", ordinal)
        with pytest.raises(PlanError, match=r"holds 5 cases; make it at least 5, or take cases out first \(F2\)"):
            await session.plans.revise(recount(plan, category_1=4))
        await session.plans.revise(recount(plan, category_1=6))
        assert await slots(session) == ([1, 4, 6, 7, 8], [3, 5])
        assert (await session.summary()).state == "paused"
        rejection = next(r for r in await session.rejections.newest() if r.ordinal == 5)
        with pytest.raises(InputError, match="no longer has a place for category_1-00005"):
            await session.cases.keep_rejected(rejection.seq)
        assert (await session.rejections.context(rejection)).attributes == {}
    async with await Session.open(None, config) as session:
        assert (await session.run()).state == "complete"
        assert await slots(session) == ([1, 2, 4, 6, 7, 8], [3, 5])
        for case in [case async for case in session.cases.all()]:
            assert case.tags["attributes"] == whole[case.case_id].tags["attributes"]
        await check(session)
        # Back come the lowest retired ones, then new ones behind all others.
        await session.plans.revise(recount(plan, category_1=7))
        assert (await slots(session))[1] == [5]
        assert (await session.rejections.context(rejection)).attributes == {}
        await session.plans.revise(recount(plan, category_1=9))
        assert (await session.cases.keep_rejected(rejection.seq)).ordinal == 5
        assert (await session.run()).state == "complete"
        assert await slots(session) == ([1, 2, 3, 4, 5, 6, 7, 8, 9], [])
        await check(session)


async def test_exhausted_slots_go_first_and_come_back_fresh(make_plan: Plans, make_config: Configs) -> None:
    plan = make_plan(6)
    async with FakeOpenAI() as fake:
        fake._text = lambda: "Where is my one and only?"  # type: ignore[method-assign]
        config = make_config(base_url=fake.url, batch_size=2, max_attempts=2, max_workers=1)
        async with await Session.create(plan, config) as session:
            assert (await session.run()).exhausted == 5
            (case,) = [case async for case in session.cases.all()]
            await session.plans.revise(recount(plan, category_1=9))
            await session.plans.revise(recount(plan, category_1=6))
            exhausted = sorted(set(range(1, 7)) - {case.ordinal})
            assert (await slots(session))[1] == exhausted[-3:]
            state = await session.summary()
            assert (state.exhausted_slots, state.state) == (2, "paused")
            await session.plans.revise(recount(plan, category_1=4))
            assert (await session.summary()).exhausted_slots == 0
            await check(session)
            await session.plans.revise(recount(plan, category_1=6))
            rejected = (await session.summary()).rejections
            assert (await session.run()).exhausted == 5
            more = sum((await session.summary()).rejections.values()) - sum(rejected.values())
            assert more == 10  # two tries for each of them: those that came back have a fresh set
            del fake._text
            await session.cases.retry_exhausted()
            assert (await session.run()).state == "complete"
            await check(session)


async def test_lowered_and_raised_back_is_the_untouched_dataset(
    tmp_path: Path, make_plan: Plans, make_config: Configs
) -> None:
    plan = make_plan(70, 45)
    async with await Session.create(plan, make_config(max_workers=3)) as session:
        await session.run()
        untouched = await export(session, tmp_path)
    async with await Session.create(plan, make_config(max_workers=4)) as session:
        await session.plans.revise(recount(plan, category_1=7, category_2=0))
        await session.plans.revise(recount(plan, category_1=66, category_2=3))
        await session.plans.revise(plan)
        await session.run()
        assert await export(session, tmp_path) == untouched


async def test_the_same_revisions_make_the_same_dataset_whatever_the_workers(
    tmp_path: Path, make_plan: Plans, make_config: Configs
) -> None:
    plan, found = make_plan(40, 30), []
    for workers in (1, 5):
        async with await Session.create(plan, make_config(max_workers=workers)) as session:
            await session.run()
            for ordinal in range(3, 40, 4):
                await session.cases.withdraw("category_1", ordinal)
            await session.plans.revise(recount(plan, category_1=33, category_2=50))
            assert (await session.run()).state == "complete"
            found.append(await export(session, tmp_path))
    assert found[0] == found[1] and found[0].count(b"\n") == 83


async def test_a_category_that_comes_back_has_its_past(make_plan: Plans, make_config: Configs) -> None:
    plan = make_plan(5, 4)
    async with await Session.create(plan, make_config()) as session:
        await session.run()
        with pytest.raises(PlanError, match="'category_2' holds 4 cases and must stay; its count can be lowered to 4"):
            await session.plans.revise(recount(plan, category_2=0))
        for ordinal in range(1, 5):
            await session.cases.withdraw("category_2", ordinal)
        before = (await session.summary()).categories["category_2"]
        await session.plans.revise(recount(plan, category_2=0))
        assert (await session.settle()).state == "complete"
        assert await session.cases.counts() == {"category_1": 5}
        await session.plans.revise(recount(plan, category_2=2))
        assert (await session.summary()).categories["category_2"] == {**before, "planned": 2}
        assert await slots(session, "category_2") == ([], [3, 4])
        assert (await session.run()).state == "complete"
        gone = {r.text for r in await session.rejections.newest() if r.stage == "person"}
        assert not gone & {case.inputs["query"] async for case in session.cases.all()}
        await check(session)


def named(plan: DatasetPlanInput, **names: str) -> DatasetPlanInput:
    data = plan.model_dump(mode="json")
    for category in data["categories"]:
        category["name"] = names.get(category["name"], category["name"])
    return DatasetPlanInput.model_validate(data)


async def test_a_category_can_have_another_name_before_its_first_case(make_plan: Plans, make_config: Configs) -> None:
    plan, config = make_plan(4, 4), make_config()
    async with await Session.create(plan, config) as session:
        await session.plans.revise(recount(plan, category_1=2))
        swapped = {"category_1": "category_2", "category_2": "category_1"}
        await session.plans.revise(named(session.plan, **swapped), renamed=swapped)
        assert await slots(session, "category_2") == ([], [3, 4]), "it is the same category under another name"
        await session.plans.revise(named(session.plan, category_1="orders"), renamed={"category_1": "orders"})
        await session.plans.revise(named(session.plan, orders="category_1"), renamed={"orders": "category_1"})
    async with await Session.open(None, config) as session:
        assert (await session.run()).accepted == 6
        wanted = {"category_1": "new", "nobody": "category_2"}
        with pytest.raises(PlanError) as caught:
            await session.plans.revise(named(session.plan, category_1="new"), renamed=wanted)
        assert caught.value.problems[0] == (
            "renamed: 'category_1' must keep its name (the ids of its 4 cases carry its name)"
        )
        assert "no category 'nobody'" in caught.value.problems[1]
        for old, new, words in (
            ("category_1", "category_2", "'category_2' is another category already"),
            ("category_1", "third", "the new plan has no category 'third'"),
        ):
            with pytest.raises(PlanError, match=words):
                await session.plans.revise(session.plan, renamed={old: new})
        for ordinal in range(1, 5):
            await session.cases.withdraw("category_1", ordinal)
        with pytest.raises(PlanError, match="must keep its name"):
            await session.plans.revise(named(session.plan, category_1="new"), renamed={"category_1": "new"})


async def test_a_new_name_keeps_the_rejections(make_plan: Plans, make_config: Configs) -> None:
    plan, told = make_plan(3), list[Event]()
    async with FakeOpenAI(rates={"malformed": 1.0}) as fake:
        config = make_config(base_url=fake.url, batch_size=2, max_attempts=2)
        async with await Session.create(plan, config) as session:
            session.subscribe(told.append)
            assert (await session.run()).exhausted == 3
            renamed = {"category_1": "orders"}
            await session.plans.revise(named(plan, category_1="orders"), renamed=renamed)
            counts = (await session.summary()).categories["orders"]
            assert (counts["exhausted"], counts["rejected"] > 0) == (3, True)
            assert {r.category for r in await session.rejections.newest()} == {"orders"}
            again = [event async for event in recorded_events(session)]
            kinds = ("case_rejected", "slot_exhausted", "batch_finished", "plan_revised")
            assert {e.category for e in again if e.type in kinds[:3]} == {"category_1"}  # type: ignore[attr-defined]
            assert [e.facts() for e in again if e.type in kinds] == [e.facts() for e in told if e.type in kinds]
            await session.plans.revise(recount(session.plan, orders=0, other=3))
            with pytest.raises(PlanError, match="'orders' was a category before"):
                await session.plans.revise(named(session.plan, other="orders"), renamed={"other": "orders"})


async def test_a_replay_ends_where_the_session_stands(make_plan: Plans, make_config: Configs) -> None:
    plan = make_plan(9, 5)
    async with FakeOpenAI() as fake:
        fake._text = lambda: "Where is my one and only?"  # type: ignore[method-assign]
        async with await Session.create(plan, make_config(base_url=fake.url, batch_size=3, max_attempts=2)) as session:
            assert (await session.run()).exhausted == 13
            await session.plans.revise(recount(plan, category_1=4, category_2=9))
            assert (await session.summary()).exhausted_slots == 8
            view = seen([event async for event in recorded_events(session)])
            now = opening_view(await session.summary())
            assert (view.planned, view.accepted, view.exhausted, view.rejected, view.categories) == (
                now.planned, now.accepted, now.exhausted, now.rejected, now.categories
            )  # fmt: skip


async def test_the_seed_format_keeps_ids(tmp_path: Path, make_plan: Plans, make_config: Configs) -> None:
    plan = make_plan(12, 3)
    path = tmp_path / "kept_checkpoint.json"
    async with await Session.create(plan, make_config(seed=5)) as session:
        await session.run()
        for ordinal in (1, 2, 3, 7):
            await session.cases.withdraw("category_1", ordinal)
        await session.export(path)
        assert b"retired_slots" not in path.read_bytes()
        await session.plans.revise(recount(plan, category_1=9))
        await session.export(path)
        ids = [case.case_id async for case in session.cases.all()]
        lost = await slots(session)
    seed = read_seed_checkpoint(path)
    assert seed.retired == {"category_1": [2, 3, 7]}
    async with await Session.import_dataset(path, make_config()) as session:
        assert [case.case_id async for case in session.cases.all()] == ids
        assert await slots(session) == lost
        assert (await session.run()).state == "complete"
        assert (await slots(session))[0] == [1, 4, 5, 6, 8, 9, 10, 11, 12]


@pytest.mark.parametrize("bad", [[], {"category_1": [[0, 2]]}, {"category_1": [[3, 2]]}, {"category_1": [[1, 10**12]]}, {"category_1": [["1", 2]]}, {"category_1": [[40, 41]]}, {"category_1": 7}, {"category_1": [[-(10**12), 3]]}])  # fmt: skip
async def test_retired_slots_that_cannot_be(
    bad: object, tmp_path: Path, make_plan: Plans, make_config: Configs
) -> None:
    import orjson

    path = tmp_path / "bad_checkpoint.json"
    plan = make_plan(4).model_dump(mode="json")
    data = {"dataset_name": "x", "dataset_plan": plan, "created_instances": [], "retired_slots": bad}
    path.write_bytes(orjson.dumps(data))
    if bad == []:
        assert read_seed_checkpoint(path).retired == {}
        return
    with pytest.raises(InputError, match="retired_slots does not fit the plan"):
        read_seed_checkpoint(path)


async def test_a_revision_that_fails_halfway_changes_nothing(make_plan: Plans, make_config: Configs) -> None:
    plan, config = make_plan(10, 6), make_config()
    async with await Session.create(plan, config) as session:
        await session.run()
        for ordinal in (2, 5, 8):
            await session.cases.withdraw("category_1", ordinal)
    trigger = "BEFORE INSERT ON main.retired_slot WHEN new.ordinal < 5 BEGIN SELECT raise(abort, 'no'); END"
    async with await Session.open(None, config) as session:
        await session._files.store.connection.write(lambda db: db.execute(f"CREATE TEMP TRIGGER no {trigger}"))
        await session.plans.revise(recount(plan, category_1=9, category_2=7))
        plan, progress = session.plan, await session._files.store.progress.by_category()
        with pytest.raises(SessionDamaged):
            await session.plans.revise(recount(plan, category_1=7, category_2=20, third=4))
        assert (session.plan, session.plans.revision) == (plan, 2)
        assert await session._files.store.plans.at(None) == (2, plan)
        assert await session._files.store.slots.retired() == {"category_1": [8]}
        assert await session._files.store.progress.by_category() == progress
        assert await session.plans.revise(recount(plan, category_1=12)) == 3
        assert (await session.run()).state == "complete"
