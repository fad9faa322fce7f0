"""A session in a real MLflow database: the dataset is the session's, once each, whatever happens on the way."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.domain.events import CasesLogged, Event, Notice
from dsbuilder_tui.settings.key_trust import allow, foreign_tracking
from dsbuilder_tui.tracking.evaluate_example import evaluate_example
from dsbuilder_tui.tracking.evaluation_records import EvaluationRecords
from dsbuilder_tui.tracking.mlflow_target import TrackedIds
from tests.support.tracked import assert_same, database_file, held_by_mlflow, held_in_file, mlflow_client, own_records

# MLflow's own, at its first import with SQLAlchemy 2.1.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]

Config = Callable[..., DatasetBuilderConfig]
Plan = Callable[..., DatasetPlanInput]


def store_of(uri: str) -> EvaluationRecords:
    return EvaluationRecords(mlflow_client(uri))


async def test_a_run_is_there_when_it_has_ended(uri: str, make_config: Config, make_plan: Plan) -> None:
    events: list[Event] = []
    async with await Session.create(make_plan(70, 40), make_config(mlflow_tracking_uri=uri)) as session:
        session.subscribe(events.append)
        await session.run()
        state = await session.tracking.settle(60)
        assert state is not None and state.finished and not state.error and state.synced == 110
        held = await assert_same(uri, session, reader=held_by_mlflow)
    (dataset,), (run,) = held["datasets"], held["runs"]
    assert dataset["name"] == "support" and dataset["tags"]["dsbuilder_state"] == "complete"
    tags = dataset["records"][0]["tags"]
    assert {"case_id", "category", "slot", "seq", "branch", "dsbuilder_session"} <= set(tags)
    assert run["experiment"] == "dsbuilder" and run["status"] == "FINISHED" and run["inputs"] == ["support"]
    assert run["metrics"]["accepted"] == 110 and run["params"]["planned"] == "110"
    assert run["artifacts"] == ["plan", "plan/revision-1.json", "report.json", "session.json"]
    assert [e for e in events if isinstance(e, CasesLogged)][-1].finished
    assert any("110 records, as in the session" in e.text for e in events if isinstance(e, Notice))
    assert list(Path.cwd().iterdir()) == []  # MLflow's own default would be here


async def test_edits_withdrawals_and_verdicts_follow(uri: str, make_config: Config, make_plan: Plan) -> None:
    async with await Session.create(make_plan(12), make_config(mlflow_tracking_uri=uri)) as session:
        await session.run()
        await session.tracking.settle(60)
        cases = [case async for case in session.cases.all()]
        await session.cases.edit("category_1", 1, {"query": "Something else entirely?"}, {"polite": False})
        await session.cases.edit("category_1", 2, cases[1].inputs, {"brief": True})  # the same text, another key
        await session.cases.annotate("category_1", 3, note="look", pinned=None)
        await session.cases.withdraw("category_1", 4, "no")
        state = await session.tracking.settle(60)
        assert state is not None and state.waiting == 0 and state.accepted == 11
        await session.cases.annotate("category_1", 3, note="", pinned=None)  # a tag that goes again
        await session.tracking.settle(60)
        held = await assert_same(uri, session)
        (noted,) = [r for d in held["datasets"] for r in d["records"] if r["tags"]["case_id"] == "category_1-00003"]
        assert "note" not in noted["tags"]
        await session.run()  # fills the slot that is open again
        await session.tracking.settle(60)
        held = await assert_same(uri, session)
        assert len(held["datasets"]) == len(held["runs"]) == 1


async def test_cases_that_were_there_before_are_sent_once(uri: str, make_config: Config, make_plan: Plan) -> None:
    config = make_config()
    async with await Session.create(make_plan(60), config) as session:
        await session.run()
        assert await session.tracking.state() is None
        name = session.id
    for _ in range(2):
        async with await Session.open(name, make_config(mlflow_tracking_uri=uri)) as session:
            assert (await session.tracking.sync(60)).finished
            held = await assert_same(uri, session)
            assert len(held["datasets"]) == 1 and len(held["datasets"][0]["records"]) == 60


async def test_a_record_that_is_not_taken_does_not_hold_the_others(
    uri: str, make_config: Config, make_plan: Plan
) -> None:
    config = make_config()
    async with await Session.create(make_plan(30), config) as session:
        await session.run()
        name, texts = session.id, [str(r["inputs"]["query"]) for r in await own_records(session)]
    with sqlite3.connect(database_file(uri)) as connection:  # as a server does that has its own mind about some text
        connection.execute(
            "CREATE TRIGGER poison BEFORE INSERT ON evaluation_dataset_records WHEN instr(NEW.inputs, '"
            + texts[6].replace("'", "''")
            + "') BEGIN SELECT RAISE(ABORT, 'no such text'); END"
        )
    async with await Session.open(name, make_config(mlflow_tracking_uri=uri)) as session:
        state = await session.tracking.sync(60)
        assert (state.synced, state.given_up, state.waiting) == (29, 1, 0) and "no such text" in state.error
        held = await held_in_file(uri, session)
        assert len(held["datasets"][0]["records"]) == 29
        with sqlite3.connect(database_file(uri)) as connection:
            connection.execute("DROP TRIGGER poison")
        assert (await session.tracking.sync(60)).synced == 30  # asked for again, it is tried again
        await assert_same(uri, session)


async def test_a_locked_database_is_waited_for(uri: str, make_config: Config, make_plan: Plan) -> None:
    lock = sqlite3.connect(database_file(uri), isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    config = make_config(mlflow_tracking_uri=f"{uri}?timeout=0.2")
    async with await Session.create(make_plan(20), config) as session:
        assert (await session.run()).accepted == 20  # whatever MLflow does
        state = await session.tracking.settle(60)
        assert state is not None and state.waiting == 20 and "locked" in state.error
        lock.close()
        state = await session.tracking.sync(60)
        while state.error or not state.finished:
            state = await session.tracking.sync(60)
        await assert_same(uri, session)


async def test_what_a_person_did_to_the_records(uri: str, make_config: Config, make_plan: Plan) -> None:
    async with await Session.create(make_plan(20), make_config(mlflow_tracking_uri=uri)) as session:
        await session.run()
        await session.tracking.settle(60)
        ids = session._files.meta["mlflow"]["datasets"]["records"]
        with sqlite3.connect(database_file(uri)) as connection:
            connection.execute("DELETE FROM evaluation_dataset_records WHERE inputs LIKE '%' AND rowid % 4 = 0")
            connection.execute("UPDATE evaluation_dataset_records SET expectations='{}' WHERE rowid % 4 = 1")
        store_of(uri).upsert(ids, [{"inputs": {"query": "mine"}, "tags": {"by": "me"}}])
        stray = {"inputs": {"query": "stray"}, "tags": {"dsbuilder_session": session._files.meta["mlflow"]["session"]}}
        store_of(uri).upsert(ids, [stray])
        notices: list[str] = []
        session.subscribe(lambda event: notices.append(event.text) if isinstance(event, Notice) else None)
        assert (await session.tracking.sync(60)).finished
        held = await assert_same(uri, session)
        queries = [r["inputs"]["query"] for r in held["datasets"][0]["records"]]
        assert "mine" in queries and "stray" not in queries and len(queries) == 21
        assert any("5 added, 1 deleted, 5 mended; 1 record of somebody else" in text for text in notices), notices


async def test_two_sessions_of_one_name_and_a_dataset_that_was_deleted(
    uri: str, make_config: Config, make_plan: Plan
) -> None:
    config = make_config(mlflow_tracking_uri=uri)
    async with await Session.create(make_plan(8), config) as one, await Session.create(make_plan(9), config) as two:
        await one.run()
        await two.run()
        await one.tracking.settle(60)
        await two.tracking.settle(60)
        for session in (one, two):
            held = await assert_same(uri, session)
            assert [d["name"] for d in held["datasets"]] == ["support"]
        mlflow_client(uri).delete_dataset(one._files.meta["mlflow"]["datasets"]["records"])
        while not (await one.tracking.sync(60)).finished:
            pass
        assert len((await assert_same(uri, one))["datasets"]) == 1
        run = two._files.meta["mlflow"]["run_id"]
        mlflow_client(uri).delete_run(run)  # its new run says all that the old one did
        while not (await two.tracking.sync(60)).finished:
            pass
        new = two._files.meta["mlflow"]["run_id"]
        there = [one.path for one in mlflow_client(uri).list_artifacts(new)]
        assert new != run and there == ["plan", "report.json", "session.json"]


async def test_scenarios_have_a_dataset_of_their_own(uri: str, make_config: Config) -> None:
    plan = DatasetPlanInput(
        dataset_name="mixed",
        categories=[
            DatasetCategory(name="plain", count=6, example_inputs="Where is my order #12345?"),
            DatasetCategory(name="played", kind="scenario", count=4, example_inputs="Get a refund for order 12345"),
        ],
    )
    async with await Session.create(plan, make_config(mlflow_tracking_uri=uri)) as session:
        await session.run()
        assert (await session.tracking.sync(60)).finished
        held = await assert_same(uri, session)
        assert {d["name"]: len(d["records"]) for d in held["datasets"]} == {"mixed": 6, "mixed_scenarios": 4}


async def test_equal_inputs_are_told(uri: str, make_config: Config) -> None:
    plan = DatasetPlanInput(
        dataset_name="alike", categories=[DatasetCategory(name="same", count=5, example_inputs="Hi", diversity=False)]
    )
    config = make_config(mlflow_tracking_uri=uri)
    async with await Session.create(plan, config) as session:
        await session.run()
        for ordinal in (1, 2, 3):
            await session.cases.edit("same", ordinal, {"query": "Hello"}, {})
        notices: list[str] = []
        session.subscribe(lambda event: notices.append(event.text) if isinstance(event, Notice) else None)
        assert (await session.tracking.sync(60)).finished
        assert any("2 cases with the inputs of another one" in text for text in notices), notices
        await session.cases.withdraw("same", 1, "no")  # its record is that of two others, too
        await session.tracking.settle(60)
        held = await held_in_file(uri, session)
        assert "Hello" in [r["inputs"]["query"] for r in held["datasets"][0]["records"]]


OFF = """
import asyncio, socket, sys
real = socket.socket.connect
def connect(self, address):
    print("CONNECT", address); return real(self, address)
