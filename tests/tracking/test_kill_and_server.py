"""A process that is killed while it logs, and a server that goes away and comes back."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderAgent, DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import CaseAccepted, CasesLogged, Event
from dsbuilder_tui.session.rebuilding import find_stored, rebuild
from dsbuilder_tui.tracking import outbox_drain
from dsbuilder_tui.tracking.mlflow_errors import MlflowFailure, TrackingFault
from dsbuilder_tui.tracking.mlflow_process import mlflow_process
from dsbuilder_tui.tracking.mlflow_target import MlflowTarget
from dsbuilder_tui.tracking.remote_target import RemoteTarget
from tests.support.tracked import assert_same, database_file, own_records

APPLICATION = Path(__file__).parent.parent / "support" / "mlflow_traces.py"

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.timeout(300)]

Config = Callable[..., DatasetBuilderConfig]
Plan = Callable[..., DatasetPlanInput]

KILLED = """
import asyncio, os, signal, sys
from dsbuilder_tui import *
from dsbuilder_tui.store.outbox import OutboxTable
from dsbuilder_tui.tracking.mlflow_process import mlflow_process
async def main():
    folder, uri, after = sys.argv[1:]
    plan = DatasetPlanInput(dataset_name="d", categories=[DatasetCategory(name="c", count=130, example_inputs="Hi?")])
    calls, real = [], OutboxTable.done
    async def done(self, ids):  # MLflow has them, and the session does not know it yet
        calls.append(ids)
        assert "mlflow" not in sys.modules and "pandas" not in sys.modules
        print(mlflow_process().pid, flush=True)
        os.kill(mlflow_process().pid, signal.SIGINT)  # as Ctrl+C would
        if len(calls) > int(after):
            os.kill(os.getpid(), signal.SIGKILL)
        await real(self, ids)
    OutboxTable.done = done
    config = DatasetBuilderConfig(checkpoint_dir=folder, mlflow_tracking_uri=uri, max_dataset_size=1000)
    async with await Session.create(plan, config) as session:
        await session.run()
        await session.tracking.settle(100)
