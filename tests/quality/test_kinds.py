"""Validators and the judge read conversations and scenarios as what they are."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.quality.judge_prompt import JudgePrompter, PresentedCase
from dsbuilder_tui.quality.rubric import rubric_of
from dsbuilder_tui.quality.validation import Validation

TALK = [
    {"role": "user", "content": "Where is my parcel? I paid $40 for it."},
    {"role": "assistant", "content": "Order #48213 left on March 3; the fee was $12."},
    {"role": "user", "content": "Then send me the invoice, please."},
]


def plan_of(kind: str, **more: Any) -> DatasetPlanInput:
    return parse_plan({"dataset_name": "d", "categories": [{"name": "c", "kind": kind, "count": 1, **more}]})


def fault(
    plan: DatasetPlanInput, inputs: dict[str, Any], expectations: dict[str, Any] | None = None, **axes: str
) -> str:
    validation = Validation(plan)
    return validation.fault(validation.case(Slot("c", 1, axes), inputs, expectations or {})) or ""


def said(last: str) -> dict[str, Any]:
    return {"messages": [*TALK[:-1], {"role": "user", "content": last}]}


@pytest.mark.parametrize(
    "expectations",
    [
        {"order": "#48213"},
        {"amount": "$12"},
        {"amount": "$40"},
        {"date": "March 3"},
        {"expected_tool_calls": [{"name": "invoice", "arguments": {"order_id": "48213"}}]},
    ],
)
def test_what_either_side_has_said_may_be_expected(expectations: dict[str, Any]) -> None:
    assert fault(plan_of("conversation"), {"messages": TALK}, expectations) == ""


@pytest.mark.parametrize("expectations", [{"order": "#99999"}, {"amount": "$777"}, {"date": "June 9"}])
def test_what_nobody_has_said_may_not(expectations: dict[str, Any]) -> None:
    assert fault(plan_of("conversation"), {"messages": TALK}, expectations) != ""


@pytest.mark.parametrize(
    ("last", "axes", "words"),
    [
        ("As a frustrated customer I want it", {"tone": "frustrated"}, "names the tone"),
        ("My order is [order number]", {}, "is a placeholder"),
    ],
)
def test_the_users_turns_are_read_for_slips(last: str, axes: dict[str, str], words: str) -> None:
    assert words in fault(plan_of("conversation"), said(last), **axes)
    of_assistant = {"messages": [{"role": "assistant", "content": last}, TALK[0]]}
    assert fault(plan_of("conversation"), of_assistant, **axes) == ""


def test_patterns_length_and_language_go_by_what_the_user_says() -> None:
    long = {"messages": [TALK[0], {"role": "assistant", "content": "word " * 300}, TALK[2]]}
    bounded = plan_of("conversation", validators=[{"length": {"max": 200}}, {"patterns": {"must_not": ["fee"]}}])
    assert fault(bounded, long) == "" and fault(bounded, {"messages": TALK}) == ""
    assert "must" in fault(bounded, said("What is the fee?")) or "fee" in fault(bounded, said("What is the fee?"))
    assert "characters" in fault(bounded, said("word " * 100))
    field = plan_of("conversation", validators=[{"length": {"max": 30, "field": "messages"}}])
    assert "characters" in fault(field, {"messages": TALK})
    spanish = plan_of("conversation", validators=["language"])
    german = {
        "messages": [{"role": "user", "content": "Wo bleibt eigentlich meine Bestellung, ich warte schon lange darauf"}]
    }
    assert fault(spanish, german, language="German") == ""
    assert "not in German" in fault(spanish, {"messages": TALK}, language="German")


def test_a_scenario_may_name_its_attributes_and_tell_which_language_to_speak() -> None:
    inputs = {"goal": "Get a refund for order #12345", "persona": "As a frustrated customer you want it now",
              "simulation_guidelines": ["Speak German with the assistant and nothing else at all"]}  # fmt: skip
    plan = plan_of("scenario", validators=["language"])
    assert fault(plan, inputs, {"order": "#12345"}, tone="frustrated", language="German") == ""
    assert "99999" in fault(plan, inputs, {"order": "#99999"})
    assert "placeholder" in fault(plan, {**inputs, "goal": "Get a refund for [order number]"})


@pytest.mark.parametrize(
    ("kind", "inputs", "words"),
    [
        ("conversation", {"messages": TALK}, "Each case is a conversation"),
        ("scenario", {"goal": "Get a refund"}, "Each case is a scenario"),
        ("single", {"query": "Where is it?"}, ""),
    ],
)
def test_the_judge_is_told_what_it_reads(kind: str, inputs: dict[str, Any], words: str) -> None:
    plan = plan_of(kind)
    prompt = JudgePrompter(plan, rubric_of(plan)).prompt(
        plan.categories[0], [PresentedCase(inputs=inputs, expectations={})]
    )
    assert words in prompt and ("Each case is a" in prompt) is bool(words)
