"""A case beside the list: fields in words, the verdict with its why, evidence in its passage, tags in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.judging import Judgement, Verdict
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.generation.value_kinds import Unfit
from dsbuilder_tui.tui.paint.case_detail import case_detail, near_cases
from dsbuilder_tui.tui.paint.case_fields import CaseField, CasePart, FieldKind, case_fields, edited_case
from dsbuilder_tui.tui.paint.line import Line
from dsbuilder_tui.tui.paint.tag_words import tag_words

PLAN = DatasetPlanInput(
    dataset_name="support",
    target={"tools": {"pay": ["order_id: str", "amount: float"]}},
    write=["expected_facts", "expected_tool_calls", {"mood": {"values": ["calm", "angry"], "meaning": "how they feel"}},
           {"steps": {"type": "list", "meaning": "what to do"}}],
    categories=[{"name": "refunds", "count": 3, "description": "Money back", "expectations": {"polite": True}}],
)  # fmt: skip


def case_of(expectations: dict[str, Any], inputs: Any = "Where is it?", **tags: Any) -> AcceptedCase:
    return AcceptedCase(1, "refunds", 1, {"query": inputs}, expectations, tags, 0.0)


def words(lines: list[Line]) -> str:
    return "\n".join("".join(span[0] for span in line) for line in lines)


def shown(case: AcceptedCase, *passages: Passage, width: int = 60) -> str:
    return words(case_detail(case, case_fields(PLAN, case), (), width, passages))


def field(key: str, value: Any) -> CaseField:
    return next(one for one in case_fields(PLAN, case_of({key: value})) if one.key == key)


def test_expectations_are_shown_as_fields_with_their_meaning() -> None:
    calls = [{"name": "pay", "arguments": {"order_id": "7", "amount": 2.5}}, {"name": "close"}]
    text = shown(case_of({"expected_facts": ["Paid in full", "At once"], "expected_tool_calls": calls, "mood": "calm"}))
    assert "expected_facts · what a right answer states\n• Paid in full\n• At once" in text
    assert "1 pay\n    order_id  7\n    amount    2.5\n2 close" in text
    assert "mood  calm · how they feel" in text
    assert "left out here: steps, polite" in text
    assert "{" not in text and '"' not in text


def test_a_conversation_is_shown_turn_by_turn() -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?\nWhat is it?"}]
    assert "user: Hi\nassistant: Yes?\n           What is it?" in shown(case_of({}, turns))


def test_a_verdict_is_told_with_its_why_and_where_the_person_thinks_otherwise() -> None:
    bad = Verdict(Judgement.BAD, "it is not asked", "no user", ("on_topic", "leaks_nothing"), "gpt-4o").as_tag()
    text = shown(case_of({}, verdict=bad))
    assert "✗ judged bad by gpt-4o\nno to: on topic, leaks nothing\nwhy: it is not asked\n“no user”" in text
    assert "You pinned it" not in text
    assert "You pinned it: you and the judge do not agree." in shown(case_of({}, verdict=bad, pinned=True))
    good = Verdict(Judgement.GOOD, "fine").as_tag()
    assert "✓ judged good" in shown(case_of({}, verdict=good, pinned=True))


def test_a_quotation_is_set_off_in_its_passage() -> None:
    passage = Passage("refunds.md", "Late parcels", 50, 90, "A late parcel\nis paid back in full, always.")
    quote = {"quote": "paid back in full", "passage": passage.id, "start": 67, "end": 84}
    case = case_of({}, evidence=[quote], sources=[{"passage": passage.id}])
    lines = case_detail(case, case_fields(PLAN, case), (), 60, [passage])
    assert "written from refunds.md › Late parcels\nA late parcel is paid back in full, always." in words(lines)
    strong = ["".join(s[0] for s in line if s[1] == "strong") for line in lines]
    assert "paidbackinfull" in [text.replace(" ", "") for text in strong]
    assert "“paid back in full”" in words(case_detail(case, (), (), 60))  # a passage that is gone


def test_tags_are_told_in_words_those_that_nobody_has_named_too() -> None:
    tags = {
        "attributes": {"tone": "polite"}, "note": "x", "model": "gpt-4o", "template": "Where is {thing}?",
        "perturbation": "none", "kind_of_pair": {"partner": "refunds-00002", "what_changed": ["the amount", "the day"]},
        "drafted": True,
    }  # fmt: skip
    assert tag_words(tags) == [
        ("written by", "gpt-4o"),
        ("made from", "Where is {thing}?"),
        ("kind of pair", "partner: refunds-00002 · what changed: the amount, the day"),
        ("drafted", "yes"),
    ]
    assert "kind of pair" in shown(case_of({}, **tags))


@pytest.mark.parametrize(
    ("key", "value", "kind", "text"),
    [
        ("expected_facts", ["a", "b"], FieldKind.LIST, "a\nb"),
        ("expected_facts", ["two\nlines"], FieldKind.JSON, None),
        ("expected_facts", None, FieldKind.LIST, ""),
        ("guidelines", "one rule", FieldKind.TEXT, "one rule"),
        ("mood", "angry", FieldKind.CHOICE, "angry"),
        ("mood", "else", FieldKind.TEXT, "else"),
        ("polite", True, FieldKind.TRUTH, "true"),
        ("polite", None, FieldKind.TRUTH, ""),
        ("steps", [], FieldKind.LIST, ""),
        ("own", 3, FieldKind.NUMBER, "3"),
        ("own", 3.0, FieldKind.NUMBER, "3.0"),
        ("own", {"a": 1}, FieldKind.JSON, None),
        ("own", "esc \x1b[31m", FieldKind.JSON, '"esc \\u001b[31m"'),
        ("own", [{"role": "user", "content": "a\nb"}], FieldKind.TURNS, "user: a\nb"),
        ("own", [{"role": "user", "content": "a\nuser: b"}], FieldKind.JSON, None),
        (
            "expected_tool_calls",
            [{"name": "pay", "arguments": {"order_id": "7"}}],
            FieldKind.CALLS,
            "pay\n  order_id: 7",
        ),
        ("expected_tool_calls", [{"name": "x", "arguments": {"n": "7"}}], FieldKind.CALLS, 'x\n  n: "7"'),
        (
            "expected_tool_calls",
            [{"name": "x", "arguments": {"n": 7, "on": True}}],
            FieldKind.CALLS,
            "x\n  n: 7\n  on: true",
        ),
        ("expected_tool_calls", [{"name": "x", "arguments": {}}], FieldKind.JSON, None),
        ("expected_tool_calls", [{"tool": "x"}], FieldKind.JSON, None),
    ],
)
def test_a_field_has_the_kind_of_its_value(key: str, value: Any, kind: FieldKind, text: str | None) -> None:
    found = field(key, value)
    assert found.kind is kind and (text is None or found.text == text)
    assert found.read(found.text) == value


@pytest.mark.parametrize(
    ("key", "value", "typed", "meant"),
    [
        ("expected_facts", ["a"], "a\n\n  b  ", ["a", "b"]),
        ("expected_facts", ["a"], "  ", None),
        ("own", 3, " 4 ", 4),
        ("own", 3, "-4.5e2", -450.0),
        ("own", "text", "123", "123"),
        ("polite", True, "false", False),
        ("expected_tool_calls", None, "pay\n\torder_id: 7\n\tamount: 7", [{"name": "pay", "arguments": {"order_id": "7", "amount": 7}}]),
        ("expected_tool_calls", None, "go\ngo\n  to: a: b\n  from:", [{"name": "go"}, {"name": "go", "arguments": {"to": "a: b", "from": ""}}]),
        ("own", [{"role": "agent", "content": "a"}], "agent: b\nuser: c\n\nd", [{"role": "agent", "content": "b"}, {"role": "user", "content": "c\n\nd"}]),
    ],
)  # fmt: skip
def test_what_is_typed_is_read_in_the_kind_of_the_field(key: str, value: Any, typed: str, meant: Any) -> None:
    found = field(key, value).read(typed)
    assert found == meant and type(found) is type(meant)


@pytest.mark.parametrize(
    ("key", "value", "typed"),
    [
        ("own", 3, "three"), ("own", 3, "1e"), ("polite", True, "yes"), ("mood", "calm", "sad"), ("own", {"a": 1}, "{a: 1}"),
        ("expected_tool_calls", None, "  order_id: 7"), ("expected_tool_calls", None, "pay\n  order_id"),
        ("expected_tool_calls", None, "pay\n  order_id: 7\n  order_id: 8"), ("expected_tool_calls", None, "pay\norder_id: 7"),
        ("own", [{"role": "user", "content": "a"}], "hello"), ("own", [{"role": "user", "content": "a"}], "user: "),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(key: str, value: Any, typed: str) -> None:
    with pytest.raises(Unfit):
        field(key, value).read(typed)


def test_a_case_of_a_category_that_is_gone_still_has_its_fields() -> None:
    case = replace(case_of({"expected_facts": ["a"], "own": 1}), category="gone")
    assert [(one.key, one.kind) for one in case_fields(PLAN, case)] == [
        ("query", FieldKind.TEXT), ("expected_facts", FieldKind.LIST), ("own", FieldKind.NUMBER),
    ]  # fmt: skip


def test_a_scenario_needs_its_goal_alone_and_offers_what_else_it_may_say() -> None:
    plan = DatasetPlanInput(
        dataset_name="support", categories=[{"name": "refunds", "count": 1, "kind": "scenario", "example_inputs": ["Get a refund"]}]
    )  # fmt: skip
    case = AcceptedCase(1, "refunds", 1, {"goal": "Get a refund"}, {}, {"kind": "scenario"}, 0.0)
    fields = case_fields(plan, case)
    found = {one.key: (one.kind, one.may_lack) for one in fields if one.part is CasePart.INPUTS}
    assert found == {
        "goal": (FieldKind.TEXT, False), "persona": (FieldKind.TEXT, True), "context": (FieldKind.JSON, True),
        "simulation_guidelines": (FieldKind.LIST, True),
    }  # fmt: skip
    texts = {"goal": " ", "simulation_guidelines": "Short\nRude", "context": '{"user": 7}'}
    inputs, expectations, problems = edited_case(fields, [texts.get(one.key, one.text) for one in fields])
    assert inputs == {"simulation_guidelines": ["Short", "Rude"], "context": {"user": 7}} and expectations == {}
    assert problems == {0: "must not be empty"}


def test_a_pair_is_told_in_words_and_can_be_shown_together() -> None:
    pair = {
        "id": "p1",
        "kind": "contrast",
        "side": "partner",
        "other": "refunds-00007",
        "change": "amount",
        "changed": "over 50",
    }
    case = case_of({}, pair=pair, flags=[{"kind": "similar", "case_id": "refunds-00003"}])
    text = " ".join(shown(case).split())
    assert "⇄ contrast pair with refunds-00007: the amount differs (over 50), and so do the expectations." in text
    assert "other: " not in text  # it is not told a second time as a tag
    assert [other for _, other in near_cases(case)] == ["refunds-00007", "refunds-00003"]
    same = case_of({}, pair={"id": "p1", "kind": "same", "side": "original", "other": "refunds-00007"})
    assert "paraphrase pair with refunds-00007: other words, the same expectations." in " ".join(shown(same).split())
    assert near_cases(case_of({}, pair={"kind": "odd"})) == []


def test_the_row_that_a_case_is_about_is_told_in_words() -> None:
    row = {
        "file": "products.csv",
        "number": 1017,
        "fields": {"name": "Blue\nkettle", "price": 24.5, "sizes": ["s", "m"]},
    }
    case = case_of({}, row=row)
    text = shown(case)
    assert "about products.csv, row 1,017\nname   Blue kettle\nprice  24.5\nsizes  s, m" in text
    assert not tag_words(case.tags)
    assert "about" not in shown(case_of({}, row="a row of somebody else's"))
