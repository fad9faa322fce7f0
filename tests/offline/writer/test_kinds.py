"""The built-in writer's conversations and scenarios: what a history needs to be one, and what is expected of the answer."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from dsbuilder_tui.domain.case import Candidate, Slot
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.generation.schema_check import Fitted, SchemaCheck
from dsbuilder_tui.generation.slots import slot_plans
from dsbuilder_tui.offline.writer.offline_writer import OfflineWriter
from dsbuilder_tui.quality.validation import Validation

EXAMPLES = {
    "shop": ["I want a refund for order #12345", "How long does delivery to Lisbon take?", "Is there a discount for students?"],
    "bank": ["My transfer of $1,200 has not arrived since Monday.", "I lost my credit card, please block it"],
    "travel": ["Move my booking AB1234 to March 20", "Is there a direct flight from Dublin to Boston?"],
    "tienda": ["¿Dónde está mi pedido #12345?", "Mi paquete tenía que llegar el lunes y todavía no lo tengo."],
    "laden": ["Wo ist meine Bestellung #12345?", "Ich möchte eine Erstattung für die Bestellung #48213"],
    "boutique": ["Où est ma commande #12345 ?", "Je veux un remboursement pour la commande #48213"],
}  # fmt: skip


def plan_of(kind: str, examples: list[Any], count: int = 60, **more: Any) -> DatasetPlanInput:
    return parse_plan(
        {
            "dataset_name": "d",
            "write": ["expected_facts", "guidelines"],
            "categories": [
                {"name": "questions", "kind": kind, "count": count, "example_inputs": examples,
                 **{key: value for key, value in more.items() if key == "attributes"}},
                {"name": "opening_hours", "count": 1, "example_inputs": ["Are you open on Sunday?"]},
            ],
            **{key: value for key, value in more.items() if key != "attributes"},
        }
    )  # fmt: skip


def written(plan: DatasetPlanInput, seed: int = 7) -> list[tuple[Slot, dict[str, Any], Fitted]]:
    category, writer, check = plan.categories[0], OfflineWriter(), SchemaCheck(plan)
    writer.check(plan)
    slots, validation, found = slot_plans(plan, seed)[category.name], Validation(plan), []
    for ordinal in range(1, category.count + 1):
        slot = Slot(category.name, ordinal, slots.attributes(ordinal))
        raw = writer.write(plan, category, slot, 0, seed)
        fitted = check.fit(Candidate(slot, 0, raw, 1, "built-in"))
        assert isinstance(fitted, list), (slot, fitted)
        one = fitted[0]
        assert validation.fault(validation.case(slot, one.inputs, one.expectations)) is None
        found.append((slot, raw, one))
    return found


@pytest.mark.parametrize("name", EXAMPLES)
def test_conversations_take_turns_have_the_length_that_is_asked_for_and_hold_no_gap(name: str) -> None:
    plan = plan_of("conversation", EXAMPLES[name], attributes={"turns": [1, 2, 3, 4, 5, 8, 11]})
    for slot, _, one in written(plan):
        messages = one.inputs["messages"]
        assert len(messages) == int(slot.attributes["turns"])
        roles = [message["role"] for message in messages]
        assert roles[-1] == "user" and all(one != other for one, other in pairwise(roles))
        texts = [message["content"] for message in messages]
        assert not any(re.search(r"[{}]|  |\.\.(?!\.)|None", text) for text in texts), texts
        assert not any("turns" in text.casefold() for text in texts), texts


def test_no_message_of_a_side_is_said_twice() -> None:
    for _, _, one in written(plan_of("conversation", EXAMPLES["shop"], 120, attributes={"turns": [3, 5, 7]})):
        texts = [message["content"] for message in one.inputs["messages"]]
        assert len(set(texts)) == len(texts), texts


def test_the_last_message_needs_the_history_and_the_expectation_speaks_of_what_holds_in_the_end() -> None:
    corrected = supplied = 0
    plan = plan_of(
        "conversation", ["I want a refund for order #12345"], 200, attributes={"turns": [3], "situation": ["ordinary"]}
    )
    for _, _, one in written(plan):
        first, _, last = (message["content"] for message in one.inputs["messages"])
        facts, guidelines = one.expectations["expected_facts"], one.expectations["guidelines"]
        ids = re.findall(r"#\d{5}", f"{first} {last}")
        final = re.findall(r"#\d{5}", last)
        assert "refund" not in last.casefold() and final, last
        assert final[0] in facts[0] or final[-1] in facts[0]
        if re.search(r"#\d{5}", first):
            corrected += 1
            old = re.findall(r"#\d{5}", first)[0]
            assert old not in facts[0] and any(old in guideline for guideline in guidelines), guidelines
        else:
            supplied += 1
            assert len(set(ids)) == 1
    assert corrected > 40 and supplied > 40


def test_what_is_left_out_is_asked_for_and_still_not_there() -> None:
    plan = plan_of(
        "conversation",
        ["I want a refund for order #12345"],
        40,
        attributes={"turns": [3, 5], "situation": ["missing detail"]},
    )
    for _, _, one in written(plan):
        said = " ".join(message["content"] for message in one.inputs["messages"])
        assert not re.search(r"#\d{5}", said) and "order number" in one.inputs["messages"][-2]["content"]
        assert any("order number" in guideline for guideline in one.expectations["guidelines"])


def test_the_history_of_an_example_is_kept_with_the_values_of_the_case() -> None:
    history = [
        {"role": "user", "content": "Has order #12345 been shipped?"},
        {"role": "assistant", "content": "Order #12345 left on March 3."},
        {"role": "user", "content": "Then send order #12345 to Leeds instead"},
    ]
    for slot, _, one in written(plan_of("conversation", [{"messages": history}], 30)):
        messages = one.inputs["messages"]
        assert slot.attributes["turns"] == "3" and len(messages) == 3
        ids = {found for message in messages for found in re.findall(r"#\d{5}", message["content"])}
        assert len(ids) <= 1 and messages[1]["content"].startswith("Order #")


@pytest.mark.parametrize("name", ["shop", "bank", "travel"])
def test_scenarios_tell_a_user_what_to_want_and_name_no_placeholder(name: str) -> None:
    goals = {
        "shop": "Get a refund for order #12345",
        "bank": "Find out where the transfer of $1,200 is",
        "travel": "Move booking AB1234 to March 20",
    }
    for _, _, one in written(plan_of("scenario", [goals[name]])):
        assert set(one.inputs) == {"goal", "persona", "simulation_guidelines"}
        assert 1 <= len(one.inputs["simulation_guidelines"]) <= 8
        told = "\n".join((one.inputs["goal"], one.inputs["persona"], *one.inputs["simulation_guidelines"]))
        assert not re.search(r"[{}]|  |\.\.|”\.|\bmy\b|\bI'm\b", told.split("“")[0]), told


def test_a_scenario_whose_user_lacks_the_number_does_not_tell_it_to_them() -> None:
    plan = plan_of(
        "scenario", ["Get a refund for order #12345"], 20, attributes={"situation": ["missing detail", "ordinary"]}
    )
    for slot, _, one in written(plan):
        missing = slot.attributes["situation"] == "missing detail"
        assert bool(re.search(r"#\d{5}", one.inputs["goal"])) is not missing
        if missing:
            assert "number" in " ".join(one.inputs["simulation_guidelines"])


def test_the_context_of_a_scenario_is_filled_by_its_name_or_the_examples() -> None:
    plan = plan_of(
        "scenario", [{"goal": "Get a refund", "context": {"plan": "gold"}}], 5, input_fields=["query", "user_id"]
    )
    for _, _, one in written(plan):
        assert one.inputs["context"]["plan"] == "gold" and re.fullmatch(
            r"[A-Z]-\d{4}", one.inputs["context"]["user_id"]
        )


@pytest.mark.parametrize("kind", ["conversation", "scenario"])
def test_the_same_slot_is_written_the_same_again(kind: str) -> None:
    plan = plan_of(kind, EXAMPLES["shop"], 25)
    assert [one.inputs for _, _, one in written(plan)] == [one.inputs for _, _, one in written(plan)]
    assert [one.inputs for _, _, one in written(plan, 8)] != [one.inputs for _, _, one in written(plan, 7)]
