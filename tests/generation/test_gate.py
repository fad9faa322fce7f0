"""The gate: shape first, then likeness."""

from __future__ import annotations

from typing import Any

import pytest

from dsbuilder_tui.diversity.structural import StructuralStage
from dsbuilder_tui.domain.case import Candidate, Slot
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.generation.batching import BatchSizer
from dsbuilder_tui.generation.casestream import MalformedCase
from dsbuilder_tui.generation.gate import Admitted, Gate, Refused


def plan_with(**category: Any) -> DatasetPlanInput:
    base = {"name": "c", "count": 5, "example_inputs": "Where is my order #1?", "expectations": {"ok": True, "n": 3}}
    return parse_plan({"dataset_name": "d", "categories": [{**base, **category}]})


def candidate(raw: Any, ordinal: int = 1) -> Candidate:
    return Candidate(Slot("c", ordinal, {"tone": "polite"}), 0, raw, 1, "m")


async def judged(raw: Any, **category: Any) -> Admitted | Refused:
    return await Gate(plan_with(**category), [StructuralStage()]).judge(candidate(raw))


async def test_a_good_case_becomes_a_record() -> None:
    verdict = await judged(
        {"slot": 1, "inputs": {"query": "  Hello? "}, "expectations": {"ok": False}, "tags": {"x": 1}}
    )
    assert isinstance(verdict, Admitted)
    assert verdict.inputs == {"query": "Hello?"}
    assert verdict.expectations == {"ok": False, "n": 3}
    assert verdict.tags == {"attributes": {"tone": "polite"}, "model": "m"}


@pytest.mark.parametrize("raw", [
    {"inputs": "Hello?"}, {"query": "Hello?"}, {"input": {"query": "Hello?"}},
    {"inputs": {"query": "Hello?", "persona": "x"}}, {"inputs": {"query": "Hello?"}, "expectations": {"unknown": 1}},
])  # fmt: skip
async def test_near_misses_of_shape_are_understood(raw: Any) -> None:
    verdict = await judged(raw)
    assert isinstance(verdict, Admitted) and verdict.inputs == {"query": "Hello?"}
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
async def test_bad_shapes_are_refused_with_a_reason(raw: Any, reason: str) -> None:
    verdict = await judged(raw)
    assert isinstance(verdict, Refused) and verdict.stage == "schema" and reason in verdict.reason


async def test_half_a_surrogate_pair_can_be_stored() -> None:
    verdict = await judged({"inputs": {"query": "broken \ud83d emoji"}})
    assert isinstance(verdict, Admitted) and verdict.inputs["query"] == "broken \ufffd emoji"


async def test_odd_tags_and_deep_nesting_do_no_harm() -> None:
    verdict = await judged({"inputs": {"query": "x"}, "tags": {"template": "half \ud83d", "perturbation": ["a"]}})
    assert isinstance(verdict, Admitted) and verdict.tags["template"] == "half \ufffd"
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    for raw in ({"inputs": {"query": deep}}, {"inputs": {"query": "x"}, "expectations": {"ok": deep}}, {"query": deep}):
        assert isinstance(await judged(raw), Refused)
    listed = await judged({"inputs": {"query": deep}}, example_inputs=[{"query": ["x"]}])
    assert isinstance(listed, Refused)


async def test_an_empty_example_field_says_nothing_about_its_kind() -> None:
    verdict = await judged({"inputs": {"query": "x", "note": "y"}}, example_inputs=[{"query": "a", "note": None}])
    assert isinstance(verdict, Admitted)


async def test_repeats_are_refused_with_the_case_they_repeat() -> None:
    gate = Gate(plan_with(), [StructuralStage()])
    first = await gate.judge(candidate({"inputs": {"query": "Where is my order #12345?"}}))
    assert isinstance(first, Admitted)
    gate.admit(first.keys, 17)
    second = await gate.judge(candidate({"inputs": {"query": "where is my order #99?!"}}, 2))
    assert isinstance(second, Refused) and second.match
    assert (second.stage, second.match.nearest_seq, second.match.score) == ("structural", 17, 1.0)
    assert isinstance(await gate.judge(candidate({"inputs": {"query": "Where is my parcel #99?"}}, 2)), Admitted)


async def test_a_category_with_diversity_off_may_repeat() -> None:
    gate = Gate(plan_with(diversity="off"), [StructuralStage()])
    for ordinal in (1, 2):
        verdict = await gate.judge(candidate({"inputs": {"query": "Hello?"}}, ordinal))
        assert isinstance(verdict, Admitted) and verdict.keys == ()
        gate.admit(verdict.keys, ordinal)


async def test_expected_tools_become_expectations() -> None:
    verdict = await judged(
        {"inputs": {"query": "x"}}, expected_tools=["lookup", {"name": "refund", "arguments": {"id": 1}}]
    )
    assert isinstance(verdict, Admitted)
    assert verdict.expectations["expected_tool_calls"] == [
        {"name": "lookup"},
        {"name": "refund", "arguments": {"id": 1}},
    ]


async def test_fields_take_the_kind_of_their_example() -> None:
    example = {"messages": [{"role": "user", "content": "hi"}], "k": 3}
    good = await judged({"inputs": {"messages": [{"role": "user", "content": "yo"}], "k": 4}}, example_inputs=[example])
    bad = await judged({"inputs": {"messages": "yo", "k": 4}}, example_inputs=[example])
    assert isinstance(good, Admitted) and isinstance(bad, Refused)


@pytest.mark.parametrize(
    ("seen", "size"),
    [
        ({"asked": 20, "delivered": 12, "accepted": 12, "outcome": "truncated"}, 12),
        ({"asked": 20, "delivered": 0, "accepted": 0, "outcome": "truncated"}, 10),
        ({"asked": 1, "delivered": 0, "accepted": 0, "outcome": "truncated"}, 1),
        ({"asked": 20, "delivered": 20, "accepted": 5, "outcome": "ok"}, 15),
        ({"asked": 20, "delivered": 0, "accepted": 0, "outcome": "failed"}, 10),
        ({"asked": 20, "delivered": 20, "accepted": 20, "outcome": "ok"}, 20),
    ],
)
def test_batch_size_moves_with_what_is_seen(seen: dict[str, Any], size: int) -> None:
    sizer = BatchSizer(20)
    sizer.observe(**seen)
    assert sizer.size == size
    for _ in range(30):
        sizer.observe(asked=size, delivered=size, accepted=size, outcome="ok")
    assert sizer.size == 20
