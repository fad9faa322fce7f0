"""Stages beside the run: on the plan's card, in ``show``, in exports, with the built-in writer, for every kind of case."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.agent.context import where_things_stand
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.approval import PlanApproval
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.domain.stage_record import stage_records
from dsbuilder_tui.domain.writing_stage import pipeline_words
from dsbuilder_tui.tui.paint.case_detail import case_detail
from dsbuilder_tui.tui.workers.paint import call_row
from dsbuilder_tui.view import RunView, reduce
from tests.support.fake_openai import FakeOpenAI
from tests.support.grounded_worker import GroundedWorker
from tests.support.judged_runs import judging, run_and_hear
from tests.support.kinds_worker import KindsWorker, kinds_plan
from tests.support.process import command
from tests.support.staged_runs import FULL, at, stage_of
from tests.support.talking import SUPPORT, calls, says, talking

Configs = Callable[..., DatasetBuilderConfig]
PRICES = {name: {"input": 1, "output": 1} for name in ("gpt-4o", "gpt-4o-mini", "big")}


def _plan(**more: Any) -> dict[str, Any]:
    category = {"name": "refunds", "count": 6, "example_inputs": "I want my money back for #12345.", **more}
    return {"dataset_name": "shop", "categories": [category]}


async def test_the_agents_card_names_the_stages_and_their_cost(make_config: Configs, fake: FakeOpenAI) -> None:
    data = {**SUPPORT, "categories": [{**one, "pipeline": FULL} for one in SUPPORT["categories"]]}
    steps = [[calls("propose_plan", data, call_id="c1")], [says("So.")]]
    config = make_config(base_url=fake.url, api_key="k", prices=PRICES)
    async with talking(config, *steps) as talk:
        await talk.say("harder ones, and have them revised")
        waiting = await talk.conversation.waiting()
        assert waiting is not None and isinstance(waiting.request, PlanApproval)
        notes = waiting.request.card.notes
        for category in SUPPORT["categories"]:
            (note,) = [note for note in notes if note.startswith(f"{category['name']}: draft → evolve (harder) →")]
            assert "about $" in note and "for a draft alone" in note


async def test_the_agent_sees_which_stages_there_are(make_config: Configs) -> None:
    async with talking(make_config(provider="offline"), plan=parse_plan(_plan(pipeline=FULL))) as talk:
        told = await where_things_stand(talk.host)
        assert "Stages of refunds: draft → evolve (harder) → critique → revise." in told


async def test_a_plan_with_stages_is_likely_to_cost_more(make_config: Configs, fake: FakeOpenAI) -> None:
    config = make_config(base_url=fake.url, api_key="k", prices=PRICES)
    expected = []
    for pipeline in ([], ["evolve"], FULL, [{"evolve": {"model": "nobody knows"}}]):
        async with await Session.create(parse_plan(_plan(pipeline=pipeline)), config) as session:
            expected.append((await session.costs.expected(0, 6)).cases)
    alone, evolved, full, unknown = expected
    assert alone is not None and evolved is not None and full is not None
    assert 0 < alone < evolved < full and unknown is None


def test_show_and_exports_have_the_stages(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(_plan(pipeline=FULL)))
    place = ("--checkpoint-dir", "s")
    done = command("run", "plan.yaml", *place, "--provider", "offline", cwd=tmp_path)
    assert done.returncode == 0 and "without effect" in done.stdout + done.stderr
    assert (
        "Stages of refunds: draft → evolve (harder) → critique → revise"
        in command("show", "shop", *place, cwd=tmp_path).stdout
    )
    assert command("export", "shop", *place, "--out", "shop_checkpoint.json", cwd=tmp_path).returncode == 0
    kept = json.loads((tmp_path / "shop_checkpoint.json").read_text())["dataset_plan"]["categories"][0]["pipeline"]
    assert kept == ["draft", {"evolve": {"how": "harder"}}, "critique", "revise"]
    assert command("import", "shop_checkpoint.json", *place, cwd=tmp_path).returncode == 0
    assert command("show", "shop-2", *place, cwd=tmp_path).stdout.count("Stages of refunds") == 1


async def test_the_built_in_writer_says_that_it_has_no_stages(make_config: Configs) -> None:
    plan = parse_plan(_plan(pipeline=FULL))
    async with await Session.create(plan, make_config(provider="offline")) as session:
        result, seen = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 6)
        told = [e.text for e in seen if isinstance(e, ev.Notice) and e.level is NoticeLevel.WARNING]
        assert any("`pipeline` of refunds is without effect" in text for text in told)
        assert all("stages" not in case.tags for case in [case async for case in session.cases.all()])


@pytest.mark.parametrize("judge_model", ["gpt-4o-mini", "gpt-4o"])
async def test_a_critic_that_is_the_writer_is_pointed_out(
    make_config: Configs, fake: FakeOpenAI, judge_model: str
) -> None:
    config = judging(make_config, fake, "off", retries=1)(worker_model="gpt-4o-mini", judge_model=judge_model)
    async with await Session.create(parse_plan(_plan(pipeline=["critique"])), config) as session:
        _, seen = await run_and_hear(session)
        told = [e.text for e in seen if isinstance(e, ev.Notice) and "mild with its own" in e.text]
        assert bool(told) is (judge_model == "gpt-4o-mini")


async def test_stages_of_every_kind_of_case(make_config: Configs) -> None:
    data = kinds_plan()
    for category in data["categories"]:
        category["pipeline"] = FULL
    worker = KindsWorker()
    async with FakeOpenAI(reply_for=worker) as fake:
        fake.judge.bad = lambda case: True
        config = judging(make_config, fake, "off", retries=1)()
        async with await Session.create(parse_plan(data), config) as session:
            result, _ = await run_and_hear(session)
            assert result.state == "complete", await session.rejections.newest(5)
            cases = [case async for case in session.cases.all()]
            trails = {tuple(record.stage.value for record in stage_records(case.tags)) for case in cases}
            assert trails == {("draft", "evolve", "critique", "revise")}
            assert {case.kind.value for case in cases} == {"single", "conversation", "scenario"}


async def test_a_case_shows_its_stages_in_words(make_config: Configs, fake: FakeOpenAI) -> None:
    fake.judge.bad = lambda case: True
    config = judging(make_config, fake, "off", retries=1)(judge_model="big")
    async with await Session.create(parse_plan(_plan(pipeline=FULL)), config) as session:
        await run_and_hear(session)
        case, *_ = [case async for case in session.cases.all()]
        shown = "\n".join("".join(text for text, *_ in line) for line in case_detail(case, (), (), 100))
        assert "evolve (harder) by gpt-4o-mini" in shown
        assert "critique by big: natural: no user writes so" in shown and "revise by gpt-4o-mini" in shown
        assert [record.stage.value for record in stage_records(case.tags)] == ["draft", "evolve", "critique", "revise"]


async def test_a_revision_takes_hold_of_drafts_that_wait(make_config: Configs, fake: FakeOpenAI) -> None:
    """More stages, fewer, or other attributes: what is finished is kept where it fits, and written anew where it does not."""
    config = judging(make_config, fake, "off", retries=1)(max_workers=1)
    async with await Session.create(parse_plan(_plan(pipeline=["evolve"])), config) as session:

        def pause(event: ev.Event) -> None:
            if isinstance(event, ev.BatchStarted) and event.role == "evolve":
                session.request_pause()

        stop = session.subscribe(pause)
        fake.kind_for = lambda body: "server_error" if "written already" in str(body["messages"][0]) else None
        await session.settings.set("drain_timeout", 0.0)
        await session.run()
        stop()
        fake.kind_for = None
        kept = {row.ordinal: row.body["inputs"]["query"] for row in await session._files.store.staged.all()}
        assert kept
        await session.plans.revise(parse_plan(_plan()))
        drafted = len(at(fake, "draft"))
        result, _ = await run_and_hear(session)
        assert (result.state, result.accepted) == ("complete", 6)
        texts = {case.ordinal: case.inputs["query"] for case in [case async for case in session.cases.all()]}
        assert kept.items() <= texts.items() and (len(kept) < 6 or len(at(fake, "draft")) == drafted)
        assert pipeline_words(session.plan.categories[0].pipeline) == ""
        assert await session._files.store.staged.all() == []


async def test_a_stage_that_loses_the_evidence_is_rejected_as_any_candidate(
    make_config: Configs, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.md"
    policy.write_text(
        "# Refunds\n\nA refund takes five working days from the day on which the parcel is back with us.\n\n"
        "# Parcels\n\nA parcel that is lost is replaced at our cost within one week of your message to us.\n\n"
        "# Vouchers\n\nA voucher holds for two years and cannot be paid out in money under any circumstances.\n"
    )
    spoilt: list[str] = []

    def reply(body: dict[str, Any], call: int) -> Any:
        evolves = stage_of(body) == "evolve"

        def slip(case: dict[str, Any], passages: list[str], _: int) -> None:
            if evolves and len(spoilt) < 2:
                spoilt.append(case["inputs"]["query"])
                case["evidence"] = ["This sentence stands nowhere in any of the documents, word for word."]

        worker._slip = slip
        return worker(body, call)

    worker = GroundedWorker()
    async with FakeOpenAI(reply_for=reply) as fake:
        config = judging(make_config, fake, "off", retries=1)()
        plan = parse_plan(_plan(pipeline=["evolve"], sources=[str(policy)]))
        async with await Session.create(plan, config) as session:
            result, _ = await run_and_hear(session)
            assert (result.state, result.accepted) == ("complete", 6)
            rejections = await session.rejections.newest()
            assert {r.stage for r in rejections} == {"validators"} and sorted(r.text for r in rejections) == sorted(
                spoilt
            )
            for case in [case async for case in session.cases.all()]:
                assert [record.stage.value for record in stage_records(case.tags)] == ["draft", "evolve"]
                assert case.tags["evidence"] and all(one["passage"] for one in case.tags["evidence"])
        assert all("<passage>" in str(body["messages"][-1]["content"]) for body in at(fake, "evolve"))


async def test_the_panel_of_workers_names_the_stage(make_config: Configs, fake: FakeOpenAI) -> None:
    fake.judge.bad = lambda case: True
    config = judging(make_config, fake, "off", retries=1)()
    async with await Session.create(parse_plan(_plan(pipeline=FULL)), config) as session:
        view = RunView()
        seen = set()

        def watch(event: ev.Event) -> None:
            nonlocal view
            view = reduce(view, event)
            seen.update(worker.role.of(worker.category) for worker in view.workers.values())

        session.subscribe(watch)
        await session.run()
        assert seen == {"refunds", "evolve refunds", "critique refunds", "revise refunds"}
        rows = [
            "".join(text for text, *_ in call_row(call, 100, False, 0.0)) for call in await session.calls.page(0, 50)
        ]
        assert {row.split()[1] for row in rows} >= {"evolve", "critique", "revise"}
        spending = await session.costs.spending()
        assert view.prompt_tokens == sum(line.prompt_tokens for line in spending.workers.models)
        summary = await session.summary()
        assert (summary.prompt_tokens, summary.completion_tokens) == (view.prompt_tokens, view.completion_tokens)
