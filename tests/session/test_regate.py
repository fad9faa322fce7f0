"""Kept answers judged again: a dataset out of what was paid for, and nothing asked of a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.case import IMPORTED_FROM
from dsbuilder_tui.domain.pause_cause import PauseCause
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.session.dataset_file import ONLY_NEW
from dsbuilder_tui.session.row_files import extend_rows
from tests.support.fake_openai import FakeOpenAI
from tests.support.process import command, events

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


async def inputs_by_slot(session: Session) -> dict[str, str]:
    return {
        row.case_id: orjson.dumps([row.inputs, row.tags["attributes"]]).decode() async for row in session.cases.all()
    }


async def test_the_same_gate_lets_the_same_cases_in_for_nothing(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(duplicate_rate=0.3, seed=3) as fake:
        # One worker: the answers were judged in the order in which they are kept.
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1, max_attempts=20)
        async with await Session.create(make_plan(40), config) as source:
            await source.run()
            asked = len(fake.bodies)
            async with await Session.beside(source) as session:
                assert (session.seed, session.plan) == (source.seed, source.plan)
                result = await session.regate(source)
                assert (result.state, result.accepted) == (SessionState.COMPLETE, 40)
                assert await inputs_by_slot(session) == await inputs_by_slot(source)
                assert len(fake.bodies) == asked
                summary = await session.summary()
                assert (summary.prompt_tokens, summary.completion_tokens) == (0, 0)
                theirs = await source.summary()
                assert summary.rejections == theirs.rejections and summary.worker_model == theirs.worker_model


async def test_what_the_answers_do_not_fill_is_written_later(make_plan: Plans, make_config: Configs) -> None:
    heard: list[ev.Event] = []
    async with FakeOpenAI(duplicate_rate=0.3, seed=3) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_attempts=20, enable_diversity_check=False)
        async with await Session.create(make_plan(40), config) as source:
            await source.run()
            await source.settings.change({"enable_diversity_check": True})  # stricter than when they were paid for
            async with await Session.beside(source) as session:
                session.subscribe(heard.append)
                result = await session.regate(source)
                assert result.state is SessionState.PAUSED and 0 < result.accepted < 40
                paused = next(event for event in heard if isinstance(event, ev.RunPaused))
                assert paused.cause is PauseCause.ANSWERS_JUDGED
                assert f"{40 - result.accepted} slots are open" in paused.reason
                asked = len(fake.bodies)
                assert (await session.run()).accepted == 40
                assert len(fake.bodies) > asked


async def test_on_the_command_line(make_plan: Plans, make_config: Configs, tmp_path: Path) -> None:
    async with FakeOpenAI(duplicate_rate=0.0) as fake:
        config = make_config(base_url=fake.url, batch_size=5)
        async with await Session.create(make_plan(20), config) as source:
            await source.run()
            name, root = source.id, source.folder.parent
            kept, _ = await source.calls.kept_answers()
    place = ("--checkpoint-dir", root)
    done = command("regate", name, *place, "--json", "--out", "again.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [e["accepted"] for e in events(done.stdout) if e["type"] == "run_finished"] == [20]
    rows = [json.loads(line) for line in (tmp_path / "again.jsonl").read_text().splitlines()]
    assert len({json.dumps(row["inputs"]) for row in rows}) == 20
    for count in (kept, 0):
        done = command("regate", name, *place, "--purge", cwd=tmp_path)
        assert done.returncode == 0 and f"Removed {count} kept answers" in done.stdout, (count, done.stdout)
    done = command("regate", name, *place, cwd=tmp_path)
    assert done.returncode == 2 and "keeps no answers" in done.stderr
    assert len(json.loads(command("sessions", "--json", *place, cwd=tmp_path).stdout)) == 2  # none was begun for it


@pytest.mark.parametrize("times", [1, 2])
async def test_a_session_that_has_its_cases_already_stays_as_it_is(
    make_plan: Plans, make_config: Configs, times: int
) -> None:
    async with FakeOpenAI(duplicate_rate=0.0) as fake:
        config = make_config(base_url=fake.url, batch_size=5)
        async with await Session.create(make_plan(10), config) as source, await Session.beside(source) as session:
            await source.run()
            for _ in range(times):
                result = await session.regate(source)
            assert (result.accepted, await session.calls.count()) == (10, 0)


async def test_of_staged_cases_the_last_stage_counts(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(seed=3) as fake:
        fake.judge.bad = lambda case: len(str(case["inputs"]["query"])) % 2 == 0
        config = make_config(base_url=fake.url, api_key="k", judge="off", batch_size=5, candidates_per_slot=2)
        plan = make_plan(24, pipeline=["evolve", "critique", "revise"])
        async with await Session.create(plan, config) as source:
            await source.run()
            asked = len(fake.bodies) + len(fake.judge.bodies)
            async with await Session.beside(source) as session:
                result = await session.regate(source)
                assert (result.state, result.accepted) == (SessionState.COMPLETE, 24)
                assert await inputs_by_slot(session) == await inputs_by_slot(source)
                assert len(fake.bodies) + len(fake.judge.bodies) == asked


async def test_what_came_with_a_file_comes_along(make_config: Configs, tmp_path: Path) -> None:
    """It counts against no limit, as in the session that it was imported into, and its slots are not written anew."""
    file = tmp_path / "old.jsonl"
    file.write_text("".join(json.dumps({"query": f"Where is parcel {word}?"}) + "\n" for word in "abcdefghijkl"))
    dataset = extend_rows(file, 6)
    async with FakeOpenAI(duplicate_rate=0.0) as fake:
        config = make_config(base_url=fake.url, batch_size=3, max_dataset_size=6, diversity_across=True)
        async with await Session.create(dataset.plan, config, imported=dataset) as source:
            done = await source.run()
            assert (done.state, done.accepted) == (SessionState.COMPLETE, 18)
            await source.dataset.leave_imported_out()
            old = {row.case_id: row.inputs async for row in source.cases.all() if IMPORTED_FROM in row.tags}
            assert len(old) == 12
            async with await Session.beside(source) as session:
                before = {row.case_id: row.inputs async for row in session.cases.all()}
                assert before == old
                result = await session.regate(source)
                assert (result.state, result.accepted) == (SessionState.COMPLETE, 18)
                assert (await session.summary()).imported == (await source.summary()).imported
                plan = session.plan.model_dump(mode="json")
                plan["categories"][0]["description"] = "Questions about parcels"
                await session.plans.revise(parse_plan(plan))
                assert session._files.meta[ONLY_NEW], "it is written without what was there, as that one is"
