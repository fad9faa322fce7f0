"""Worker calls as they go: seen, cut off, hurried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.generation.call_log import CallLog, CallTrace
from tests.session.test_determinism import NARROW
from tests.session.test_runs import check_whole
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


def trace(batch: int = 1) -> CallTrace:
    return CallTrace(batch=batch, worker=1, category="c", model="m", slots=(1, 2), attempt=0, started=5.0)


async def test_a_long_answer_is_cut() -> None:
    one = trace()
    assert (one.answer, one.answer_cut) == ("", False)
    for _ in range(1000):
        one.heard("twelve chars")
    assert one.answer == "twelve chars" * 1000 and not one.answer_cut
    for _ in range(300_000):
        one.heard("é☃")
    assert one.answer_cut and 1_048_570 < len(one.answer.encode()) <= 1_048_576
    assert one.answer.startswith("twelve") and "\ufffd" not in one.answer
    one.shorten()
    assert one.answer_cut and one.answer.startswith("twelve") and len(one.answer) == 65_536
    one.try_again()
    assert (one.answer, one.answer_cut) == ("", False)


async def test_the_log_is_bounded_and_the_newest_come_first() -> None:
    log = CallLog()
    for batch in range(1, 251):
        log.begin(trace(batch))
        if batch not in (7, 9):
            log.end(log.calls()[0], 6.0, CallOutcome.OK)
    assert [call.batch for call in log.calls()] == [9, 7, *range(250, 150, -1)]
    assert {call.outcome for call in log.calls()} == {None, CallOutcome.OK}


async def test_calls_can_be_watched(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["server_error", "ok"], token_delay=0.001) as fake:
        config = make_config(base_url=fake.url, batch_size=3, max_workers=1)
        async with await Session.create(make_plan(6), config) as session:
            assert session.calls.live() == []
            seen: list[str] = []

            def watch(event: Event) -> None:
                if event.type == "batch_started":
                    call = session.calls.live()[0]
                    assert (call.batch, call.ended, call.outcome) == (event.batch, None, None)  # type: ignore[attr-defined]
                    seen.append(call.category)

            session.subscribe(watch)
            await session.run()
            second, first = session.calls.live()
            assert (first.batch, second.batch, seen) == (1, 2, ["category_1"] * 2)
            assert [retry.kind for retry in first.retries] == ["server"] and second.retries == []
            for call in (first, second):
                assert (call.outcome, call.delivered, call.completion_tokens) == ("ok", 3, 50)
                assert call.answer.startswith('{"cases": [') and call.answer.endswith("]}")
                assert "Slots (3):" in call.prompt and "test cases" in call.system and len(call.slots) == 3
                assert call.ended is not None and call.first_text is not None
                assert 0 <= call.first_text <= call.ended - call.started
            assert not session.calls.cancel(1) and not session.calls.retry_now(1)


async def test_a_streaming_call_is_cut_off(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["hang_mid"]) as fake:
        config = make_config(base_url=fake.url, batch_size=6, max_workers=1, max_attempts=1)
        events: list[Event] = []
        async with await Session.create(make_plan(12), config) as session:
            session.subscribe(events.append)
            running = asyncio.create_task(session.run())
            await until(lambda: session.calls.live() and session.calls.live()[0].delivered == 4)
            assert not session.calls.cancel(77)
            assert session.calls.cancel(1) and session.calls.cancel(1)
            result = await running
            assert (result.state, result.exhausted) == ("complete", 0)
            await check_whole(session, events)
            ended = next(event for event in events if event.type == "batch_finished").facts()
            assert (ended["batch"], ended["outcome"], ended["delivered"]) == (1, "cancelled", 4)
            assert (await session.summary()).rejections == {}
            again = [event.facts() for event in events if event.type == "batch_started"][1:]
            assert {5, 6} <= {slot for event in again for slot in event["slots"]}
            assert all(event["attempt"] == 0 for event in again)
            call = session.calls.live()[-1]
            assert (call.outcome, call.delivered, call.detail) == ("cancelled", 4, "cut off by a person")


async def test_a_call_in_back_off_is_cut_off_or_hurried(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["rate_limit", "rate_limit"], retry_after="3000") as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1)
        events: list[Event] = []
        async with await Session.create(make_plan(10), config) as session:
            session.subscribe(events.append)
            answers: list[bool] = []

            def watch(event: Event) -> None:
                if event.type == "retry_scheduled":
                    answers.append(session.calls.retry_now(1))
                    answers.append(session.calls.retry_now(1))

            stop = session.subscribe(watch)
            running = asyncio.create_task(session.run())
            await until(lambda: len(answers) == 4 or running.done())
            result = await asyncio.wait_for(running, 20)
            assert answers == [True, False, True, False], "each wait can be ended, once"
            stop()
            assert (result.state, len(fake.bodies)) == ("complete", 4)
            await check_whole(session, events)


async def test_a_call_in_back_off_is_cut_off(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["server_error"], retry_after=None) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1)
        async with await Session.create(make_plan(10), config) as session:
            cut: list[bool] = []
            session.subscribe(
                lambda event: cut.append(session.calls.cancel(1)) if event.type == "retry_scheduled" else None
            )
            assert (await asyncio.wait_for(session.run(), 20)).accepted == 10
            assert cut == [True] and session.calls.live()[-1].outcome == "cancelled"
            assert await session.calls.count() == 3


async def test_calls_are_cut_off_before_they_begin(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        events: list[Event] = []
        config = make_config(base_url=fake.url, batch_size=3, max_workers=4)
        async with await Session.create(make_plan(30), config) as session:
            session.subscribe(events.append)

            def watch(event: Event) -> None:
                if event.type == "batch_started" and event.batch % 2:  # type: ignore[attr-defined]
                    assert session.calls.cancel(event.batch)  # type: ignore[attr-defined]

            session.subscribe(watch)
            assert (await session.run()).state == "complete"
            await check_whole(session, events)
            outcomes = {e.batch: e.outcome for e in events if e.type == "batch_finished"}  # type: ignore[attr-defined]
            assert all((outcome == "cancelled") == bool(batch % 2) for batch, outcome in outcomes.items())


async def test_a_full_queue_in_front_of_the_gate(make_plan: Plans, make_config: Configs, monkeypatch: Any) -> None:
    """A case that waits for its place when its call is cut off is neither judged nor lost for good."""
    monkeypatch.setattr("dsbuilder_tui.generation.candidate_queue._BOUND", 1)
    async with FakeOpenAI() as fake:
        events: list[Event] = []
        config = make_config(base_url=fake.url, batch_size=10, max_workers=4)
        async with await Session.create(make_plan(200), config) as session:
            session.subscribe(events.append)
            running = asyncio.create_task(session.run())
            while not running.done():
                for call in session.calls.live():
                    if call.ended is None and call.delivered in (2, 5):
                        session.calls.cancel(call.batch)
                await asyncio.sleep(0)
            assert (await running).state == "complete"
            await check_whole(session, events)


async def test_the_built_in_writer_can_be_cut_off_too(make_config: Configs) -> None:
    events: list[Event] = []
    async with await Session.create(NARROW, make_config(max_workers=3, batch_size=9)) as session:

        def watch(event: Event) -> None:
            events.append(event)
            if event.type == "batch_started" and event.batch % 3 == 0:  # type: ignore[attr-defined]
                session.calls.cancel(event.batch)  # type: ignore[attr-defined]

        session.subscribe(watch)
        result = await asyncio.wait_for(session.run(), 60)
        assert result.accepted + result.exhausted == NARROW.total_instances
        assert len([c async for c in session.cases.all()]) == result.accepted


async def test_what_a_pause_drops_is_no_longer_in_flight(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(rates={"hang": 1.0}) as fake:
        config = make_config(base_url=fake.url, drain_timeout=0, max_workers=3, batch_size=2)
        async with await Session.create(make_plan(20), config) as session:
            running = asyncio.create_task(session.run())
            await until(lambda: fake.in_flight == 3)
            await session.pause()
            await running
            assert [(c.outcome, c.ended is None) for c in session.calls.live()] == [("cancelled", False)] * 3
            session.subscribe(lambda e: session.drop_in_flight() if e.type == "run_pausing" else None)
            session.subscribe(lambda e: session.request_pause() if e.type == "batch_started" else None)
            await session.run()  # dropped before the first step
            assert all(call.ended is not None for call in session.calls.live())
