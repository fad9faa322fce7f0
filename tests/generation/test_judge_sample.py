"""The judge's sample: which cases it holds, what is estimated from it, and that no case is judged twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.judging import JudgedCounts, verdict_of
from dsbuilder_tui.generation.judge_sample import JudgeSample
from dsbuilder_tui.session.replay import recorded_events
from dsbuilder_tui.view import RunView, reduce
from tests.support.fake_openai import FakeOpenAI
from tests.support.judged_runs import judging, run_and_hear

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]


@pytest.mark.parametrize(
    ("count", "share", "size"),
    [(5, 0.1, 5), (20, 0.1, 20), (21, 0.1, 20), (150, 0.1, 20), (300, 0.1, 30), (999, 0.1, 100), (1000, 1.0, 1000), (7777, 0.33, 2567)],
)  # fmt: skip
def test_a_sample_holds_exactly_its_share_and_is_the_same_each_time(count: int, share: float, size: int) -> None:
    samples = [JudgeSample({"a": count}, share, seed) for seed in (1, 1, 2)]
    first, again, other = ([o for o in range(1, count + 1) if sample.holds("a", o)] for sample in samples)
    assert len(first) == size == samples[0].size("a")
    assert first == again
    assert (first != other) is (size < count)


def test_the_interval_is_wilsons() -> None:
    low, high = JudgedCounts(19, 1, cases=200).interval() or (0, 0)
    assert (round(low, 4), round(high, 4)) == (0.7639, 0.9911)
    assert JudgedCounts(20, 0, cases=200).words == "84–100 % good"
    assert JudgedCounts(0, 20, cases=200).words == "0–16 % good"
    assert JudgedCounts(19, 1, cases=20).words == "95 % good"  # all of them: no estimate
    assert JudgedCounts(0, 0, 3, cases=20).words == "" and JudgedCounts(0, 0, 3, cases=20).interval() is None


@pytest.fixture
def sampled(make_config: Configs, fake: FakeOpenAI) -> Configs:
    return judging(make_config, fake, "sample", retries=0)


async def _judged(session: Session) -> dict[str, str]:
    return {c.case_id: v.finding.value async for c in session.cases.all() if (v := verdict_of(c.tags)) is not None}


async def test_sampled_cases_count_at_once_and_the_estimate_grows(
    fake: FakeOpenAI, sampled: Configs, make_plan: Plans
) -> None:
    bad: set[str] = set()

    def is_bad(case: dict[str, Any]) -> bool:
        if len(bad) < 4:
            bad.add(case["inputs"]["query"])
        return case["inputs"]["query"] in bad

    fake.judge.bad = is_bad
    async with await Session.create(make_plan(250, 10), sampled(judge="auto")) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 260)
        assert not await session.rejections.newest()
        found = await _judged(session)
        chosen = JudgeSample({"category_1": 250, "category_2": 10}, 0.1, session.seed)
        assert set(found) == {f"category_1-{o:05d}" for o in range(1, 251) if chosen.holds("category_1", o)} | {
            f"category_2-{o:05d}" for o in range(1, 11)
        }
        assert Counter(found.values()) == {"good": 31, "bad": 4}
        assert len(fake.judge.asked) == 35 and len(set(fake.judge.asked)) == 35  # each once, however they came together
        assert 4 <= len(fake.judge.bodies) < 20
        counts = (await session.summary()).judged_counts
        assert {name: c.judged for name, c in counts.items()} == {"category_1": 25, "category_2": 10}
        judged = [event for event in seen if isinstance(event, ev.CaseJudged)]
        assert max(event.good + event.bad for event in judged if event.category == "category_1") == 25
        live = await _replayed(session)
        assert {name: (c.good, c.bad) for name, c in live.judged.items()} == {
            n: (c.good, c.bad) for n, c in counts.items()
        }
        assert live.accepted == 260


async def _replayed(session: Session) -> RunView:
    view = RunView()
    async for event in recorded_events(session):
        view = reduce(view, event)
    return view


async def test_the_built_in_writer_is_not_judged_by_default(
    fake: FakeOpenAI, make_config: Configs, make_plan: Plans
) -> None:
    config = make_config(provider="offline", base_url=fake.url, judge="auto")
    async with await Session.create(make_plan(20), config) as session:
        assert (await session.run()).accepted == 20
    assert not fake.judge.bodies
    async with await Session.create(
        make_plan(20), make_config(provider="offline", base_url=fake.url, judge="all")
    ) as one:
        assert (await one.run()).accepted == 20
        assert (await one.summary()).judged["category_1"]["good"] == 20
        assert (await one.summary()).prompt_tokens == 0


async def test_a_sample_that_was_interrupted_goes_on_and_judges_nothing_twice(
    fake: FakeOpenAI, sampled: Configs, make_plan: Plans
) -> None:
    fake.judge.gate = asyncio.Event()
    async with await Session.create(make_plan(100), sampled(drain_timeout=0, judge_share=0.5)) as session:
        run = asyncio.create_task(session.run())
        await fake.judge.in_gate.wait()
        await session.pause()
        await run
        name = session.id
    fake.judge.gate.set()
    before = len(fake.judge.asked)
    async with await Session.open(name, sampled(judge_share=0.5)) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 100)
        assert len(await _judged(session)) == 50
        asked = fake.judge.asked[before:]
        assert len(asked) == len(set(asked)) == 50
        await run_and_hear(session)
        assert len(fake.judge.asked) == before + 50  # all have their verdict


async def test_a_sample_whose_judge_is_not_there_costs_no_case(
    fake: FakeOpenAI, sampled: Configs, make_plan: Plans
) -> None:
    fake.judge.kind = "no_model"
    async with await Session.create(make_plan(60), sampled()) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 60)
        told = [e.text for e in seen if isinstance(e, ev.Notice) and "judge stops" in e.text]
        assert len(told) == 1 and "gpt-4o" in told[0] and "without a verdict" in told[0]
        assert not await _judged(session)
        fake.judge.kind = "ok"
        await run_and_hear(session)
        assert len(await _judged(session)) == 20


async def test_an_edited_case_is_judged_anew_and_a_withdrawn_one_not_counted(
    fake: FakeOpenAI, sampled: Configs, make_plan: Plans
) -> None:
    async with await Session.create(make_plan(20), sampled()) as session:
        await run_and_hear(session)
        await session.cases.edit("category_1", 3, {"query": "Where is it?"}, {"polite": True})
        await session.cases.withdraw("category_1", 4)
        assert (await session.summary()).judged["category_1"]["good"] == 18
        assert "category_1-00003" not in await _judged(session)
        before = len(fake.judge.asked)
        await run_and_hear(session)
        assert (await session.summary()).judged["category_1"]["good"] == 20
        assert len(fake.judge.asked) == before + 2 and "Where is it?" in fake.judge.asked


async def test_the_budget_ends_a_sample_and_says_so(fake: FakeOpenAI, sampled: Configs, make_plan: Plans) -> None:
    prices = {"j": {"input": 1000, "output": 1000}, "gpt-4o-mini": {"input": 0, "output": 0}}
    config = sampled(judge_model="j", prices=prices, budget=0.2, max_workers=1, judge_share=1)
    async with await Session.create(make_plan(60), config) as session:
        result, seen = await run_and_hear(session)
        spent = (await session.costs.spending()).judge.dollars or 0
        assert 0.2 <= spent <= 0.2 + 2 * 0.12
        told = [e.text for e in seen if isinstance(e, ev.Notice) and "budget" in e.text]
        assert told and (
            result.state == "complete" or next(e for e in seen if isinstance(e, ev.RunPaused)).cause == "budget"
        )
