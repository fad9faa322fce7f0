"""Conversations and scenarios through a whole session: written, held to their shape, compared, exported, killed, resumed."""

from __future__ import annotations

import csv
import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.agent.plan_card import plan_content
from dsbuilder_tui.diversity.compared_text import compared_text, structure_hash
from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.errors import PlanError
from dsbuilder_tui.domain.events import ExportWritten, Notice
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.plan_patch import CategoryChange, CategoryDraft, PlanPatch, patched
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.tui.studio.card_state import CardState
from dsbuilder_tui.tui.studio.plan_card_paint import plan_card
from dsbuilder_tui.wording import kind_words
from tests.support.fake_openai import FakeOpenAI
from tests.support.kinds_worker import KindsWorker, Slip, kinds_plan
from tests.support.process import command, start

MakeConfig = Callable[..., DatasetBuilderConfig]


async def built(
    config: DatasetBuilderConfig, plan: DatasetPlanInput, slip: Slip | None = None
) -> tuple[Session, KindsWorker]:
    """A session whose cases a scripted worker has written; it is left open."""
    worker = KindsWorker(slip)
    async with FakeOpenAI(reply_for=worker) as server:
        session = await Session.create(plan, config.model_copy(update={"base_url": server.url, "provider": "openai"}))
        assert (await session.run()).state is SessionState.COMPLETE, await session.rejections.newest(5)
    return session, worker


async def test_each_kind_is_asked_for_in_its_own_words_and_arrives_in_its_own_shape(make_config: MakeConfig) -> None:
    session, worker = await built(make_config(batch_size=3), parse_plan(kinds_plan()))
    async with session:
        cases = [case async for case in session.cases.all()]
    by_kind = {kind: [case for case in cases if case.kind is kind] for kind in CaseKind}
    assert {kind: len(found) for kind, found in by_kind.items()} == {"single": 4, "conversation": 6, "scenario": 5}
    assert Counter(len(case.inputs["messages"]) for case in by_kind[CaseKind.CONVERSATION]) == {3: 3, 5: 3}
    for case in by_kind[CaseKind.CONVERSATION]:
        assert str(len(case.inputs["messages"])) == case.tags["attributes"]["turns"]
        assert case.inputs["messages"][-1]["role"] == "user" and list(case.inputs) == ["messages"]
    assert all(set(case.inputs) == {"goal", "persona", "simulation_guidelines"} for case in by_kind[CaseKind.SCENARIO])
    assert all("kind" not in case.tags for case in by_kind[CaseKind.SINGLE])
    talks = next(prompt for prompt in worker.prompts if "Category: talks" in prompt)
    assert "Each case is a conversation" in talks and "messages (a list of" in talks
    assert "goal (what the user wants" in next(prompt for prompt in worker.prompts if "Category: plays" in prompt)
    assert not any("Each case is a" in prompt for prompt in worker.prompts if "Category: orders" in prompt)


def no_user_last(case: dict[str, Any]) -> None:
    case["inputs"]["messages"].append({"role": "assistant", "content": "Done."})


def no_messages(case: dict[str, Any]) -> None:
    case["inputs"]["messages"] = []


def unknown_role(case: dict[str, Any]) -> None:
    case["inputs"]["messages"][0]["role"] = "narrator"


def other_length(case: dict[str, Any]) -> None:
    case["inputs"]["messages"] = case["inputs"]["messages"][-1:]


def as_transcript(case: dict[str, Any]) -> None:
    case["inputs"]["messages"] = "\n".join(f"{m['role']}: {m['content']}" for m in case["inputs"]["messages"])


