"""Cases of one branch taken over into another: through the gate, whole or not at all, and undone by a rewind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.errors import InputError, PlanError
from dsbuilder_tui.domain.events import BranchMerged, Event
from tests.session.test_branches import _PLAN, plan, sound, state

Configs = Callable[..., DatasetBuilderConfig]
NEW = {"name": "vip", "description": "customers of the first class", "count": 6}


async def two_branches(session: Session, at: int = 10) -> int:
    """Finish on ``main``, and then, with another seed's words, on ``other`` from the checkpoint of so many cases on."""
    await session.run()
    point = next(point for point in await session.checkpoints.all() if point.accepted == at)
    await session.branches.fork(point.id, "other")
    return point.id


async def text_of(session: Session, name: str) -> Any:
    category, _, ordinal = name.rpartition("-")
    case = await session.cases.get(category, int(ordinal))
    return None if case is None else (case.inputs, case.expectations, case.tags)


async def test_open_slots_are_filled_and_a_rewind_takes_it_back(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=3)) as session:
        await two_branches(session)
        whole = {case.case_id: (case.inputs, case.expectations) async for case in session.cases.all()}
        await session.branches.switch("other")
        then = await state(session)
        seen: list[Event] = []
        session.subscribe(seen.append)
        found = await session.branches.merge("main")
        assert (len(found.came), found.shared, found.edited, found.turned_away) == (40, 10, (), ())
        assert all(there == here for there, here in found.came.items())
        assert {case.case_id: (case.inputs, case.expectations) async for case in session.cases.all()} == whole
        summary = await session.summary()
        assert (summary.state, summary.instances_created, summary.total_instances_planned) == ("complete", 50, 50)
        (told,) = (event for event in seen if isinstance(event, BranchMerged))
        assert (told.branch, told.merged, told.came, told.accepted) == ("other", "main", 40, 50)
        assert (await session.branches.current()).accepted == 50
        again = await session.branches.merge("main")
        assert (again.came, again.shared, again.checkpoint) == ({}, 50, None)
        await sound(session)
        assert found.checkpoint is not None
        await session.branches.rewind(found.checkpoint, keep_as="merged")
        assert await state(session) == then
        await session.branches.switch("merged")
        assert (await session.summary()).instances_created == 50
        await sound(session)
        json.dumps(found.as_dict())


async def test_slots_that_are_taken_and_cases_that_repeat(make_config: Configs) -> None:
    """Two writers have filled the same slots: what is new gets slots of its own, what repeats is turned away and told."""
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=3)) as session:
        point = await two_branches(session)
        await session.branches.switch("other")
        await session.run()  # the built-in writer writes the same for the same slots
        there = [case async for case in session.cases.all()]
        parted = (await session.checkpoints.at(point)).seq
        first, second = [case for case in there if case.seq > parted][:2]
        unlike = "Could a violinist from Trieste borrow four umbrellas until the lighthouse closes?"
        await session.cases.withdraw(second.category, second.ordinal)
        await session.cases.edit(first.category, first.ordinal, {"query": unlike}, first.expectations)
        await session.cases.annotate(first.category, first.ordinal, note="mine", pinned=True)
        await session.branches.switch("main")
        before = {case.case_id: case.inputs async for case in session.cases.all()}
        found = await session.branches.merge("other")
        assert list(found.came) == [first.case_id] and found.came[first.case_id] == "refunds-00031"
        assert found.turned_away == () and found.shared == 48  # what says the same in the same slot is here
        inputs, _, tags = await text_of(session, "refunds-00031")
        assert inputs == {"query": unlike} and (tags["note"], tags["pinned"]) == ("mine", True)
        assert session.plan.category("refunds").count == 31 and (await session.summary()).state == "complete"
        now = {case.case_id: case.inputs async for case in session.cases.all()}
        assert {name: now[name] for name in before} == before
        await sound(session)
        repeated = await session.branches.merge("other", [first.case_id])
        assert repeated.came == {} and repeated.checkpoint is None
        ((case, stage, nearest),) = ((t.case_id, t.stage, t.nearest) for t in repeated.turned_away)
        assert (case, stage, nearest) == (first.case_id, "structural", "refunds-00031")
        with pytest.raises(InputError, match="refunds-00999"):
            await session.branches.merge("other", ["refunds-00999"])


