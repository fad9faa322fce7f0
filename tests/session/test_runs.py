"""Whole runs against a real endpoint with faults."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import EndpointRefused, EndpointUnavailable, InputError, PlanError
from dsbuilder_tui.domain.events import CaseAccepted, Event
from dsbuilder_tui.domain.pause_cause import Pause
from dsbuilder_tui.store import plans
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


async def check_whole(session: Session, events: list[Event]) -> None:
    """Exact counts, nothing lost, nothing twice, every announcement true."""
    cases = [case async for case in session.cases.all()]
    planned = {c.name: list(range(1, c.count + 1)) for c in session.plan.categories}
    found: dict[str, list[int]] = {name: [] for name in planned}
    for case in cases:
        found[case.category].append(case.ordinal)
    assert found == planned
    assert len({case.inputs["query"] for case in cases}) == len(cases)
    announced = [event.case_id for event in events if isinstance(event, CaseAccepted)]
    assert sorted(announced) == sorted(case.case_id for case in cases)


async def run(plan: DatasetPlanInput, config: DatasetBuilderConfig) -> tuple[Any, Any, list[Event]]:
    events: list[Event] = []
    async with await Session.create(plan, config) as session:
        session.subscribe(events.append)
        result = await session.run()
        if result.state == "complete":
            await check_whole(session, events)
        return result, await session.summary(), events


async def test_the_mix_of_faults(make_plan: Plans, make_config: Configs) -> None:
    rates = {"rate_limit": 0.10, "server_error": 0.05, "malformed": 0.03, "broken_all": 0.02, "hang": 0.01}
    async with FakeOpenAI(rates=rates, seed=4) as fake:
        config = make_config(base_url=fake.url, batch_size=2, max_workers=16, request_timeout=1.0)
        result, summary, events = await run(make_plan(150, 100, 50), config)
        assert (result.state, result.accepted, result.exhausted) == ("complete", 300, 0)
        assert {"rate_limit", "server_error", "malformed", "broken_all"} <= set(fake.seen)
        kinds = Counter(event.type for event in events)
        assert kinds["retry_scheduled"] >= fake.seen["rate_limit"]
        assert kinds["checkpoint_saved"] >= 6
        assert summary.instances_created == 300 and summary.prompt_tokens > 0


@pytest.mark.parametrize(
    "kind",
    ["reset", "reset_early", "hang_mid", "truncated", "empty", "refusal", "wrong_types", "error_mid", "few", "many",
     "filtered", "broken_all", "malformed", "fenced", "prose", "whole", "too_large", "endless"],
)  # fmt: skip
async def test_one_fault_at_a_time(kind: str, make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["ok", kind, kind]) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=2, request_timeout=0.5)
        result, _, events = await run(make_plan(25), config)
        assert (result.state, result.accepted) == ("complete", 25)
        assert fake.seen[kind] == 2
        outcomes = {event.outcome for event in events if event.type == "batch_finished"}  # type: ignore[attr-defined]
        expected = {
            "truncated": "truncated", "endless": "truncated", "empty": "empty", "refusal": "refused",
            "filtered": "refused", "reset": "failed", "hang_mid": "failed", "error_mid": "failed",
            "too_large": "too_large", "broken_all": "truncated",
        }  # fmt: skip
        assert expected.get(kind, "ok") in outcomes


async def test_calls_that_hang_are_asked_a_second_time(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["ok"] * 30 + ["hang"] * 3, latency=0.01) as fake:
        config = make_config(base_url=fake.url, batch_size=1, max_workers=4)  # with a time-out of two minutes
        result, summary, events = await run(make_plan(60), config)
        assert (result.state, result.accepted) == ("complete", 60)
        kinds = Counter(event.type for event in events)
        assert 1 <= kinds["call_hedged"] <= 3 and fake.seen["hang"] == 3
        assert len(fake.bodies) == 60 + kinds["call_hedged"] + kinds["retry_scheduled"]
        assert summary.prompt_tokens > 60 * 100, "the tokens of both count"


async def test_where_calls_are_billed_a_hang_is_given_up_and_made_again(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["ok"] * 30 + ["hang"], latency=0.01) as fake:
        config = make_config(base_url=fake.url, batch_size=1, max_workers=4, hedging="off")
        result, _, events = await run(make_plan(50), config)
        assert result.state == "complete" and len(fake.bodies) == 51
        (retry,) = [event.facts() for event in events if event.type == "retry_scheduled"]
        assert retry["kind"] == "timeout" and "are usual" in retry["detail"]


async def test_duplicates_are_rejected_and_written_again(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(duplicate_rate=0.4, seed=3) as fake:
        result, summary, events = await run(
            make_plan(120), make_config(base_url=fake.url, batch_size=10, max_attempts=20)
        )
        assert result.state == "complete"
        assert summary.diversity_rejections >= 20
        rejected = [event for event in events if event.type == "case_rejected"]
        assert all(event.nearest_case_id and event.stage == "structural" for event in rejected)  # type: ignore[attr-defined]
        told = [body["messages"][1]["content"] for body in fake.bodies]
        again = [text for text in told if "Already taken" in text]
        assert again and all(text.count("\n- ") <= 6 + 1 for text in again)


async def test_a_hopeless_slot_is_exhausted_and_the_rest_finished(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(duplicate_rate=0.0) as fake:
        only = "Where is my one and only?"
        fake._text = lambda: only  # type: ignore[method-assign]
        config = make_config(base_url=fake.url, batch_size=4, max_attempts=3)
        events: list[Event] = []
        async with await Session.create(make_plan(4, 2), config) as session:
            session.subscribe(events.append)
            result = await session.run()
            assert (result.state, result.accepted, result.exhausted, int(result.exit_code)) == ("short", 1, 5, 3)
            gone = [event for event in events if event.type == "slot_exhausted"]
            assert len(gone) == 5 and all(event.attempts == 3 for event in gone)  # type: ignore[attr-defined]
            assert sum((await session.summary()).rejections.values()) == 15
            assert (await session.run()).state == "short"
            del fake._text
            assert await session.cases.retry_exhausted() == 5
            assert (await session.run()).state == "complete"


async def test_a_worker_prompt_does_not_grow_with_the_dataset(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(duplicate_rate=0.1) as fake:
        await run(make_plan(400), make_config(base_url=fake.url, batch_size=10, max_workers=4, max_attempts=20))
        sizes = [len(str(body["messages"])) for body in fake.bodies if "Already taken" not in str(body)]
        assert max(sizes[-10:]) <= 1.2 * max(sizes[:10])
        assert max(len(str(body["messages"])) for body in fake.bodies) < 8000


async def test_one_at_a_time_really_is_one_at_a_time(make_plan: Plans, make_config: Configs) -> None:
    for parallel, most in ((False, 1), (True, 4)):
        async with FakeOpenAI(latency=0.02) as fake:
            config = make_config(base_url=fake.url, batch_size=2, max_workers=4, enable_parallel_generation=parallel)
            await run(make_plan(24), config)
            assert fake.most_in_flight == most


async def test_sub_batches(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        await run(make_plan(100), make_config(base_url=fake.url, batch_size=20, sub_batch_size=10, max_workers=2))
        assert len(fake.bodies) == 10
        assert all("Slots (10):" in body["messages"][1]["content"] for body in fake.bodies)


async def test_the_window_scope_forgets_and_history_does_not(make_plan: Plans, make_config: Configs) -> None:
    async def rejections(**settings: Any) -> int:
        async with FakeOpenAI() as fake:
            texts = [f"Where is the {chr(97 + n)}{chr(97 + n)}?" for n in range(25)] * 2
            texts += [f"Another {chr(97 + n // 26)}{chr(97 + n % 26)} text" for n in range(200)]
            fake._text = iter(texts).__next__  # type: ignore[method-assign]
            config = make_config(base_url=fake.url, batch_size=5, max_workers=1, **settings)
            return int((await run_loosely(make_plan(60), config)).rejections.get("structural", 0))

    async def run_loosely(plan: DatasetPlanInput, config: DatasetBuilderConfig) -> Any:
        async with await Session.create(plan, config) as session:
            assert (await session.run()).state == "complete"
            return await session.summary()

    assert await rejections() == 25
    assert await rejections(diversity_window=5) == 0
    assert await rejections(enable_diversity_check=False) == 0


@pytest.mark.parametrize(
    ("kind", "words"), [("unauthorized", "OPENAI_API_KEY"), ("no_model", "--worker-model"), ("no_quota", "quota")]
)
async def test_a_refusal_stops_the_run_and_keeps_what_there_is(
    kind: str, words: str, make_plan: Plans, make_config: Configs
) -> None:
    async with FakeOpenAI(script=["ok", kind]) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1, api_key="sk-canary-9876")
        async with await Session.create(make_plan(20), config) as session:
            with pytest.raises(EndpointRefused, match=words) as caught:
                await session.run()
            assert "canary" not in str(caught.value)
            summary = await session.summary()
            assert (summary.state, summary.instances_created) == ("paused", 5)
            assert (await session.run()).state == "complete"
        stored = b"".join(f.read_bytes() for f in config.checkpoint_root.rglob("*") if f.is_file())
        assert b"canary" not in stored


async def test_an_endpoint_that_is_gone_ends_in_a_pause(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(rates={"server_error": 1.0}) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_retries=0, max_workers=2)
        async with await Session.create(make_plan(20), config) as session:
            with pytest.raises(EndpointUnavailable, match="dsbuilder doctor"):
                await session.run()
            assert (await session.summary()).state == "paused"
            fake.rates = {}
            assert (await session.run()).state == "complete"


@pytest.mark.usefixtures("answers_held_back")
async def test_a_pause_drains_what_is_in_flight(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        fake.gate = asyncio.Event()
        config = make_config(base_url=fake.url, batch_size=5, max_workers=3)
        events: list[Event] = []
        async with await Session.create(make_plan(60), config) as session:
            session.subscribe(events.append)
            running = asyncio.create_task(session.run())
            while fake.in_flight < 3:
                await asyncio.sleep(0.01)
            session.request_pause(Pause("a test"))
            fake.gate.set()
            result = await running
            assert (result.state, result.accepted) == ("paused", 15)
            pausing = next(event for event in events if event.type == "run_pausing")
            paused = events[-1]
            assert pausing.draining == 3 and paused.dropped_batches == 0  # type: ignore[attr-defined]
            assert len(fake.bodies) == 3
            assert (await session.resume()).accepted == 60
            await check_whole(session, events)
        assert len(fake.bodies) == 12


async def test_what_does_not_drain_in_time_is_dropped(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["ok", "hang_mid", "hang"]) as fake:
        config = make_config(base_url=fake.url, batch_size=6, max_workers=3, drain_timeout=0.2)
        events: list[Event] = []
        async with await Session.create(make_plan(60), config) as session:
            session.subscribe(events.append)
            running = asyncio.create_task(session.run())
            while len(fake.bodies) < 9:
                await asyncio.sleep(0.01)
            session.request_pause(Pause("a test"))
            result = await asyncio.wait_for(running, 5)
            assert result.state == "paused"
            before = result.accepted
            assert before % 6 == 4  # the part of the batch that hung counts
            cut = [event for event in events if event.type == "batch_finished" and event.outcome == "cancelled"]  # type: ignore[attr-defined]
            assert sorted(event.delivered for event in cut)[-1] == 4 and len(cut) >= 2  # type: ignore[attr-defined]
            assert all(event.seconds > 0 for event in cut)  # type: ignore[attr-defined]
            again = await session.run()
            assert again.accepted == 60


async def test_a_pause_before_anything_happened(make_plan: Plans, make_config: Configs) -> None:
    async with (
        FakeOpenAI(rates={"hang": 1.0}) as fake,
        await Session.create(make_plan(5), make_config(base_url=fake.url, drain_timeout=0)) as session,
    ):
        running = asyncio.create_task(session.run())
        await asyncio.sleep(0)
        await session.pause()
        assert (await running).state == "paused"
        await session.pause()


async def test_closing_a_running_session_pauses_it(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(rates={"hang": 1.0}) as fake:
        session = await Session.create(make_plan(5), make_config(base_url=fake.url, drain_timeout=0))
        running = asyncio.create_task(session.run())
        while not fake.in_flight:
            await asyncio.sleep(0.01)
        with pytest.raises(InputError, match="running already"):
            await session.run()
        await session.aclose()
        assert (await running).state == "paused"


async def test_a_stream_of_events_and_a_slow_reader(
    make_plan: Plans, make_config: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsbuilder_tui.domain.event_stream._BOUND", 30)
    async with await Session.create(make_plan(100), make_config()) as session:
        slow, seen = session.events(), []
        await session.run()

        async def read() -> None:
            async for event in slow:
                seen.append(event)

        reading = asyncio.create_task(read())
        await asyncio.sleep(0)
    await asyncio.wait_for(reading, 1)
    assert seen[0].type == "events_skipped" and seen[0].count > 50  # type: ignore[attr-defined]
    assert seen[-1].type == "run_finished" and len(seen) == 31


async def test_checkpoints_come_at_the_interval_and_on_demand(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(100), make_config(checkpoint_interval=30)) as session:
        await session.checkpoints.save("by hand")
        await session.run()
        points = await session.checkpoints.all()
    assert [p.name for p in points] == ["by hand", "", "", "", ""]
    assert [(p.reason, p.accepted) for p in points] == [
        ("asked", 0), ("interval", 30), ("interval", 60), ("interval", 90), ("finish", 100),
    ]  # fmt: skip
    off = make_config(enable_checkpointing=False)
    async with await Session.create(make_plan(60, name="off"), off) as session:
        await session.run()
        assert await session.checkpoints.all() == []
    assert not (off.checkpoint_root / "off_checkpoint.json").exists()


async def test_cases_accepted_without_comparing_are_compared_with_later(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["ok", "ok", "unauthorized"]) as fake:
        texts = [f"Where is the {chr(97 + n)}{chr(97 + n)}?" for n in range(10)]
        fake._text = iter([*texts, *texts, *(f"Another {chr(97 + n)}?" for n in range(26))]).__next__  # type: ignore[method-assign]
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1, enable_diversity_check=False)
        async with await Session.create(make_plan(20), config) as session:
            with pytest.raises(EndpointRefused):
                await session.run()
            await session.settings.set("enable_diversity_check", True)
            assert (await session.run()).state == "complete"
            assert (await session.summary()).diversity_rejections == 10


async def test_what_a_kill_after_the_last_case_left_undone(make_plan: Plans, make_config: Configs) -> None:
    config = make_config()
    async with await Session.create(make_plan(10), config) as session:
        await session.run()
        await session._files.remember(state="running")  # as a process killed before its farewell leaves it
        (config.checkpoint_root / "support_checkpoint.json").unlink()
    async with await Session.open("support", config) as session:
        assert (await session.summary()).state == "interrupted"
        assert (await session.settle()).state == "complete"
        assert (config.checkpoint_root / "support_checkpoint.json").exists()
        before = len(await session.checkpoints.all())
        assert (await session.settle()).state == "complete" and len(await session.checkpoints.all()) == before


async def test_a_plan_over_the_limit_is_refused(make_plan: Plans, make_config: Configs) -> None:
    with pytest.raises(PlanError, match="MAX_DATASET_INSTANCES=101"):
        await Session.create(make_plan(101), make_config(max_dataset_size=100))


async def test_hostile_text_is_kept_as_it_is(make_plan: Plans, make_config: Configs) -> None:
    nasty = "Click \x1b]8;;http://x\x07here\x1b]8;;\x07 \u202e [/] <script> \x00 '; DROP TABLE"
    async with FakeOpenAI() as fake:
        fake._text = lambda: nasty  # type: ignore[method-assign]
        async with await Session.create(make_plan(1), make_config(base_url=fake.url)) as session:
            await session.run()
            assert [case.inputs["query"] async for case in session.cases.all()] == [nasty]


async def test_a_plan_is_parsed_once_and_handed_on(make_config: Configs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validating costs time with the values of its axes; from the file to the last case it happens once for each reader."""
    plan = DatasetPlanInput(
        dataset_name="wide",
        categories=[
            DatasetCategory(
                name="orders",
                count=5,
                example_inputs="Where is my order #12345?",
                attributes={"product": tuple(f"product {number}" for number in range(2000))},
            )
        ],
    )
    parsed: list[object] = []
    real = plans.parse_plan
    monkeypatch.setattr(plans, "parse_plan", lambda data, source: parsed.append(source) or real(data, source))
    async with await Session.create(plan, make_config()) as session:
        await session.run()
        await session.diversity.coverage()
        await session.summary()
        assert session.plan == plan
    assert len(parsed) == 1
