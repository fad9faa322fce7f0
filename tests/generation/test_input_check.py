"""The inputs of each kind: what a model may deliver, and what is turned away with which words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dsbuilder_tui.domain.case import AcceptedCase, Candidate, Slot
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.generation.answer_reader import read_answer
from dsbuilder_tui.generation.answer_schema import case_schema
from dsbuilder_tui.generation.schema_check import Fitted, Misfit, SchemaCheck, fitting_case
from dsbuilder_tui.generation.slots import slot_axes, slot_plans
from dsbuilder_tui.generation.value_kinds import Unfit

USER, ASSISTANT = "user", "assistant"


def talk(*texts: str) -> list[dict[str, Any]]:
    """Messages that take turns, the last of them the user's."""
    return [
        {"role": USER if (len(texts) - place) % 2 else ASSISTANT, "content": text} for place, text in enumerate(texts)
    ]


GOOD = talk("I want a refund.", "Which order is it?", "It's #12345.")


def plan_of(kind: str, **more: Any) -> DatasetPlanInput:
    example = "Get a refund" if kind == "scenario" else "I want a refund for order #12345"
    category = {"name": "c", "kind": kind, "count": 4, "example_inputs": [example]} | more.pop("category", {})
    return parse_plan({"dataset_name": "d", "categories": [category], **more})


def fitted(plan: DatasetPlanInput, raw: Any, turns: str = "3") -> Fitted | Misfit:
    found = SchemaCheck(plan).fit(Candidate(Slot("c", 1, {"turns": turns}), 0, raw, 1, "m"))
    return found if isinstance(found, Misfit) else found[0]


@pytest.mark.parametrize(
    "inputs",
    [
        {"messages": GOOD},
        {"messages": json.dumps(GOOD)},
        json.dumps({"messages": GOOD}),
        GOOD,
        {"messages": {"messages": GOOD}},
        {"messages": [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in GOOD]},
        {"messages": [{"from": "human" if m["role"] == USER else "gpt".replace("gpt", "ai"), "value": m["content"]} for m in GOOD]},
        {"messages": [{**m, "role": m["role"].upper(), "name": "x"} for m in GOOD]},
        {"messages": [{**m, "content": f"  {m['content']}\n"} for m in GOOD], "query": "beside"},
    ],
)  # fmt: skip
def test_a_conversation_comes_in_many_shapes_and_is_kept_in_one(inputs: Any) -> None:
    found = fitted(plan_of("conversation"), {"slot": 1, "inputs": inputs, "expectations": {}})
    assert isinstance(found, Fitted), found
    assert found.inputs == {"messages": GOOD}
    assert found.tags["kind"] == "conversation"


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "is empty"),
        ([*talk("a", "b", "c"), {"role": ASSISTANT, "content": "d"}], "ends with the assistant"),
        ([{"role": "narrator", "content": "a"}, *talk("b", "c", "d")], "the role 'narrator' of message 1 is unknown"),
        ([{"content": "a"}, *talk("b", "c")], "message 1 has no role"),
        ([{"role": USER, "content": " "}, *talk("b", "c", "d")[1:]], "message 1 is empty"),
        ([{"role": USER, "content": None}, *talk("b", "c", "d")[1:]], "message 1 is empty"),
        ([{"role": USER, "content": [{"type": "image_url", "image_url": {"url": "x"}}]}], "something that is no text"),
        ([{"role": "tool", "content": "{}"}, *talk("b", "c")], "the role 'tool'"),
        ([{"role": "system", "content": "You are a bot"}, *GOOD], "message 1 is the system's"),
        ("User: hello\nAssistant: hi", "is no list of messages"),
        ("[]", "is empty"),
        (["hello", "hi", "bye"], "message 1 is no object"),
        (42, "is no list of messages"),
        (talk("a", "b", "c", "d", "e"), "has 5 of them, and the slot asks for 3"),
        (talk("a"), "has 1 of them, and the slot asks for 3"),
        (talk(*["x"] * 61), "at most 50"),
    ],
)
def test_what_is_no_conversation_is_turned_away_in_words(messages: Any, reason: str) -> None:
    found = fitted(plan_of("conversation"), {"slot": 1, "inputs": {"messages": messages}, "expectations": {}})
    assert isinstance(found, Misfit)
    assert reason in found.reason


def test_a_conversation_without_messages_is_told_which_field_it_lacks() -> None:
    found = fitted(plan_of("conversation"), {"slot": 1, "inputs": {"query": "Where is it?"}})
    assert isinstance(found, Misfit) and "`messages` is missing" in found.reason


def test_a_system_message_is_kept_where_the_examples_have_one() -> None:
    system = {"role": "system", "content": "You are the bot of a shop"}
    plan = plan_of("conversation", category={"example_inputs": [{"messages": [system, *GOOD]}]})
    found = fitted(plan, {"slot": 1, "inputs": {"messages": [system, *GOOD]}})
    assert isinstance(found, Fitted) and found.inputs["messages"][0] == system