socket.socket.connect = connect
from dsbuilder_tui import *
plan = DatasetPlanInput(dataset_name="d", categories=[DatasetCategory(name="c", count=5, example_inputs="Hi?")])
async def main():
    agent = DatasetBuilderAgent(config=DatasetBuilderConfig(checkpoint_dir="s"))
    await agent.generate(plan)
    await agent.session.cases.withdraw("c", 1, "no")
    await agent.aclose()
asyncio.run(main())
print([name for name in sys.modules if name.split(".")[0] in ("mlflow", "sqlalchemy", "alembic", "pandas")])
"""


def test_while_it_is_off_nothing_of_mlflow_is_imported_and_nothing_leaves() -> None:
    done = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stdout


async def test_the_example_runs_as_it_is_printed(uri: str, make_config: Config, make_plan: Plan) -> None:
    async with await Session.create(make_plan(3), make_config(mlflow_tracking_uri=uri)) as session:
        await session.run()
        await session.tracking.sync(60)
        lines = session.tracking.example
    assert len(lines) == 6
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_GENAI_EVAL_MAX_WORKERS": "1"}
    done = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "\n".join(lines), env=environment, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await done.communicate()
    assert done.returncode == 0, out.decode()[-2000:]


def test_the_example_is_python_whatever_the_fields_are_called() -> None:
    for names in (("query",), ("class",), ("order id", "query"), ("lambda", "text")):
        category = DatasetCategory(name="c", count=1, example_inputs="Hi")
        plan = DatasetPlanInput(dataset_name="d", categories=[category], input_fields=dict.fromkeys(names, ""))
        ids = TrackedIds(session="s", uri="sqlite:///m.db", experiment="it's", datasets={"records": "d-1"})
        assert compile("\n".join(evaluate_example(plan, ids.uri, ids)), "example", "exec")


async def test_an_address_that_came_with_a_folder_is_asked_about(
    uri: str, make_config: Config, make_plan: Plan
) -> None:
    Path(".env").write_text(f"MLFLOW_TRACKING_URI={uri}\n")
    config = make_config()
    assert config.logs_to_mlflow
    async with await Session.create(make_plan(3), config) as session:
        notices: list[str] = []
        session.subscribe(lambda event: notices.append(event.text) if isinstance(event, Notice) else None)
        assert (await session.run()).accepted == 3
        assert await session.tracking.state() is None and any("Nothing is logged" in text for text in notices)
        with pytest.raises(ConfigError, match="mlflow_tracking_uri"):
            await session.tracking.sync(1)
        allow(foreign_tracking(config))
        assert (await session.tracking.sync(60)).finished