@pytest.mark.parametrize("slip", [no_user_last, no_messages, unknown_role, other_length, as_transcript])
async def test_a_wrong_conversation_is_turned_away_and_written_again_with_the_reason(
    slip: Callable[[dict[str, Any]], None], make_config: MakeConfig
) -> None:
    spoilt: list[int] = []

    def once(case: dict[str, Any], call: int) -> None:
        if "messages" in case["inputs"] and len(spoilt) < 2:
            spoilt.append(call)
            slip(case)

    session, worker = await built(
        make_config(batch_size=2, max_attempts=4, diversity_stages=["structural"]), parse_plan(kinds_plan()), once
    )
    async with session:
        summary, rejected = await session.summary(), await session.rejections.newest(10)
    assert summary.instances_created == 15 and summary.rejections == {"schema": 2}
    assert all("messages" in rejection.reason for rejection in rejected)
    assert any("An earlier case for this slot was turned away: `messages`" in prompt for prompt in worker.prompts)


@pytest.mark.parametrize("shape", ["text", "parts", "bare", "sharegpt"])
async def test_other_ways_to_write_messages_cost_no_attempt(shape: str, make_config: MakeConfig) -> None:
    def changed(case: dict[str, Any], call: int) -> None:
        if (messages := case["inputs"].get("messages")) is None:
            return
        case["inputs"] = {
            "text": {"messages": json.dumps(messages)},
            "parts": {"messages": [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in messages]},
            "bare": messages,
            "sharegpt": {"messages": [{"from": "human" if m["role"] == "user" else "ai", "value": m["content"]} for m in messages]},
        }[shape]  # fmt: skip

    session, _ = await built(make_config(), parse_plan(kinds_plan()), changed)
    async with session:
        assert not (await session.summary()).rejections
        talks = [case async for case in session.cases.all() if case.kind is CaseKind.CONVERSATION]
    assert all(
        set(m) == {"role", "content"} and m["role"] in ("user", "assistant")
        for c in talks
        for m in c.inputs["messages"]
    )


def spoken(*texts: str) -> dict[str, Any]:
    return {
        "messages": [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(texts)]
    }


def test_what_is_compared_of_a_conversation_is_what_the_user_says() -> None:
    one, other = spoken("Where is it?", "One moment.", "#12345"), spoken("Where is it?", "Which order?", "#67890")
    assert structure_hash(one, CaseKind.CONVERSATION) == structure_hash(other, CaseKind.CONVERSATION)
    assert "One moment" not in compared_text(one, CaseKind.CONVERSATION)
    assert structure_hash(one) == structure_hash(other)  # messages are compared so wherever they stand
    scenario = {"goal": "Get a refund", "persona": "A student", "context": {"user_id": "U-1"}}
    assert compared_text(scenario, CaseKind.SCENARIO) == compared_text(
        {**scenario, "context": {"user_id": "U-2"}}, CaseKind.SCENARIO
    )
    assert "student" in compared_text(scenario, CaseKind.SCENARIO)
    assert display_text(one) == "Where is it? / #12345"


async def test_a_conversation_that_says_the_same_is_a_repeat_whatever_the_assistant_says(
    make_config: MakeConfig,
) -> None:
    count = 0

    def same(case: dict[str, Any], call: int) -> None:
        nonlocal count
        if "messages" in case["inputs"] and call < 8:
            count += 1
            case["inputs"] = spoken("I want my money back", f"Is it order {count} of {count * 7}?", "No, another one")

    plan = kinds_plan()
    plan["categories"] = [plan["categories"][1] | {"attributes": {"turns": ["3"]}}]
    session, _ = await built(make_config(batch_size=2, max_workers=1, max_attempts=20), parse_plan(plan), same)
    async with session:
        rejections = (await session.summary()).rejections
    assert rejections.get("structural", 0) > 0 and "schema" not in rejections


async def test_ids_of_the_history_may_be_expected_and_others_may_not(make_config: MakeConfig) -> None:
    def with_calls(case: dict[str, Any], call: int) -> None:
        if "messages" in case["inputs"]:
            words = case["inputs"]["messages"][0]["content"]
            case["inputs"] = spoken(
                f"Where is my parcel? {words}", "It is in order #48213.", "Send that one again, please."
            )
            case["expectations"] = {"order": "#48213" if call > 2 else "#99999"}

    plan = kinds_plan(write=[{"order": "the number of the order"}])
    plan["categories"] = [plan["categories"][1] | {"attributes": {"turns": ["3"]}, "expectations": {}}]
    session, _ = await built(make_config(batch_size=6, max_workers=1, max_attempts=9), parse_plan(plan), with_calls)
    async with session:
        assert {case.expectations["order"] async for case in session.cases.all()} == {"#48213"}
        reasons = {rejection.reason for rejection in await session.rejections.newest(9)}
    assert any("99999" in reason for reason in reasons)


