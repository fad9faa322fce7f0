"""Calls of models as traces in a real MLflow database: each once, with the times that it had, and without a secret."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from agents.testing import ScriptedModel

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.events import Notice
from dsbuilder_tui.domain.traced_call import MOST_TEXT, TracedCall
from dsbuilder_tui.models.redaction import forms_of
from dsbuilder_tui.tracking import outbox_drain
from dsbuilder_tui.tracking.call_spans import CallSpans
from dsbuilder_tui.tracking.case_record import CALLER_TAG, SESSION_TAG
from dsbuilder_tui.tracking.mlflow_errors import MlflowFailure, TrackingFault
from dsbuilder_tui.tracking.mlflow_target import MlflowTarget
from dsbuilder_tui.tracking.remote_target import RemoteTarget
from dsbuilder_tui.tracking.trace_queue import TraceQueue
from tests.support.fake_openai import FakeOpenAI
from tests.support.talking import Talking, says
from tests.support.tracked import assert_same, database_file, mlflow_client, mlflow_name
from tests.tracking.test_kill_and_server import free_port, listening, mlflow_server

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]

Config = Callable[..., DatasetBuilderConfig]
Plan = Callable[..., DatasetPlanInput]
KEY = "sk-never-to-be-seen-0123456789"


def traces(uri: str, session: Session | None = None) -> list[Any]:
    """As MLflow's own search finds them, those of one session or all."""
    client = mlflow_client(uri)
    wanted = f"tags.{SESSION_TAG} = '{mlflow_name(session)}'" if session is not None else None
    places = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_traces(locations=places, filter_string=wanted, max_results=500))


def call(number: int = 1, **values: Any) -> TracedCall:
    given: dict[str, Any] = {
        "caller": "worker", "model": "m", "system": "", "messages": (("user", "Write."),), "answer": "Yes.",
        "started": 1_700_000_000.25, "ended": 1_700_000_002.5, "outcome": CallOutcome.OK, "usage": Usage(3, 4),
        "key": f"{number:032x}",
    }  # fmt: skip
    return TracedCall(**given | values)


async def test_workers_and_judge_are_there_as_they_were(
    uri: str, fake: FakeOpenAI, make_config: Config, make_plan: Plan
) -> None:
    fake.script = ["ok", "server_error", "ok", "reset"]
    config = make_config(
        mlflow_tracking_uri=uri, mlflow_trace_calls=True, base_url=fake.url, api_key=KEY, judge="all", batch_size=5,
        max_workers=2,
    )  # fmt: skip
    plan = make_plan(20).model_copy(update={"description": f"A shop whose key is {KEY}."})
    async with await Session.create(plan, config) as session:
        await session.run()
        state = await session.tracking.settle(60)
        assert state is not None and state.finished and (state.traces_waiting, state.traces_lost) == (0, 0)
        calls = await session.calls.page(0, 1000)
        found = traces(uri, session)
        await assert_same(uri, session)
    by_batch = {trace.data.spans[0].attributes["batch"]: trace for trace in found}
    assert len(by_batch) == len(found) == len(calls) and {c.role.value for c in calls} == {"worker", "judge"}
    for one in calls:
        trace = by_batch[one.batch]
        (span,) = trace.data.spans
        assert trace.info.tags[CALLER_TAG] == one.role.value and trace.info.tags["category"] == one.category
        assert span.attributes["outcome"] == one.outcome.value and span.attributes["mlflow.llm.model"] == one.model
        assert len(span.attributes["retries"]) == one.retries
        used = trace.info.token_usage
        assert (used["input_tokens"], used["output_tokens"]) == (one.usage.prompt_tokens, one.usage.completion_tokens)
        assert [message["role"] for message in span.inputs["messages"]] == ["system", "user"]
        assert span.outputs["choices"][0]["message"]["content"]
        assert trace.info.request_time / 1000 <= one.created_at
    assert any(one.retries for one in calls)
    everything = Path(database_file(uri)).read_bytes()
    assert b"A shop whose key is [hidden]" in everything and KEY.encode() not in everything


async def test_the_main_agent_is_there_too(uri: str, make_config: Config) -> None:
    config = make_config(mlflow_tracking_uri=uri, mlflow_trace_calls=True)
    async with await Session.begin("shop", config) as session:
        talking = Talking(session, ScriptedModel([[says("Of what shop?")]]))
        await talking.say("I need cases for my shop")
        await session.tracking.begin()
        await session.tracking.settle(60)
        (trace,) = traces(uri, session)
    (span,) = trace.data.spans
    assert trace.info.tags[CALLER_TAG] == span.name == "main agent"
    assert "I need cases for my shop" in span.inputs["messages"][-1]["content"]
    assert span.outputs["choices"][0]["message"]["content"] == "Of what shop?"


