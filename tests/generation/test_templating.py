"""Templates in a run: one call for many cases, what comes of bad answers, and what is dropped and replaced."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.session.template_costs import expected_words
from tests.support.fake_openai import FakeOpenAI
from tests.support.fake_templates import TemplatesSay
from tests.support.judged_runs import run_and_hear
from tests.support.template_answers import REFUND_TEMPLATES, answer, as_text, refund_plan

Configs = Callable[..., DatasetBuilderConfig]
_PLAIN = {"name": "returns", "count": 10, "description": "Returns", "example_inputs": ["How do I return it?"]}
_ADVERSARIAL = [one for one in REFUND_TEMPLATES if one["attributes"] and "adversarial" in as_text(one["attributes"][0])]
_OTHERS = [one for one in REFUND_TEMPLATES if one not in _ADVERSARIAL]


@pytest.fixture
def configure(make_config: Configs, fake: FakeOpenAI) -> Configs:
    base = {"base_url": fake.url, "api_key": "k", "max_workers": 4, "max_retries": 1, "judge": "off"}
    return lambda **more: make_config(**{**base, **more})


async def _cases(session: Session) -> list[AcceptedCase]:
    return [case async for case in session.cases.all()]


def _notices(seen: list[ev.Event]) -> str:
    return "\n".join(event.text for event in seen if isinstance(event, ev.Notice))


async def test_a_thousand_cases_take_one_call_and_are_distinct(fake: FakeOpenAI, configure: Configs) -> None:
    async with await Session.create(refund_plan(1000), configure()) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted, result.exhausted) == ("complete", 1000, 0)
        cases = await _cases(session)
        assert len({json.dumps(case.inputs) for case in cases}) == 1000
        assert len(fake.templates.bodies) == 1 and not fake.bodies
        used = Counter(case.tags["template_id"] for case in cases)
        assert len(used) == 22 and used == Counter(
            {name: use.accepted for name, use in (await session.templates.uses()).items()}
        )
        for case in cases:
            calls = case.expectations.get("expected_tool_calls", [])
            said = case.inputs["query"].upper()
            assert all(call["arguments"]["order_id"] in said for call in calls)
            assert "{" not in json.dumps(case.expectations).replace('{"', "")


async def test_they_cost_at_most_a_twentieth_of_writing_each(fake: FakeOpenAI, configure: Configs) -> None:
    fake.counts_tokens, fake.words = True, 40
    prices = {"gpt-4o-mini": {"input": 0.15, "output": 0.6}}
    each = refund_plan(100, mode="each")
    async with await Session.create(each, configure(prices=prices)) as session:
        assert (await session.run()).accepted == 100
        written = [len(json.dumps(case.record())) for case in await _cases(session)]
        a_case = ((await session.costs.spending()).dollars or 0) / 100
    async with await Session.create(refund_plan(1000), configure(prices=prices)) as session:
        assert (await session.run()).accepted == 1000
        made = [len(json.dumps(case.record())) for case in await _cases(session)]
        dollars = (await session.costs.spending()).dollars
        figures = await session.templates.costs()
    assert sum(written) / 100 <= sum(made) / 1000, "the cases that are written each are no longer ones"
    assert dollars is not None and 0 < dollars <= 0.05 * 1000 * a_case
    assert figures is not None and figures.cases == 1000 and figures.dollars == pytest.approx(dollars)
    assert figures.each_dollars is not None and 0.5 * a_case < figures.each_dollars / 1000 < 2 * a_case


@pytest.mark.parametrize(
    "bad",
    [
        "I cannot help with that, sorry.",
        "",
        "{{{ not << json",
        TemplatesSay("", thoughts="I wonder what a template is."),
        TemplatesSay(as_text(answer())[:900], reason="length"),
        answer([{**REFUND_TEMPLATES[0], "inputs": {"query": "Give me {nothing_of_that_name} back."}}]),
        answer(fillers=[{"name": "order", "type": "amount", "example": "a lot"}]),
        answer([{**one, "expectations": {}} for one in REFUND_TEMPLATES]),
        "server_error",
    ],
)
async def test_a_bad_answer_is_asked_for_again(fake: FakeOpenAI, configure: Configs, bad: Any) -> None:
    fake.templates.script = [bad]
    async with await Session.create(refund_plan(40), configure()) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 40)
        assert len(fake.templates.bodies) == 2
        if isinstance(bad, dict):
            assert "Earlier templates were turned away" in fake.templates.prompts[1]


@pytest.mark.parametrize(
    "said",
    [
        TemplatesSay(f"<think>Let me see. {as_text(answer(REFUND_TEMPLATES[:1]))}</think>{as_text(answer())}"),
        TemplatesSay(as_text(answer()), thoughts="Twenty-two of them."),
        TemplatesSay("", thoughts=as_text(answer())),
        TemplatesSay(f"Here they are:\n```json\n{as_text(answer())}\n```"),
    ],
)
async def test_thoughts_and_prose_around_an_answer_do_no_harm(
    fake: FakeOpenAI, configure: Configs, said: TemplatesSay
) -> None:
    fake.templates.script = [said]
    async with await Session.create(refund_plan(40), configure()) as session:
        assert (await session.run()).accepted == 40
        assert len(fake.templates.bodies) == 1
        assert len(await session.templates.all()) == 22


async def test_when_no_templates_are_to_be_had_the_run_pauses_and_says_so(fake: FakeOpenAI, configure: Configs) -> None:
    fake.templates.otherwise = "I would rather talk about the weather."
    async with await Session.create(refund_plan(40, _PLAIN), configure()) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted, result.exhausted) == ("paused", 10, 0)
        paused = next(event for event in seen if isinstance(event, ev.RunPaused))
        assert paused.cause is PauseCause.NOTHING_USABLE
        assert "3 calls for templates of refunds" in paused.reason and "weather" in paused.reason
        assert "mode: each" in paused.reason and len(fake.templates.bodies) == 3
        fake.templates.otherwise = answer()
        assert (await session.run()).accepted == 50
        assert len(fake.templates.bodies) == 4


async def test_what_no_template_shows_is_asked_for(fake: FakeOpenAI, configure: Configs) -> None:
    fake.templates.script = [answer(_OTHERS), answer(_ADVERSARIAL)]
    async with await Session.create(refund_plan(60), configure()) as session:
        assert (await session.run()).accepted == 60
        assert len(fake.templates.bodies) == 2 and "situation: adversarial" in fake.templates.prompts[1]
        for case in await _cases(session):
            is_trick = case.tags["template_id"] in ("refunds-t21", "refunds-t22")
            assert is_trick is (case.tags["attributes"]["situation"] == "adversarial")


async def test_slots_that_no_template_fits_in_the_end_are_given_up_and_told(
    fake: FakeOpenAI, configure: Configs
) -> None:
    fake.templates.otherwise = answer(_OTHERS)
    async with await Session.create(refund_plan(70), configure()) as session:
        result, seen = await run_and_hear(session)
        given_up = [event for event in seen if isinstance(event, ev.SlotExhausted)]
        assert result.state == "short" and result.accepted + result.exhausted == 70 and given_up
        assert all("templates brought none for situation: adversarial" in event.reason for event in given_up)
        assert len(given_up) == result.exhausted
        assert "adversarial" not in {case.tags["attributes"]["situation"] for case in await _cases(session)}
        assert len(fake.templates.bodies) == 4


async def test_too_few_combinations_are_made_up_for_by_another_call(fake: FakeOpenAI, configure: Configs) -> None:
    few = {"name": "thing", "type": "choice", "values": ["lamp", "chair"]}
    poor = [{**one, "inputs": {"query": f"{word} my {{thing}}?"}, "details": [], "expectations": {
        "expected_facts": ["It is answered."], "guidelines": ["Is kind."], "expected_tool_calls": []}}
        for one, word in zip(REFUND_TEMPLATES[12:], ("Where is", "Who has", "What of", "How about", "Whose is", "When comes",
                                                  "Which is", "Why not", "Is this", "Are those"), strict=True)]  # fmt: skip
    poor += [{**poor[0], "attributes": [], "inputs": {"query": "Can I return my {thing}?"}}]
    fake.templates.script = [answer(poor, [few])]
    async with await Session.create(refund_plan(120), configure()) as session:
        assert (await session.run()).accepted == 120
        assert len(fake.templates.bodies) == 2 and "There are already" in fake.templates.prompts[1]


async def test_a_template_whose_cases_are_turned_away_is_dropped_and_replaced(
    fake: FakeOpenAI, configure: Configs
) -> None:
    bad = "I bought a {product}"
    fake.judge.bad = lambda case: (
        "days ago" in case["inputs"]["query"].lower() and "wrote" not in case["inputs"]["query"]
    )
    fake.templates.script = [answer(REFUND_TEMPLATES[1:2] + REFUND_TEMPLATES[12:])]
    fake.templates.otherwise = answer(REFUND_TEMPLATES[7:12])
    async with await Session.create(refund_plan(120), configure(judge="all")) as session:
        result, seen = await run_and_hear(session)
        assert result.accepted + result.exhausted == 120 and result.accepted > 100
        kept = {one.name: one for one in await session.templates.all()}
        dropped = [one for one in kept.values() if one.dropped]
        assert [one.template.inputs["query"].startswith(bad) for one in dropped] == [True]
        assert "turned away" in dropped[0].dropped and "judge" in dropped[0].dropped
        assert f"The template {dropped[0].name} is dropped" in _notices(seen)
        assert len(fake.templates.bodies) > 1 and bad in fake.templates.prompts[1]
        assert (await session.templates.uses())[dropped[0].name].rejected >= 8


async def test_the_judges_sample_holds_for_cases_of_templates(fake: FakeOpenAI, configure: Configs) -> None:
    fake.judge.bad = lambda case: "third time" in case["inputs"]["query"].lower()
    async with await Session.create(refund_plan(300), configure(judge="sample", judge_share=0.5)) as session:
        result, _ = await run_and_hear(session)
        assert result.accepted == 300
        counts = (await session.summary()).judged["refunds"]
        assert counts["good"] + counts["bad"] == 150 and counts["bad"] >= 3
        gone = [one for one in await session.templates.all() if one.dropped]
        assert ["third time" in one.template.inputs["query"] for one in gone] == [True]


async def test_a_paused_run_goes_on_with_the_templates_it_has(fake: FakeOpenAI, configure: Configs) -> None:
    config = configure(max_workers=1)
    async with await Session.create(refund_plan(200), config) as session:
        assert (await session.run()).accepted == 200
        whole = {
            case.ordinal: (case.inputs, case.expectations, case.tags["template_id"]) for case in await _cases(session)
        }
    async with await Session.create(refund_plan(200), config) as session:
        name = session.id
        session.subscribe(
            lambda event: (
                session.request_pause(Pause("enough"))
                if isinstance(event, ev.CaseAccepted) and event.accepted == 40
                else None
            )
        )
        assert 40 <= (await session.run()).accepted < 200
    async with await Session.open(name, config) as session:
        before = await session.templates.all()
        assert (await session.run()).accepted == 200
        assert await session.templates.all() == before
        again = {
            case.ordinal: (case.inputs, case.expectations, case.tags["template_id"]) for case in await _cases(session)
        }
    assert len(fake.templates.bodies) == 2, "templates were paid for again"
    assert sum(whole[ordinal] == again[ordinal] for ordinal in whole) >= 196  # but for what was too like another


async def test_a_category_that_says_something_else_now_gets_other_templates(
    fake: FakeOpenAI, configure: Configs
) -> None:
    async with await Session.create(refund_plan(30), configure()) as session:
        await session.run()
        await session.plans.revise(refund_plan(40))
        assert (await session.run()).accepted == 40
        assert len(fake.templates.bodies) == 1, "a larger count needs no other templates"
        await session.plans.revise(refund_plan(50, description="People want their deposit back"))
        assert (await session.run()).accepted == 50
        assert len(fake.templates.bodies) == 2 and "deposit" in fake.templates.prompts[1]


async def test_the_budget_holds_for_calls_for_templates(fake: FakeOpenAI, configure: Configs) -> None:
    fake.counts_tokens = True
    fake.templates.script = [answer(_OTHERS)]
    prices = {"gpt-4o-mini": {"input": 100, "output": 100}}
    async with await Session.create(refund_plan(60), configure(prices=prices, budget=0.1)) as session:
        result, seen = await run_and_hear(session)
        assert result.state == "paused" and len(fake.templates.bodies) == 1
        assert any(isinstance(event, ev.RunPaused) and event.cause is PauseCause.BUDGET for event in seen)
        await session.settings.change({"budget": 10})
        fake.templates.otherwise = answer(_ADVERSARIAL)
        assert (await session.run()).accepted == 60
        assert len(fake.templates.bodies) == 2


async def test_a_pause_while_templates_are_written_drains(fake: FakeOpenAI, configure: Configs) -> None:
    fake.templates.gate = asyncio.Event()
    async with await Session.create(refund_plan(30), configure(drain_timeout=20)) as session:
        run = asyncio.create_task(session.run())
        await fake.templates.in_gate.wait()
        session.request_pause()
        fake.templates.gate.set()
        assert (await run).accepted == 0
        assert len(await session.templates.all()) == 22
        assert (await session.run()).accepted == 30
        assert len(fake.templates.bodies) == 1


async def test_a_session_out_of_kept_answers_has_the_templates_of_the_other(
    fake: FakeOpenAI, configure: Configs
) -> None:
    async with await Session.create(refund_plan(30, _PLAIN), configure()) as session:
        assert (await session.run()).accepted == 40
        async with await Session.beside(session) as other:
            assert (await other.regate(session)).accepted == 10
            assert (await other.run()).accepted == 40
            assert await other.templates.all() == await session.templates.all()
    assert len(fake.templates.bodies) == 1


def test_the_card_of_a_plan_says_what_a_thousand_cases_cost_either_way(make_config: Configs) -> None:
    refunds = refund_plan(1000).categories[0]
    priced = make_config(api_key="k", prices={"gpt-4o-mini": {"input": 0.15, "output": 0.6}})
    words = expected_words(refunds, priced)
    assert words == "refunds: from 24 templates, about $0.003 per 1,000 cases; written each about $0.10"
    unknown = make_config(api_key="k", worker_model="nobody-knows")
    assert expected_words(refunds, unknown) == "refunds: from 24 templates"
    assert expected_words(refund_plan(10, mode="each").categories[0], priced) == ""
    assert "anyway" in expected_words(refunds, make_config(provider="offline"))


async def test_the_built_in_writer_says_that_it_is_of_that_kind(make_config: Configs) -> None:
    async with await Session.create(refund_plan(12), make_config(judge="off")) as session:
        result, seen = await run_and_hear(session)
        assert result.accepted == 12 and "refunds" in _notices(seen) and "templates anyway" in _notices(seen)
        assert await session.templates.costs() is None