@pytest.mark.parametrize("ending", [".jsonl", ".json", ".csv", ".parquet"])
async def test_scenarios_beside_other_cases_go_to_a_file_of_their_own_and_it_is_said(
    ending: str, tmp_path: Path, make_config: MakeConfig
) -> None:
    session, _ = await built(make_config(), parse_plan(kinds_plan()))
    async with session:
        events: list[Any] = []
        session.subscribe(events.append)
        assert await session.export(tmp_path / f"shop{ending}") == 15
        where = session.dataset.where(tmp_path / f"shop{ending}")
    files = [event for event in events if isinstance(event, ExportWritten)]
    assert [(Path(file.path).name, file.cases) for file in files] == [
        (f"shop{ending}", 10),
        (f"shop.scenarios{ending}", 5),
    ]
    assert any("datasets of their own" in event.text for event in events if isinstance(event, Notice))
    assert f"shop.scenarios{ending}" in where
    assert sorted(path.name for path in tmp_path.glob(f"shop*{ending}")) == sorted(
        [f"shop.scenarios{ending}", f"shop{ending}"]
    )
    if ending == ".csv":
        heads = [next(csv.reader((tmp_path / name).open())) for name in ("shop.csv", "shop.scenarios.csv")]
        assert "inputs.query" in heads[0] and "inputs.messages" in heads[0] and "inputs.goal" not in heads[0]
        assert "inputs.goal" in heads[1] and "inputs.query" not in heads[1]


async def test_a_dataset_of_one_kind_is_one_file(tmp_path: Path, make_config: MakeConfig) -> None:
    plan = kinds_plan()
    plan["categories"] = plan["categories"][2:]
    session, _ = await built(make_config(), parse_plan(plan))
    async with session:
        assert await session.dataset.write(tmp_path / "plays.jsonl") == 5
    assert [path.name for path in tmp_path.glob("*.jsonl")] == ["plays.jsonl"]


async def test_the_file_of_the_scenarios_is_missed_when_it_is_gone_or_another(
    tmp_path: Path, make_config: MakeConfig
) -> None:
    session, _ = await built(make_config(), parse_plan(kinds_plan()))
    async with session:
        out = tmp_path / "shop.jsonl"
        await session.dataset.write(out)
        assert await session.dataset.is_written(out) and not await session.dataset.difference()
        apart = tmp_path / "shop.scenarios.jsonl"
        text = apart.read_text()
        apart.write_text(text.replace("goal", "gaol"))
        assert str(apart) in await session.dataset.difference()
        apart.unlink()
        assert not await session.dataset.is_written(out)


async def test_the_seed_format_holds_every_kind_and_is_read_back(tmp_path: Path, make_config: MakeConfig) -> None:
    session, _ = await built(make_config(), parse_plan(kinds_plan()))
    file = tmp_path / "kinds_checkpoint.json"
    async with session:
        assert await session.export(file) == 15
        before = [case.record() async for case in session.cases.all()]
    async with await Session.import_dataset(file, make_config()) as imported:
        assert [category.kind for category in imported.plan.categories] == list(CaseKind)
        after = [case.record() async for case in imported.cases.all()]
        assert imported.plan.categories[1].attributes["turns"] == ("3", "5")
    assert after == before


