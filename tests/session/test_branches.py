"""Going back in a session's history, and forking it: nothing is lost, and every table says what it said then."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.branch import BranchCause, CheckpointCause, line_to
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.evaluation import CaseResult, EvaluationRun
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.message import MessageRole
from dsbuilder_tui.domain.pause_cause import Pause
from dsbuilder_tui.generation.journal import Journal
from dsbuilder_tui.session.checkpoints import CheckpointPreview
from dsbuilder_tui.store.rows import Changes, Withdrawal
from dsbuilder_tui.store.salvage import salvage
from dsbuilder_tui.store.travelled_tables import TRAVELLED_TABLES

Configs = Callable[..., DatasetBuilderConfig]
_PLAN = {
    "dataset_name": "there",
    "description": "a shop's support bot",
    "categories": [
        {"name": "refunds", "description": "asking for money back", "count": 30},
        {"name": "orders", "description": "where an order is", "count": 20},
    ],
}


def plan(**changes: Any) -> DatasetPlanInput:
    return DatasetPlanInput.model_validate({**_PLAN, **changes})


async def state(session: Session) -> dict[str, Any]:
    """Everything that goes with a branch, row by row."""

    def read(connection: sqlite3.Connection) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for table in TRAVELLED_TABLES:
            if table.name != "history":
                found[table.name] = connection.execute(
                    f"SELECT {table.listed} FROM {table.name} ORDER BY {', '.join(table.key)}"
                ).fetchall()
        found["progress"] = connection.execute(
            "SELECT * FROM progress WHERE accepted OR rejected OR exhausted ORDER BY category_id"
        ).fetchall()
        return found

    return {**await session._files.store.connection.read(read), "plan": session.plan}


async def run_until(session: Session, accepted: int) -> None:
    """Run, and pause when so many cases are there."""

    def look(event: Event) -> None:
        if event.type == "case_accepted" and event.accepted >= accepted:  # type: ignore[attr-defined]
            session.request_pause(Pause("a test"))
            session.drop_in_flight()

    stop = session.subscribe(look)
    await session.run()
    stop()


async def sound(session: Session) -> None:
    await session._files.store.connection.require_sound()


async def test_a_rewind_brings_back_every_table_and_a_switch_what_it_left(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=3)) as session:
        await run_until(session, 20)
        first = await session.checkpoints.save(name="half", note="before the refunds")
        then = await state(session)
        case = (await session.cases.page(0, 1))[0]
        await session.cases.edit("refunds", case.ordinal, {"query": "Where is the money that was promised to me?"}, {})
        await session.cases.withdraw("refunds", (await session.cases.page(1, 1))[0].ordinal, "not this one")
        await session.cases.annotate("refunds", (await session.cases.page(2, 1))[0].ordinal, note="look", pinned=True)
        second = await session.checkpoints.save()
        middle = await state(session)
        await session.plans.revise(
            plan(categories=[*_PLAN["categories"], {"name": "more", "description": "m", "count": 5}])
        )  # type: ignore[misc]
        assert (await session.run()).state == "complete"
        end = await state(session)

        told = await session.branches.rewind(first.id)
        assert (told.branch, told.left, told.accepted) == ("main", "main-1", first.accepted)
        assert await state(session) == then
        await sound(session)
        branches = {branch.name: branch for branch in await session.branches.all()}
        assert {name: (b.current, b.accepted, b.cause) for name, b in branches.items()} == {
            "main": (True, first.accepted, BranchCause.BEGUN),
            "main-1": (False, 55, BranchCause.REWIND),
        }
        await session.branches.switch("main-1")
        assert await state(session) == end
        await session.branches.rewind(second.id, keep_as="whole")
        assert await state(session) == middle
        await session.branches.switch("main")
        assert await state(session) == then
        await session.branches.switch("whole")
        assert await state(session) == end
        await sound(session)
        await session.branches.switch("main")
        assert (await session.run()).state == "complete"
        assert (await session.summary()).instances_created == 50
        await sound(session)
    async with await Session.open("there", make_config()) as session:
        assert (await session.branches.current()).name == "main"
        await session.branches.switch("whole")
        assert await state(session) == end


async def test_every_checkpoint_can_be_read_from_every_branch(tmp_path: Path, make_config: Configs) -> None:
    """What is exported of a checkpoint is what lay there, wherever the session stands."""
    async with await Session.create(plan(), make_config(checkpoint_interval=7, seed=5)) as session:
        kept: dict[int, bytes] = {}

        async def keep(name: str = "") -> int:
            point = await session.checkpoints.save(name=name)
            path = tmp_path / f"{point.id}.jsonl"
            await session.export(path)
            kept[point.id] = path.read_bytes()
            return point.id

        async def change(offset: int, text: str) -> None:
            case = (await session.cases.page(offset, 1))[0]
            await session.cases.edit(case.category, case.ordinal, {"query": text}, case.expectations)

        await run_until(session, 12)
        one = await keep()
        await change(0, "What became of the parcel that I sent back?")
        two = await keep()
        await run_until(session, 25)
        await change(3, "Nobody has answered my last four letters, why?")
        await change(0, "And now for something else entirely, please.")
        await session.cases.withdraw("refunds", (await session.cases.page(2, 1))[0].ordinal)
        three = await keep()
        await session.branches.rewind(two)
        await change(1, "Is there a number that I can call on Sundays?")
        await change(0, "The third thing that this case says by now.")
        await run_until(session, 18)
        four = await keep()
        await session.cases.withdraw("refunds", (await session.cases.page(0, 1))[0].ordinal)
        five = await keep()
        fork = await session.branches.fork(three, "other")
        assert (fork.current, fork.begun_at, fork.tip) == (False, three, three)
        for where in (None, "main-1", "other", "main"):
            if where is not None:
                await session.branches.switch(where)
            for number in (one, two, three, four, five):
                path = tmp_path / "again.jsonl"
                await session.export(path, at=number)
                assert path.read_bytes() == kept[number], (where, number)
                shown = await session.checkpoints.preview(number, most_cases=500)
                assert sum(c.accepted for c in shown.counts.values()) == kept[number].count(b"\n") == len(shown.cases)
                assert [case.seq for case in shown.cases] == sorted((case.seq for case in shown.cases), reverse=True)
        await sound(session)


async def test_what_cannot_be_done_is_said(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config()) as session:
        await run_until(session, 10)
        point = await session.checkpoints.save()
        for act in (
            lambda: session.branches.rewind(99),
            lambda: session.branches.fork(99, "x"),
            lambda: session.branches.fork(point.id, "main"),
            lambda: session.branches.fork(point.id, " "),
            lambda: session.branches.switch("nowhere"),
            lambda: session.branches.switch("main"),
            lambda: session.branches.rewind(point.id, keep_as="main"),
            lambda: session.checkpoints.save(name="x" * 81),
        ):
            with pytest.raises(InputError):
                await act()
        assert [branch.name for branch in await session.branches.all()] == ["main"]


async def test_an_act_right_behind_a_checkpoint_is_not_of_it(tmp_path: Path, make_config: Configs) -> None:
    """What a person does while a run goes on, in the same moment in which a checkpoint is due, comes behind that."""
    async with await Session.create(plan(), make_config(checkpoint_interval=5, seed=7)) as session:
        await run_until(session, 5)
        files = session._files
        journal_cases = await session.cases.page(0, 2)

        count = (await session.summary()).instances_created
        journal = Journal(
            files.store, files.clock, lambda event: None, accepted=count, planned=50, interval=None, most_answers=0
        )
        point = journal.checkpoint(CheckpointCause.ASKED)
        told = Withdrawal(
            seq=journal_cases[0].seq, category=journal_cases[0].category, withdrawn_seq=files.store.next_seq(),
            reason="at once", withdrawn_at=files.clock.now(),
        )  # fmt: skip
        journal.decide(Changes(withdrawn=[told]), _Nothing(ts=files.clock.now()), -1)
        await journal.flush()
        assert (await session.summary()).instances_created == count - 1
        assert await session.export(tmp_path / "then.jsonl", at=point.id) == count == point.accepted
        await session.branches.rewind(point.id)
        assert (await session.summary()).instances_created == count


class _Nothing(Event):
    type = "nothing"


async def test_a_repaired_session_keeps_its_branches(tmp_path: Path, make_config: Configs) -> None:

    async with await Session.create(plan(), make_config(checkpoint_interval=10)) as session:
        await run_until(session, 15)
        point = (await session.checkpoints.all())[0]
        end = await state(session)
        await session.branches.rewind(point.id, keep_as="later")
        there = await state(session)
        folder = session.folder
    mended = folder.with_name("mended")
    mended.mkdir()
    _, losses = salvage(folder / "session.db", mended / "session.db", 1.0)
    assert losses == []
    async with await Session.open(mended, make_config()) as session:
        assert await state(session) == there
        case = (await session.cases.page(0, 1))[0]
        await session.cases.edit(case.category, case.ordinal, {"query": "Something else than it said before?"}, {})
        await session.branches.switch("later")
        assert await state(session) == end
        await session.branches.rewind(point.id)
        assert await state(session) == there


async def test_figures_and_map_are_of_the_branch_that_is_worked_on(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=3)) as session:
        await session.run()
        assert (await session.diversity.figures()).overall.compared == len((await session.diversity.map()).seqs) == 50
        earlier = next(point for point in await session.checkpoints.all() if 0 < point.accepted < 50)
        await session.branches.rewind(earlier.id, keep_as="whole")
        figures, drawn = await session.diversity.figures(), await session.diversity.map()
        assert figures.overall.compared == figures.overall.cases == len(drawn.seqs) == earlier.accepted
        await session.branches.switch("whole")
        assert (await session.diversity.figures()).overall.compared == len((await session.diversity.map()).seqs) == 50


async def test_a_change_of_settings_is_a_point_and_goes_with_it(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(seed=3)) as session:
        await run_until(session, 5)
        before = await session.checkpoints.save("before")
        await session.settings.change({"batch_size": 3})
        await session.settings.change({"batch_size": 3})  # says nothing new
        assert [point.reason for point in await session.checkpoints.all()][-2:] == ["asked", "settings"]
        await session.branches.rewind(before.id, keep_as="smaller")
        assert session.config.batch_size != 3
        await session.branches.switch("smaller")
        assert session.config.batch_size == 3


async def test_all_that_was_there_at_a_checkpoint_is_read_where_it_lies(make_config: Configs) -> None:
    """Rejections, coverage and conversation of a checkpoint, from wherever the session stands."""
    async with await Session.create(plan(), make_config(checkpoint_interval=1000, seed=5)) as session:

        async def shown() -> tuple[Any, ...]:
            return (
                [rejection.seq for rejection in await session.rejections.page(0, 1000)],
                (await session.diversity.coverage()).as_dict(),
            )

        def then(looked: CheckpointPreview) -> list[int]:
            return [rejection.seq for rejection in looked.rejections]

        kept = {}
        for count in (12, 25, 40):
            await run_until(session, count)
            case = (await session.cases.page(0, 1))[0]
            await session.cases.withdraw(case.category, case.ordinal)
            await session.chat.add(MessageRole.PERSON, f"That was {count}.")
            point = await session.checkpoints.save(f"at {count}")
            kept[point.id] = (await shown(), count)
        first, middle, _ = kept
        await session.branches.rewind(first)
        await run_until(session, 20)
        for _ in range(2):
            for number, ((rejected, coverage), count) in kept.items():
                looked = await session.checkpoints.preview(number, most_cases=1000)
                assert then(looked) == rejected and rejected
                assert (await session.checkpoints.coverage(number)).as_dict() == coverage
                assert looked.messages[-1].text == f"That was {count}."
                assert (await session.checkpoints.named(f"AT {count}")).id == number
            await session.branches.rewind(middle)


async def test_of_a_deleted_branch_stays_what_others_stand_on_and_all_of_it_comes_back(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=1000, seed=5)) as session:
        points = []
        for count in (10, 20, 30):
            await run_until(session, count)
            points.append((await session.checkpoints.save(f"at {count}")).id)
        there = await state(session)
        await session.branches.rewind(points[0], keep_as="left")
        await session.branches.fork(points[1], "aside")  # nobody has worked on it: it stands within the piece of `left`
        await run_until(session, 15)
        listed = [(point.id, point.branch) for point in await session.checkpoints.all()]
        with pytest.raises(InputError, match="session is on the branch"):
            await session.branches.delete("main")

        await session.branches.delete("left")
        assert [branch.name for branch in await session.branches.all()] == ["main", "aside"]
        assert await session.branches.deleted() == ["left"]
        shown = {point.id: point.branch for point in await session.checkpoints.all()}
        assert shown[points[0]] == "main" and shown[points[1]] == "aside" and points[2] not in shown
        with pytest.raises(InputError, match=f"no checkpoint {points[2]}"):
            await session.branches.fork(points[2], "more")
        here, elsewhere = await session.checkpoints.counts_by_line()
        assert here + elsewhere == len(shown) and here == len(await session.checkpoints.line())

        # Its name is free, and that of the first branch too.
        await session.branches.switch("aside")
        await session.branches.delete("main")
        assert {point.branch for point in await session.checkpoints.all()} == {"aside"}
        await session.branches.fork_here("left")
        with pytest.raises(InputError, match="There is a branch 'left' already"):
            await session.branches.restore("left")
        await session.branches.rename("left", "other")
        await session.branches.restore("left")
        await session.branches.restore("main")
        assert {number for number, _ in listed} <= {point.id for point in await session.checkpoints.all()}
        await session.branches.switch("left")
        assert await state(session) == there
        await sound(session)


async def test_a_long_history_is_found_to_its_beginning(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=1000, seed=5)) as session:
        await run_until(session, 10)
        first = await session.checkpoints.save()
        files = session._files
        points = [
            replace(await files.next_checkpoint(CheckpointCause.ASKED), accepted=first.accepted + 1 + place // 100)
            for place in range(1500)
        ]
        await files.store.commit(Changes(checkpoints=points))
        assert len(await session.checkpoints.line(100)) == 100
        assert (await session.checkpoints.by_count(first.accepted)).id == first.id
        assert (await session.checkpoints.by_count(first.accepted + 1)).id == points[99].id
        assert (await session.checkpoints.by_time(points[-1].created_at + 60)).id == points[-1].id
        assert (await session.checkpoints.counts_by_line())[0] >= 1501


async def test_checkpoints_are_a_tree_and_the_present_line_ends_where_the_session_stands(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=1000, seed=5)) as session:
        await run_until(session, 10)
        one = await session.checkpoints.save()
        await run_until(session, 20)
        two = await session.checkpoints.save()
        assert [point.id for point in await session.checkpoints.line()][-1] == two.id
        await session.branches.rewind(one.id)
        current = await session.branches.current()
        assert current.tip == one.id  # before anything is written there
        assert (await session.checkpoints.line())[-1].id == one.id
        three = await session.checkpoints.save()
        assert three.before == one.id
        left = await session.branches.named("main-1")
        line = line_to(await session.checkpoints.all(), left.tip)
        assert two.id in [point.id for point in line] and three.id not in [point.id for point in line]
        await session.branches.rewind(two.id)  # on the line of another branch
        line = await session.checkpoints.line()
        assert line[-1].id == two.id and (await session.branches.current()).tip == two.id
        assert line[0].before is None


async def test_a_checkpoint_is_found_by_its_cases_and_by_what_was_changed_then(make_config: Configs) -> None:
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=5)) as session:
        await run_until(session, 25)
        there = (await session.summary()).instances_created
        found = await session.checkpoints.by_count(there)
        assert found.accepted == there
        assert (await session.checkpoints.by_count(19)).accepted <= 19
        with pytest.raises(InputError, match="not changed"):
            await session.checkpoints.before_change()
        before = (await session.checkpoints.line())[-1]
        first, *others = session.plan.categories
        revised = (first.model_copy(update={"description": "Quite another thing"}), *others)
        await session.plans.revise(session.plan.model_copy(update={"categories": revised}))
        name = first.name
        assert (await session.checkpoints.before_change(name)).id == before.id
        assert (await session.checkpoints.before_change()).id == before.id
        with pytest.raises(InputError, match="not changed"):
            await session.checkpoints.before_change("nothing_of_that_name")
        with pytest.raises(InputError, match="fewer"):
            await session.checkpoints.by_count(-1)
        with pytest.raises(InputError, match="no checkpoint"):
            await session.checkpoints.named("nobody")


async def test_results_of_evaluations_are_there_again_behind_a_rewind(make_config: Configs) -> None:
    """They hang on their cases; what an edit has dropped comes with the next reading."""
    async with await Session.create(plan(), make_config(checkpoint_interval=10, seed=3)) as session:
        await session.run()
        table, cases = session._files.store.evaluations, [case async for case in session.cases.all()]
        run = EvaluationRun(
            run_id="r1", name="first", version="", started_at=1.0, ended_at=2.0, cases=len(cases), unmatched=0
        )  # fmt: skip

        async def read() -> bool:
            there = [case.seq async for case in session.cases.all()]
            return await table.write(run, [CaseResult(case_seq=seq, raised=seq % 7 == 0, scores=()) for seq in there])

        async def counted() -> tuple[int, int]:
            overall = (await session.results.figures()).overall
            return overall.errors, overall.passed + overall.failed + overall.errors + overall.unscored

        assert await read() and not await read()
        whole = await counted()
        point = await session.checkpoints.save()
        await session.cases.edit(cases[0].category, cases[0].ordinal, {"query": "Another question altogether?"}, {})
        assert (await counted())[1] == len(cases) - 1
        await session.branches.rewind(point.id, keep_as="edited")
        assert await read() and await counted() == whole
        early = next(point for point in await session.checkpoints.all() if point.accepted == 10)
        await session.branches.rewind(early.id, keep_as="later")
        assert (await counted())[1] == 10
        assert await read()
        await session.branches.switch("later")
        assert await counted() == whole
