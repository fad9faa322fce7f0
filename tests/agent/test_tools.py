"""Each tool of the main agent: what it does, what it answers, and that its schema is one that servers take."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.agent.tool import MOST_ANSWER, ToolAnswer
from dsbuilder_tui.agent.tool_registry import tool_kinds
from dsbuilder_tui.domain.approval import PlanApproval
from dsbuilder_tui.domain.diversity import CategoryDiversity
from tests.support.likeness import accept, reject
from tests.support.studio import Scripted
from tests.support.talking import SUPPORT, Talking, asked, calls, said, says, talking, tools_used

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]


async def used(talk: Talking, words: str = "do it") -> dict[str, Any]:
    """What the tool of the next turn answers."""
    (ended,) = tools_used(await talk.say(words))
    return dict(json.loads(ended.answer))


def steps(*wanted: tuple[str, dict[str, Any]]) -> list[Any]:
    found: list[Any] = []
    for number, (name, arguments) in enumerate(wanted):
        found += [[calls(name, arguments, call_id=f"c{number}")], [says("So.")]]
    return found


async def finished(config: DatasetBuilderConfig, plan: DatasetPlanInput, model: Any = None) -> str:
    async with await Session.create(plan, config) as session:
        await session.run(model)
        return session.id


def test_schemas_are_plain_and_say_what_each_argument_is() -> None:
    assert len(tool_kinds()) == 29
    for kind in tool_kinds():
        schema = kind().schema()
        text = json.dumps(schema)
        assert schema["type"] == "object" and "$ref" not in text and "anyOf" not in text.replace(_EITHER, ""), kind.name
        assert len(kind.description) > 40 and "title" not in schema


_EITHER = '"anyOf": [{"type": "string"}, {'  # an input is a text or an object, a tool a name or an object


def test_what_a_field_of_a_plan_is_for_reaches_the_model_once() -> None:
    """Of every field by which a plan says how its cases are written, an enum's too; all of it is a small part of a context."""
    schemas = {kind.name: kind().schema() for kind in tool_kinds()}
    proposed = schemas["propose_plan"]["properties"]["categories"]["items"]["properties"]
    changed = schemas["revise_plan"]["properties"]["change"]["items"]["properties"]
    added = schemas["revise_plan"]["properties"]["add"]["items"]["properties"]
    new = {"kind", "mode", "pipeline", "contrast", "same", "write", "sources", "passages", "answerable"}
    assert new <= set(proposed) & set(added) & set(changed) and "judge" in changed
    assert all(len(proposed[name]["description"]) > 60 for name in new)
    assert (
        "simulated user" in proposed["kind"]["description"]
        and "each, before it counts" in changed["judge"]["description"]
    )
    assert (
        "at a fraction of the cost" in changed["mode"]["description"]
        and "keeps its kind" in changed["kind"]["description"]
    )
    assert not any("description" in field for field in added.values())
    said = "".join(kind.description for kind in tool_kinds()) + json.dumps(schemas)
    instructions = resources.files("dsbuilder_tui.agent").joinpath("instructions.md").read_text()
    assert len(said) + len(instructions) < 36_000  # characters, about four a token


def test_a_long_answer_is_cut_and_says_so() -> None:
    text = ToolAnswer("Much.", {"rows": ["x" * 100] * 500}).text()
    assert len(text) <= MOST_ANSWER and "(cut off here)" in text and json.loads(text)["said"] == "Much."


async def test_looking_at_a_session(make_config: Configs, make_plan: Plans) -> None:
    config = make_config(max_attempts=2)
    await finished(config, make_plan(12, 3, name="shop"), Scripted(echo="again"))
    looks = [
        ("get_builder_state_summary", {}), ("explain_rejections", {}), ("explain_rejections", {"category": "category_2"}),
        ("show_cases", {"count": 3}), ("show_cases", {"text": "no such words"}),
    ]  # fmt: skip
    async with talking(config, *steps(*looks), reference="shop") as talk:
        state = await used(talk)
        assert (state["instances_created"], state["exhausted_slots"], state["running"]) == (1, 14, False)
        assert set(state["categories"]) == {"category_1", "category_2"} and "saving" in state["cost"]
        why = await used(talk)
        assert why["stages"] == {"structural": 28} and why["examples"][0]["text"] == "again"
        assert (await used(talk))["stages"] == {"structural": 4}
        assert [case["text"] for case in (await used(talk))["cases"]] == ["again"]
        assert (await used(talk))["cases"] == []