def test_a_category_that_holds_cases_keeps_its_kind_and_an_empty_one_changes_it() -> None:
    plan = parse_plan(kinds_plan())
    patch = PlanPatch(change=[CategoryChange(category="orders", kind=CaseKind.CONVERSATION)])
    with pytest.raises(PlanError, match="'orders' holds 3 cases of the kind single"):
        patched(plan, patch, {"orders": 3})
    changed = patched(plan, patch, {}).plan
    assert changed.category("orders").kind is CaseKind.CONVERSATION
    assert PlanPatch.between(plan, changed).arguments() == {"change": [{"category": "orders", "kind": "conversation"}]}
    draft = CategoryDraft(name="more", count=2, kind=CaseKind.SCENARIO, example_inputs=["Get a refund"])
    assert patched(plan, PlanPatch(add=[draft]), {}).plan.category("more").kind is CaseKind.SCENARIO


@pytest.mark.timeout(300)
def test_after_a_kill_every_announced_case_of_each_kind_is_there_once(tmp_path: Path) -> None:
    plan = kinds_plan()
    for category in plan["categories"]:
        category["count"] = 60
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
    settings = ["--checkpoint-dir", "sessions", "--provider", "offline", "--json", "--max-dataset-size", "1000"]
    out = tmp_path / "out.jsonl"
    slow = ["--set", "offline_pace=120"]
    process = start("run", "plan.yaml", *settings, *slow, "--out", out, cwd=tmp_path)
    assert process.stdout
    announced = []
    for line in process.stdout:
        event = json.loads(line)
        if event["type"] == "case_accepted":
            announced.append(event["case_id"])
        if len(announced) == 70:
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    done = command("resume", *settings, "--out", out, cwd=tmp_path)
    assert done.returncode in (0, 3), done.stderr
    rows = [json.loads(line) for name in ("out.jsonl", "out.scenarios.jsonl") for line in (tmp_path / name).open()]
    ids = [row["tags"]["case_id"] for row in rows]
    assert len(set(ids)) == len(ids) and set(announced) <= set(ids)
    kinds = Counter(row["tags"].get("kind", "single") for row in rows)
    assert all(kinds[kind] >= 50 for kind in CaseKind), kinds
    assert len({json.dumps(row["inputs"], sort_keys=True) for row in rows}) == len(rows)


def test_the_card_of_a_plan_and_its_words_name_the_kinds() -> None:
    plan = parse_plan(kinds_plan())
    card = plan_content(plan, 1, call_id="x")
    assert [row.case_kind for row in card.rows] == list(CaseKind)
    shown = "\n".join(
        "".join(span[0] for span in line)
        for line in plan_card(card, 100, state=CardState.OPEN, choices=("approve",), marked=None, focused=False)
    )
    assert "conversations" in shown and "scenarios" in shown
    assert kind_words(plan) == "talks conversations of 3 or 5 messages; plays scenarios for MLflow's simulator"


def test_show_prints_a_conversation_turn_by_turn(tmp_path: Path) -> None:
    plan = kinds_plan()
    plan["categories"] = plan["categories"][1:]
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
    place = ["--checkpoint-dir", "sessions"]
    run = command("run", "plan.yaml", *place, "--provider", "offline", "--plain", "--out", "shop.jsonl", cwd=tmp_path)
    assert run.returncode == 0 and "scenarios: " in run.stdout and "shop.scenarios.jsonl" in run.stdout, run.stdout
    shown = command("show", *place, "--cases", "2", cwd=tmp_path).stdout
    assert "Kinds: talks conversations of 3 or 5 messages; plays scenarios" in shown
    assert " messages:\n    user: " in shown and "\n    assistant: " in shown


def test_words_alone_build_a_dataset_with_conversations_and_scenarios(tmp_path: Path) -> None:
    words = "20 cases for a customer service bot: 10 order status, 6 multi-turn refunds, 4 simulated conversations about returns"
    place = ["--checkpoint-dir", "sessions", "--provider", "offline", "--plain"]
    run = command("run", "--prompt", words, "--yes", *place, "--out", "bot.jsonl", cwd=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    rows = [json.loads(line) for name in ("bot.jsonl", "bot.scenarios.jsonl") for line in (tmp_path / name).open()]
    assert Counter(row["tags"].get("kind", "single") for row in rows) == {
        "single": 10,
        "conversation": 6,
        "scenario": 4,
    }
    assert "conversation of 3 or 5 messages" in run.stdout and "datasets of their own" in run.stdout