async def test_edits_of_one_side_are_taken_and_of_both_are_told(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=3)) as session:
        point = await two_branches(session)
        one, both, here = (await session.checkpoints.preview(point)).cases[:3]
        for case, text in (
            (both, "What we made of it here, after some thought?"),
            (here, "This was changed here alone, was it?"),
        ):
            await session.cases.edit(case.category, case.ordinal, {"query": text}, case.expectations)
        await session.branches.switch("other")
        for case, text in (
            (one, "A better question that was found later on?"),
            (both, "What others made of it elsewhere?"),
        ):
            await session.cases.edit(case.category, case.ordinal, {"query": text}, case.expectations)
        await session.branches.switch("main")
        found = await session.branches.merge("other")
        assert (found.came, found.edited) == ({}, (one.case_id,))
        assert [(t.case_id, t.nearest) for t in found.turned_away] == [(both.case_id, both.case_id)]
        assert (await text_of(session, one.case_id))[0] == {"query": "A better question that was found later on?"}
        assert (await text_of(session, here.case_id))[0] == {"query": "This was changed here alone, was it?"}
        assert (await session.cases.history(one.category, one.ordinal))[-1].data["branch"] == "other"
        assert (await session.cases.get(one.category, one.ordinal)).seq == one.seq  # type: ignore[union-attr]
        assert found.checkpoint is not None
        await session.branches.rewind(found.checkpoint)
        assert (await text_of(session, one.case_id))[0] == one.inputs
        await sound(session)


async def test_a_category_comes_along_with_its_cases_and_chosen_ones_alone(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=3)) as session:
        await two_branches(session)
        await session.branches.switch("other")
        await session.plans.revise(plan(categories=[*_PLAN["categories"], NEW]))  # type: ignore[misc]
        await session.run()
        await session.branches.switch("main")
        seen: list[Event] = []
        session.subscribe(seen.append)
        found = await session.branches.merge("other", ["vip-00002", "vip-00005"])
        assert found.came == {"vip-00002": "vip-00001", "vip-00005": "vip-00002"}
        assert session.plan.category("vip").count == 2 and session.plans.revision == (await session.plans.at(2**62))[0]
        assert (await session.summary()).state == "complete"
        (told,) = (event for event in seen if isinstance(event, BranchMerged))
        assert told.categories["vip"]["accepted"] == 2 and told.planned == 52
        await session.branches.merge("other")
        assert session.plan.category("vip").count == 6 and (await session.summary()).instances_created == 56
        await sound(session)
    async with await Session.open("there", make_config(max_dataset_size=57)) as session:
        assert session.plan.total_instances == 56
        await session.branches.fork((await session.checkpoints.all())[0].id, "empty")
        assert (await session.branches.merge("empty")).came == {}


async def test_what_cannot_be_merged_is_said_and_changes_nothing(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=3)) as session:
        await two_branches(session)
        then = await state(session)
        for name in ("main", "nowhere"):
            with pytest.raises(InputError, match=name):
                await session.branches.merge(name)
        assert await state(session) == then


async def test_a_merge_that_the_disk_refuses_changes_nothing(
    make_config: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=3)) as session:
        await two_branches(session)
        await session.branches.switch("other")
        then, telling = await state(session), session._files.store.branches._tell
        monkeypatch.setattr(session._files.store.branches, "_tell", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await session.branches.merge("main")
        assert await state(session) == then
        monkeypatch.setattr(session._files.store.branches, "_tell", telling)
        assert len((await session.branches.merge("main")).came) == 40
        await sound(session)


async def test_more_cases_than_there_may_be(make_config: Configs) -> None:
    async with await Session.create(
        plan(), make_config(checkpoint_interval=10, seed=3, max_dataset_size=50)
    ) as session:
        await two_branches(session)
        await session.branches.switch("other")
        await session.run()
        case = (await session.cases.page(45, 1))[0]
        await session.cases.edit(
            case.category, case.ordinal, {"query": "An entirely other thing than all of these, is it?"}, {}
        )
        await session.branches.switch("main")
        then = await state(session)
        with pytest.raises(PlanError, match="max_dataset_size"):
            await session.branches.merge("other")
        assert await state(session) == then