async def test_a_session_is_logged_to_mlflow_where_the_person_says(make_config: Configs, make_plan: Plans) -> None:
    config = make_config(mlflow_tracking_uri="http://127.0.0.1:9", incremental_mlflow_logging=False)  # nobody listens
    await finished(config, make_plan(4, name="shop"))
    async with talking(
        config, *steps(("log_to_mlflow", {}), ("log_to_mlflow", {"on": False})), reference="shop"
    ) as talk:
        told = await used(talk)
        assert (
            told["logged"]
            and told["accepted"] == told["waiting"] == 4
            and told["link"].startswith("http://127.0.0.1:9/#/")
        )
        assert (await used(talk))["logged"] is False


async def test_samples_are_written_shown_and_not_kept(make_config: Configs) -> None:
    async with talking(
        make_config(),
        [calls("propose_plan", SUPPORT, call_id="p1")],
        [calls("preview_cases", {"category": "refunds"}, call_id="v1")],
        [says("Three samples.")],
        [calls("preview_cases", {"category": "refund"}, call_id="v2")],
        [says("Sorry.")],
    ) as talk:
        await talk.say("a plan please")
        (ended,) = [one for one in tools_used(await talk.answer(True)) if one.tool == "preview_cases"]
        shown = json.loads(ended.answer)["cases"]
        assert len(shown) == 3 and len({case["text"] for case in shown}) == 3
        for case in shown:
            expectations = dict(case["expectations"])
            assert expectations.pop("expected_facts") and expectations.pop("guidelines"), "as is usual"
            assert expectations == {"polite": True}
        assert (await talk.session.summary()).instances_created == 0
        assert "there are: order_status, refunds" in (await used(talk))["error"]
        await talk.session.run()
        first = [case.inputs["query"] for case in await talk.session.cases.page(0, 3, category="refunds")]
        assert [" ".join(text.split())[:60] for text in first] == [case["text"][:60] for case in shown], (
            "the run begins with the same"
        )


async def test_pausing_and_going_on(make_config: Configs, make_plan: Plans) -> None:
    wanted = [("pause_generation", {}), ("start_generation", {}), ("pause_generation", {}), ("resume_generation", {}),
              ("resume_generation", {})]  # fmt: skip
    async with talking(make_config(offline_pace=300, drain_timeout=0), *steps(*wanted), plan=make_plan(300)) as talk:
        assert (await used(talk))["said"] == "Nothing is running."
        assert (await used(talk))["running"] and talk.host.running
        async for event in talk.session.events():
            if event.type == "case_accepted":
                break
        paused = await used(talk)
        assert not talk.host.running and 0 < paused["accepted"] < 300
        assert (await used(talk))["open"] == 300 - (await talk.session.summary()).instances_created or talk.host.running
        assert (await used(talk))["said"] == "The run is going on already."
        await talk.host.wait()
        assert (await talk.session.summary()).instances_created == 300


async def test_a_setting_that_the_agent_changes_leaves_the_budget_and_the_workers(
    make_config: Configs, make_plan: Plans
) -> None:
    async with await Session.create(make_plan(10), make_config()) as session:
        folder = str(session.folder)
    wanted = [("adjust_category", {"batch_size": 7})]
    async with talking(make_config(budget=2, max_workers=3), *steps(*wanted), reference=folder) as talk:
        assert (await used(talk))["said"] == "Batch size is 7 now."
        config = talk.session.config
        assert (config.batch_size, config.budget, config.max_workers) == (7, 2, 3)


async def test_settings_change_while_it_runs(make_config: Configs, make_plan: Plans) -> None:
    wanted = [
        ("start_generation", {}),
        ("adjust_category", {"batch_size": 7, "max_workers": 2, "diversity": "off", "category": "category_2"}),
        ("adjust_category", {"diversity_window": 30, "diversity_scope": "window"}),
    ]
    async with talking(
        make_config(offline_pace=400, drain_timeout=0), *steps(*wanted), plan=make_plan(200, 200)
    ) as talk:
        await used(talk)
        said = (await used(talk))["said"]
        assert said == "Batch size is 7 now; max workers is 2 now; the diversity check of category_2 is off now."
        assert (
            talk.host.running and talk.session.config.batch_size == 7 and talk.session.settings.kept["batch_size"] == 7
        )
        assert [c.diversity for c in talk.session.plan.categories] == ["on", "off"]
        await used(talk)
        assert talk.session.config.diversity_scope == "window"
        await talk.host.wait()
        assert (await talk.session.summary()).instances_created == 400


