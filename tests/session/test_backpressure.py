"""A disk or a gate that is slower than the endpoint slows the calls down; nothing piles up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.generation.candidate_queue import _BOUND
from dsbuilder_tui.generation.duplicate_check import DuplicateCheck
from dsbuilder_tui.generation.journal import MOST_PENDING
from dsbuilder_tui.store.session_store import SessionStore
from tests.session.test_runs import check_whole
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]

_WORKERS, _BATCH, _CASES = 4, 20, 8000


async def settled(fake: FakeOpenAI) -> int:
    """The number of requests once there are no more for a while."""
    seen = -1
    while seen != len(fake.bodies):
        seen = len(fake.bodies)
        await asyncio.sleep(1.0)
    return seen


async def held_back(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, plan: Any, config: Any) -> int:
    """How many requests are made while a method does not return; then it does, and the dataset is whole."""
    go_on = asyncio.Event()
    real = getattr(owner, method)

    async def held(self: Any, *args: Any, **more: Any) -> Any:
        await go_on.wait()
        return await real(self, *args, **more)

    events: list[Any] = []
    async with FakeOpenAI() as fake, await Session.create(plan, config(fake.url)) as session:
        session.subscribe(events.append)
        monkeypatch.setattr(owner, method, held)
        running = asyncio.create_task(session.run())
        while not fake.bodies:
            await asyncio.sleep(0.01)
        requests = await settled(fake)
        go_on.set()
        assert (await running).state == "complete"
        await check_whole(session, events)
    return requests


@pytest.fixture
def config(make_config: Configs) -> Callable[[str], DatasetBuilderConfig]:
    return lambda url: make_config(
        base_url=url, batch_size=_BATCH, max_workers=_WORKERS, max_dataset_size=_CASES, diversity_stages="structural"
    )


async def test_a_disk_that_does_not_write_stops_the_calls(
    make_plan: Plans, config: Callable[[str], DatasetBuilderConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = await held_back(monkeypatch, SessionStore, "commit", make_plan(_CASES), config)
    assert requests <= MOST_PENDING / _BATCH + 2 * _WORKERS + 2 < _CASES / _BATCH


async def test_a_gate_that_does_not_judge_stops_the_calls(
    make_plan: Plans, config: Callable[[str], DatasetBuilderConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = await held_back(monkeypatch, DuplicateCheck, "judge", make_plan(_CASES), config)
    assert requests <= _BOUND / _BATCH + 2 * _WORKERS + 2
