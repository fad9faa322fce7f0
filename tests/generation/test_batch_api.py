"""Runs whose calls a Batch API makes: the counts are exact, and nothing that came back is paid for again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.domain.batch_job import BatchJobState
from dsbuilder_tui.domain.errors import EndpointRefused, EndpointUnavailable, InputError
from dsbuilder_tui.domain.events import BatchJobChanged, Event, Notice
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.generation import batch_input
from dsbuilder_tui.session import Session
from tests.support.fake_batches import FakeBatches
from tests.support.fake_openai import FakeOpenAI

PLAN = Callable[..., DatasetPlanInput]
CONFIG = Callable[..., DatasetBuilderConfig]


@pytest.fixture
def batched(fake: FakeOpenAI, make_config: CONFIG) -> Callable[..., DatasetBuilderConfig]:
    fake.batches = FakeBatches()

    def make(**settings: Any) -> DatasetBuilderConfig:
        return make_config(
            **{"base_url": fake.url, "api_key": "sk-x", "runner": "batch-api", "batch_poll": 0.01, "batch_size": 5,
               "max_retries": 3, **settings}
        )  # fmt: skip

    return make


async def test_a_round_writes_everything_that_is_open(fake: FakeOpenAI, make_plan: PLAN, batched: CONFIG) -> None:
    events: list[Event] = []
    async with await Session.create(make_plan(23, 8), batched()) as session:
        session.subscribe(events.append)
        result = await session.run()
        assert (result.state, result.accepted) == (SessionState.COMPLETE, 31)
        cost = (await session.costs.spending()).as_dict()
    batches = fake.batches
    assert batches is not None
    assert len(batches.batches) == 1, "all open slots go out together"
    assert fake.seen["ok"] == len(batches.bodies) == 7, "5 cases a request, and none is asked live"
    assert all("stream" not in body for body in batches.bodies)
    states = [event.state for event in events if isinstance(event, BatchJobChanged)]
    assert states[0] is BatchJobState.ASKED and states[-1] is BatchJobState.COLLECTED
    used = 7 * 100 * 0.15 / 1e6 + 7 * 50 * 0.60 / 1e6
    assert cost["dollars"] == pytest.approx(used / 2) and cost["batch_saving"] == pytest.approx(used / 2)
    assert any("in place of" in event.text for event in events if isinstance(event, Notice))


async def _run(session: Session) -> list[Event]:
    events: list[Event] = []
    stop = session.subscribe(events.append)
    await session.run()
    stop()
    return events


def _said(events: list[Event]) -> str:
    return "\n".join(event.text for event in events if isinstance(event, Notice))


async def test_whatever_order_and_rubbish_results_come_in_each_slot_is_filled_once(
    fake: FakeOpenAI, make_plan: PLAN, batched: CONFIG
) -> None:
    batches = fake.batches = FakeBatches(
        rows_wrong=("shuffled", "duplicates", "broken", "strangers", "missing", "errors_in_output"),
        faults={
            "upload": ["429", "reset"], "create": ["500", "lost"], "look": ["429", "500", "reset"], "content": ["cut", "500"],
        },
    )  # fmt: skip
    fake.script = ["ok", "rate_limit", "few", "refusal", "truncated", "server_error"]
    async with await Session.create(make_plan(40), batched()) as session:
        running = asyncio.create_task(_run(session))
        while len(batches.batches) < 2:
            await asyncio.sleep(0.01)
        batches.rows_wrong = ("shuffled",)  # a job of one request would never have an answer
        events = await running
        state = await session.summary()
    assert (state.state, state.instances_created) == (SessionState.COMPLETE, 40)
    said = _said(events)
    assert "cannot be read" in said and "have no answer" in said and "Rate limit reached" in said
    assert len(batches.batches) > 1, "what was not written goes out with the next round"
    asked = [name for batch in batches.batches.values() for name in (r["custom_id"] for r in batch.requests)]
    assert len(asked) == len(set(asked)), "no request is sent twice, whatever broke while it was sent"
    assert batches.seen["content"] > len(batches.batches), "the download was begun again"


async def test_expired_jobs_are_collected_and_the_rest_goes_out_again(
    fake: FakeOpenAI, make_plan: PLAN, batched: CONFIG
) -> None:
    batches = fake.batches = FakeBatches(expires_at=0.5)
    async with await Session.create(make_plan(40), batched()) as session:
        subscribed = asyncio.create_task(_run(session))
        while len(batches.batches) < 2:
            await asyncio.sleep(0.01)
        batches.expires_at = None
        events = await subscribed
        assert (await session.summary()).instances_created == 40
    assert "4 of 8 requests of batch job 1 have no answer" in _said(events)
    assert [len(batch.requests) for batch in batches.batches.values()] == [8, 4]
    assert sum(batches.paid.values()) == 8


async def test_a_run_that_does_not_wait_leaves_jobs_and_the_next_ones_collect_them(
    fake: FakeOpenAI, make_plan: PLAN, batched: CONFIG
) -> None:
    batches = fake.batches = FakeBatches(held=True)
    fake.script = ["few"]
    config = batched()
    async with await Session.create(make_plan(20), config) as session:
        result = await session.run(wait=False)
        assert (result.state, result.accepted) == (SessionState.PAUSED, 0)
        name = session.id
    async with await Session.open(name, config) as session:
        assert session.config.runner == "batch-api", "what it was begun with"
        [job] = await session.batch_jobs.waiting()
        assert (job.requests, job.remote_id) == (4, "batch_1")
        assert (await session.summary()).batch_jobs == 1
        await session.run(wait=False)  # nothing has moved
        assert len(batches.batches) == 1
        with pytest.raises(InputError, match="The provider has 1 batch job"):
            await session.settings.set("runner", "local")
            await session.run()
        await session.settings.set("runner", "batch-api")
        batches.held, runs = False, 0
        while not (await session.summary()).state.is_settled:
            await session.run(wait=False)  # collects what is there, and sends what is open
            runs += 1
        assert (await session.summary()).instances_created == 20 and runs == 3
        assert [len(batch.requests) for batch in batches.batches.values()] == [4, 1]
        assert not await session.batch_jobs.waiting()
    assert set(batches.paid.values()) == {1}


async def test_cancelled_jobs_are_collected_as_far_as_they_are_done(
    fake: FakeOpenAI, make_plan: PLAN, batched: CONFIG
) -> None:
    batches = fake.batches = FakeBatches(steps=100)
    config = batched()
    async with await Session.create(make_plan(50), config) as session:
        running = asyncio.create_task(session.run())
        while not sum(batches.paid.values()):
            await asyncio.sleep(0.01)
        batches.held = True
        await session.pause()
        await running
        done = sum(batches.paid.values())
        assert await session.batch_jobs.cancel() == 1
        batches.held = False
        result = await session.run()
        assert batches.batches["batch_1"].status == "cancelled"
        assert (result.state, result.accepted) == (SessionState.PAUSED, 5 * done)
        assert len(batches.batches) == 1, "a person wants no more for now"
        batches.steps = 1
        assert (await session.run()).accepted == 50


async def test_a_server_that_is_away_between_two_looks_costs_nothing(
    fake: FakeOpenAI, make_plan: PLAN, batched: CONFIG
) -> None:
    """It comes back at its old address, with all that it held: nothing is sent again."""
    batches = fake.batches = FakeBatches(held=True)
    async with await Session.create(make_plan(40), batched()) as session:
        events: list[BatchJobChanged] = []
        session.subscribe(lambda event: events.append(event) if isinstance(event, BatchJobChanged) else None)
        running = asyncio.create_task(session.run())
        for _ in range(2):
            while not batches.seen["look"]:
                await asyncio.sleep(0.01)
            heard = len(events)
            await fake.stop()
            while not any(event.trouble for event in events[heard:]):
                await asyncio.sleep(0.01)
            batches.seen["look"] = 0
            await fake.start(fake.port)
        batches.held = False
        assert (await running).accepted == 40
    assert [len(batch.requests) for batch in batches.batches.values()] == [8] and set(batches.paid.values()) == {1}
    assert any("refused" in event.trouble or "connect" in event.trouble.lower() for event in events), events


async def test_an_endpoint_without_a_batch_api_is_told_in_a_sentence(
    fake: FakeOpenAI, make_plan: PLAN, batched: CONFIG
) -> None:
    for fault in ("404", "405", "501"):
        fake.batches = FakeBatches(faults={"list": [fault]})
        async with await Session.create(make_plan(5), batched()) as session:
            with pytest.raises(InputError, match=f"has no Batch API.*HTTP {fault}.*Leave --batch-api"):
                await session.run()
        assert not fake.batches.files, "nothing half-done"
    with pytest.raises(InputError, match="'offline' has no Batch API"):
        async with await Session.create(make_plan(5), batched(provider="offline")) as session:
            await session.run()


async def test_a_file_that_the_provider_does_not_take(fake: FakeOpenAI, make_plan: PLAN, batched: CONFIG) -> None:
    fault = {"code": "invalid_json_line", "message": "Line 3 is no JSON", "line": 3}
    batches = fake.batches = FakeBatches(invalid=[fault])
    async with await Session.create(make_plan(40), batched()) as session:
        with pytest.raises(EndpointRefused, match=r"refused batch job 1 \(batch_1\): line 3: Line 3 is no JSON"):
            await session.run()
        assert not await session.batch_jobs.waiting()
        batches.invalid = [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]
        events = await _run(session)
        assert (await session.summary()).instances_created == 40
    assert "the next has 4 requests at most" in _said(events)
    assert [len(batch.requests) for batch in batches.batches.values()] == [8, 8, 4, 4]


async def test_a_round_is_not_larger_than_what_is_left_of_the_budget(
    fake: FakeOpenAI, make_plan: PLAN, batched: CONFIG
) -> None:
    batches = fake.batches = FakeBatches()
    prices = {"gpt-4o-mini": {"input": 0, "output": 10}}
    async with await Session.create(make_plan(400), batched(budget=0.0135, prices=prices)) as session:
        result = await session.run()
        spent = (await session.costs.spending()).dollars
    assert result.state is SessionState.PAUSED and 10 < result.accepted < 400
    assert spent is not None and spent <= 0.0135
    sizes = [len(batch.requests) for batch in batches.batches.values()]
    assert len(sizes) > 1, "what answers really take makes room for more"


async def test_results_that_are_gone_and_rounds_that_bring_nothing(
    fake: FakeOpenAI, make_plan: PLAN, batched: CONFIG
) -> None:
    batches = fake.batches = FakeBatches(deletes_results=True)
    async with await Session.create(make_plan(20), batched()) as session:
        with pytest.raises(EndpointUnavailable, match="2 rounds of batch jobs brought no answer"):
            await session.run()
        batches.deletes_results = False
        assert (await session.run()).accepted == 20


async def test_limits_of_a_file_make_several_jobs_and_the_judge_reads_live(
    fake: FakeOpenAI, make_plan: PLAN, batched: CONFIG, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_input, "MOST_REQUESTS", 3)
    batches = fake.batches = FakeBatches()
    fake.judge.bad = lambda case: "order" in str(case) and hash(str(case)) % 5 == 0
    async with await Session.create(make_plan(40), batched(judge="all")) as session:
        result = await session.run()
        assert result.accepted + result.exhausted == 40
    first = [len(batch.requests) for batch in batches.batches.values()][:3]
    assert sorted(first) == [2, 3, 3]  # sent at the same time: any of them may arrive first
    assert fake.judge.bodies and all("stream" in body for body in fake.judge.bodies)
