"""What a session remembers of its past tells the same as the events did when they happened."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.events import Event, RunStarted
from dsbuilder_tui.domain.message import MessageRole, TextContent
from dsbuilder_tui.domain.pause_cause import Pause
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.view import RunView, reduce
from tests.session.test_determinism import NARROW
from tests.session.test_kill import plan_file
from tests.support.fake_openai import FakeOpenAI
from tests.support.old_session import downgrade
from tests.support.process import events as parsed
from tests.support.process import fake_endpoint, rest, start

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]

# Never remembered: what was written where outside the session.
PASSING = {"export_written"}


def counts(view: RunView) -> dict[str, Any]:
    return {
        "state": view.state, "planned": view.planned, "accepted": view.accepted, "rejected": view.rejected,
        "exhausted": view.exhausted, "categories": dict(view.categories), "busy": view.workers_busy,
        "limit": view.workers_limit, "waiting": dict(view.waiting).keys(), "notice": view.notice,
    }  # fmt: skip


def seen(events: Iterable[Event]) -> RunView:
    view = RunView()
    for event in events:
        view = reduce(view, event)
    return view


def bag(events: Iterable[Event]) -> Counter[str]:
    """The events without their times, as a multiset. Who was told first depends on the disk, what was told does not."""
    return Counter(f"{event.type} {event.facts()}" for event in events if event.type not in PASSING)


async def recorded(session: Session) -> list[Event]:
    return [event async for event in recorded_events(session)]


async def test_pauses_faults_and_several_runs(make_plan: Plans, make_config: Configs) -> None:
    rates = {"rate_limit": 0.1, "server_error": 0.1, "few": 0.1, "malformed": 0.1}
    async with FakeOpenAI(rates=rates, seed=9, duplicate_rate=0.2) as fake:
        live: list[Event] = []
        config = make_config(base_url=fake.url, batch_size=3, max_workers=4, max_attempts=4, checkpoint_interval=10)
        async with await Session.create(make_plan(40, 30), config) as session:
            session.subscribe(live.append)
            await session.chat.add(MessageRole.PERSON, "Go", TextContent.model_validate({"a": [1, 2]}))
            await session._files.tell(ev.ConcurrencyChanged(ts=1.0, limit=3, reason="rate-limited by the endpoint"))
            pauses = [15, 40]

            def interrupt(event: Event) -> None:
                if pauses and event.type == "case_accepted" and event.accepted >= pauses[0]:  # type: ignore[attr-defined]
                    pauses.pop(0)
                    session.request_pause(Pause("a test"))

            session.subscribe(interrupt)
            while (await session.run()).state == "paused":
                past = await recorded(session)
                assert counts(seen(past)) == counts(seen(live))
            past = await recorded(session)
        assert {"run_pausing", "run_paused", "retry_scheduled", "concurrency_changed"} <= {e.type for e in past}
        assert counts(seen(past)) == counts(seen(live))
        assert bag(past) == bag(live)
        async with await Session.open(None, config) as session:
            assert await recorded(session) == past


async def test_slots_exhausted_and_reopened(make_config: Configs) -> None:
    live: list[Event] = []
    async with await Session.create(NARROW, make_config(max_attempts=1)) as session:
        session.subscribe(live.append)
        assert (await session.run()).exhausted
        await session.cases.retry_exhausted()
        await session.run()
        past = await recorded(session)
    assert counts(seen(past)) == counts(seen(live))
    assert bag(past) == bag(live)


async def test_history_does_not_grow_out_of_hand(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(2000), make_config(batch_size=20)) as session:
        await session.run()
        rows = await session._files.store.connection.read(
            lambda c: c.execute("SELECT count(*) FROM history").fetchone()[0]
        )
        assert rows <= 2 * await session.calls.count() + 10


async def test_a_session_of_the_first_format_is_told_as_well_as_can_be(make_config: Configs) -> None:
    config = make_config(max_attempts=2)
    live: list[Event] = []
    async with await Session.create(NARROW, config) as session:
        session.subscribe(live.append)

        def interrupt(event: Event) -> None:
            if event.type == "checkpoint_saved" and not any(e.type == "run_pausing" for e in live):
                session.request_pause(Pause("a test"))

        session.subscribe(interrupt)
        while (await session.run()).state == "paused":
            await asyncio.sleep(0)
        path = session.folder / "session.db"
    downgrade(path, 1)
    # The first format ended a run with another word.
    plain = sqlite3.connect(path)
    plain.execute("UPDATE history SET kind='pause', data='{\"state\":\"paused\"}' WHERE kind='run_paused'")
    plain.execute("UPDATE history SET kind='finish', data='{\"state\":\"short\"}' WHERE kind='run_finished'")
    plain.execute(
        "UPDATE history SET data=json_object('provider', 'offline', 'worker_model', 'built-in', 'accepted', "
        "json_extract(data, '$.accepted')) WHERE kind='run_started'"
    )
    plain.execute("DELETE FROM history WHERE kind IN ('batch_started', 'notice', 'run_pausing')")
    plain.commit()
    plain.close()
    async with await Session.open(None, config) as session:
        past = await recorded(session)
    told, was = counts(seen(past)), counts(seen(live))
    assert {k: v for k, v in told.items() if k not in ("limit", "notice")} == {
        k: v for k, v in was.items() if k not in ("limit", "notice")
    }
    assert [e.type for e in past if e.type.startswith("run_")] == [
        e.type for e in live if e.type.startswith("run_") and e.type != "run_pausing"
    ]


async def test_after_kills_no_count_jumps(tmp_path: Path) -> None:
    plan = plan_file(tmp_path, 60, 30)
    settings = ["--checkpoint-dir", "sessions", "--batch-size", 5, "--max-workers", 3, "--json"]
    announced: list[str] = []
    with fake_endpoint(latency=0.02, chunk=40, token_delay=0.002, rates={"server_error": 0.1}) as fake:
        for lines in (25, 40, 10_000):
            begun = (tmp_path / "sessions" / "killed" / "session.db").exists()
            process = start(*(["resume"] if begun else ["run", plan]), *settings, "--base-url", fake.url, cwd=tmp_path)
            assert process.stdout
            heard = [line for _ in range(lines) if (line := process.stdout.readline())]
            process.kill()
            out, _ = rest(process)
            announced += [e["case_id"] for e in parsed("".join(heard) + out) if e["type"] == "case_accepted"]
    async with await Session.open("killed", DatasetBuilderConfig(checkpoint_dir=tmp_path / "sessions")) as session:
        past = await recorded(session)
        summary = await session.summary()
    view, begins = RunView(), 0
    for event in past:
        if isinstance(event, RunStarted):
            if begins:
                now = {name: (c.accepted, c.rejected, c.exhausted) for name, c in view.categories.items()}
                then = {n: (c["accepted"], c["rejected"], c["exhausted"]) for n, c in event.categories.items()}
                assert now == then
            begins += 1
        view = reduce(view, event)
    assert begins == 3
    assert (view.state, view.accepted, view.rejected) == ("finished", 90, sum(summary.rejections.values()))
    assert [e.seq for e in past if hasattr(e, "seq")] == sorted(e.seq for e in past if hasattr(e, "seq"))
    told = [event.case_id for event in past if event.type == "case_accepted"]  # type: ignore[attr-defined]
    assert len(set(told)) == len(told) == 90 and set(announced) <= set(told)