@pytest.mark.parametrize("settings", [{}, {"mlflow_trace_calls": True, "incremental_mlflow_logging": False}])
async def test_nothing_is_traced_unless_it_is_asked_for(
    settings: dict[str, bool], uri: str, make_config: Config, make_plan: Plan
) -> None:
    async with await Session.create(make_plan(5), make_config(mlflow_tracking_uri=uri, **settings)) as session:
        await session.run()
        await session.tracking.settle(60)
    assert traces(uri) == []


async def test_traces_that_are_not_taken_are_counted_and_hold_nothing_up(
    uri: str, make_config: Config, make_plan: Plan
) -> None:
    with sqlite3.connect(database_file(uri)) as connection:
        connection.execute(
            "CREATE TRIGGER poison BEFORE INSERT ON spans WHEN instr(NEW.content, 'category_2') "
            "BEGIN SELECT RAISE(ABORT, 'no such text'); END"
        )
    notices: list[str] = []
    config = make_config(mlflow_tracking_uri=uri, mlflow_trace_calls=True, batch_size=5)
    async with await Session.create(make_plan(10, 10), config) as session:
        session.subscribe(lambda event: notices.append(event.text) if isinstance(event, Notice) else None)
        await session.run()
        state = await session.tracking.settle(60)
        lost = sum(one.category == "category_2" for one in await session.calls.page(0, 1000))
        assert state is not None and state.finished and state.synced == 20 and state.traces_lost == lost > 0
        assert f"{lost} traces lost" in state.words
        assert {trace.info.tags["category"] for trace in traces(uri, session)} == {"category_1"}
    assert any(f"{lost} traces of calls did not get to MLflow" in text for text in notices)


async def test_what_waits_at_the_end_is_told(make_config: Config, make_plan: Plan) -> None:
    config = make_config(mlflow_tracking_uri=f"http://127.0.0.1:{free_port()}", mlflow_trace_calls=True, batch_size=5)
    notices: list[str] = []
    async with await Session.create(make_plan(10), config) as session:
        session.subscribe(lambda event: notices.append(event.text) if isinstance(event, Notice) else None)
        await session.run()
        count = await session.calls.count()
        state = await session.tracking.settle(60)
        assert state is not None and state.traces_waiting == count
    assert any(text == f"{count} traces of calls did not get to MLflow." for text in notices), notices


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_server_takes_them(uri: str, make_config: Config, make_plan: Plan) -> None:
    port = free_port()
    config = make_config(mlflow_tracking_uri=f"http://127.0.0.1:{port}", mlflow_trace_calls=True, batch_size=5)
    with mlflow_server(uri, port):
        await listening(port)
        async with await Session.create(make_plan(20), config) as session:
            await session.run()
            state = await session.tracking.sync(200)
            while not state.finished or state.traces_waiting:
                state = await session.tracking.sync(200)
            found = traces(uri, session)
            assert len(found) == await session.calls.count() and not state.traces_lost
    assert all(trace.info.tags[CALLER_TAG] == "worker" for trace in found)


def written(uri: str, calls: Sequence[TracedCall], *secrets: str, times: int = 1) -> list[Any]:
    client = mlflow_client(uri)
    for _ in range(times):
        CallSpans(client, "0", "one", forms_of(secrets)).write(calls)
    return list(client.search_traces(locations=["0"], order_by=["timestamp_ms ASC"]))


def test_a_call_that_is_written_twice_is_there_once_with_its_own_times(uri: str) -> None:
    failed = call(2, outcome=CallOutcome.FAILED, detail="no answer", answer="", usage=Usage(), started=1_700_000_010.0,
                  ended=1_700_000_011.0)  # fmt: skip
    first, second = written(uri, [call(1), failed], times=2)
    assert (first.info.request_time, first.info.execution_duration) == (1_700_000_000_250, 2250)
    assert first.info.token_usage["total_tokens"] == 7
    assert (first.info.state.value, second.info.state.value) == ("OK", "ERROR")
    assert second.data.spans[0].status.description == "no answer"