async def test_likeness_is_set_for_a_category_or_for_all(make_config: Configs, make_plan: Plans) -> None:
    wanted = [
        (
            "adjust_category",
            {"semantic_threshold": 0.97, "diversity_stages": ["near", "semantic"], "category": "category_2"},
        ),
        ("adjust_category", {"near_threshold": 0.8, "semantic_threshold": 0.94, "candidates_per_slot": 3}),
        ("adjust_category", {"category": "category_2", "diversity": "on"}),
        ("adjust_category", {"diversity_stages": ["structural"]}),
        ("adjust_category", {"category": "category_2", "diversity": "off"}),
        ("adjust_category", {"category": "category_2", "near_threshold": 0.6}),
        ("adjust_category", {"near_threshold": 1.2}),
        ("adjust_category", {"diversity_stages": ["other"]}),
    ]
    async with talking(make_config(), *steps(*wanted), plan=make_plan(20, 20)) as talk:
        said = (await used(talk))["said"]
        assert (
            said
            == "Diversity stages of category_2 are near, semantic now; semantic threshold of category_2 is 0.97 now."
        )
        own = CategoryDiversity(stages=("near", "semantic"), semantic=0.97)
        assert [c.diversity for c in talk.session.plan.categories] == ["on", own]
        assert talk.session.diversity.threshold("semantic", "category_2") == 0.97
        said = (await used(talk))["said"]
        assert said.startswith(
            "Near threshold is 0.8 now; semantic threshold is 0.94 now; candidates per slot is 3 now; "
        )
        assert said.endswith("category_2 (0.97) keeps its own.")
        config = talk.session.config
        assert (config.near_threshold, config.semantic_threshold, config.candidates_per_slot) == (0.8, 0.94, 3)
        await used(talk)  # on as it is: what it sets for itself stays
        assert talk.session.plan.categories[1].diversity == own
        assert "category_2 (near, semantic) keeps its own" in (await used(talk))["said"]
        assert talk.session.config.diversity_stages == ("structural",)
        assert talk.session.settings.kept["diversity_stages"] == ["structural"]
        await used(talk)
        assert talk.session.plan.categories[1].diversity == "off"
        await used(talk)
        assert talk.session.plan.categories[1].diversity == CategoryDiversity(near=0.6)
        assert "near_threshold" in (await used(talk))["error"]
        assert "diversity_stages" in (await used(talk))["error"]


async def test_an_embedding_model_that_nobody_named_is_asked_about(make_config: Configs, make_plan: Plans) -> None:
    model = {"embedding_model": "/somewhere/model"}
    turns = [[calls("adjust_category", model, call_id=f"c{n}")] for n in range(2)]
    async with talking(make_config(), turns[0], [says("No.")], turns[1], [says("So.")], plan=make_plan(3)) as talk:
        assert asked(await talk.say("compare better"))
        await talk.answer(False)
        assert talk.session.config.embedding_model == "static"
        assert not asked(await talk.say("compare with /somewhere/model"))
        assert talk.session.config.embedding_model == "/somewhere/model"


async def test_flags_and_scores_are_shown_to_the_agent(make_config: Configs, make_plan: Plans) -> None:
    async with talking(
        make_config(), *steps(("show_cases", {"count": 2}), ("explain_rejections", {})), plan=make_plan(20)
    ) as talk:
        flag = {
            "kind": "contrast",
            "case_id": "category_1-00001",
            "stage": "near",
            "score": 0.8,
            "differs": ["quantity"],
        }
        kept = await accept(talk.session, "category_1", ["5 euros", "50 euros"], flags=[[], [flag]])
        await reject(talk.session, "category_1", "semantic", [0.953], nearest=kept[0], slot=4)
        newest, first = (await used(talk))["cases"]
        assert newest["flags"] == ["Close to category_1-00001 (0.80, near) but kept: the quantity differs."]
        assert "flags" not in first
        (example,) = (await used(talk))["examples"]
        assert (example["stage"], example["score"], example["threshold"]) == ("semantic", 0.953, 0.92)
        assert example["nearest"] == "category_1-00001"