def test_a_conversation_has_the_other_fields_of_the_plan() -> None:
    plan = plan_of("conversation", input_fields=["query", "locale"])
    found = fitted(plan, {"slot": 1, "inputs": {"messages": GOOD, "locale": "en-GB"}})
    assert isinstance(found, Fitted) and found.inputs == {"messages": GOOD, "locale": "en-GB"}
    lacking = fitted(plan, {"slot": 1, "inputs": {"messages": GOOD}})
    assert isinstance(lacking, Misfit) and "`locale` is missing" in lacking.reason


def test_a_range_of_lengths_and_words_are_lengths() -> None:
    for turns, number, fits in (("3-5", 4, True), ("3-5", 6, False), ("many", 6, True), ("", 6, True)):
        found = fitted(plan_of("conversation"), {"inputs": {"messages": talk(*["x"] * number)}}, turns)
        assert isinstance(found, Fitted) is fits, (turns, number)


@pytest.mark.parametrize(
    ("inputs", "kept"),
    [
        ({"goal": " Get it ", "persona": "A student", "simulation_guidelines": ["Be brief"]},
         {"goal": "Get it", "persona": "A student", "simulation_guidelines": ["Be brief"]}),
        ({"goal": "Get it", "simulation_guidelines": "Be brief", "expectations": {}, "name": "x"},
         {"goal": "Get it", "simulation_guidelines": ["Be brief"]}),
        ('{"goal": "Get it"}', {"goal": "Get it"}),
        ({"goal": "Get it", "persona": "", "simulation_guidelines": [], "context": {}}, {"goal": "Get it"}),
        ({"goal": "Get it", "context": {"order_id": "made up"}}, {"goal": "Get it"}),
    ],
)  # fmt: skip
def test_a_scenario_holds_what_the_simulator_takes_and_nothing_else(inputs: Any, kept: dict[str, Any]) -> None:
    found = fitted(plan_of("scenario"), {"slot": 1, "inputs": inputs})
    assert isinstance(found, Fitted), found
    assert found.inputs == kept and found.tags["kind"] == "scenario"


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"persona": "A student"}, "`goal` is missing"),
        ({"goal": "  "}, "`goal` is missing"),
        ({"goal": {"text": "x"}}, "`goal` is no text"),
        ({"goal": "x", "persona": ["a", "b"]}, "`persona` is no text"),
        ({"goal": "x", "simulation_guidelines": [{"rule": "a"}]}, "`simulation_guidelines` is no text"),
    ],
)
def test_what_is_no_scenario_is_turned_away_in_words(inputs: Any, reason: str) -> None:
    found = fitted(plan_of("scenario"), {"slot": 1, "inputs": inputs})
    assert isinstance(found, Misfit) and reason in found.reason


def test_the_context_of_a_scenario_are_the_applications_other_arguments() -> None:
    plan = plan_of("scenario", input_fields=["query", "user_id"])
    found = fitted(plan, {"inputs": {"goal": "x", "context": {"user_id": "U-1", "mood": "bad"}}})
    assert isinstance(found, Fitted) and found.inputs["context"] == {"user_id": "U-1"}
    lacking = fitted(plan, {"inputs": {"goal": "x"}})
    assert isinstance(lacking, Misfit) and "`user_id` is missing from `context`" in lacking.reason


@pytest.mark.parametrize(
    ("category", "words"),
    [
        ({"kind": "dialogue"}, "must be one of single, conversation, scenario"),
        ({"kind": "conversation", "attributes": {"turns": ["0"]}}, "'0' is no length of a conversation"),
        ({"kind": "conversation", "attributes": {"turns": ["short"]}}, "'short' is no length"),
        ({"kind": "conversation", "attributes": {"turns": ["5-3"]}}, "'5-3' is no length"),
        ({"kind": "conversation", "example_inputs": [{"query": "x"}]}, "'query' is not one of the fields of a conversation"),
        ({"kind": "conversation", "example_inputs": [{"messages": [{"role": "bot", "content": "x"}]}]}, "ends with the assistant"),
        ({"kind": "scenario", "example_inputs": [{"persona": "x"}]}, "`goal` is missing"),
        ({"kind": "scenario", "example_inputs": [{"goal": "x", "mood": "y"}]}, "'mood' is not one of"),
        ({"kind": "scenario", "example_inputs": [{"goal": "x", "context": {"messages": []}}]}, "the simulator gives"),
        ({"kind": "scenario", "mode": "templates"}, "a scenario cannot be made of templates"),
    ],
)  # fmt: skip
def test_a_plan_says_what_does_not_fit_its_kind(category: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match="dataset|categor|example|attributes|mode|kind") as failed:
        parse_plan({"dataset_name": "d", "categories": [{"name": "c", "count": 2, **category}]})
    assert words in str(failed.value)


