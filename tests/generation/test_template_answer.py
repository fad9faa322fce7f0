"""Answers with templates: what is read out of them, which templates are sound, and what is made of one."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.case_template import CaseTemplate
from dsbuilder_tui.generation.slots import SlotPlan
from dsbuilder_tui.generation.template_answer import ReadTemplates, read_template_answer
from dsbuilder_tui.generation.template_check import TemplateCheck
from dsbuilder_tui.generation.thoughts import split_thoughts
from tests.support.template_answers import REFUND_TEMPLATES, answer, as_text, refund_plan


def _read(text: str) -> ReadTemplates:
    return read_template_answer([text], ["query"])


@pytest.fixture(scope="module")
def check() -> TemplateCheck:
    plan = refund_plan(400)
    return TemplateCheck(plan, plan.categories[0], 3)


def _one(text: str, fillers: list[dict[str, Any]], **more: Any) -> ReadTemplates:
    expected = {"expected_facts": ["It is answered."], "guidelines": ["Is kind."], "expected_tool_calls": []}
    template = {"inputs": {"query": text}, "expectations": expected, **more}
    return _read(as_text(answer([template], fillers)))


def _sound(check: TemplateCheck, read: ReadTemplates) -> CaseTemplate:
    assert not read.faults
    found = check.sound(read.templates[0])
    assert isinstance(found, CaseTemplate), found
    return found


def _fault(check: TemplateCheck, read: ReadTemplates) -> str:
    if read.faults:
        return read.faults[0]
    found = check.sound(read.templates[0])
    assert isinstance(found, str), "it was taken"
    return found


WHOLE = as_text(answer())
PRETTY = json.dumps(answer(), indent=2)


@pytest.mark.parametrize(
    ("text", "templates"),
    [
        (WHOLE, 22),
        (PRETTY, 22),
        (f"Here are your templates:\n```json\n{PRETTY}\n```\nTell me if you need {{more}}!", 22),
        (f"<think>First a draft: {as_text(answer(REFUND_TEMPLATES[:2]))}</think>{WHOLE}", 22),
        (f"{as_text(answer(REFUND_TEMPLATES[:3]))}\nBetter:\n{WHOLE}", 22),
        (WHOLE.replace('"templates": [', '"templates": [,', 1).replace("[,", "[", 1), 22),
        (WHOLE[:-1] + ",}", 22),
        ("I cannot help with that.", 0),
        ("", 0),
        ("{{{ no [ json", 0),
        ('{"templates": "none", "fillers": []}', 0),
    ],
)
def test_templates_are_found_in_what_a_model_says(text: str, templates: int) -> None:
    read = _read(split_thoughts(text).answer)
    assert (len(read.templates), read.faults) == (templates, ())


@pytest.mark.parametrize("share", [0.35, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("whole", [WHOLE, PRETTY])
def test_of_an_answer_that_is_cut_off_the_whole_templates_count(whole: str, share: float) -> None:
    cut = whole[: int(len(whole) * share)]
    read = _read(cut)
    assert not read.faults
    assert cut.count('"details"') - 1 <= len(read.templates) <= cut.count('"details"')
    known = [template["inputs"] for template in REFUND_TEMPLATES]
    assert [template.inputs for template in read.templates] == known[: len(read.templates)]


def test_fillers_may_stand_in_a_mapping_or_with_their_template() -> None:
    fillers = {"lamp": {"type": "choice", "values": ["lamp", "chair"]}}
    template = {"inputs": "Where is my {lamp} {order}?", "fillers": {"order": {"type": "id", "example": "A-12"}}}
    read = _read(json.dumps({"fillers": fillers, "templates": [template]}))
    assert [filler.name for filler in read.templates[0].fillers] == ["lamp", "order"]
    assert read.templates[0].inputs == {"query": "Where is my {lamp} {order}?"}


@pytest.mark.parametrize(
    ("filler", "said"),
    [
        ({"type": "amount", "example": "a lot"}, "not an amount"),
        ({"type": "amount", "example": "$5", "low": 90, "high": 10}, "below its `high`"),
        ({"type": "amount", "example": "$5", "low": "cheap", "high": 10}, "no number"),
        ({"type": "amount", "values": ["$5", "lots of it"]}, "'lots of it', which is not an amount"),
        ({"type": "number", "low": 3}, "needs `low` and `high`"),
        ({"type": "number", "values": ["3", "seven"]}, "'seven', which is not a whole number"),
        ({"type": "date", "example": "yesterday"}, "not a date"),
        ({"type": "date"}, "needs an example"),
        ({"type": "id", "example": "the number"}, "not an id"),
        ({"type": "choice", "values": ["one"]}, "at least two"),
        ({"type": "choice", "values": ["a {size} one", "none"]}, "hold no placeholders"),
        ({"type": "attribute", "axis": "mood", "by_value": {"sad": ["sad"]}}, "'mood', which there is not"),
        ({"type": "attribute", "axis": "situation", "by_value": {"sad": ["sad"]}}, "no value of situation"),
        ({"type": "money", "example": "$5"}, "no known type"),
        ({"type": None}, "no known type"),
    ],
)
def test_a_filler_whose_values_are_not_of_its_type_is_named(
    check: TemplateCheck, filler: dict[str, Any], said: str
) -> None:
    assert said in _fault(check, _one("I want {thing} for my broken kettle back.", [{"name": "thing", **filler}]))


def test_placeholders_need_a_filler_and_what_is_expected_comes_from_the_input(check: TemplateCheck) -> None:
    fillers = [{"name": "order", "type": "id", "example": "ORD-48213"}]
    assert "{amount} has no filler" in _fault(check, _one("Refund {amount} for {order}.", fillers))
    read = _one("Refund my order.", fillers, details=["It was {order}."])
    assert _fault(check, _one("Refund it.", fillers, expectations={"expected_facts": ["It is {order}."]})).startswith(
        "{order}"
    )
    assert isinstance(check.sound(read.templates[0]), CaseTemplate)
    stale: dict[str, Any] = {
        "expected_facts": ["It is looked up."], "guidelines": ["Is kind."],
        "expected_tool_calls": [{"name": "lookup_order", "arguments": {"order_id": "ORD-11111"}}],
    }  # fmt: skip
    assert "ORD-11111" in _fault(check, _one("Please refund {order} at last.", fillers, expectations=stale))
    assert "expected_facts" in _fault(check, _one("Please refund {order} at last.", fillers, expectations={}))
    foreign = {
        **stale,
        "expected_facts": ["x"],
        "expected_tool_calls": [{"name": "pay_out", "arguments": {"id": "{order}"}}],
    }
    assert "pay_out" in _fault(check, _one("Please refund {order} at last.", fillers, expectations=foreign))
    assert "no value 'furious'" in _fault(
        check, _one("Please refund {order}.", fillers, attributes=[{"axis": "situation", "values": ["furious"]}])
    )


def _slots(check: TemplateCheck, count: int) -> list[Slot]:
    plans = SlotPlan(refund_plan(400).categories[0], check.axes.axes, 3)
    return [Slot("refunds", ordinal, plans.attributes(ordinal)) for ordinal in range(1, count + 1)]


def test_values_are_of_their_type_and_the_same_in_what_is_expected(check: TemplateCheck) -> None:
    fillers = [
        {"name": "order", "type": "id", "example": "AB-1234"},
        {"name": "amount", "type": "amount", "example": "49,90 €", "low": 20, "high": 30},
        {"name": "days", "type": "number", "low": 31, "high": 45},
        {"name": "bought", "type": "date", "example": "2026-03-03"},
        {"name": "thing", "type": "choice", "values": ["office chair", "lamp", "umbrella"]},
        {"name": "who", "type": "name"},
        {"name": "town", "type": "city"},
        {"name": "day", "type": "weekday"},
        {"name": "to", "type": "email"},
    ]
    expected = {
        "expected_facts": ["{amount} after {days} days"], "guidelines": ["Names a {thing}."],
        "expected_tool_calls": [{"name": "lookup_order", "arguments": {"order_id": "{order}"}}],
    }  # fmt: skip
    text = "a {thing} of {order} from {bought}, {amount}, {days} days, {who}, {town}, {day}, {to}"
    template = _sound(check, _one(text, fillers, expectations=expected))
    plain = {"persona": "student", "tone": "neutral", "situation": "ordinary", "length": "short", "channel": "chat"}
    seen = Counter[str]()
    for ordinal in range(1, 120):
        slot = Slot("refunds", ordinal, plain)
        case = check.expander.case("t", template, slot, 0)
        assert case == check.expander.case("t", template, slot, 0), "it is not the same each time"
        query, facts = case["inputs"]["query"], case["expectations"]["expected_facts"][0]
        amount = re.search(r"(\d\d)(?:,\d\d) €", query)
        assert amount and 20 <= int(amount[1]) <= 30 and amount[0] in facts
        days = re.search(r"(\d+) days", query)
        assert days and 31 <= int(days[1]) <= 45 and days[0] in facts
        order = case["expectations"]["expected_tool_calls"][0]["arguments"]["order_id"]
        assert re.fullmatch(r"[A-Z]{2}-\d{4}", order) and order in query
        assert re.search(r"\b2026-\d\d-\d\d\b", query) and "{" not in query
        thing = re.search(r"\b([Aa]n?) (office chair|lamp|umbrella)", query)
        assert thing and (thing[1].lower() == "a") == (thing[2] == "lamp")
        seen[thing[2]] += 1
        assert case["tags"]["template"] == text and case["tags"]["template_id"] == "t"
    assert all(30 <= times <= 50 for times in seen.values()), seen


def test_only_templates_that_show_a_slots_attributes_fit_it(check: TemplateCheck) -> None:
    read = _read(WHOLE)
    templates = [_sound(check, ReadTemplates((template,))) for template in read.templates]
    assert check.axes.said == {"situation": ("missing detail", "several intents", "adversarial", "has asked before")}
    assert check.uncovered(templates) == [] and check.room(templates) >= 1000
    plain = [template for template in templates if not template.attributes]
    assert sorted(check.uncovered(plain)) == [f"situation: {value}" for value in sorted(check.axes.said["situation"])]
    for slot in _slots(check, 60):
        fitting = [template for template in templates if check.axes.fits(template, slot.attributes)]
        asked = slot.attributes["situation"]
        named = {value for template in fitting for value in template.attributes.get("situation", ("any",))}
        assert named == ({asked} if asked in check.axes.said["situation"] else {"any"})


def test_an_axis_of_the_plans_own_is_shown_by_templates_or_by_a_filler_of_it() -> None:
    plan = refund_plan(60, attributes={"tier": ["free", "gold"], "tone": ["polite", "angry"]})
    check = TemplateCheck(plan, plan.categories[0], 1)
    assert check.axes.said == {"tier": ("free", "gold")}
    by_value = [
        {"value": "free", "say": ["my free account"]},
        {"value": "gold", "say": ["my gold card", "my gold plan"]},
    ]
    fillers = [{"name": "tier", "type": "attribute", "axis": "tier", "by_value": by_value}]
    template = _sound(check, _one("What do I get back under {tier}?", fillers))
    assert check.uncovered([template]) == []
    case = check.expander.case("t", template, Slot("refunds", 1, {"tier": "gold", "tone": "polite"}), 0)
    assert "my gold" in case["inputs"]["query"]
    half = [{**fillers[0], "by_value": by_value[:1]}]
    assert check.uncovered([_sound(check, _one("What do I get back under {tier}?", half))]) == ["tier: gold"]


@pytest.mark.parametrize(
    ("example", "text", "persona_is_said"),
    [
        ("Wo bleibt mein Geld für die Bestellung A-1234?", "Wo bleibt das Geld für meine {thing} aus der Bestellung {order}?", True),
        ("¿Dónde está mi reembolso del pedido A-1234?", "¿Dónde está el dinero de mi {thing} del pedido {order}?", True),
        ("Gdzie jest mój zwrot za zamówienie A-1234?", "Gdzie są pieniądze za {thing} z zamówienia {order}?", True),
        ("Where is my money for A-1234?", "Where is the money for my {thing} of order {order}?", False),
    ],
)  # fmt: skip
def test_templates_in_other_languages_say_what_is_not_added_there(
    example: str, text: str, persona_is_said: bool
) -> None:
    axes = {"persona": ["student", "older person"], "situation": ["ordinary", "typos"]}
    plan = refund_plan(40, example_inputs=[example], attributes=axes)
    check = TemplateCheck(plan, plan.categories[0], 1)
    assert ("persona" in check.axes.said) is persona_is_said and "situation" not in check.axes.said
    fillers = [
        {"name": "order", "type": "id", "example": "A-1234"},
        {"name": "thing", "type": "choice", "values": ["Lampe", "Tasche"]},
    ]
    shown = [{"axis": "persona", "values": ["student", "older person"]}]
    template = _sound(check, _one(text, fillers, attributes=shown if persona_is_said else []))
    cases = [
        check.expander.case("t", template, Slot("refunds", n, {"persona": "student", "situation": "ordinary"}), 0)
        for n in range(1, 6)
    ]
    english = sum("I'm" in case["inputs"]["query"] or "student" in case["inputs"]["query"] for case in cases)
    assert bool(english) is not persona_is_said


def test_what_does_not_go_together_with_templates_is_said_when_the_plan_is_read() -> None:
    from dsbuilder_tui.domain.errors import PlanError

    def problem(**more: Any) -> str:
        with pytest.raises(PlanError) as raised:
            refund_plan(10, **more)
        return str(raised.value)

    assert "refunds" in problem(sources=["./docs"]) and "documents cannot be made of templates" in problem(
        sources=["./docs"]
    )
    assert "conversation cannot be made of templates" in problem(kind="conversation", example_inputs=[])
    assert "go through no stages" in problem(pipeline=["evolve"])
    assert "mode" in problem(mode="cheap")
