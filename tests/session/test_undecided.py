"""A session that is talked about before it has a plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import InputError, PlanError, SessionInUse, StorageError
from dsbuilder_tui.domain.events import Event, PlanRevised
from dsbuilder_tui.domain.message import MessageRole
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.store import catalog
from dsbuilder_tui.store.files import move_together
from dsbuilder_tui.view import opening_view
from tests.support.curating import check
from tests.support.raw_file import written_otherwise

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


def names(config: DatasetBuilderConfig) -> list[str]:
    return sorted(path.name for path in config.checkpoint_root.iterdir())


async def test_a_conversation_comes_before_the_plan(make_plan: Plans, make_config: Configs, tmp_path: Path) -> None:
    config, told = make_config(), list[Event]()
    async with await Session.begin("new dataset", config) as session:
        assert (session.id, session.planned, session.plans.revision) == ("new_dataset", False, 0)
        state = await session.settle()
        assert (state.state, state.progress_percentage, state.total_instances_planned) == ("new", 0.0, 0)
        assert state.categories == await session.cases.counts() == {}
        assert opening_view(state, revision=0).state is RunState.IDLE
        await session.chat.add(MessageRole.PERSON, "I need questions about parcels")
        with pytest.raises(InputError, match="There is no plan yet"):
            await session.run()
        with pytest.raises(InputError, match="There is no plan yet"):
            await session.export(tmp_path / "x.jsonl")
        assert [case async for case in session.cases.all()] == await session.cases.page(0, 9) == []
        assert await session.cases.page(0, 9, newest_first=True) == []
        assert [step async for step in session.cases.search("a", newest_first=True)] == []
        assert await session.rejections.newest() == await session.checkpoints.all() == []
    (listing,) = await catalog.list_sessions(config.checkpoint_root, SystemClock())
    assert (listing.undecided, listing.state, listing.planned, listing.dataset_name) == (True, "new", 0, "new dataset")
    assert names(config) == ["new_dataset"], "there is no seed JSON"
    async with await Session.open(None, config) as session:
        assert (session.planned, session.plan) == (False, DatasetPlanInput.undecided("new dataset"))
        session.subscribe(told.append)
        early = session._files.store.seq
        plan = make_plan(4, 3, name="parcels")
        assert await session.plans.revise(plan) == 1
        assert (session.planned, session.plan) == (True, plan)
        assert [p.reason for p in await session.checkpoints.all()] == ["plan"]
        assert await session.plans.at(early) == (0, DatasetPlanInput.undecided("new dataset"))
        assert await session.plans.at(0) == (0, DatasetPlanInput.undecided("new dataset"))
        assert [e.revision for e in told if isinstance(e, PlanRevised)] == [1]
    async with await Session.open(None, config) as session:
        assert (await session.run()).state == "complete"
        await check(session)
        kinds = [event.type async for event in recorded_events(session)]
        assert kinds[:2] == ["message_added", "plan_revised"] and kinds.count("case_accepted") == 7


async def test_a_replay_of_nothing_but_words(make_config: Configs) -> None:
    async with await Session.begin("talk", make_config()) as session:
        await session.chat.add(MessageRole.PERSON, "Hello")
        assert [event.type async for event in recorded_events(session)] == ["message_added"]


def test_people_cannot_write_an_empty_plan() -> None:
    with pytest.raises(PlanError, match="add at least one category"):
        parse_plan({"dataset_name": "x", "categories": []})
    with pytest.raises(PlanError, match="not a safe name"):
        DatasetPlanInput.undecided("../x")


async def test_sessions_of_one_name_are_numbered(make_config: Configs) -> None:
    config = make_config()
    async with await Session.begin("new", config) as one, await Session.begin("new", config) as two:
        assert (one.id, two.id) == ("new", "new-2")


async def test_an_open_session_takes_another_name(make_plan: Plans, make_config: Configs) -> None:
    config = make_config()
    async with await Session.create(make_plan(3), config) as session:
        await session.run()
        await session.export(session.folder / "support.jsonl")
        await session.rename("june")
        assert (session.id, session.folder) == ("june", config.checkpoint_root / "june")
        assert names(config) == ["june", "june_checkpoint.json"]
        assert (session.folder / "june.jsonl").is_file()
        note = json.loads((session.folder / "status.json").read_bytes())
        assert (note["id"], note["path"], note["accepted"]) == ("june", str(session.folder), 3)
        with pytest.raises(SessionInUse):
            await Session.open("june", config)
        # Its old name is free for others, who do not get in each other's way.
        async with await Session.create(make_plan(2), config) as other:
            assert other.id == "support"
            for name, words in (("support", "is taken"), ("a/b", "cannot be the name"), (" ", "is empty")):
                with pytest.raises(InputError, match=words):
                    await session.rename(name)
            assert len([case async for case in session.cases.all()]) == 3
            await session.rename("june")
            assert (await other.run()).state == "complete"
            with pytest.raises(SessionInUse):
                await Session.open("support", config)
        assert (await session.chat.add(MessageRole.PERSON, "Still here")).text == "Still here"
        await session.cases.withdraw("category_1", 2)
        assert (await session.run()).state == "complete"
    async with await Session.open("june", config) as session:
        assert len([case async for case in session.cases.all()]) == 3
        assert [m.text for m in await session.chat.messages()] == ["Still here"]


async def test_a_move_that_fails_leaves_the_session_as_it_was(
    make_plan: Plans, make_config: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config()
    async with await Session.create(make_plan(3), config) as session:
        await session.run()

        def fails(moves: list[tuple[Path, Path]]) -> None:
            move_together([*moves, (session.folder / "nothing", session.folder / "there")])

        monkeypatch.setattr(catalog, "move_together", fails)
        with pytest.raises(StorageError, match="cannot be moved"):
            await session.rename("june")
        monkeypatch.undo()
        assert session.id == "support" and names(config) == ["support", "support_checkpoint.json"]
        assert len([case async for case in session.cases.all()]) == 3
        await session.rename("july")
        assert names(config) == ["july", "july_checkpoint.json"]


async def test_no_new_name_while_it_runs(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(5), make_config()) as session:
        errors: list[str] = []

        def watch(event: Event) -> None:
            if event.type == "run_started":
                session.request_pause()

        session.subscribe(watch)
        import asyncio

        running = asyncio.create_task(session.run())
        while session._context.run is None:
            await asyncio.sleep(0)
        for act in (session.rename("other"), session.take_name_of_plan()):
            with pytest.raises(InputError, match="Pause it first"):
                await act
            errors.append(session.id)
        await running
        assert errors == ["support"] * 2


async def test_the_first_plan_gives_the_session_its_name(make_plan: Plans, make_config: Configs) -> None:
    config = make_config()
    async with await Session.create(make_plan(2, name="parcels"), config):
        pass
    async with await Session.begin("new", config) as session:
        with pytest.raises(InputError, match="no plan yet"):
            await session.take_name_of_plan()
        await session.plans.revise(make_plan(2, name="parcels"))
        await session.take_name_of_plan()
        assert session.id == "parcels-2"
        await session.take_name_of_plan()
        assert session.id == "parcels-2", "it has the name already"
        assert (await session.run()).state == "complete"
    assert names(config) == ["parcels", "parcels-2", "parcels-2_checkpoint.json"]


async def test_where_nobody_said_anything_nothing_is_left(make_plan: Plans, make_config: Configs) -> None:
    config = make_config()
    async with await Session.begin("new", config) as session:
        await session.chat.add(MessageRole.AGENT, "What is it for?")
        assert await session.is_blank()
        await session.chat.save_draft("a long letter")
        assert not await session.is_blank()
        await session.chat.save_draft("")
        await session.discard()
        assert names(config) == []
    assert names(config) == []
    async with await Session.begin("new", config) as session:
        await session.chat.add(MessageRole.PERSON, "For parcels")
        assert not await session.is_blank()
        with pytest.raises(InputError, match="not empty"):
            await session.discard()
        assert session.folder.is_dir()
    async with await Session.create(make_plan(2), config) as session:
        assert not await session.is_blank()


async def test_what_a_file_says_of_an_empty_plan_is_checked(make_config: Configs) -> None:
    config = make_config()
    async with await Session.begin("new", config) as session:
        folder = session.folder
    with written_otherwise(folder / "session.db") as plain:
        plain.execute("UPDATE plan_revision SET plan=json_set(plan, '$.dataset_name', '../../x')")
    with pytest.raises(PlanError, match="not a safe name"):
        await Session.open("new", config)