async def test_checkpoints_and_what_is_loaded(make_config: Configs, make_plan: Plans) -> None:
    config = make_config()
    await finished(config, make_plan(3, name="other"))
    json_file = config.checkpoint_root / "other_checkpoint.json"
    wanted = [("save_checkpoint", {"name": "before lunch"}), ("load_from_checkpoint", {}),
              ("load_from_checkpoint", {"path": str(json_file)}), ("load_from_checkpoint", {"path": "nothing-here"})]  # fmt: skip
    async with talking(config, *steps(*wanted), plan=make_plan(4)) as talk:
        await used(talk, "save a checkpoint called before lunch")
        assert (await talk.session.checkpoints.all())[-1].name == "before lunch"
        assert "0 of 4 cases. “Resume” goes on" in (await used(talk))["said"]
        assert (await used(talk, f"load {json_file}"))["said"].startswith("other is opened next")
        assert talk.host.next_session == str(json_file)
        talk.host.next_session = None
        assert "nothing-here" in (await used(talk, "load nothing-here"))["error"] and talk.host.next_session is None


async def test_finishing_early_keeps_what_is_accepted_and_writes_it(make_config: Configs, make_plan: Plans) -> None:
    config = make_config(drain_timeout=0)
    async with await Session.create(make_plan(40, 40, 5), config) as session:
        session.subscribe(
            lambda event: session.request_pause() if getattr(event, "accepted", 0) >= 30 else None  # type: ignore[func-returns-value]
        )
        await session.run()
        held = {name: count for name, count in (await session.cases.counts()).items() if count}
    async with talking(config, *steps(("finalize_dataset", {})), reference="support") as talk:
        assert asked(await talk.say("that is enough")) == ["finalize_dataset"]
        waiting = await talk.conversation.waiting()
        assert waiting is not None and f"Finish the dataset with {sum(held.values())} cases" in waiting.request.text
        (ended,) = tools_used(await talk.answer(True))
        path = Path(json.loads(ended.answer)["path"])
        assert len(path.read_text().splitlines()) == sum(held.values())
        state = await talk.session.summary()
        assert state.state == "complete" and {n: c["planned"] for n, c in state.categories.items()} == held


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet", "checkpoint"])
async def test_every_format_is_exported(make_config: Configs, make_plan: Plans, kind: str) -> None:
    config = make_config()
    await finished(config, make_plan(3))
    async with talking(config, *steps(("export_dataset", {"format": kind})), reference="support") as talk:
        answer = await used(talk)
        assert (
            answer["cases"] == 3
            and Path(answer["path"]).is_file()
            and Path(answer["path"]).parent == talk.session.folder
        )


async def test_a_paste_is_read_whole_though_the_agent_sees_the_ends_of_it(make_config: Configs) -> None:
    prompt = "You are a travel assistant. " + "Be brief. " * 4000 + "THE END: never book without asking."
    async with talking(make_config(), *steps(("describe_target", {"text": "[pasted text 1]"}))) as talk:
        parts = await talk.say("its system prompt: ⟦paste 1: many⟧", {1: prompt})
        (ended,) = tools_used(parts)
        assert ended.ok and f"{len(prompt):,} characters" in json.loads(ended.answer)["said"]
        assert "characters left out" in talk.told(0) and "THE END: never book" in talk.told(0)
        assert (
            "travel assistant" in talk.session.agent_memory.target["brief"]
            and len(talk.session.agent_memory.target["brief"]) <= 6000
        )


APPLICATION = '''
@tool
def lookup_order(order_id: str, verbose: bool = False):
    """Finds an order."""
'''


async def test_a_plan_has_the_described_application_and_what_is_usually_written(make_config: Configs) -> None:
    folder = Path("app")
    folder.mkdir()
    (folder / "tools.py").write_text(APPLICATION)
    (folder / "prompt.md").write_text("Never promise a date.")
    plan = {
        "dataset_name": "bot",
        "categories": [
            {"name": "a", "count": 4, "attributes": {"language": ["English", "Spanish"]}},
            {"name": "b", "count": 4},
        ],
    }
    async with talking(
        make_config(),
        [calls("describe_target", {"path": "app"}, call_id="d1")],
        [calls("propose_plan", plan, call_id="p1")],
        [says("Done.")],
    ) as talk:
        await talk.say("a plan for the folder app, please")
        question = (await talk.session.approvals.newest())[0].request
        assert isinstance(question, PlanApproval)
        proposed = question.plan
        assert proposed.target.rules == "Never promise a date."
        assert proposed.target.tools["lookup_order"].signature("lookup_order") == (
            "lookup_order(order_id: string, verbose: boolean (optional)): Finds an order."
        )
        usual = ["expected_facts", "guidelines", "expected_tool_calls"]
        assert [[one.key for one in proposed.written_for(c)] for c in proposed.categories] == [
            [*usual, "language"],
            usual,
        ]
        assert (
            question.card.writing == "for each case: expected facts, guidelines, expected tool calls, language (1 of 2)"
        )


