"""Plans that ask for everything at once: kinds, documents, pairs, stages, own keys, a judge of all, languages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.case_pair import PairKind, PairSide, pair_of
from dsbuilder_tui.domain.judging import verdict_of
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from tests.support.fake_openai import FakeOpenAI
from tests.support.judged_runs import judging, run_and_hear
from tests.support.whole_worker import WholeWorker

Configs = Callable[..., DatasetBuilderConfig]
POLICY = "\n\n".join(
    f"# Rule {n}\n\nAn item of the kind {word} may be brought back within {n + 10} days of its delivery. "
    f"Whoever brings back a {word} pays {n} euros for its way home."
    for n, word in enumerate("lamp chair kettle jacket violin".split(), 1)
)
WRITTEN = [
    "expected_facts",
    "guidelines",
    "expected_tool_calls",
    {"priority": {"values": ["low", "high"], "meaning": "urgency"}},
]


@pytest.fixture
def policy(tmp_path: Path) -> str:
    (tmp_path / "policy.md").write_text(POLICY)
    return str(tmp_path / "policy.md")


@pytest.fixture
def whole(make_config: Configs, fake: FakeOpenAI) -> Configs:
    fake.reply_for = WholeWorker()
    return judging(make_config, fake, "all", retries=1)


def plan(policy: str, *, by_model: bool = True, singles: int = 12, **more: Any) -> DatasetPlanInput:
    common: dict[str, Any] = {"contrast": "20 %", "same": "20 %", "example_inputs": "May I bring back order #12345?"}
    if by_model:
        common["pipeline"] = ["draft", {"evolve": "rarer"}, "critique", "revise"]
    return parse_plan(
        {
            "dataset_name": "whole", "description": "A shop's assistant", "write": WRITTEN if by_model else WRITTEN[:3],
            "attributes": {"language": ["English", "German"], "tone": ["calm", "angry"]},
            "target": {"tools": {"lookup_order": ["order_id: str"]}},
            "categories": [
                {"name": "singles", "count": singles, **common, **more},
                {"name": "talks", "count": 10, "kind": "conversation", "attributes": {"turns": ["3", "5"]}, **common},
                {"name": "plays", "count": 5, "kind": "scenario", **common},
                {"name": "rules", "count": 10, "sources": [policy], **common, **({} if by_model else {"contrast": "0 %"})},
                {"name": "not_said", "count": 5, "sources": [policy], "answerable": False, **common},
                {"name": "two_rules", "count": 5, "sources": [policy], "passages": 2, "kind": "conversation"},
            ],
        }
    )  # fmt: skip


def _every_fifth() -> Callable[[dict[str, Any]], bool]:
    """Finds every fifth text bad when it is read for the first time."""
    seen: set[str] = set()

    def bad(case: dict[str, Any]) -> bool:
        text = json.dumps(case["inputs"])
        if text in seen:
            return False
        seen.add(text)
        return len(seen) % 5 == 0

    return bad


async def _checked(session: Session, wanted: dict[str, int]) -> list[AcceptedCase]:
    """All cases, once it is certain that each is there once and stands in its pair."""
    cases = [case async for case in session.cases.all()]
    assert Counter(case.category for case in cases) == wanted
    assert len({case.case_id for case in cases}) == len({json.dumps(case.inputs) for case in cases}) == len(cases)
    by_id = {case.case_id: case for case in cases}
    for case in cases:
        pair = pair_of(case.tags)
        if pair is None or pair.side is PairSide.ORIGINAL:
            continue
        original = by_id[pair.other]
        if pair.relation is PairKind.CONTRAST:
            assert original.expectations != case.expectations, case.case_id
        else:
            assert set(original.expectations) == set(case.expectations), case.case_id
    return cases


COUNTS = {"singles": 12, "talks": 10, "plays": 5, "rules": 10, "not_said": 5, "two_rules": 5}


async def test_everything_at_once_is_written_judged_and_counted(fake: FakeOpenAI, whole: Configs, policy: str) -> None:
    rules = {"expected_facts", "guidelines"}
    async with await Session.create(plan(policy), whole()) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 47)
        cases = await _checked(session, COUNTS)
        assert all(verdict_of(case.tags) is not None and rules <= set(case.expectations) for case in cases)
        assert await session._files.store.staged.all() == []


async def test_pauses_and_a_revised_plan_lose_nothing_and_write_nothing_twice(
    fake: FakeOpenAI, whole: Configs, policy: str
) -> None:
    fake.judge.bad = _every_fifth()
    async with await Session.create(plan(policy), whole(max_workers=2, drain_timeout=0.2)) as session:
        name, roles = session.id, ["worker", "evolve", "critique", "revise", "judge"]
        for role in roles:

            def pause(event: ev.Event, role: str = role, session: Session = session) -> None:
                if isinstance(event, ev.BatchStarted) and event.role == role:
                    session.request_pause()

            stop = session.subscribe(pause)
            await session.run()
            stop()
        before = {case.case_id: case.inputs async for case in session.cases.all()}
    async with await Session.open(name, whole()) as session:
        fewer = max(6, sum(case_id.startswith("singles") for case_id in before))
        await session.plans.revise(plan(policy, singles=fewer, pipeline=[], same="0 %", contrast="0 %"))
        for _ in range(3):
            result, _ = await run_and_hear(session)
            if result.state == "complete":
                break
        cases = await _checked(session, {**COUNTS, "singles": fewer})
        assert result.state == "complete"
        now = {case.case_id: case.inputs for case in cases}
        assert {case_id: now[case_id] for case_id in before} == before


async def test_the_built_in_writer_says_what_it_cannot_and_writes_the_rest(make_config: Configs, policy: str) -> None:
    async with await Session.create(plan(policy, by_model=False), make_config()) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 47)
        await _checked(session, COUNTS)
    async with await Session.create(plan(policy), make_config()) as session:
        with pytest.raises(Exception, match="cannot tell what to write for 'priority'"):
            await session.run()
