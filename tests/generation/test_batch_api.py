"""Runs whose calls a Batch API makes: the counts are exact, and nothing that came back is paid for again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.domain.batch_job import BatchJobState
from dsbuilder_tui.domain.events import BatchJobChanged, Event, Notice
from dsbuilder_tui.domain.session_state import SessionState
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
