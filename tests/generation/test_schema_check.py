"""The gate, first part: shape."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import Candidate, Slot
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.generation.batch_size import BatchSizer
from dsbuilder_tui.generation.case_scanner import MalformedCase
from dsbuilder_tui.generation.schema_check import Fitted, Misfit, SchemaCheck
from dsbuilder_tui.generation.value_kinds import as_planned


def plan_with(**category: Any) -> DatasetPlanInput:
    base = {"name": "c", "count": 5, "example_inputs": "Where is my order #1?", "expectations": {"ok": True, "n": 3}}
    return parse_plan({"dataset_name": "d", "categories": [{**base, **category}]})


def candidate(raw: Any, ordinal: int = 1) -> Candidate:
    return Candidate(Slot("c", ordinal, {"tone": "polite"}), 0, raw, 1, "m")


def judged(raw: Any, **category: Any) -> Fitted | Misfit:
    found = SchemaCheck(plan_with(**category)).fit(candidate(raw))
    return found if isinstance(found, Misfit) else found[0]


def test_a_good_case_becomes_a_record() -> None:
    verdict = judged({"slot": 1, "inputs": {"query": "  Hello? "}, "expectations": {"ok": False}, "tags": {"x": 1}})
    assert isinstance(verdict, Fitted)
    assert verdict.inputs == {"query": "Hello?"}
    assert verdict.expectations == {"ok": False, "n": 3}
    assert verdict.tags == {"attributes": {"tone": "polite"}, "model": "m"}


@pytest.mark.parametrize("raw", [
    {"inputs": "Hello?"}, {"query": "Hello?"}, {"input": {"query": "Hello?"}},
    {"inputs": {"query": "Hello?", "persona": "x"}}, {"inputs": {"query": "Hello?"}, "expectations": {"unknown": 1}},
])  # fmt: skip
def test_near_misses_of_shape_are_understood(raw: Any) -> None:
    verdict = judged(raw)
    assert isinstance(verdict, Fitted) and verdict.inputs == {"query": "Hello?"}
    assert verdict.expectations == {"ok": True, "n": 3}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (MalformedCase("{oops"), "not valid JSON"),
        ({"slot": 1}, "`inputs` is missing"),
        ({"inputs": {"question": "x"}}, "the field `query` is missing"),
        ({"inputs": {"query": 42}}, "is a number, not text"),
        ({"inputs": {"query": "   "}}, "is empty"),
        ({"inputs": ["x"]}, "is a list, not text"),
        ({"inputs": {"query": "x"}, "expectations": "none"}, "`expectations` is text, not an object"),
        (
            {"inputs": {"query": "x"}, "expectations": {"ok": "yes"}},
            "`ok` of `expectations` is text, not true or false",
        ),
        ({"inputs": {"query": "x" * 100_000}}, "longer than"),
        ({"inputs": {"query": "x"}, "expectations": {"n": 2**70}}, "cannot be stored"),
    ],
)
def test_bad_shapes_are_refused_with_a_reason(raw: Any, reason: str) -> None:
    verdict = judged(raw)
    assert isinstance(verdict, Misfit) and reason in verdict.reason


@pytest.mark.parametrize(
    ("raw", "expectations"),
    [
        ({"inputs": {"query": ["x"]}, "expectations": {"ok": "true", "n": "4"}}, {"ok": True, "n": 4}),
        ({"inputs": {"query": "x"}, "expectations": {"ok": " False ", "n": "2.5"}}, {"ok": False, "n": 2.5}),
        ({"inputs": [{"query": "x"}], "expectations": [{"ok": [False], "n": ["7"]}]}, {"ok": False, "n": 7}),
        ({"inputs": '{"query": "x"}', "expectations": '{"ok": false, "n": 1}'}, {"ok": False, "n": 1}),
        ({"slot": 1, "query": "x", "ok": "false"}, {"ok": False, "n": 3}),
    ],
)
def test_a_value_of_another_kind_is_taken_as_it_is_meant(raw: Any, expectations: Any) -> None:
    verdict = judged(raw)
    assert isinstance(verdict, Fitted) and verdict.inputs == {"query": "x"}
    assert verdict.expectations == expectations


@pytest.mark.parametrize(
    ("value", "planned", "taken"),
    [
        ("greets", ["says hello"], ["greets"]),
        ('["a", "b"]', ["x"], ["a", "b"]),
        (["1", 2], [3], [1, 2]),
        ({"a": "true", "b": "x"}, {"a": False}, {"a": True, "b": "x"}),
        ('{"a": "3"}', {"a": 1}, {"a": 3}),
        # and what is left alone, since it would be a guess
        ("yes", True, "yes"), (1, True, 1), ("three", 3, "three"), ("1e999", 3, "1e999"), ("12 euros", 3, "12 euros"),
        (["a", "b"], "text", ["a", "b"]), ("yo", [{"role": "user"}], "yo"), ([["x"]], "text", [["x"]]), (None, 3, None),
        ("x", None, "x"), (7, "text", 7),
    ],
)  # fmt: skip
def test_values_and_what_was_planned(value: Any, planned: Any, taken: Any) -> None:
    got = as_planned(value, planned)
    assert got == taken and type(got) is type(taken)


def test_half_a_surrogate_pair_can_be_stored() -> None:
    verdict = judged({"inputs": {"query": "broken \ud83d emoji"}})
    assert isinstance(verdict, Fitted) and verdict.inputs["query"] == "broken \ufffd emoji"


def test_odd_tags_and_deep_nesting_do_no_harm() -> None:
    verdict = judged({"inputs": {"query": "x"}, "tags": {"template": "half \ud83d", "perturbation": ["a"]}})
    assert isinstance(verdict, Fitted) and verdict.tags["template"] == "half \ufffd"
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    for raw in ({"inputs": {"query": deep}}, {"inputs": {"query": "x"}, "expectations": {"ok": deep}}, {"query": deep}):
        assert isinstance(judged(raw), Misfit)
    listed = judged({"inputs": {"query": deep}}, example_inputs=[{"query": ["x"]}])
    assert isinstance(listed, Misfit)


def test_an_empty_example_field_says_nothing_about_its_kind() -> None:
    verdict = judged({"inputs": {"query": "x", "note": "y"}}, example_inputs=[{"query": "a", "note": None}])
    assert isinstance(verdict, Fitted)


def test_expected_tools_become_expectations() -> None:
    verdict = judged({"inputs": {"query": "x"}}, expected_tools=["lookup", {"name": "refund", "arguments": {"id": 1}}])
    assert isinstance(verdict, Fitted)
    assert verdict.expectations["expected_tool_calls"] == [
        {"name": "lookup"},
        {"name": "refund", "arguments": {"id": 1}},
    ]


def test_fields_take_the_kind_of_their_example() -> None:
    example = {"messages": [{"role": "user", "content": "hi"}], "k": 3}
    good = judged({"inputs": {"messages": [{"role": "user", "content": "yo"}], "k": 4}}, example_inputs=[example])
    bad = judged({"inputs": {"messages": "yo", "k": 4}}, example_inputs=[example])
    assert isinstance(good, Fitted) and isinstance(bad, Misfit)


@pytest.mark.parametrize(
    ("seen", "size"),
    [
        ({"asked": 20, "delivered": 12, "accepted": 12, "outcome": CallOutcome.TRUNCATED}, 12),
        ({"asked": 20, "delivered": 0, "accepted": 0, "outcome": CallOutcome.TRUNCATED}, 10),
        ({"asked": 1, "delivered": 0, "accepted": 0, "outcome": CallOutcome.TRUNCATED}, 1),
        ({"asked": 20, "delivered": 20, "accepted": 5, "outcome": CallOutcome.OK}, 15),
        ({"asked": 20, "delivered": 0, "accepted": 0, "outcome": CallOutcome.FAILED}, 10),
        ({"asked": 20, "delivered": 20, "accepted": 20, "outcome": CallOutcome.OK}, 20),
    ],
)
def test_batch_size_moves_with_what_is_seen(seen: dict[str, Any], size: int) -> None:
    sizer = BatchSizer(20)
    sizer.observe(**seen)
    assert sizer.size == size
    for _ in range(30):
        sizer.observe(asked=size, delivered=size, accepted=size, outcome=CallOutcome.OK)
    assert sizer.size == 20


def test_of_several_candidates_the_least_expected_comes_first() -> None:
    several = [
        {"inputs": {"query": "usual"}, "probability": 0.6}, {"inputs": {"query": "rare"}, "probability": 0.02},
        {"inputs": {"query": 7}, "probability": 0.01}, {"inputs": {"query": "no word on it"}},
        {"inputs": {"query": "odd"}, "probability": "high"},
    ]  # fmt: skip
    found = SchemaCheck(plan_with()).fit(candidate({"slot": 1, "candidates": several}))
    assert isinstance(found, list)
    assert [one.inputs["query"] for one in found] == ["rare", "usual", "no word on it", "odd"]
    none = SchemaCheck(plan_with()).fit(candidate({"candidates": [7, {"inputs": {"query": ""}}]}))
    assert isinstance(none, Misfit) and "a number" in none.reason


def test_a_field_may_be_called_candidates() -> None:
    verdict = judged({"candidates": ["Ann", "Bob"]}, example_inputs=[{"candidates": ["Eve"]}])
    assert isinstance(verdict, Fitted) and verdict.inputs == {"candidates": ["Ann", "Bob"]}
