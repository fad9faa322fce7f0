"""Expectations of a case: the plan's, fitted to the input, and those that were written for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.case import AcceptedCase, Candidate, Slot
from dsbuilder_tui.domain.case_pair import ContrastChange, PairKind, PlannedPair
from dsbuilder_tui.domain.events import Notice
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.generation.schema_check import Fitted, Misfit, SchemaCheck, fitting_case
from dsbuilder_tui.generation.value_kinds import Unfit
from tests.support import fake_openai
from tests.support.fake_openai import FakeOpenAI

TOOLS = {"lookup_order": ["order_id: str"], "search": {"properties": {"words": {"type": "string"}, "limit": {"type": "integer"}},
                                                       "required": ["words"]}}  # fmt: skip


def judged(given: Any, text: str = "Where is my order #71918?", **category: Any) -> Fitted | Misfit:
    plan = category.pop("plan", {})
    base = {"name": "c", "count": 5, "example_inputs": "Where is my order #12345?"}
    parsed = parse_plan({"dataset_name": "d", "categories": [base | category], **plan})
    raw = {"inputs": {"query": text}} | ({"expectations": given} if given is not None else {})
    found = SchemaCheck(parsed).fit(Candidate(Slot("c", 1), 0, raw, 1, "m"))
    return found if isinstance(found, Misfit) else found[0]


def fitted(given: Any, text: str = "Where is my order #71918?", **category: Any) -> dict[str, Any]:
    verdict = judged(given, text, **category)
    assert isinstance(verdict, Fitted), verdict
    return verdict.expectations


def reason(given: Any, **category: Any) -> str:
    verdict = judged(given, **category)
    assert isinstance(verdict, Misfit), verdict
    return verdict.reason


CONSTANT = {"contains_order_id": True, "tone": "kind"}


@pytest.mark.parametrize("relation", [*PairKind, None])
def test_what_was_left_out_of_a_case_stays_out_of_its_other_versions(relation: PairKind | None) -> None:
    """A writer that is shown a case copies what stands there; nothing tells of what does not."""
    category = {"name": "c", "count": 5, "expectations": CONSTANT, "write": ["guidelines", "expected_tool_calls"]}
    check = SchemaCheck(parse_plan({"dataset_name": "d", "categories": [category]}))
    shown = {"tone": "kind", "guidelines": ["Asks which order."]}
    original = AcceptedCase(
        seq=1, category="c", ordinal=1, inputs={"query": "Where is it?"}, expectations=shown, tags={}, created_at=0.0
    )
    pair = relation and PlannedPair(relation, 1, ContrastChange.DATE if relation is PairKind.CONTRAST else None)
    slot = Slot("c", 2, pair=pair, original=original if pair else None)
    candidate = Candidate(slot, 0, {"inputs": {"query": "Where?"}, "expectations": shown}, 1, "m")
    found = check.fit(candidate)
    assert isinstance(found, list if relation is PairKind.SAME else Misfit)
    again = check.fit(candidate, shown)
    assert isinstance(again, list) and again[0].expectations == shown
    changed = {**shown, "contains_order_id": True, "expected_tool_calls": [{"name": "look"}]}
    more = check.fit(Candidate(slot, 0, {"inputs": {"query": "Where?"}, "expectations": changed}, 1, "m"), shown)
    assert isinstance(more, list) and more[0].expectations == changed


@pytest.mark.parametrize(
    ("given", "expectations"),
    [
        (None, CONSTANT),
        ({}, CONSTANT),
        ({"contains_order_id": False}, {"contains_order_id": False, "tone": "kind"}),
        ({"contains_order_id": None}, {"tone": "kind"}),
        ({"contains_order_id": None, "tone": None}, {}),
    ],
)
def test_a_constant_holds_is_changed_or_left_out(given: Any, expectations: dict[str, Any]) -> None:
    assert fitted(given, expectations=CONSTANT) == expectations


ALL = ["expected_facts", "guidelines", "expected_tool_calls"]
WRITTEN = {
    "expected_facts": ["The order is looked up"],
    "guidelines": ["Must not promise a date"],
    "expected_tool_calls": [{"name": "lookup_order", "arguments": {"order_id": "71918"}}],
}


def test_what_is_written_is_kept_beside_what_is_constant() -> None:
    found = fitted({**WRITTEN, "unknown": 1}, write=ALL, expectations={"contains_order_id": True})
    assert found == {"contains_order_id": True, **WRITTEN}


@pytest.mark.parametrize("key", ALL)
def test_a_key_that_is_missing_is_asked_for(key: str) -> None:
    given = {name: value for name, value in WRITTEN.items() if name != key}
    assert f"`{key}` is missing from `expectations`; write " in reason(given, write=ALL)
    assert "is missing" in reason(None, write=[key])


@pytest.mark.parametrize("planned", ["Is kind", ["Is kind"]])
def test_guidelines_of_plan_and_case_are_both_kept(planned: Any) -> None:
    found = fitted(
        {"guidelines": ["Asks for the number", "Is kind"]}, write=["guidelines"], expectations={"guidelines": planned}
    )
    assert found == {"guidelines": ["Is kind", "Asks for the number"]}
    assert "is missing" in reason({}, write=["guidelines"], expectations={"guidelines": planned})


def test_without_write_plain_guidelines_stay_as_they_are() -> None:
    assert fitted({}, expectations="Answers kindly.") == {"guidelines": "Answers kindly."}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"expected_facts": "One fact"}, {"expected_facts": ["One fact"]}),
        ({"expected_facts": '["a fact", "another"]'}, {"expected_facts": ["a fact", "another"]}),
        ({"expected_facts": [" a fact ", ""]}, {"expected_facts": ["a fact"]}),
    ],
)
def test_lists_of_texts_are_taken_as_they_are_meant(given: Any, found: dict[str, Any]) -> None:
    assert fitted(given, write=["expected_facts"]) == found


@pytest.mark.parametrize(
    ("write", "given", "words"),
    [
        ("expected_facts", [], "is empty"),
        ("expected_facts", [3], "holds a number, not only texts"),
        ("expected_facts", {"a": 1}, "is an object, not a list of texts"),
        ("guidelines", ["  "], "is empty"),
        ("expected_response", ["a", "b"], "is a list, not text"),
        ("expected_response", " ", "is empty"),
        ("expected_tool_calls", 3, "is a number, not a list of calls"),
        ("expected_tool_calls", [3], "holds what is no call"),
        ("expected_tool_calls", [{"name": "f", "arguments": [1]}], "are a list, not an object"),
        ("expected_tool_calls", [{"name": "f", "arguments": "the order"}], "are text, not an object"),
    ],
)
def test_other_shapes_are_turned_away(write: str, given: Any, words: str) -> None:
    assert words in reason({write: given}, write=[write])


@pytest.mark.parametrize(
    ("written", "call"),
    [
        ("lookup_order", {"name": "lookup_order"}),
        ({"name": "lookup_order", "arguments": {}}, {"name": "lookup_order"}),
        ({"name": "lookup_order", "arguments": None}, {"name": "lookup_order"}),
        ({"name": "lookup_order", "arguments": {"order_id": 71918}}, WRITTEN["expected_tool_calls"][0]),
        ({"name": "lookup_order", "arguments": '{"order_id": "71918"}'}, WRITTEN["expected_tool_calls"][0]),
        (
            {"function": {"name": "lookup_order", "arguments": '{"order_id": "71918"}'}},
            WRITTEN["expected_tool_calls"][0],
        ),
        (
            {"name": "search", "arguments": {"words": "lamp", "limit": None}},
            {"name": "search", "arguments": {"words": "lamp"}},
        ),
        (
            {"name": "search", "arguments": {"words": "lamp", "limit": "3"}},
            {"name": "search", "arguments": {"words": "lamp", "limit": 3}},
        ),
    ],
)
def test_calls_are_taken_as_they_are_meant(written: Any, call: dict[str, Any]) -> None:
    plan = {"target": {"tools": TOOLS}}
    assert fitted({"expected_tool_calls": [written]}, write="expected_tool_calls", plan=plan) == {
        "expected_tool_calls": [call]
    }


@pytest.mark.parametrize("none", [[], None])
@pytest.mark.parametrize("write", [(), ("expected_tool_calls",)])
def test_where_no_tool_is_to_be_called_there_are_no_calls(none: Any, write: tuple[str, ...]) -> None:
    assert fitted({"expected_tool_calls": none}, write=write, expected_tools=["lookup_order"]) == {}


def test_the_plans_calls_hold_unless_others_are_written() -> None:
    assert fitted({}, expected_tools=["lookup_order"]) == {"expected_tool_calls": [{"name": "lookup_order"}]}
    found = fitted({"expected_tool_calls": ["cancel_order"]}, expected_tools=["lookup_order"])
    assert found == {"expected_tool_calls": [{"name": "cancel_order"}]}


@pytest.mark.parametrize(
    ("arguments", "text", "kept"),
    [
        ({"order_id": "12345"}, "Where is my order #71918?", False),
        ({"order_id": "12345"}, "Where is my order? I lost the number.", False),
        ({"order_id": "12345"}, "Where is my order 12345?", True),
        ({"order_id": 12345, "limit": 5}, "And #12345?", True),
        ({"limit": 5, "locale": "en"}, "Where is my order #71918?", True),
        ({"amount": 50}, "I want $30 back", False),
        ({"amount": 50}, "I want $50 back", True),
        ({"day": "2026-03-14"}, "A table for 15 March 2026", False),
        ({"day": "2026-03-14"}, "A table for 14 March 2026", True),
    ],
)
@pytest.mark.parametrize("copied", [False, True])
def test_constant_arguments_that_the_text_contradicts_are_left_out(
    arguments: dict[str, Any], text: str, kept: bool, copied: bool
) -> None:
    call = {"name": "f", "arguments": arguments}
    given = {"expected_tool_calls": [call]} if copied else {}
    assert fitted(given, text, expected_tools=[call]) == {"expected_tool_calls": [call if kept else {"name": "f"}]}


def test_constant_arguments_stay_where_the_plan_turns_the_rule_off() -> None:
    call = {"name": "f", "arguments": {"order_id": "12345"}}
    assert fitted({}, expected_tools=[call], validators=["-ids"]) == {"expected_tool_calls": [call]}


OWN = [
    {"priority": {"values": ["low", "high"], "meaning": "how urgent"}},
    {"steps": {"type": "list", "meaning": "what is done"}},
    {"score": {"type": "number", "meaning": "1 to 5", "optional": True}},
]


def test_own_keys_are_held_to_their_types() -> None:
    good = {"priority": "High ", "steps": "asks", "score": "4"}
    assert fitted(good, write=OWN) == {"priority": "high", "steps": ["asks"], "score": 4}
    assert fitted({**good, "score": None}, write=OWN) == {"priority": "high", "steps": ["asks"]}
    assert "none of low, high" in reason({**good, "priority": "urgent"}, write=OWN)
    assert "`score` of `expectations` is text" in reason({**good, "score": "four"}, write=OWN)
    assert "`priority` is missing" in reason({"steps": ["x"]}, write=OWN)


def test_a_constant_of_an_own_key_is_its_default() -> None:
    assert fitted({}, write=OWN[:1], expectations={"priority": "low"}) == {"priority": "low"}
    assert fitted({"priority": "high"}, write=OWN[:1], expectations={"priority": "low"}) == {"priority": "high"}


def test_keys_may_stand_beside_the_inputs() -> None:
    plan = parse_plan({"dataset_name": "d", "categories": [{"name": "c", "count": 1, "write": ["guidelines"]}]})
    found = SchemaCheck(plan).fit(Candidate(Slot("c", 1), 0, {"query": "x", "guidelines": "Is kind"}, 1, "m"))
    assert isinstance(found, list) and found[0].expectations == {"guidelines": ["Is kind"]}


def test_a_person_may_leave_keys_out_but_not_change_their_shape() -> None:
    plan = parse_plan({"dataset_name": "d", "categories": [{"name": "c", "count": 1, "write": ALL}]})
    category = plan.categories[0]
    assert fitting_case(plan, category, {"query": "x"}, {"guidelines": ["a"]})[1] == {"guidelines": ["a"]}
    with pytest.raises(Unfit, match="not a list of calls"):
        fitting_case(plan, category, {"query": "x"}, {"expected_tool_calls": 7})


@pytest.mark.parametrize("optional", [True, False])
async def test_a_model_that_follows_no_schema(
    optional: bool,
    make_plan: Callable[..., DatasetPlanInput],
    make_config: Callable[..., DatasetBuilderConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What nobody asked for by name may be missing, and it is said; what a plan names is asked for again and again."""
    monkeypatch.setattr(fake_openai, "with_written", lambda case, prompt: case)
    plan = make_plan(8, write=[{"expected_facts": {"optional": optional}}])
    told: list[str] = []
    async with FakeOpenAI() as server:
        config = make_config(base_url=server.url, provider="openai", batch_size=4)
        async with await Session.create(plan, config) as session:
            session.subscribe(lambda event: told.append(event.text) if isinstance(event, Notice) else None)
            result = await session.run()
    if optional:
        assert result.state is SessionState.COMPLETE
        assert [text for text in told if "8 cases have no `expected_facts`" in text]
    else:
        assert result.state is not SessionState.COMPLETE and result.accepted == 0
