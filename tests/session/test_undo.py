"""Undo and redo: every kind of act there and back, several at once, after a restart, while workers write."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.case import Exhausted, Rejection
from dsbuilder_tui.domain.errors import InputError, PlanError
from dsbuilder_tui.domain.events import CaseAccepted, Event
from dsbuilder_tui.domain.undo import ActKind, Actor, ActOutdated, ActState, NothingToUndo
from dsbuilder_tui.session.acting import one_step
from dsbuilder_tui.store.rows import Changes
from tests.session.test_branches import _PLAN, plan, run_until, sound
from tests.support.curating import check, run_to_the_end
from tests.support.undoing import replayed, snapshot

Configs = Callable[..., DatasetBuilderConfig]


def larger() -> Any:
    return plan(
        categories=[{**_PLAN["categories"][0], "count": 33}, _PLAN["categories"][1], {"name": "more", "count": 4}]
    )


def smaller() -> Any:
    """With room for all cases but the slot that was given up."""
    return plan(categories=[{**_PLAN["categories"][0], "count": 29}, _PLAN["categories"][1]])


async def test_every_kind_of_act_there_and_back(make_config: Configs) -> None:
    events: list[Event] = []
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=3)) as session:
        await run_until(session, 20)
        session.subscribe(events.append)
        cases = await session.cases.page(0, 20, category="refunds")
        first, second, third = cases[:3]
        point = (await session.checkpoints.all())[0]

        acts: list[tuple[ActKind, Callable[[], Awaitable[Any]]]] = [
            (ActKind.CASE_EDITED, lambda: session.cases.edit("refunds", first.ordinal, {"query": "Money back?"}, {})),
            (ActKind.CASE_PINNED, lambda: session.cases.annotate("refunds", first.ordinal, pinned=True)),
            (ActKind.CASE_NOTED, lambda: session.cases.annotate("refunds", first.ordinal, note="look")),
            (ActKind.CASE_REJECTED, lambda: session.cases.withdraw("refunds", second.ordinal, "not this one")),
            (ActKind.CASE_UNPINNED, lambda: session.cases.annotate("refunds", first.ordinal, pinned=False)),
            (ActKind.PLAN, lambda: session.plans.revise(larger())),
            (ActKind.SETTINGS, lambda: session.settings.set("budget", 3.5)),
            (ActKind.SETTINGS, lambda: session.settings.change({"near_threshold": 0.8, "max_workers": 2})),
            (ActKind.SETTINGS, lambda: session.settings.set("budget", None)),
            (ActKind.CHECKPOINT_NAMED, lambda: session.checkpoints.rename(point.id, "here", "a note")),
            (ActKind.BRANCH_RENAMED, lambda: session.branches.rename("main", "trunk")),
            (ActKind.SESSION_RENAMED, lambda: session.rename("elsewhere")),
            (ActKind.REWOUND, lambda: session.branches.rewind(point.id)),
            (ActKind.CASE_REJECTED, lambda: session.cases.withdraw("refunds", third.ordinal, "nor this")),
            (ActKind.BRANCH_FORKED, lambda: session.branches.fork(point.id, "try")),
            (ActKind.BRANCH_SWITCHED, lambda: session.branches.switch("try")),
            (ActKind.CASE_EDITED, lambda: session.cases.edit("refunds", first.ordinal, {"query": "On a branch"}, {})),
        ]
        states = [await snapshot(session)]
        for kind, act in acts:
            await act()
            states.append(await snapshot(session))
            newest = (await session.undo_log.listing(1))[0]
            assert [one.kind for one in newest.acts] == [kind] and newest.state is ActState.DONE
        for place in range(len(acts) - 1, -1, -1):
            result = await session.undo_log.undo()
            assert [one.kind for one in result.steps[0].acts] == [acts[place][0]]
            assert await snapshot(session) == states[place], acts[place][0]
        await sound(session)
        with pytest.raises(NothingToUndo):
            await session.undo_log.undo()
        for place, (kind, _) in enumerate(acts, 1):
            result = await session.undo_log.redo()
            assert await snapshot(session) == states[place], kind
        await sound(session)
        with pytest.raises(NothingToUndo):
            await session.undo_log.redo()
        result = await session.undo_log.undo(len(acts))
        assert len(result.steps) == len(acts) and await snapshot(session) == states[0]
        assert result.words.startswith("Undid: edited refunds-")
        name = session.id
    async with await Session.open(name, make_config()) as session:
        assert await snapshot(session) == {**states[0], "layers": (await snapshot(session))["layers"]}
        await session.undo_log.redo(len(acts))
        assert await snapshot(session) == {**states[-1], "layers": (await snapshot(session))["layers"]}
    assert "act_undone" in {event.type for event in events}


async def test_what_was_kept_the_first_plan_a_merge_and_given_up_slots(make_config: Configs) -> None:
    async with await Session.begin("nothing yet", make_config(seed=3, checkpoint_interval=10)) as session:

        async def there_and_back(kind: ActKind, act: Callable[[], Awaitable[Any]]) -> None:
            before = await snapshot(session)
            await act()
            after = await snapshot(session)
            assert before != after, kind
            (step,) = (await session.undo_log.undo()).steps
            assert step.acts[-1].kind is kind and await snapshot(session) == before, kind
            await session.undo_log.redo()
            assert await snapshot(session) == after, kind
            await sound(session)

        async def adopt() -> None:
            with one_step(Actor.AGENT):
                await session.plans.revise(plan())
                await session.take_name_of_plan()

        await there_and_back(ActKind.SESSION_RENAMED, adopt)
        step = (await session.undo_log.listing())[0]
        assert (step.actor, len(step.acts)) == (Actor.AGENT, 2) and session.id == "there"
        assert step.words == "took on the plan of 50 cases, renamed the session nothing_yet to there"
        await session.run()
        case = (await session.cases.page(3, 1, category="refunds"))[0]
        await session.cases.withdraw("refunds", case.ordinal, "no")
        turned = (await session.rejections.newest(1))[0]
        await there_and_back(ActKind.CASE_KEPT, lambda: session.cases.keep_rejected(turned.seq))
        await session.undo_log.undo()
        await give_up(session, "refunds", case.ordinal)
        await there_and_back(ActKind.CASE_KEPT, lambda: session.cases.keep_rejected(turned.seq))
        await session.undo_log.undo()
        await there_and_back(ActKind.SLOTS_REOPENED, session.cases.retry_exhausted)
        await session.undo_log.undo()
        await there_and_back(ActKind.PLAN, lambda: session.plans.revise(smaller()))
        await session.undo_log.undo()
        point = (await session.checkpoints.save()).id
        other = (await session.cases.page(0, 1, category="refunds"))[0]
        await session.cases.edit("refunds", other.ordinal, {"query": "This is not what the other branch says"}, {})
        await session.branches.rewind(point, keep_as="whole")
        await there_and_back(ActKind.MERGED, lambda: session.branches.merge("whole"))
        assert (await replayed(session)).categories["refunds"].planned == 30


async def give_up(session: Session, category: str, ordinal: int) -> None:
    """Have an open slot exhausted, as a run does after too many rejections."""
    store, now = session._files.store, session.clock.now()
    turned = Rejection(
        seq=store.next_seq(), category=category, ordinal=ordinal, attempt=9, stage="near", reason="again", text="again",
        created_at=now,
    )  # fmt: skip
    gone = Exhausted(turned.seq, category, ordinal, 9, "again")
    await store.commit(Changes(rejected=[turned], exhausted=[gone]))
    await session.settle()


async def test_something_else_done_cuts_what_was_undone_and_what_has_moved_on_is_said(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(seed=3, checkpoint_interval=10)) as session:
        await run_until(session, 12)
        first, second, third = (await session.cases.page(0, 3))[:3]
        await session.cases.annotate("refunds", first.ordinal, pinned=True)
        await session.cases.withdraw("refunds", second.ordinal, "no")
        await session.undo_log.undo(2)
        await session.cases.annotate("refunds", third.ordinal, note="look")
        with pytest.raises(NothingToUndo, match="nothing to redo"):
            await session.undo_log.redo()
        assert [step.words for step in await session.undo_log.listing()] == [f"wrote a note on {third.case_id}"]
        # A judge, or a partner, writes into the tags: an undo takes off its own alone.
        now = await session.cases.get("refunds", third.ordinal)
        assert now is not None
        await session._files.store.commit(Changes(edited=[replace(now, tags={**now.tags, "seen": True})]))
        await session.undo_log.undo()
        assert (await session.cases.get("refunds", third.ordinal)).tags == {**third.tags, "seen": True}  # type: ignore[union-attr]
        await session.settings.set("budget", 2)
        await session.cases.withdraw("refunds", second.ordinal, "no")
        await session.run()
        filled = await session.cases.get("refunds", second.ordinal)
        with pytest.raises(
            ActOutdated, match=f"rejected {second.case_id}. {second.case_id} was written anew since"
        ) as told:
            await session.undo_log.undo()
        assert "F5 shows the one from before" in str(told.value)
        assert await session.cases.get("refunds", second.ordinal) == filled
        assert [step.state for step in await session.undo_log.listing()][:2] == [ActState.OUTDATED, ActState.DONE]
        result = await session.undo_log.undo(5)
        assert [step.words for step in result.steps] == ["set budget = 2"] and "nothing to undo" in result.stopped
        await session.plans.revise(larger())
        await session.run()
        with pytest.raises(ActOutdated, match="holds 33 cases"):
            await session.undo_log.undo()
        await sound(session)
        assert session.plan.total_instances == 57
        with pytest.raises(InputError, match="-1 steps"):
            await session.undo_log.undo(-1)


async def test_undo_while_workers_write(make_config: Configs) -> None:
    """What is about cases works; what is about the plan waits until they rest. No slot is filled twice."""
    async with await Session.create(plan(), make_config(seed=3, max_workers=2, offline_pace=200)) as session:
        acts: list[asyncio.Task[None]] = []
        done: list[str] = []
        await session.plans.revise(larger())

        async def act(slot: int, seq: int) -> None:
            with contextlib.suppress(InputError):  # a slot that is being written
                if seq % 3 == 0:
                    await session.cases.withdraw("refunds", slot, "no")
                elif seq % 3 == 1:
                    await session.cases.edit("refunds", slot, {"query": f"Edited {slot} {'x' * slot}"}, {})
                else:
                    await session.cases.annotate("refunds", slot, pinned=True)
                for take in (session.undo_log.undo, session.undo_log.redo, session.undo_log.undo):
                    done.append((await take()).words)

        def watch(event: Event) -> None:
            if (
                isinstance(event, CaseAccepted)
                and event.category == "refunds"
                and event.slot % 3 == 0
                and len(acts) < 9
            ):
                acts.append(asyncio.create_task(act(event.slot, event.seq)))

        session.subscribe(watch)
        await run_to_the_end(session, acts)
        assert len(done) >= 6
        await check(session)
        await sound(session)

        def one(event: Event) -> None:
            if isinstance(event, CaseAccepted) and len(acts) < 20:
                acts.extend([asyncio.create_task(waits())] * 20)

        async def waits() -> None:
            with pytest.raises(InputError, match="Workers are writing; this waits until they rest: changed the plan"):
                await session.undo_log.undo()
            waited.append(True)

        waited: list[bool] = []
        session.subscribe(one)
        cases = await session.cases.page(0, 3)
        for case in cases:
            await session.cases.annotate(case.category, case.ordinal, pinned=False)
            await session.cases.withdraw(case.category, case.ordinal)
        await session.plans.revise(plan(categories=[*larger().categories, {"name": "last", "count": 1}]))
        await run_to_the_end(session, [])
        await asyncio.gather(*acts)
        assert waited


@settings(
    max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,), derandomize=True
)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=2, max_size=9), st.integers(0, 9))
def test_whatever_was_done_all_of_it_undone_is_the_beginning(wanted: list[tuple[int, int]], part: int) -> None:
    async def all_of_it(folder: str) -> None:
        config = DatasetBuilderConfig(checkpoint_dir=Path(folder), seed=5, checkpoint_interval=4)
        async with await Session.create(plan(), config) as session:
            await run_until(session, 8)
            begun = len(await session.undo_log.listing())
            first = await snapshot(session)
            for what, which in wanted:
                with contextlib.suppress(InputError, PlanError):
                    await _something(session, what, which)
            last, done = await snapshot(session), len(await session.undo_log.listing()) - begun
            if done:
                await session.undo_log.undo(min(part, done) or 1)
                await session.undo_log.redo(min(part, done) or 1)
                assert await snapshot(session) == last
                await session.undo_log.undo(done)
            assert await snapshot(session) == first
            await sound(session)
            if done:
                await session.undo_log.redo(done)
            assert await snapshot(session) == last
            await sound(session)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(all_of_it(folder))


async def _something(session: Session, what: int, which: int) -> None:
    """One of ten acts, on one of the first cases."""
    cases = await session.cases.page(0, 8)
    case = cases[which % len(cases)]
    points = await session.checkpoints.all()
    point = points[which % len(points)]
    match what:
        case 0 | 1:
            await session.cases.withdraw(case.category, case.ordinal, "no")
        case 2:
            await session.cases.edit(case.category, case.ordinal, {"query": f"Said otherwise, {which} times"}, {})
        case 3:
            await session.cases.annotate(case.category, case.ordinal, pinned=which % 2 == 0, note=str(which))
        case 4:
            turned = await session.rejections.newest(9)
            if turned:
                await session.cases.keep_rejected(turned[which % len(turned)].seq)
        case 5:
            await session.plans.revise(plan(categories=[{"name": "refunds", "count": 8 + which}]))
        case 6:
            await session.settings.change({"near_threshold": 0.5 + which / 20, "budget": which or None})
        case 7:
            await session.branches.rewind(point.id)
        case 8:
            await session.branches.fork_here(f"branch {which}")
        case 9:
            await session.checkpoints.rename(point.id, f"named {which}")


async def test_a_deleted_branch_comes_back_by_undo(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config()) as session:
        await session.run()

        async def names() -> list[str]:
            return sorted(branch.name for branch in await session.branches.all())

        await session.branches.fork_here("aside")
        first = await names()
        other = next(branch.name for branch in await session.branches.all() if not branch.current)
        await session.branches.delete(other)
        assert other not in await names()
        await session.undo_log.undo()
        assert await names() == first
        await session.branches.switch(other)
        assert (await session.summary()).instances_created == session.plan.total_instances
        await session.undo_log.undo()
        await session.undo_log.redo()
        assert (await session.branches.current()).name == other
