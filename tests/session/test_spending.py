"""What a session costs, and the budget that it keeps, against a real endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.run_state import RunState
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.view import RunView, opening_view, reduce
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


def played(events: list[ev.Event], view: RunView | None = None) -> RunView:
    view = view or RunView()
    for event in events:
        view = reduce(view, event)
    return view


async def test_workers_and_main_agent_are_billed_apart(
    fake: FakeOpenAI, make_plan: Plans, make_config: Configs
) -> None:
    heard: list[ev.Event] = []
    config = make_config(base_url=fake.url, batch_size=5)
    async with await Session.create(make_plan(20), config) as session:
        session.subscribe(heard.append)
        await session.costs.note_agent_call("turn", "gpt-4o-2024-08-06", Usage(1000, 100, True, 400), 1.25)
        await session.run()
        bill, summary = await session.costs.spending(), await session.summary()
        past = [event async for event in recorded_events(session)]
        opened = opening_view(summary)
    calls = [event for event in heard if isinstance(event, ev.BatchFinished)]
    assert len(calls) >= 4
    for call in calls:
        assert call.dollars == pytest.approx((call.prompt_tokens * 0.15 + call.completion_tokens * 0.6) / 1e6)
    workers, agent = sum(call.dollars or 0 for call in calls), (600 * 2.5 + 400 * 1.25 + 100 * 10) / 1e6
    told = next(event for event in heard if isinstance(event, ev.AgentCalled))
    assert (told.purpose, told.cached_tokens, told.seconds, told.dollars) == ("turn", 400, 1.25, pytest.approx(agent))
    assert bill.workers.dollars == pytest.approx(workers) and bill.main_agent.dollars == pytest.approx(agent)
    assert [m.model for m in bill.workers.models] == ["gpt-4o-mini"]
    assert bill.saving is not None and bill.saving.model == "gpt-4o" and bill.saving.percent > 90
    assert next(e for e in heard if isinstance(e, ev.RunFinished)).dollars == pytest.approx(workers + agent)
    assert orjson.loads(orjson.dumps(summary.as_dict()))["cost"] == bill.as_dict()
    # The view is the same, listened to, read from the file, or played again.
    for view in (played(heard), opened, played(past)):
        assert view.worker_dollars == pytest.approx(workers) and view.agent_dollars == pytest.approx(agent)
        assert view.agent_tokens == 1100 and not view.unpriced


async def test_the_run_itself_knows_what_was_cached(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(cached_tokens=60) as fake:
        heard: list[ev.Event] = []
        config = make_config(base_url=fake.url, max_workers=1)
        async with await Session.create(make_plan(5), config) as session:
            session.subscribe(heard.append)
            await session.run()
            kept = (await session.costs.spending()).known_dollars
    call = next(event for event in heard if isinstance(event, ev.BatchFinished))
    paid = (40 * 0.15 + 60 * 0.075 + call.completion_tokens * 0.6) / 1e6
    assert call.dollars == pytest.approx(paid)
    assert played(heard).worker_dollars == pytest.approx(paid)
    assert kept == pytest.approx(paid + 60 * 0.075 / 1e6)  # cached tokens count as other input later


async def test_an_unknown_model_is_counted_in_tokens(fake: FakeOpenAI, make_plan: Plans, make_config: Configs) -> None:
    heard: list[ev.Event] = []
    config = make_config(base_url=fake.url, worker_model="llama3.1", budget=1)
    async with await Session.create(make_plan(5), config) as session:
        session.subscribe(heard.append)
        await session.run()
        bill = await session.costs.spending()
        # A price that is set later counts for what was used before.
        await session.settings.set("prices", {"llama3.1": {"input": 1, "output": 1}})
        later = await session.costs.spending()
    warnings = [e.text for e in heard if isinstance(e, ev.Notice) and e.level == "warning"]
    assert [w for w in warnings if "price of llama3.1 is unknown" in w and "$1.00 cannot be kept" in w] == warnings
    assert all(event.dollars is None for event in heard if isinstance(event, ev.BatchFinished | ev.RunFinished))
    view = played(heard)
    assert view.unpriced and view.dollars == 0 and view.state is RunState.FINISHED
    assert bill.dollars is None and later.dollars == pytest.approx(view.tokens / 1e6)


async def test_the_built_in_writer_costs_nothing(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(5), make_config(budget=0.01)) as session:
        result = await session.run()
        bill = await session.costs.spending()
    assert result.state == "complete"
    assert (bill.dollars, bill.saving) == (0.0, None)
    assert [(m.model, m.prompt_tokens, m.dollars) for m in bill.workers.models] == [("built-in", 0, 0.0)]


# The budget


PRICES: dict[str, Any] = {"gpt-4o-mini": {"input": 10_000, "output": 0}}  # a dollar a call of the fake endpoint


async def test_a_budget_pauses_the_run_and_says_so(fake: FakeOpenAI, make_plan: Plans, make_config: Configs) -> None:
    config = make_config(base_url=fake.url, batch_size=1, max_workers=1, budget=3, prices=PRICES)
    heard: list[ev.Event] = []
    async with await Session.create(make_plan(10), config) as session:
        session.subscribe(heard.append)
        result = await session.run()
        assert (result.state, result.accepted) == ("paused", fake.seen["ok"])
        assert 3 <= (await session.costs.spending()).known_dollars < 10
        assert "the budget of $3.00 is used up" in [e.reason for e in heard if isinstance(e, ev.RunPaused)]
        notices = [e for e in heard if isinstance(e, ev.Notice) and "budget" in e.text]
        assert len(notices) == 1 and notices[0].level == "warning" and "/budget N" in notices[0].text
        calls = len(fake.bodies)
        with pytest.raises(InputError, match=r"The budget of \$3.00 is used up") as refused:
            await session.run()
        assert "--budget" in refused.value.hint and len(fake.bodies) == calls
        await session.settings.set("budget", 1000)
        assert (await session.run()).state == "complete"


async def test_a_budget_that_is_reached_with_the_last_case_stops_nothing(
    fake: FakeOpenAI, make_plan: Plans, make_config: Configs
) -> None:
    config = make_config(base_url=fake.url, batch_size=1, max_workers=1, budget=2, prices=PRICES)
    heard: list[ev.Event] = []
    async with await Session.create(make_plan(2), config) as session:
        session.subscribe(heard.append)
        assert (await session.run()).state == "complete"
    assert not [event for event in heard if isinstance(event, ev.RunPausing | ev.Notice)]


@pytest.mark.usefixtures("answers_held_back")
async def test_the_main_agent_uses_the_budget_too_and_it_can_be_raised_meanwhile(
    make_plan: Plans, make_config: Configs
) -> None:
    async with FakeOpenAI(gate=asyncio.Event()) as fake:
        assert fake.gate
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1, budget=1)
        async with await Session.create(make_plan(10), config) as session:
            started = asyncio.Event()
            session.subscribe(lambda event: started.set() if isinstance(event, ev.BatchStarted) else None)
            running = asyncio.create_task(session.run())
            await started.wait()
            await session.settings.set("budget", 5)
            await session.costs.note_agent_call("turn", "gpt-4o", Usage(0, 200_000, True), 1.0)  # two dollars
            assert not [event async for event in recorded_events(session) if isinstance(event, ev.RunPausing)]
            await session.costs.note_agent_call("turn", "gpt-4o", Usage(0, 300_000, True), 1.0)  # five in all
            fake.gate.set()
            result = await running
            assert (result.state, result.accepted) == ("paused", 5)


async def test_histories_from_before_there_were_dollars_are_told(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        await session.run()
        store = session._files.store
        await store.connection.write(
            lambda c: c.execute("UPDATE history SET data = json_remove(data, '$.dollars') WHERE kind = 'run_finished'")
        )
        past = [event async for event in recorded_events(session)]
    ends = [event for event in past if isinstance(event, ev.RunFinished)]
    assert [(end.accepted, end.dollars) for end in ends] == [(3, None)]


async def test_what_is_expected_has_the_main_agent_in_it(
    fake: FakeOpenAI, make_plan: Plans, make_config: Configs
) -> None:
    """Before anything is known by what a case usually takes, later by what those there have cost, the judge's part too."""
    config = make_config(base_url=fake.url, batch_size=5)
    async with await Session.create(make_plan(20), config) as session:
        first = await session.costs.expected(0, 20)
        assert first.cases == pytest.approx(20 * (80 * 0.15 + 150 * 0.6) / 1e6)
        assert first.main_agent == pytest.approx(3 * (6_000 * 2.5 + 250 * 10) / 1e6)
        assert first.dollars == pytest.approx((first.cases or 0) + (first.main_agent or 0))
        await session.run()
        spent = await session.costs.spending()
        then = await session.costs.expected(20, 40)
        assert then.cases == pytest.approx(2 * (spent.known_dollars - spent.main_agent.known_dollars))
        assert then.main_agent == first.main_agent and (await session.costs.expected(20, 0)).dollars == 0
    async with await Session.create(make_plan(4), make_config(base_url=fake.url, model="unknown")) as session:
        assert (await session.costs.expected(0, 4)).dollars is None
    async with await Session.create(make_plan(4), make_config()) as session:
        assert (await session.costs.expected(0, 4)).dollars == 0