@pytest.mark.parametrize("place", ["system", "message", "answer", "detail", "cut"])
def test_no_secret_is_written_wherever_it_stands(place: str, uri: str) -> None:
    text = "x" * (MOST_TEXT - 10) + KEY[:10] if place == "cut" else f"It is {KEY}!"
    values: dict[str, Any] = {"messages": (("user", text),)} if place in ("message", "cut") else {place: text}
    (trace,) = written(uri, [call(**values)], KEY)
    everything = Path(database_file(uri)).read_bytes()
    assert KEY[:10].encode() not in everything and trace.info.state.value == "OK"


def test_the_queue_has_an_end_and_counts_what_does_not_fit() -> None:
    queue = TraceQueue(most_calls=3, most_characters=10**6)
    calls = [call(number) for number in range(5)]
    for one in calls[:3]:
        queue.put(one)
    sending = queue.first(2)
    for one in calls[3:]:
        queue.put(one)
    assert (len(queue), queue.lost) == (3, 2) and queue.first(9) == tuple(calls[2:])
    queue.sent(sending)  # they had to make room while they were on their way
    assert (len(queue), queue.lost) == (3, 0)
    queue.lose(calls[2:3])
    assert (len(queue), queue.lost) == (2, 1)
    small = TraceQueue(most_calls=10, most_characters=100)
    for number in range(3):
        small.put(call(number, answer="x" * 60))
    assert (len(small), small.lost) == (1, 2)


async def test_a_lone_record_with_an_unclear_error_is_given_up(
    uri: str, make_config: Config, make_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_drain, "_FIRST_WAIT", 0.001)
    monkeypatch.setattr(outbox_drain, "_LONGEST_WAIT", 0.001)
    real, tries = RemoteTarget.call, list[str]()

    async def call(self: RemoteTarget, method: Callable[..., Any], *args: Any) -> Any:
        case = "category_1-00002"
        if method is MlflowTarget.send and any(record["tags"]["case_id"] == case for record in args[3]):
            tries.append(case)
            raise MlflowFailure(TrackingFault.UNCERTAIN, "Internal Server Error")
        return await real(self, method, *args)

    monkeypatch.setattr(RemoteTarget, "call", call)
    async with await Session.create(make_plan(4), make_config(mlflow_tracking_uri=uri)) as session:
        await session.run()
        state = await session.tracking.sync(100)
        while state.waiting:
            state = await session.tracking.state() or state
            await session.tracking.settle(1)
        assert (state.synced, state.given_up) == (3, 1) and "Internal Server Error" in state.error
        count = len(tries)
        assert count >= outbox_drain.MOST_UNCLEAR
        monkeypatch.setattr(RemoteTarget, "call", real)
        state = await session.tracking.sync(100)
        while not state.finished:
            state = await session.tracking.sync(100)
        await assert_same(uri, session)


# Read by every Python process as it begins, also by the one that speaks to MLflow.
WATCHED = """
import os, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        note("TRAFFIC", event, arguments[-1] if event != "socket.getaddrinfo" else arguments[0])
    elif event == "import" and arguments[0] == "mlflow":
        note("MLFLOW", os.getpid())
def note(*told):
    with open(os.path.join(os.path.dirname(__file__), "noted"), "a") as file:
        print(*told, file=file)
sys.addaudithook(watch)
"""

QUIET = """
import asyncio, sys
from dsbuilder_tui import *
from dsbuilder_tui.tracking.mlflow_process import mlflow_process
plan = DatasetPlanInput(dataset_name="d", categories=[DatasetCategory(name="c", count=12, example_inputs="Hi?")])
async def main():
    config = DatasetBuilderConfig(checkpoint_dir="s", mlflow_tracking_uri=sys.argv[1], mlflow_trace_calls=True)
    async with await Session.create(plan, config) as session:
        await session.run()
        state = await session.tracking.sync(100)
        assert state.finished and not state.traces_waiting and not state.traces_lost, state
        await session.results.read()
    print(mlflow_process().pid)
asyncio.run(main())
"""


def test_nothing_leaves_the_machine_while_it_logs_and_traces_and_mlflow_is_imported_beside_it(
    uri: str, tmp_path: Path
) -> None:
    watching = tmp_path / "watching"
    watching.mkdir()
    (watching / "sitecustomize.py").write_text(WATCHED)
    path = os.pathsep.join([str(watching), *sys.path])
    command = [sys.executable, "-W", "ignore", "-c", QUIET, uri]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
    noted = set((watching / "noted").read_text().splitlines())
    assert done.stdout.strip() and noted == {f"MLFLOW {done.stdout.strip()}"}, (noted, done.stderr[-2000:])