@pytest.mark.parametrize(
    ("more", "own", "keys", "noted"),
    [
        ({"write": []}, {}, [], False),
        ({"write": ["guidelines"]}, {}, ["guidelines"], False),
        ({}, {"write": ["expected_response"]}, ["expected_response"], False),
        ({}, {"expected_tools": ["find"]}, ["expected_facts", "guidelines", "expected_tool_calls"], False),
        ({"write": ["expected_facts", "expected_response"]}, {}, ["expected_facts", "expected_response"], True),
    ],
)
async def test_what_a_proposal_says_of_writing_holds(
    more: dict[str, Any], own: dict[str, Any], keys: list[str], noted: bool, make_config: Configs
) -> None:
    plan = {"dataset_name": "bot", "categories": [{"name": "a", "count": 4, **own}], **more}
    async with talking(make_config(), [calls("propose_plan", plan, call_id="p1")], [says("Done.")]) as talk:
        await talk.say("a plan please")
        question = (await talk.session.approvals.newest())[0].request
        assert isinstance(question, PlanApproval)
        assert [one.key for one in question.plan.written_for(question.plan.categories[0])] == keys
        assert any("not both" in note for note in question.card.notes) == noted


async def test_numbers_about_the_data(make_config: Configs, make_plan: Plans) -> None:
    wanted = [
        ("ask_data", {"what": "cases", "by": "category"}),
        ("ask_data", {"what": "case", "case": "category_2-00001"}),
        ("ask_data", {"what": "cases", "attributes": {"tone": "polite"}}),
        ("ask_data", {"what": "cases", "category": "lions"}),
        ("ask_data", {"what": "cases", "by": "stage"}),
        ("ask_data", {"what": "cases", "where": "1=1"}),
    ]
    config = make_config()
    await finished(config, make_plan(6, 3, name="shop"))
    async with talking(config, *steps(*wanted), reference="shop") as talk:
        told = await used(talk)
        assert told["rows"] == [{"name": "category_1", "count": 6}, {"name": "category_2", "count": 3}]
        assert told["see"] == "F2 shows more."
        told = await used(talk)
        assert (
            told["said"].startswith("category_2-00001 (7 of 9): ")
            and told["see"] == "“/cases category_2-00001” shows more."
        )
        assert (await used(talk))["see"] == "“/cases polite” shows more."
        assert "category_1, category_2" in (await used(talk))["way_out"]
        assert "cannot be split by stage" in (await used(talk))["error"]
        assert "where is not known" in (await used(talk))["error"]


async def test_numbers_about_the_data_in_words_without_a_model(make_config: Configs, make_plan: Plans) -> None:
    async with talking(make_config(), plan=make_plan(8, 4)) as talk:
        empty = said(await talk.say("how many are polite?"))
        assert "No case is written yet; the plan wants" in empty and "F3 shows more." in empty
        await talk.session.run()
        polite = [c async for c in talk.session.cases.all() if c.tags["attributes"]["tone"] == "polite"]
        assert f"{len(polite)} of 12 cases: tone polite" in said(await talk.say("how many are polite?"))
        answer = said(await talk.say("how many cases per category"))
        assert "- category\\_1 8" in answer and "- category\\_2 4" in answer
        assert "No two of 12 cases say the same." in said(await talk.say("any duplicates?"))
        assert "$0.00" in said(await talk.say("what did it cost"))
        assert "There is no case 100" in said(await talk.say("show case 100"))
        assert "category\\_1-00002" in said(await talk.say("show case 2"))
    async with talking(make_config()) as talk:
        for words in ("how many are angry", "any duplicates?", "which category is thin", "show case 100"):
            assert "Nothing is planned yet" in said(await talk.say(words)), words
        assert "$0.00" in said(await talk.say("what did it cost"))
        assert "built-in" in said(await talk.say("which model writes the cases"))