asyncio.run(main())
"""


@pytest.mark.parametrize("after", [0, 1])
async def test_killed_between_sending_and_knowing_it(after: int, uri: str, tmp_path: Path, make_config: Config) -> None:
    folder = tmp_path / "sessions"
    command = [sys.executable, "-c", KILLED, str(folder), uri, str(after)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    processes = done.stdout.split()
    assert len(processes) == after + 1 and len(set(processes)) == 1
    await gone(int(processes[0]))  # the one that speaks to MLflow dies with it
    async with await Session.open("d", make_config(checkpoint_dir=folder, mlflow_tracking_uri=uri)) as session:
        await session.run()
        state = await session.tracking.settle(60)
        assert state is not None and state.finished and state.synced == 130
        held = await assert_same(uri, session)
        assert len(held["datasets"]) == len(held["runs"]) == 1


async def test_the_process_that_speaks_to_mlflow_is_killed(
    uri: str, make_config: Config, make_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_drain, "_FIRST_WAIT", 0.001)
    real, killed, errors = RemoteTarget.call, dict[Callable[..., Any], int](), set[str]()

    async def call(self: RemoteTarget, method: Callable[..., Any], *args: Any) -> Any:
        process = mlflow_process().pid
        if method not in (MlflowTarget.send, MlflowTarget.compare) or method in killed or process is None:
            return await real(self, method, *args)
        killed[method] = process
        if method is MlflowTarget.compare:  # it is at it as it dies
            os.kill(process, signal.SIGSTOP)
            calling = asyncio.create_task(real(self, method, *args))
            await asyncio.sleep(0)
            os.kill(process, signal.SIGKILL)
            return await calling
        await real(self, method, *args)
        os.kill(process, signal.SIGKILL)
        await gone(process)
        raise MlflowFailure(TrackingFault.UNREACHABLE, "nobody heard of it")  # though the records are there

    monkeypatch.setattr(RemoteTarget, "call", call)
    async with await Session.create(make_plan(60, 50), make_config(mlflow_tracking_uri=uri)) as session:
        session.subscribe(lambda event: errors.add(event.error) if isinstance(event, CasesLogged) else None)
        assert (await session.run()).accepted == 110
        while (state := await session.tracking.settle(60)) is not None and not state.finished:
            pass
        assert state is not None and state.synced == 110
        held = await assert_same(uri, session)
    assert len(held["datasets"]) == len(held["runs"]) == 1
    assert len(set(killed.values())) == 2 and mlflow_process().pid not in killed.values()
    assert {"nobody heard of it", "the process that sends to MLflow has ended"} <= errors


async def gone(process: int) -> None:
    """Wait until there is no such process any more."""
    async with asyncio.timeout(60):
        while is_there(process):
            await asyncio.sleep(0.01)


def is_there(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_what_is_left_goes_on_at_the_next_start(uri: str, make_config: Config, make_plan: Plan) -> None:
    config = make_config(mlflow_tracking_uri=uri, drain_timeout=0)
    async with await Session.create(make_plan(40), config) as session:
        await session.run()
        name = session.id
    async with await Session.open(name, config) as session:
        state = await session.tracking.state()
        assert state is not None and state.accepted == 40  # told without MLflow
        await session.tracking.begin()
        state = await session.tracking.settle(60)
        assert state is not None and state.finished
        await assert_same(uri, session)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def mlflow_server(uri: str, port: int) -> Iterator[None]:
    """A real server on loopback, with one worker."""
    folder = Path(database_file(uri)).parent
    process = subprocess.Popen(
        [
            sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--host", "127.0.0.1",
            "--port", str(port), "--workers", "1", "--serve-artifacts", "--artifacts-destination", str(folder / "art"),
        ],
        cwd=folder, env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def listening(port: int) -> None:
    async with asyncio.timeout(100):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.2)
            else:
                writer.close()
                return


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_server_that_goes_away_and_comes_back(uri: str, make_config: Config, make_plan: Plan) -> None:
    port = free_port()
    config = make_config(mlflow_tracking_uri=f"http://127.0.0.1:{port}", offline_pace=60)
    events: list[Event] = []
    async with await Session.create(make_plan(300), config) as session:
        session.subscribe(events.append)
        with mlflow_server(uri, port):
            await listening(port)
            run = asyncio.create_task(session.run())
            while not any(isinstance(e, CasesLogged) and e.accepted > e.waiting for e in events):
                await asyncio.sleep(0.05)
        assert (await run).accepted == 300  # it did not wait
        state = await session.tracking.settle(5)
        assert state is not None and state.waiting and "no connection" in state.error
        with mlflow_server(uri, port):
            await listening(port)
            state = await session.tracking.sync(200)
            while not state.finished:
                state = await session.tracking.sync(200)
            assert (
                state.link
                == f"http://127.0.0.1:{port}/#/experiments/{session._files.meta['mlflow']['experiment_id']}/datasets"
            )
            held = await assert_same(uri, session)
    assert len(held["datasets"]) == len(held["runs"]) == 1
    assert sum(isinstance(e, CaseAccepted) for e in events) == 300


async def test_a_server_that_is_not_there_holds_nothing_up(make_config: Config, make_plan: Plan) -> None:
    config = make_config(mlflow_tracking_uri=f"http://127.0.0.1:{free_port()}")
    async with await Session.create(make_plan(20), config) as session:
        assert (await session.run()).accepted == 20
        state = await session.tracking.settle(60)
        assert state is not None and state.waiting == 20 and "no connection to http://127.0.0.1" in state.error
        folder = session.folder
    for _ in range(12):  # it can be closed whenever, also as the waiting for better times is cut short
        async with await Session.open(folder, config) as session:
            await session.tracking.begin()
            state = await session.tracking.settle(60)
            assert state is not None and state.waiting == 20


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_lost_session_is_rebuilt_from_a_server(uri: str, make_config: Config, make_plan: Plan) -> None:
    port = free_port()
    config = make_config(mlflow_tracking_uri=f"http://127.0.0.1:{port}")
    with mlflow_server(uri, port):
        await listening(port)
        session = await Session.create(make_plan(60, 20), config)
        await session.run()
        await session.cases.withdraw("category_1", 7, "no")
        state = await session.tracking.sync(200)
        while state.waiting:
            state = await session.tracking.sync(200)
        before = await own_records(session)
        await session.aclose()
        await asyncio.to_thread(shutil.rmtree, session.folder)
        dataset = await asyncio.to_thread(find_stored, "support", config)
        async with (await rebuild(dataset, config)).session as session:
            assert await own_records(session) == before and len(before) == 79
            await session.run()
            state = await session.tracking.sync(200)
            while not state.finished:
                state = await session.tracking.sync(200)
            held = await assert_same(uri, session)
    assert len(held["datasets"]) == len(held["runs"]) == 1 and len(held["datasets"][0]["records"]) == 80


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_traces_on_a_server_become_cases(uri: str, make_config: Config) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with mlflow_server(uri, port):
        await listening(port)
        for experiment, kind in (("my_bot", "requests"), ("talks", "talks")):
            command = [sys.executable, str(APPLICATION), address, experiment, kind]
            await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=300)
        async with DatasetBuilderAgent(config=make_config(mlflow_tracking_uri=address)) as agent:
            state = await agent.from_traces("my_bot", since="1d")
            assert state.state == "complete" and 0 < state.instances_created <= 39
            assert "40 traces of my_bot read: 40 requests" in agent.notes[0] and "personal data masked" in " ".join(
                agent.notes
            )
            texts = [str(case.inputs) async for case in agent.cases()]
            assert not any("Tobias" in text or "posteo" in text for text in texts)
            state = await agent.from_traces("my_bot", filter="tags.channel = 'app'", more=3)
            assert state.total_instances_planned - state.instances_created == 3
            assert (await agent.resume()).state == "complete"
            await agent.from_traces("talks")
            talks = [case.inputs["messages"] async for case in agent.cases()]
            assert talks and all(len(messages) == 3 for messages in talks)
            with pytest.raises(InputError, match="no experiment"):
                await agent.from_traces("nobody")
