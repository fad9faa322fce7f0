"""The stages behind the draft in a run: who is asked what, what comes of it, and what a stage does that goes wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.errors import EndpointRefused, EndpointUnavailable, InputError
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.stage_record import StageRecord, stage_records
from tests.support.fake_judge import JudgeSays
from tests.support.fake_openai import FakeOpenAI
from tests.support.judged_runs import judging, run_and_hear
from tests.support.staged_runs import FULL, asked, at, only, stage_of

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]
Case = dict[str, Any]


@pytest.fixture
def staged(make_config: Configs, fake: FakeOpenAI) -> Configs:
    return judging(make_config, fake, "off", retries=1)


async def _cases(session: Session) -> list[Any]:
    return [case async for case in session.cases.all()]


def _trail(case: Any) -> list[str]:
    return [f"{record.stage}:{record.result}" for record in stage_records(case.tags)]


def _asked(fake: FakeOpenAI, stage: str) -> list[str]:
    return fake.judge.asked if stage == "critique" else asked(fake, stage)


def _first(number: int) -> Callable[[Case], bool]:
    """Bad are the first texts that are seen, so many, and what they were revised to is not asked about."""
    seen: list[str] = []

    def bad(case: Case) -> bool:
        text = str(case["inputs"]["query"])
        if text not in seen and len(seen) < number:
            seen.append(text)
        return text in seen

    return bad


async def test_every_case_goes_through_every_stage_once(fake: FakeOpenAI, staged: Configs, make_plan: Plans) -> None:
    fake.judge.bad = lambda case: True
    async with await Session.create(make_plan(25, pipeline=FULL), staged()) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 25)
        for stage in ("evolve", "revise"):
            assert len(asked(fake, stage)) == len(set(asked(fake, stage))) == 25
        assert len(fake.judge.asked) == len(set(fake.judge.asked)) == 25
        assert set(fake.judge.asked) == set(
            asked(fake, "revise")
        )  # it is the evolved text that is criticised and revised
        assert not set(asked(fake, "evolve")) & set(fake.judge.asked)
        cases = await _cases(session)
        assert {tuple(_trail(case)) for case in cases} == {("draft:done", "evolve:done", "critique:bad", "revise:done")}
        earlier = {*asked(fake, "evolve"), *fake.judge.asked}
        assert not {case.inputs["query"] for case in cases} & earlier
        assert max(len(body["messages"][-1]["content"].split("<case ")) for body in fake.judge.bodies) <= 11
        calls = [e for e in seen if isinstance(e, ev.BatchStarted)]
        assert {e.role.value for e in calls} == {"worker", "evolve", "critique", "revise"}
        assert await session._files.store.staged.all() == []


async def test_a_draft_alone_costs_no_more_calls_than_before(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans
) -> None:
    async with await Session.create(make_plan(30), staged(batch_size=10)) as session:
        await session.run()
        assert {stage_of(body) for body in fake.bodies} == {"draft"} and not fake.judge.bodies
        assert all("stages" not in case.tags for case in await _cases(session))
        assert "stages" not in (await session.costs.spending()).as_dict()


async def test_what_the_critique_finds_nothing_wrong_with_is_not_revised(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans
) -> None:
    fake.judge.bad = _first(6)
    async with await Session.create(make_plan(20, pipeline="draft, critique, revise"), staged()) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 20)
        trails = Counter(tuple(_trail(case)) for case in await _cases(session))
        assert trails == {
            ("draft:done", "critique:good"): 14, ("draft:done", "critique:bad", "revise:done"): 6,
        }  # fmt: skip
        (prompt,) = {str(body["messages"][-1]["content"]) for body in at(fake, "revise")[:1]}
        assert "What is wrong with it: natural: no user writes so" in prompt
        assert not at(fake, "evolve")


async def test_without_revise_a_bad_case_is_rejected_with_its_critique_and_written_again(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans
) -> None:
    fake.judge.bad = _first(4)
    async with await Session.create(make_plan(20, pipeline=["critique"]), staged()) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 20)
        rejections = await session.rejections.newest()
        assert {r.stage for r in rejections} == {"critique"} and len(rejections) == 4
        assert all("natural: no user writes so" in r.reason and r.candidate for r in rejections)
        assert any("no user writes so" in body["messages"][-1]["content"] for body in at(fake, "draft"))
        assert len(fake.judge.asked) == len(set(fake.judge.asked)) == 24


async def test_each_stage_has_its_own_model_and_its_own_line_in_the_bill(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans
) -> None:
    fake.judge.bad = lambda case: True
    pipeline = [
        {"draft": {"model": "small"}}, {"evolve": {"how": "rarer", "model": "big"}}, {"critique": "critic"},
        {"stage": "revise", "model": "mender"},
    ]  # fmt: skip
    one = {"input": 1, "output": 1}
    prices = dict.fromkeys(("small", "big", "critic", "mender", "gpt-4o-mini"), one)
    async with await Session.create(make_plan(10, pipeline=pipeline), staged(prices=prices)) as session:
        _, seen = await run_and_hear(session)
        models = {
            stage: {body["model"] for body in at(fake, stage)} for stage in ("draft", "evolve", "critique", "revise")
        }
        assert models == {"draft": {"small"}, "evolve": {"big"}, "critique": {"critic"}, "revise": {"mender"}}
        spending = await session.costs.spending()
        by_stage = spending.as_dict()["stages"]
        assert [(name, [m["model"] for m in role["models"]]) for name, role in by_stage.items()] == [
            ("draft", ["small"]), ("evolve", ["big"]), ("critique", ["critic"]), ("revise", ["mender"]),
        ]  # fmt: skip
        for name, role in by_stage.items():
            assert role["models"][0]["prompt_tokens"] == 100 * len(at(fake, name))
        assert sum(role["dollars"] for role in by_stage.values()) == pytest.approx(spending.workers.dollars)
        finished = next(e for e in seen if isinstance(e, ev.RunFinished))
        assert finished.dollars == pytest.approx(spending.dollars)
        assert {case.tags["model"] for case in await _cases(session)} == {"mender"}


@pytest.mark.parametrize("how", ["harder", "rarer", "constraints", "adversarial"])
async def test_the_prompt_of_a_stage_keeps_slot_rules_and_expectations(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans, how: str
) -> None:
    plan = make_plan(
        6, pipeline=[{"evolve": how}], attributes={"tone": ("calm", "angry")}, write=("expected_facts",)
    )  # fmt: skip
    async with await Session.create(plan, staged()) as session:
        await session.run()
        body = at(fake, "evolve")[0]
        system, prompt = (str(message["content"]) for message in body["messages"])
        words = {"harder": "harder", "rarer": "rarer", "constraints": "more constraints", "adversarial": "adversarial"}
        assert f"each case {words[how]}" in system or f"Give each case {words[how]}" in system
        assert "Keep the keys of `expectations`" in system and "Write the expectations last" in system
        assert "tone: calm" in prompt and "Category: category_1" in prompt and "expected_facts" in prompt
        asked_for = [each["response_format"]["json_schema"]["schema"] for each in (body, at(fake, "draft")[0])]
        shapes = [schema["properties"]["cases"]["items"] for schema in asked_for]
        assert shapes[0] == shapes[1]
        assert [_trail(case) for case in await _cases(session)] == [["draft:done", "evolve:done"]] * 6
        assert all(case.tags["attributes"] for case in await _cases(session))


# -- what goes wrong


@pytest.mark.parametrize("kind", ["refusal", "broken_all", "empty", "other_slots", "only_thoughts", "filtered"])
async def test_a_stage_that_writes_nothing_of_use_is_asked_once_more_and_then_the_draft_is_kept(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans, kind: str
) -> None:
    only(fake, "evolve", kind, "…")
    async with await Session.create(make_plan(6, pipeline=["evolve"]), staged()) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 6)
        assert set(Counter(asked(fake, "evolve")).values()) == {2}
        cases = await _cases(session)
        assert {tuple(_trail(case)) for case in cases} == {("draft:done", "evolve:kept")}
        assert {case.inputs["query"] for case in cases} == set(asked(fake, "evolve"))
        said = [e.text for e in seen if isinstance(e, ev.Notice) and e.level is NoticeLevel.WARNING]
        assert sum("could not be evolved, so the draft is kept" in text for text in said) >= 1
        assert all(stage_records(case.tags)[-1].words for case in cases)


@pytest.mark.parametrize("kind", ["refusal", "broken_all", "empty"])
async def test_what_cannot_be_revised_is_rejected_with_its_critique(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans, kind: str
) -> None:
    fake.judge.bad = _first(3)
    only(fake, "revise", kind, "…")
    async with await Session.create(make_plan(6, pipeline=["critique", "revise"]), staged()) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 6)
        rejections = await session.rejections.newest()
        assert {r.stage for r in rejections} == {"critique"} and len(rejections) == 3
        assert any("could not be revised" in e.text for e in seen if isinstance(e, ev.Notice))
        assert set(Counter(asked(fake, "revise")).values()) == {2}


@pytest.mark.parametrize("say", ["These look good to me!", "I'm sorry, I can't help with that.", ""])
async def test_a_critique_that_is_no_verdict_is_asked_for_once_more_and_then_done_without(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans, say: str
) -> None:
    fake.judge.say = lambda cases, call: JudgeSays(say)
    async with await Session.create(make_plan(10, pipeline=["critique", "revise"]), staged()) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 10)
        assert set(Counter(fake.judge.asked).values()) == {2} and not at(fake, "revise")
        assert {tuple(_trail(case)) for case in await _cases(session)} == {("draft:done", "critique:not_judged")}


@pytest.mark.parametrize("stage", ["evolve", "critique", "revise"])
@pytest.mark.parametrize("kinds", [("server_error",), ("rate_limit",), ("reset_early",), ("hang",)])
async def test_a_call_that_fails_in_passing_is_made_again_and_nothing_is_lost(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans, stage: str, kinds: tuple[str, ...]
) -> None:
    fake.judge.bad = lambda case: True
    only(fake, stage, *kinds)
    async with await Session.create(make_plan(8, pipeline=FULL), staged(request_timeout=0.5)) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 8)
        assert {tuple(_trail(case)) for case in await _cases(session)} == {
            ("draft:done", "evolve:done", "critique:bad", "revise:done")
        }


@pytest.mark.parametrize("stage", ["evolve", "critique", "revise"])
async def test_a_stage_whose_endpoint_is_down_stops_the_run_and_a_resume_pays_for_nothing_twice(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans, stage: str
) -> None:
    fake.judge.bad = lambda case: True
    only(fake, stage, "server_error", "…")
    config = staged(max_retries=0)
    async with await Session.create(make_plan(60, pipeline=FULL), config) as session:
        with pytest.raises(EndpointUnavailable, match=f"stage {stage} kept failing|endpoint"):
            await session.run()
        left = {row.ordinal: len(row.trail) for row in await session._files.store.staged.all()}
        assert left
        kept = {case.seq for case in await _cases(session)}
    fake.kind_for, fake.judge.kind = None, "ok"
    earlier = ("evolve", "critique", "revise")[: ("evolve", "critique", "revise").index(stage)]
    finished = {name: _asked(fake, name) for name in earlier}
    async with await Session.open(session.id, config) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 60)
        assert kept <= {case.seq for case in await _cases(session)}
        for name, texts in finished.items():
            assert len(_asked(fake, name)) == len(set(_asked(fake, name))) == 60, f"a case was paid for twice at {name}"
            assert texts == _asked(fake, name)[: len(texts)]
        assert await session._files.store.staged.all() == []


async def test_a_few_calls_that_fail_keep_the_draft_and_say_so(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans
) -> None:
    only(fake, "evolve", "server_error", "…")
    async with await Session.create(make_plan(6, pipeline=["evolve"]), staged(max_retries=0)) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 6)
        assert {tuple(_trail(case)) for case in await _cases(session)} == {("draft:done", "evolve:kept")}
        assert any("could not be evolved" in e.text for e in seen if isinstance(e, ev.Notice))


async def test_a_stage_that_never_works_is_no_endless_bill(fake: FakeOpenAI, staged: Configs, make_plan: Plans) -> None:
    fake.judge.bad = lambda case: True
    only(fake, "revise", "server_error", "…")
    config = staged(max_retries=0, max_attempts=50)
    async with await Session.create(make_plan(6, pipeline=["critique", "revise"]), config) as session:
        with pytest.raises(EndpointUnavailable, match="stage revise kept failing"):
            await session.run()
        assert len(at(fake, "revise")) <= 8


@pytest.mark.parametrize("stage", ["evolve", "critique", "revise"])
async def test_a_model_that_is_not_there_stops_the_run_and_is_named(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans, stage: str
) -> None:
    fake.judge.bad = lambda case: True
    only(fake, stage, "no_model", "…")
    async with await Session.create(make_plan(6, pipeline=FULL), staged()) as session:
        with pytest.raises(EndpointRefused) as caught:
            await session.run()
        assert f"the stage {stage}" in str(caught.value)
        assert len(await session._files.store.staged.all()) == 6


async def test_an_answer_that_has_not_the_shape_of_a_case_is_rejected_as_any(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans
) -> None:
    only(fake, "evolve", "other_kinds")
    async with await Session.create(make_plan(6, pipeline=["evolve"]), staged()) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 6)
        rejections = await session.rejections.newest()
        assert {r.stage for r in rejections} == {"schema"} and len(rejections) == 6
        assert {r.batch for r in rejections} < {c.batch for c in await session.calls.page(0, 100)}


async def test_fewer_answers_than_cases_are_asked_for_again_and_only_those(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans
) -> None:
    only(fake, "evolve", "three")
    async with await Session.create(make_plan(8, pipeline=["evolve"]), staged()) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 8)
        times = Counter(Counter(asked(fake, "evolve")).values())
        assert times == {1: 3, 2: 5}
        assert {tuple(_trail(case)) for case in await _cases(session)} == {("draft:done", "evolve:done")}


# -- budget, pauses, judge


async def test_the_budget_holds_over_all_stages(fake: FakeOpenAI, staged: Configs, make_plan: Plans) -> None:
    fake.judge.bad = lambda case: True
    price = {"input": 1000, "output": 1000}  # a tenth of a dollar for each prompt, and more for the answer
    prices = {"gpt-4o-mini": price, "gpt-4o": price}
    config = staged(prices=prices, budget=1.5, max_workers=1)
    async with await Session.create(make_plan(40, pipeline=FULL), config) as session:
        result, _ = await run_and_hear(session)
        spent = (await session.costs.spending()).dollars or 0
        assert result.state == "paused" and 1.5 <= spent < 2.5
        bodies, left = len(fake.bodies) + len(fake.judge.bodies), len(await session._files.store.staged.all())
        with pytest.raises(InputError, match="budget"):
            await session.run()
        assert len(fake.bodies) + len(fake.judge.bodies) == bodies
        assert left + result.accepted > 0
        await session.settings.set("budget", 1000)
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 40)
        assert len(asked(fake, "evolve")) == len(set(asked(fake, "evolve"))) == 40
        assert len(fake.judge.asked) == len(set(fake.judge.asked)) == 40
        assert len(asked(fake, "revise")) == len(set(asked(fake, "revise"))) == 40


@pytest.mark.parametrize("stage", ["draft", "evolve", "critique", "revise"])
async def test_a_pause_at_each_stage_goes_on_where_it_was(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans, stage: str
) -> None:
    fake.judge.bad = lambda case: True
    role = {"draft": "worker"}.get(stage, stage)
    async with await Session.create(make_plan(30, pipeline=FULL), staged(max_workers=2)) as session:

        def pause(event: ev.Event) -> None:
            if isinstance(event, ev.BatchStarted) and event.role == role:
                session.request_pause()

        stop = session.subscribe(pause)
        result = await session.run()
        stop()
        assert result.state == "paused"
    async with await Session.open(session.id, staged()) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 30)
        for name in ("evolve", "revise"):
            assert len(asked(fake, name)) == len(set(asked(fake, name))) == 30
        assert len(fake.judge.asked) == len(set(fake.judge.asked)) == 30


async def test_stages_and_a_judge_of_all_work_together(fake: FakeOpenAI, staged: Configs, make_plan: Plans) -> None:
    async with await Session.create(make_plan(20, pipeline=["evolve"]), staged(judge="all")) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 20)
        cases = await _cases(session)
        assert sorted(fake.judge.asked) == sorted(case.inputs["query"] for case in cases)
        assert all("verdict" in case.tags and _trail(case) == ["draft:done", "evolve:done"] for case in cases)
        assert sum(isinstance(event, ev.CaseJudged) for event in seen) == 20


async def test_a_call_of_a_stage_can_be_cut_off_by_a_person(
    fake: FakeOpenAI, staged: Configs, make_plan: Plans
) -> None:
    only(fake, "evolve", "hang")
    async with await Session.create(make_plan(5, pipeline=["evolve"]), staged(request_timeout=60)) as session:

        def cut(event: ev.Event) -> None:
            if isinstance(event, ev.BatchStarted) and event.role == "evolve" and len(at(fake, "evolve")) == 0:
                asyncio.get_running_loop().call_later(0.1, session.calls.cancel, event.batch)

        stop = session.subscribe(cut)
        result = await session.run()
        stop()
        assert (result.state, result.accepted) == ("complete", 5)
        assert {tuple(_trail(case)) for case in await _cases(session)} == {("draft:done", "evolve:done")}
        outcomes = Counter(call.outcome.value for call in await session.calls.page(0, 100) if call.role == "evolve")
        assert outcomes == {"cancelled": 1, "ok": 1}


async def test_a_category_with_stages_and_one_without(fake: FakeOpenAI, staged: Configs, make_plan: Plans) -> None:
    data = make_plan(12, 30).model_dump(mode="json")
    data["categories"][0]["pipeline"] = ["evolve"]
    async with await Session.create(DatasetPlanInput(**data), staged()) as session:
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 42)
        trails = Counter((case.category, tuple(_trail(case))) for case in await _cases(session))
        assert trails == {("category_1", ("draft:done", "evolve:done")): 12, ("category_2", ()): 30}


def test_a_record_is_read_as_it_was_written() -> None:
    tag = {"stage": "evolve", "result": "kept", "model": "big", "how": "rarer", "words": "it refused"}
    assert StageRecord.from_tag(tag).as_tag() == tag
    assert stage_records({"stages": "a person's own tag"}) == stage_records({"stages": [{"a": 1}]}) == []
