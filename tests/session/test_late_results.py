"""What a call brings that was made before the session moved is never taken in after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.pause_cause import Pause
from tests.session.test_branches import sound, state
from tests.support.fake_openai import FakeOpenAI

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("answers_held_back")
@pytest.mark.parametrize("drain_timeout", [0, 5])
async def test_answers_to_calls_from_before_a_rewind(
    fake: FakeOpenAI, make_plan: Plans, make_config: Configs, drain_timeout: int
) -> None:
    """The server holds its answers until the session has gone back, and says them then."""
    config = make_config(
        provider="openai", base_url=fake.url, max_workers=3, batch_size=4, checkpoint_interval=4,
        drain_timeout=drain_timeout,
    )  # fmt: skip
    async with await Session.create(make_plan(40), config) as session:
        first = await session.checkpoints.save("nothing yet")
        gate = fake.gate = asyncio.Event()
        gate.set()

        def hold(body: object) -> None:
            if len(fake.bodies) > 3:
                gate.clear()

        fake.kind_for = hold
        run = asyncio.create_task(session.run())
        await until(lambda: not gate.is_set() and fake.in_flight > 0)
        await session.written()
        with pytest.raises(InputError, match="running"):
            await session.branches.rewind(first.id)
        session.request_pause(Pause("going back"))
        session.drop_in_flight()
        await run
        asked = len(fake.bodies)
        await session.branches.rewind(first.id, keep_as="before")
        then = await state(session)
        assert (await session.summary()).instances_created == 0
        fake.kind_for = None
        gate.set()  # now all that was asked for before is answered
        await until(lambda: fake.in_flight == 0)
        assert await state(session) == then
        await session.branches.fork(first.id, "other")
        await session.branches.switch("other")
        result = await session.run()
        assert result.accepted == 40 and len(fake.bodies) > asked
        cases = [case async for case in session.cases.all()]
        assert len({case.ordinal for case in cases}) == 40
        await sound(session)
        await session.branches.switch("before")
        assert (await session.summary()).instances_created < 40
