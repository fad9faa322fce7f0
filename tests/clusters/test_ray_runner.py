"""A run whose calls are made by the nodes of a Ray cluster: the same dataset, whatever becomes of the nodes."""

from __future__ import annotations

import asyncio
import faulthandler
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.events import BatchFinished, BatchStarted, CaseAccepted, Event
from dsbuilder_tui.domain.node_events import NodeJoined, NodeLost
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from tests.support.fake_openai import FakeOpenAI
from tests.support.far_nodes import move_nodes_away
from tests.support.process import ROOT, command, events, fake_endpoint, rest, start
from tests.support.ray_cluster import TOKEN, LoopbackCluster, loopback_cluster
from tests.support.studio import studio

pytestmark = pytest.mark.timeout(600)  # a cluster of this machine takes a while to begin where much else goes on

KEY = "sk-a-key-that-no-log-of-ray-may-hold"
RUN = ("run", "--example", "customer_service", "--max-dataset-size", "500")
MakeConfig = Callable[..., DatasetBuilderConfig]


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[LoopbackCluster]:
    with loopback_cluster("gpu_a", "gpu_b") as made:
        yield made


@pytest.fixture
def cluster(running_cluster: LoopbackCluster) -> LoopbackCluster:
    """Of the two nodes, whichever the test before has ended or begun."""
    running_cluster.consist_of("gpu_a", "gpu_b")
    return running_cluster


def plan_of(count: int, name: str = "on_nodes") -> DatasetPlanInput:
    category = {"count": count, "example_inputs": "Where is my order #12345?", "expectations": {"polite": True}}
    return parse_plan({"dataset_name": name, "categories": [{"name": "orders", **category}]}, "plan")


def queries(path: Path) -> list[str]:
    return [json.loads(line)["inputs"]["query"] for line in path.read_text().splitlines()]


