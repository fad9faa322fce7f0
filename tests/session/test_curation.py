"""What a person does to single cases, at rest and while a run is going on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.session.replay import recorded_events
from tests.session.test_determinism import NARROW
from tests.support.curating import check, run_to_the_end, texts, told
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]
C = "category_1"

FIELDS = DatasetPlanInput(
    dataset_name="fields",
    categories=[
        DatasetCategory(
            name="c", count=2, example_inputs=[{"query": "Where is it?", "age": 4, "tags": ["a"]}],
            expectations={"polite": True, "why": None},
        )
    ],
)  # fmt: skip


async def test_an_edit_keeps_the_place_and_is_remembered(
    make_plan: Plans, make_config: Configs, tmp_path: Path
) -> None:
    events: list[Event] = []
    async with await Session.create(make_plan(4), make_config()) as session:
        await session.run()
        session.subscribe(events.append)
        old = await session.cases.get(C, 2)
        assert old is not None
        new = await session.cases.edit(C, 2, {"query": " Something else \ud800 "}, {"polite": False, "added": [1]})
        assert (new.seq, new.inputs, new.expectations) == (
            old.seq, {"query": "Something else \ufffd"}, {"polite": False, "added": [1]},
        )  # fmt: skip
        assert new.tags == {**old.tags, "edited": True} and new.structure != old.structure
        assert await session.cases.edit(C, 2, new.inputs, new.expectations) == new, "nothing differs, nothing is done"
        entries = await session.cases.history(C, 2)
        assert [entry.kind for entry in entries] == ["case_edited"]
        assert entries[0].data["before"]["inputs"] == old.inputs and entries[0].data["after"]["inputs"] == new.inputs
        assert [seqs async for step in session.cases.search(edited=True) for seqs in step.seqs] == [new.seq]
        await session.export(tmp_path / "out.jsonl")
        assert b'"edited":true' in (tmp_path / "out.jsonl").read_bytes()
    async with await Session.open(None, make_config()) as session:
        assert await session.cases.get(C, 2) == new
        await check(session)
    assert told(events, "case_edited") == [
        {"case_id": "category_1-00002", "category": C, "slot": 2, "seq": old.seq, "text": "Something else \ufffd",
         "change": "edited"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "expectations", "words"),
    [
        ({"query": "x", "age": "four", "tags": []}, {}, "`age` of `inputs` is text, not a number"),
        ({"query": "x", "age": 4}, {}, "`tags` is missing"),
        ({"query": "  ", "age": 4, "tags": []}, {}, "`query` of `inputs` is empty"),
        ({"query": "x", "age": 4, "tags": [], "more": 1}, {}, "no field `more`"),
        ({"query": "x", "age": 4, "tags": []}, {"polite": "yes"}, "`polite` of `expectations` is text"),
        ({"query": "x", "age": 4, "tags": []}, [], "must be objects"),
        ({"query": "x" * 90_000, "age": 4, "tags": []}, {}, "longer than"),
        ({"query": "x", "age": 4, "tags": [object()]}, {}, "cannot be stored"),
    ],
)
async def test_an_edit_must_fit_the_plan(inputs: Any, expectations: Any, words: str, make_config: Configs) -> None:
    async with await Session.create(FIELDS, make_config()) as session:
        await session.run()
        before = await session.cases.get("c", 1)
        with pytest.raises(InputError) as caught:
            await session.cases.edit("c", 1, inputs, expectations)
        assert words in str(caught.value) and "c-00001" in str(caught.value)
        assert await session.cases.get("c", 1) == before and await session.cases.history("c", 1) == []
        with pytest.raises(InputError, match="no case c-00007"):
            await session.cases.edit("c", 7, {}, {})


async def test_notes_and_pins(make_plan: Plans, make_config: Configs) -> None:
    config = make_config()
    async with await Session.create(make_plan(3), config) as session:
        await session.run()
        plain = await session.cases.get(C, 1)
        case = await session.cases.annotate(C, 1, note=" look \x1b here ", pinned=True)
        assert case.tags["note"] == "look \x1b here" and case.tags["pinned"] is True
        assert await session.cases.annotate(C, 1) == await session.cases.annotate(C, 1, pinned=True) == case
        with pytest.raises(InputError, match=r"category_1-00001 is pinned\. Unpin it first\."):
            await session.cases.withdraw(C, 1)
        with pytest.raises(InputError, match="characters"):
            await session.cases.annotate(C, 1, note="x" * 100_000)
        await session.export(session.folder / "support_checkpoint.json")
        assert await session.cases.annotate(C, 1, note="", pinned=False) == plain
        assert [entry.data["after"] for entry in await session.cases.history(C, 1)] == [
            {"note": "look \x1b here", "pinned": True}, {},
        ]  # fmt: skip
        seed = session.folder / "support_checkpoint.json"
        async with await Session.import_dataset(seed, make_config(checkpoint_dir=session.folder.parent / "o")) as other:
            found = await other.cases.get(C, 1)
            assert found is not None and found.tags["note"] == "look \x1b here" and found.tags["pinned"] is True


async def test_withdrawn_at_rest_and_written_again(make_plan: Plans, make_config: Configs) -> None:
    config = make_config(checkpoint_interval=2)
    events: list[Event] = []
    async with await Session.create(make_plan(6), config) as session:
        assert (await session.run()).state == "complete"
        session.subscribe(events.append)
        gone = await session.cases.get(C, 3)
        assert gone is not None
        await session.cases.withdraw(C, 3, "too odd")
        with pytest.raises(InputError, match="no case"):
            await session.cases.withdraw(C, 3)
        await check(session)
        state = await session.summary()
        assert (state.state, state.instances_created, state.rejections) == ("paused", 5, {"person": 1})
    assert told(events, "case_withdrawn") == [
        {"case_id": gone.case_id, "category": C, "slot": 3, "seq": gone.seq, "text": display_text(gone.inputs),
         "reason": "too odd", "accepted": 5, "planned": 6}
    ]  # fmt: skip
    async with await Session.open(None, config) as session:
        assert (await session.summary()).state == "paused"
        rejection = (await session.rejections.newest())[0]
        assert (rejection.stage, rejection.attempt, rejection.reason) == ("person", 1, "too odd")
        assert (await session.run()).state == "complete"
        again = await session.cases.get(C, 3)
        assert again is not None and again.inputs != gone.inputs and again.seq > gone.seq
        await check(session)
        # Taken back: the withdrawn case replaces the new one.
        back = await session.cases.keep_rejected(rejection.seq)
        assert back.inputs == gone.inputs and await session.cases.get(C, 3) == back
        await check(session)
        assert (await session.summary()).state == "complete"
        assert [e.kind for e in await session.cases.history(C, 3)] == ["case_withdrawn", "kept_anyway"]


@pytest.mark.parametrize("reopened", [False, True])
@pytest.mark.parametrize("how", ["withdraw", "edit"])
async def test_what_a_person_took_out_does_not_come_back(
    reopened: bool, how: str, make_plan: Plans, make_config: Configs
) -> None:
    async with FakeOpenAI() as fake:
        config = make_config(base_url=fake.url, batch_size=1, max_workers=1, max_attempts=9)
        lines = iter(["First text", "Second text", "First text", "Second text", "First text", "Third text"])
        fake._text = lines.__next__  # type: ignore[method-assign]
        session = await Session.create(make_plan(3), config)
        stop = session.subscribe(lambda e: session.request_pause() if getattr(e, "accepted", 0) == 2 else None)
        assert (await session.run()).accepted == 2
        stop()
        if how == "withdraw":
            await session.cases.withdraw(C, 2)
        else:
            await session.cases.edit(C, 2, {"query": "Mended text"}, {"polite": True})
        if reopened:
            await session.aclose()
            session = await Session.open(None, config)
        lines = iter(["First text", "Second text", "Third text", "Second text", "Fourth text"])
        fake._text = lines.__next__  # type: ignore[method-assign]
        assert (await session.run()).state == "complete"
        assert "Second text" not in await texts(session) and len(set(await texts(session))) == 3
        await check(session)
        await session.aclose()


async def test_withdrawn_during_a_run(make_plan: Plans, make_config: Configs) -> None:
    """Cases just announced are taken out while others come in: every count stays exact, live and in the end."""
    async with FakeOpenAI(duplicate_rate=0.1, seed=5) as fake:
        events: list[Event] = []
        config = make_config(base_url=fake.url, batch_size=4, max_workers=4, max_attempts=30, checkpoint_interval=20)
        async with await Session.create(make_plan(60, 40), config) as session:
            acts: list[asyncio.Task[None]] = []
            gone: set[tuple[str, str]] = set()

            def watch(event: Event) -> None:
                events.append(event)
                if event.type == "case_accepted" and len(acts) < 25 and event.accepted % 3 == 0:  # type: ignore[attr-defined]
                    gone.add((event.category, event.text))  # type: ignore[attr-defined]
                    acts.append(asyncio.create_task(session.cases.withdraw(event.category, event.slot, "odd")))  # type: ignore[attr-defined]

            session.subscribe(watch)
            await run_to_the_end(session, acts)
            assert (await session.summary()).instances_created == 100 and len(acts) == 25
            await check(session)
            assert not gone & {(case.category, case.inputs["query"]) async for case in session.cases.all()}
            assert (await session.summary()).rejections["person"] == 25
            count = 0
            for event in events:
                if event.type in ("case_accepted", "case_withdrawn"):
                    count += 1 if event.type == "case_accepted" else -1
                    assert event.accepted == count  # type: ignore[attr-defined]
            past = [event async for event in recorded_events(session)]
            kinds = ("case_accepted", "case_withdrawn", "case_rejected")
            assert sorted(str(e.facts()) for e in past if e.type in kinds and e.type != "case_accepted") == sorted(
                str(e.facts()) for e in events if e.type in kinds and e.type != "case_accepted"
            )
            assert [e.case_id for e in past if e.type == "case_accepted"] == [  # type: ignore[attr-defined]
                e.case_id for e in events if e.type == "case_accepted"  # type: ignore[attr-defined]
            ]  # fmt: skip


async def test_the_built_in_writer_too(make_config: Configs) -> None:
    """Its slots come in rounds; one that is opened again must not be lost between them."""
    async with await Session.create(NARROW, make_config(max_workers=3, batch_size=7)) as session:
        acts: list[asyncio.Task[None]] = []
        accepted = 0

        def watch(event: Event) -> None:
            nonlocal accepted
            accepted += event.type == "case_accepted"
            # Counted here: how many places of the history are a case's depends on what else is written in between.
            if event.type == "case_accepted" and accepted % 6 == 0 and len(acts) < 20:
                acts.append(asyncio.create_task(session.cases.withdraw(event.category, event.slot)))  # type: ignore[attr-defined]

        session.subscribe(watch)
        await run_to_the_end(session, acts)
        await check(session)
        state = await session.summary()
        assert state.instances_created + state.exhausted_slots == NARROW.total_instances and len(acts) == 20


async def test_edits_during_a_run(make_plan: Plans, make_config: Configs) -> None:
    async with (
        FakeOpenAI(latency=0.01) as fake,
        await Session.create(make_plan(30), make_config(base_url=fake.url, batch_size=3, max_workers=2)) as session,
    ):
        acts: list[asyncio.Task[Any]] = []

        def watch(event: Event) -> None:
            if event.type == "case_accepted" and len(acts) < 8:
                slot = event.slot  # type: ignore[attr-defined]
                act = session.cases.edit(C, slot, {"query": f"Mine, number {slot} {'x' * slot}"}, {"polite": True})
                acts.append(asyncio.create_task(act))
                acts.append(asyncio.create_task(session.cases.annotate(C, slot, pinned=True)))

        session.subscribe(watch)
        assert (await session.run()).state == "complete"
        await asyncio.gather(*acts)
        mine = [case async for case in session.cases.all() if case.tags.get("edited")]
        assert len(mine) == 4 and all(c.tags["pinned"] and c.inputs["query"].startswith("Mine") for c in mine)
        await check(session)


@pytest.mark.usefixtures("answers_held_back")
async def test_an_edited_text_is_not_repeated_by_the_run(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        lines = iter(["First text", "Second text", "My own text", "Third text"])
        fake._text = lines.__next__  # type: ignore[method-assign]
        fake.gate = asyncio.Event()
        fake.gate.set()
        config = make_config(base_url=fake.url, batch_size=1, max_workers=1)
        async with await Session.create(make_plan(3), config) as session:

            async def act() -> None:
                await session.cases.edit(C, 1, {"query": "My own text"}, {"polite": True})
                fake.gate.set()  # type: ignore[union-attr]

            tasks = []

            def watch(event: Event) -> None:
                if event.type == "case_accepted" and event.accepted == 2:  # type: ignore[attr-defined]
                    tasks.append(asyncio.create_task(act()))
                elif event.type == "batch_started" and event.batch == 3:  # type: ignore[attr-defined]
                    fake.gate.clear()  # type: ignore[union-attr]

            session.subscribe(watch)
            await session.run()
            await asyncio.gather(*tasks)
            assert await texts(session) == ["My own text", "Second text", "Third text"]


async def test_an_act_is_done_to_its_end_when_its_caller_goes(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await session.run()
        for steps in range(1, 8):
            act = asyncio.create_task(session.cases.annotate(C, 1, note=f"note {steps}"))
            for _ in range(steps):
                await asyncio.sleep(0)
            act.cancel()
            await asyncio.gather(act, return_exceptions=True)
        await session.cases.annotate(C, 2, note="after")
        case = await session.cases.get(C, 1)
        assert case is not None and case.tags["note"] == "note 7"


async def test_a_damaged_case_can_be_withdrawn(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await session.run()
        plain = sqlite3.connect(session.folder / "session.db")
        plain.execute("UPDATE accepted_case SET inputs = 'x' WHERE ordinal=2")
        plain.commit()
        plain.close()
        with pytest.raises(InputError, match="damaged"):
            await session.cases.annotate(C, 2, note="n")
        await session.cases.withdraw(C, 2)
        assert (await session.run()).state == "complete"
        await check(session)