def test_examples_tell_the_input_fields_of_single_requests_alone() -> None:
    plan = parse_plan(
        {
            "dataset_name": "d",
            "categories": [
                {"name": "a", "count": 1, "example_inputs": [{"question": "x", "locale": "y"}]},
                {
                    "name": "b",
                    "count": 1,
                    "kind": "conversation",
                    "example_inputs": [{"messages": GOOD, "locale": "y"}],
                },
                {"name": "c", "count": 1, "kind": "scenario", "example_inputs": [{"goal": "x"}]},
            ],
        }
    )
    assert list(plan.input_fields) == ["question", "locale"]
    assert [list(plan.fields_of(category)) for category in plan.categories] == [
        ["question", "locale"], ["messages", "locale"], ["goal", "persona", "simulation_guidelines", "context"],
    ]  # fmt: skip


def test_lengths_are_an_axis_of_conversations_alone() -> None:
    plan = parse_plan(
        {
            "dataset_name": "d",
            "attributes": {"turns": [3, 5, 7], "tone": ["calm"]},
            "categories": [
                {"name": "a", "count": 3},
                {"name": "b", "count": 30, "kind": "conversation"},
                {"name": "c", "count": 3, "kind": "scenario"},
            ],
        }
    )
    assert [list(slot_axes(plan, category)) for category in plan.categories] == [["tone"], ["tone", "turns"], ["tone"]]
    slots = slot_plans(plan, 1)["b"]
    seen = [slots.attributes(ordinal)["turns"] for ordinal in range(1, 31)]
    assert {turns: seen.count(turns) for turns in seen} == {"3": 10, "5": 10, "7": 10}


def test_without_an_axis_lengths_are_those_of_the_examples_or_three_and_five() -> None:
    usual = plan_of("conversation")
    assert slot_axes(usual, usual.categories[0])["turns"] == ("3", "5")
    assert "persona" in slot_axes(usual, usual.categories[0])
    long = plan_of("conversation", category={"example_inputs": [{"messages": GOOD}, {"messages": talk(*"abcdefg")}]})
    assert slot_axes(long, long.categories[0])["turns"] == ("3", "7")


@pytest.mark.parametrize("kind", list(CaseKind))
def test_the_schema_of_an_answer_has_the_fields_of_the_kind(kind: CaseKind) -> None:
    plan = plan_of(kind.value, input_fields=["query", "user_id"])
    inputs = case_schema(plan, plan.categories[0])["properties"]["cases"]["items"]["properties"]["inputs"]
    assert inputs["additionalProperties"] is False and inputs["required"] == list(inputs["properties"])
    match kind:
        case CaseKind.SINGLE:
            assert list(inputs["properties"]) == ["query", "user_id"]
        case CaseKind.CONVERSATION:
            message = inputs["properties"]["messages"]["items"]
            assert message["properties"]["role"]["enum"] == ["user", "assistant"]
            assert list(inputs["properties"]) == ["messages", "user_id"]
        case CaseKind.SCENARIO:
            assert list(inputs["properties"]["context"]["properties"]) == ["user_id"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"cases": [{"slot": 1, "inputs": {"messages": GOOD}}, {"slot": 2, "inputs": {"messages": GOOD}}]}),
        json.dumps([{"messages": GOOD}, {"messages": GOOD}]),
        "\n".join(json.dumps({"slot": n, "inputs": {"messages": GOOD}}) for n in (1, 2)),
        "Here they are:\n```json\n" + json.dumps({"cases": [{"slot": n, "messages": GOOD} for n in (1, 2)]}) + "\n```",
    ],
)
def test_messages_within_a_case_are_no_cases(text: str) -> None:
    read = read_answer(text, 2, ["messages"], several=False)
    assert len(read.cases) == 2
    for raw in read.cases.values():
        assert isinstance(fitted(plan_of("conversation"), raw), Fitted)


def test_scenarios_are_found_in_the_shape_of_mlflows_own_test_cases() -> None:
    text = json.dumps({"test_cases": [{"goal": "a", "context": {"goal": "b"}}, {"goal": "c", "persona": "d"}]})
    read = read_answer(text, 2, ["goal", "persona", "simulation_guidelines", "context"], several=False)
    assert [raw["goal"] for raw in read.cases.values()] == ["a", "c"]


def test_a_persons_edit_is_held_to_the_kind() -> None:
    plan = plan_of("conversation")
    category = plan.categories[0]
    inputs, _ = fitting_case(plan, category, {"messages": talk("a", "b", "c", "d", "e")}, {})
    assert len(inputs["messages"]) == 5
    with pytest.raises(Unfit, match="ends with the assistant"):
        fitting_case(plan, category, {"messages": [{"role": ASSISTANT, "content": "a"}]}, {})
    scenario = plan_of("scenario")
    with pytest.raises(Unfit, match="'query' is no field of a scenario"):
        fitting_case(scenario, scenario.categories[0], {"goal": "x", "query": "y"}, {})


def test_a_case_knows_its_kind_from_its_tags() -> None:
    def kind(tags: dict[str, Any]) -> CaseKind:
        return AcceptedCase(
            seq=1, category="c", ordinal=1, inputs={}, expectations={}, tags=tags, created_at=0.0
        ).kind  # fmt: skip

    assert kind({}) is CaseKind.SINGLE
    assert kind({"kind": "scenario"}) is CaseKind.SCENARIO
    assert kind({"kind": "another tool's"}) is CaseKind.SINGLE