@pytest.mark.usefixtures("answers_held_back")
async def test_a_node_dies_another_comes_and_nothing_is_lost_or_twice(cluster: LoopbackCluster, tmp_path: Path) -> None:
    """Each node calls its own server, with a key that is in no log; what was in flight on the dead one is made again. F6
    shows which nodes there are."""
    total, workers, patience = 240, 8, 120
    async with (
        FakeOpenAI(latency=0.05) as first,
        FakeOpenAI(latency=0.05, begins_at=100_000) as second,
        studio(flags={
            "runner": "ray", "ray_address": cluster.address, "base_url": first.url, "api_key": KEY, "batch_size": 2,
            "max_workers": workers, "hedging": "off",
            "ray_endpoints": {"gpu_a": first.url, "gpu_b": second.url, "gpu_c": second.url},
        }) as user,
    ):  # fmt: skip
        heard: list[Event] = []
        seen: Counter[str] = Counter()
        first.gate = second.gate = go_on = asyncio.Event()  # no answer before the nodes are seen

        def follow(event: Event) -> None:
            heard.append(event)
            seen[event.type] += 1
            if isinstance(event, CaseAccepted) and seen[event.type] == total // 3:
                first.gate = second.gate = asyncio.Event()
                cluster.kill("gpu_b")
                cluster.add("gpu_c")

        def nodes() -> list[str]:
            """The lines of the nodes' pane, from its title to its end."""
            lines = [line.rstrip("│ ") for line in user.text.splitlines()]
            begin = next((at for at, line in enumerate(lines) if " at work " in line), len(lines))
            return lines[begin:]

        def shown(*words: str) -> bool:
            return all(any(re.search(one, line) for line in nodes()) for one in words)

        await user.app.create_session(plan_of(total))
        user.session.subscribe(follow)
        await user.at("StudioScreen", "PlanCard")
        await user.answer("enter")
        await user.at("StudioScreen")
        await user.press("f6")
        await user.at("WorkersScreen")
        await user.until(lambda: shown("2 of 2 nodes at work", "gpu_a +working", "gpu_b +working"), patience)
        go_on.set()
        await user.until(
            lambda: shown("2 of 3 nodes at work", r"gpu_b +lost .*\d made again elsewhere", "gpu_c +working"), patience
        )
        held = cluster.holders_of(KEY)
        first.gate.set()
        await user.until(lambda: user.live.view.state == "finished" and not user.live.running, patience)
        await user.until(lambda: not user.one("#nodes-pane").display)
        out = await user.session.export(tmp_path / "out.jsonl")
        assert out is not None and user.live.view.accepted == total
        calls = sum(first.seen.values()) + sum(second.seen.values())
        keys = {headers.get("authorization") for fake in (first, second) for headers in fake.headers}
    assert len(set(queries(tmp_path / "out.jsonl"))) == len(queries(tmp_path / "out.jsonl")) == total
    announced = Counter(event.case_id for event in heard if isinstance(event, CaseAccepted))
    assert len(announced) == total and set(announced.values()) == {1}
    assert first.seen and second.seen, "each node calls its own server"
    lost = [event for event in heard if isinstance(event, NodeLost)]
    assert [event.node for event in lost] == ["gpu_b"]
    assert {event.node for event in heard if isinstance(event, NodeJoined)} == {"gpu_a", "gpu_b", "gpu_c"}
    # What is asked for again was in flight on the node that died; no call is begun anew by the run for that.
    begun = sum(isinstance(event, BatchStarted) for event in heard)
    assert begun <= calls <= begun + lost[0].calls and lost[0].calls <= 2 * workers
    assert keys == {f"Bearer {KEY}"} and not held
    assert not [path for path in cluster.folder.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert cluster.listening() and all("127.0.0.1" in address for address in cluster.listening())


class Gate(asyncio.Event):
    """An endpoint's, which counts the calls that it holds."""

    held = 0

    async def wait(self) -> Literal[True]:
        self.held += 1
        return await super().wait()


@pytest.mark.usefixtures("answers_held_back")
async def test_what_waits_on_the_nodes_is_given_back_at_a_pause(
    cluster: LoopbackCluster, make_config: MakeConfig
) -> None:
    """Calls that are short for their way wait on the nodes, beyond the workers' number; none of them is made after a pause."""
    total, workers = 400, 8
    fake, gate = FakeOpenAI(latency=0.004), Gate()  # shorter than their way, so that some always wait
    config = make_config(
        runner="ray", ray_address=cluster.address, base_url=await fake.start(), batch_size=1, max_workers=workers,
        hedging="off",
    )  # fmt: skip
    heard: list[Event] = []

    def follow(event: Event) -> None:
        heard.append(event)
        if fake.gate is None and waiting() and sum(isinstance(each, CaseAccepted) for each in heard) > total // 4:
            fake.gate = gate  # from now on no answer comes

    async with await Session.create(plan_of(total, "waiting"), config) as session:

        def waiting() -> int:
            return sum(place.waiting for place in session.calls.places())

        def there() -> int:
            return waiting() + sum(place.calls for place in session.calls.places())

        session.subscribe(follow)
        run = asyncio.create_task(session.run())
        while not (waiting() and gate.held >= workers and run_is_still(session, workers)):
            assert not run.done(), run
            await asyncio.sleep(0.01)
        assert fake.in_flight == gate.held == workers, "each is made when its turn is come"
        made = sum(fake.seen.values())
        session.request_pause()
        while there() > workers:  # those that are held are left
            await asyncio.sleep(0.01)
        gate.set()
        assert (await run).state is SessionState.PAUSED
        assert sum(fake.seen.values()) == made
        started = sum(isinstance(event, BatchStarted) for event in heard)
        # What is told of one that another has overtaken on its way to the node is that it was cut off unmade.
        assert started == await session.calls.count() == made + len(cut_off(heard))
        result = await session.run()
        assert result.state is SessionState.COMPLETE and result.accepted == total
    await fake.stop()
    assert len({event.case_id for event in heard if isinstance(event, CaseAccepted)}) == total
    ended = sum(isinstance(event, BatchFinished) for event in heard)
    assert sum(fake.seen.values()) == total == ended - len(cut_off(heard))


def cut_off(events: Iterable[Event]) -> list[BatchFinished]:
    """Calls that were told of, and came back unmade: they have cost nothing."""
    found = [each for each in events if isinstance(each, BatchFinished) and each.outcome is CallOutcome.CANCELLED]
    assert all(each.delivered == each.prompt_tokens == each.completion_tokens == 0 for each in found)
    return found


def run_is_still(session: Session, workers: int) -> bool:
    """Whether all calls that are told of are in flight: what has ended before is dealt with."""
    return len([trace for trace in session.calls.live() if trace.ended is None]) == workers


@pytest.mark.parametrize("delay", [0.0, 0.03])
async def test_a_budget_holds_for_what_waits_on_the_nodes_also_far_away(
    cluster: LoopbackCluster, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, delay: float
) -> None:
    """A call waits there only while all that is begun fits into the budget; the rest is as on one machine."""
    total, workers, affordable = 300, 8, 150
    if delay:
        move_nodes_away(monkeypatch, delay)
    fake = FakeOpenAI(latency=0.02)
    price = 1e4  # dollars for a million tokens of a prompt; a call has 100
    config = make_config(
        runner="ray", ray_address=cluster.address, base_url=await fake.start(), batch_size=1, max_workers=workers,
        hedging="off", prices={"gpt-4o-mini": {"input": price, "output": 0}}, budget=affordable * 100 * price / 1e6,
    )  # fmt: skip
    most_with_waiting = ended = 0
    accepted: list[str] = []

    async with await Session.create(plan_of(total, "budget"), config) as session:

        def follow(event: Event) -> None:
            nonlocal most_with_waiting, ended
            ended += isinstance(event, BatchFinished) and not cut_off([event])
            if isinstance(event, CaseAccepted):
                accepted.append(event.case_id)
            places = session.calls.places()
            if waiting := sum(place.waiting for place in places):
                out = ended + waiting + sum(place.calls for place in places)
                most_with_waiting = max(most_with_waiting, out)

        session.subscribe(follow)
        assert (await session.run()).state is SessionState.PAUSED
        made = sum(fake.seen.values())
        # What has ended may for a moment still be counted where it was made, of each worker one.
        assert workers < most_with_waiting <= affordable + workers
        assert affordable <= made <= affordable + 2 * workers
        assert made == len(accepted) == ended
        await session.settings.set("budget", None)
        result = await session.run()
        assert result.state is SessionState.COMPLETE and result.accepted == total
    await fake.stop()
    assert len(set(accepted)) == total == sum(fake.seen.values())


class NoFile(io.StringIO):
    """Standard error as the app has it."""

    def fileno(self) -> int:
        return -1


async def test_the_built_in_writer_gives_the_same_bytes_as_here(
    cluster: LoopbackCluster, make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where standard error is no file, as in the app: Ray wants its number."""
    files = []
    faulthandler.disable()
    monkeypatch.setattr(sys, "stderr", NoFile())
    for runner in ("ray", "local"):
        config = make_config(
            runner=runner,
            ray_address=cluster.address,
            provider="offline",
            checkpoint_dir=tmp_path / runner,
            batch_size=7,
        )
        async with await Session.create(plan_of(150, "same"), config) as session:
            assert (await session.run()).accepted == 150
            await session.export(tmp_path / f"{runner}.jsonl")
        files.append((tmp_path / f"{runner}.jsonl").read_bytes())
    assert files[0] == files[1] and files[0]


@pytest.mark.slow
def test_the_command_line_says_each_refusal_in_a_sentence(cluster: LoopbackCluster, tmp_path: Path) -> None:
    base = [*RUN, "--provider", "offline", "--plain"]
    ray = [*base, "--runner", "ray", "--set"]
    built = start(*ray, f"ray_address={cluster.address}", "--out", "x.jsonl", "--checkpoint-dir", "there", cwd=tmp_path)
    refused = start(
        *ray, f"ray_address={cluster.address}", "--checkpoint-dir", "refused", cwd=tmp_path,
        env={"RAY_AUTH_TOKEN": "another-token-than-the-cluster-has"},
    )  # fmt: skip
    nowhere = command(*ray, "ray_address=127.0.0.1:9", "--checkpoint-dir", "nowhere", cwd=tmp_path)
    said, errors = rest(built)
    assert built.wait() == 0 and "joined" in said and not errors, said + errors
    _, errors = rest(refused)
    assert refused.wait() == 5 and "does not accept the token" in errors, errors
    assert nowhere.returncode == 4 and "cannot be reached" in nowhere.stderr, nowhere.stderr


def test_a_folder_from_elsewhere_names_no_cluster(tmp_path: Path) -> None:
    """Prompts and keys would go to it: the person has to name it."""
    (tmp_path / "dsbuilder.toml").write_text('runner = "ray"\nray_address = "gpu.example:6379"\n')
    done = command(*RUN, "--provider", "offline", cwd=tmp_path)
    assert done.returncode == 2 and "dsbuilder.toml sets ray_address" in done.stderr, done.stderr
    assert not list(tmp_path.rglob("session.db"))


def test_without_the_extra_it_is_a_sentence(tmp_path: Path) -> None:
    code = "import sys; sys.modules['ray'] = None; from dsbuilder_tui.cli.main import main; sys.exit(main())"
    flags = [*RUN, "--runner", "ray"]
    done = subprocess.run(
        [sys.executable, "-c", code, *flags], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr == "dsbuilder: Ray is not installed. pip install 'dsbuilder-tui[ray]'\n"


@pytest.mark.slow
def test_the_doctor_tries_a_call_on_each_node(cluster: LoopbackCluster, tmp_path: Path) -> None:
    with fake_endpoint() as fake:
        unreachable = json.dumps({"gpu_b": "http://127.0.0.1:9/v1"})
        flags = ["--runner", "ray", "--set", f"ray_address={cluster.address}", "--base-url", fake.url]
        done = start("doctor", *flags, "--set", f"ray_endpoints={unreachable}", "--json", cwd=tmp_path)
        out, errors = rest(done)
    assert done.wait() == 1 and not errors, errors
    checks = {check["name"]: check["status"] for check in json.loads(out)}
    assert checks["ray"] == "ok"
    assert checks["gpu_a, endpoint"] == "ok" and checks["gpu_b, endpoint"] == "problem", checks


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [1, 4])
def test_a_driver_that_is_killed_goes_on_where_it_was(cluster: LoopbackCluster, tmp_path: Path, kills: int) -> None:
    total = 300
    plan = tmp_path / "plan.json"
    plan.write_text(plan_of(total, "killed").model_dump_json(exclude_defaults=True))
    with fake_endpoint(latency=0.1, rates={"rate_limit": 0.05}) as fake:
        settings = [
            "--checkpoint-dir", "sessions", "--json", "--batch-size", "2", "--max-workers", "8", "--max-dataset-size", "1000",
            "--base-url", fake.url, "--runner", "ray", "--set", f"ray_address={cluster.address}",
        ]  # fmt: skip
        announced: list[str] = []
        for number in range(kills):
            process = start(*(["resume"] if number else ["run", plan]), *settings, cwd=tmp_path)
            assert process.stdout is not None
            accepted = 0
            while accepted < total // (kills + 2) and (line := process.stdout.readline()):
                accepted += '"case_accepted"' in line
                announced += [event["case_id"] for event in events(line) if event["type"] == "case_accepted"]
            process.send_signal(signal.SIGKILL)
            out, errors = rest(process)
            assert process.wait() == -signal.SIGKILL, errors
            announced += [event["case_id"] for event in events(out) if event["type"] == "case_accepted"]
        last = start("resume", *settings, "--out", "out.jsonl", cwd=tmp_path)
        out, errors = rest(last)
        assert last.wait() == 0, errors
    announced += [event["case_id"] for event in events(out) if event["type"] == "case_accepted"]
    assert len(queries(tmp_path / "out.jsonl")) == len(set(queries(tmp_path / "out.jsonl"))) == total
    assert max(Counter(announced).values()) == 1
    assert len(announced) <= total
