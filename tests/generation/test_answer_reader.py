"""Which objects of an answer are cases, for which slots: thoughts, drafts, envelopes, numbers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsbuilder_tui.generation.answer_reader import AnswerHabits, AnswerReader
from dsbuilder_tui.generation.answer_versions import read_answer
from dsbuilder_tui.generation.case_scanner import RunawayOutput

FIELDS = ["query", "name"]


def cases(word: str, count: int = 3, first: int = 1) -> list[dict[str, Any]]:
    return [{"slot": n, "inputs": {"query": f"{word}{n}"}} for n in range(first, first + count)]


def answer(word: str, count: int = 3) -> str:
    return json.dumps({"cases": cases(word, count)})


DRAFT, FINAL = answer("draft"), answer("case")
WITHOUT_SLOTS = [{"inputs": {"query": f"case{n}"}} for n in (1, 2, 3)]
BRACES = 'It must look like {"cases": [{"slot": 1, "inputs": {"query": "..."}, and so on. Now I write it.'
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "cases": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "slot": {"type": "integer"},
                        "inputs": {"type": "object", "properties": {"query": {"type": "string"}}},
                    },
                },
            }
        },
    }
)

# What comes before the answer, or around it, and is none.
THOUGHTS = {
    "think": f"<think>\n{DRAFT} Too plain.\n</think>\n\n{FINAL}",
    "open braces": f"<think>{BRACES}</think>{FINAL}",
    "thinking, with an attribute": f'<Thinking level="2">{DRAFT}</Thinking>{FINAL}',
    "of another name than it closes": f"<thought>{DRAFT}</thinking>{FINAL}",
    "reasoning": f"<reasoning>{DRAFT}</reasoning>\n```json\n{FINAL}\n```",
    "twice": f"<think>{DRAFT}</think><think>{DRAFT}</think>{FINAL}",
    "one in the other": f"<think>a <think>b {DRAFT}</think> c {DRAFT}</think>{FINAL}",
    "behind the answer": f"{FINAL}<think>{BRACES}</think>",
    "brackets": f"[THINK]{DRAFT} {BRACES}[/THINK]{FINAL}",
    "Kimi's": f"◁think▷{DRAFT}◁/think▷{FINAL}",
    "Cohere's": f"<|START_THINKING|>{DRAFT}<|END_THINKING|>{FINAL}",
    "Open WebUI's": f'<details type="reasoning" done="true"><summary>Thought</summary>{DRAFT}</details>\n{FINAL}',
    "a closing tag alone": f"Let me see. {BRACES}\n</think>\n\n{FINAL}",
    "a closing tag alone, behind a draft": f"{DRAFT}\nToo plain.\n</think>\n\n{FINAL}",
    "a closing tag alone, within a string": f'Let "me {{"a": "x</think>\n{FINAL}',
    "never closed": f"<think>\nLet me see. {BRACES}\n\n{FINAL}",
    "channels": f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{FINAL}<|return|>",
    "a channel for JSON": f"<|channel|>analysis<|message|>x<|end|><|channel|>final <|constrain|>json<|message|>{FINAL}",
    "channels without their tokens": f"analysisWe need {DRAFT}.assistantfinal{FINAL}",
    "an answer tag": f"<think>{DRAFT}</think><answer>{FINAL}</answer>",
    "a draft in prose": f"Here is a draft:\n```json\n{DRAFT}\n```\nNow the final version:\n```json\n{FINAL}\n```",
    "a draft first": f"{DRAFT}\n\nThat is too plain. The final version:\n\n{FINAL}",
    "two lists in one object": json.dumps({"draft": cases("draft"), "cases": cases("case")}),
    "lines, then better ones": "\n".join(map(json.dumps, cases("draft") + cases("case"))),
    "the shape": f'The shape is {{"slot": 2, "inputs": {{"query": "draft"}}}}. So:\n{FINAL}',
    "braces in prose": f"{BRACES} {FINAL}",
    "an example behind it": f'{FINAL}\nOr else {{"slot": 1, "inputs": {{"query": "draft"}}}}.',
    "the schema": f"{SCHEMA}\n\n{FINAL}",
    "a wish": f'{{"note": "I wrote {{three}}"}} {FINAL} Let me know if you need {{more}}!',
}
# The list under other names and depths.
ENVELOPES = {
    "as asked": FINAL,
    "a list": json.dumps(cases("case")),
    "lines": "\n".join(map(json.dumps, cases("case"))),
    "another name": json.dumps({"test_suite": cases("case")}),
    "deeper": json.dumps({"response": {"data": {"items": cases("case")}}}),
    "properties": json.dumps({"type": "object", "properties": {"cases": cases("case")}}),
    "beside other things": json.dumps(
        {"dataset": "x", "n": [1, {"a": 2}], "result": {"cases": cases("case"), "ok": True}}
    ),
    "by number": json.dumps({"cases": {str(case["slot"]): case for case in cases("case")}}),
    "by number, backwards, without slots": json.dumps({"cases": {str(n): WITHOUT_SLOTS[n - 1] for n in (3, 2, 1)}}),
    "case_1, case_2": json.dumps({f"case_{n}": WITHOUT_SLOTS[n - 1] for n in (2, 3, 1)}),
    "a list for each": json.dumps({f"slot_{n}": [WITHOUT_SLOTS[n - 1]] for n in (3, 1, 2)}),
    "a call": json.dumps({"name": "test_cases", "arguments": {"cases": cases("case")}}),
    "a call with text": json.dumps({"name": "test_cases", "arguments": FINAL}),
    "JSON in a string": json.dumps(FINAL),
    "a string without quotation marks": json.dumps(FINAL)[1:-1],
    "a list of texts": json.dumps([json.dumps(case) for case in cases("case")]),
    "flat": json.dumps([{"slot": n, "query": f"case{n}"} for n in (1, 2, 3)]),
    "flat, without slots": json.dumps({"cases": [{"query": f"case{n}"} for n in (1, 2, 3)]}),
    "without slots": json.dumps(WITHOUT_SLOTS),
    "numbers as text": json.dumps([{**case, "slot": f"{case['slot']}."} for case in reversed(cases("case"))]),
    "numbers in words": json.dumps([{**case, "slot": f"Slot {case['slot']}"} for case in reversed(cases("case"))]),
    "numbers with a point": json.dumps([{**case, "slot": float(case["slot"])} for case in reversed(cases("case"))]),
    "from zero": json.dumps([{**case, "slot": case["slot"] - 1} for case in cases("case")]),
    "tags in a text": answer("case").replace('"case', '"</think> <think> case'),
    "tags in a text, after prose": "Sure: " + answer("case").replace('"case', '"<think> case'),
}


def texts(found: dict[int, Any]) -> dict[int, str]:
    return {index: str((raw.get("inputs") or raw).get("query")).split()[-1] for index, raw in found.items()}


def read(text: str, size: int, *, wanted: int = 3, trusted: bool = False) -> dict[int, str]:
    reader = AnswerReader(wanted, FIELDS, habits=AnswerHabits(trusted=trusted))
    found: dict[int, Any] = {}
    for start in range(0, len(text), size):
        found.update(reader.feed(text[start : start + size]))
        if reader.over:
            break
    found.update(reader.finish(ended=True))
    return texts(found)


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("name", [*THOUGHTS, *ENVELOPES])
def test_what_the_model_means_to_deliver(name: str, size: int) -> None:
    assert read((THOUGHTS | ENVELOPES)[name], size) == {0: "case1", 1: "case2", 2: "case3"}


@pytest.mark.parametrize("size", [1, 100_000])
@pytest.mark.parametrize("name", ENVELOPES)
def test_from_a_model_that_is_known_each_case_comes_as_it_closes(name: str, size: int) -> None:
    assert read(ENVELOPES[name], size, trusted=True) == {0: "case1", 1: "case2", 2: "case3"}


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{DRAFT} Hmm, too plain; I should</think>",
        f"<think>{DRAFT} Hmm, too plain; I should",
        f"<|channel|>analysis<|message|>{DRAFT} Hmm",
        SCHEMA,
        json.dumps({"cases": [{"id": 1, "question": "draft"}]}),
        json.dumps([{"slot": n, "inputs": {"query": "draft"}} for n in (4, 17, -1)]),
        "I'm sorry, I can't help with that.",
        "",
    ],
)
def test_what_is_no_case(text: str) -> None:
    assert read(text, 5) == {}


def test_a_case_is_never_moved_to_another_slot() -> None:
    case = {"inputs": {"query": "x"}}
    named = json.dumps([{"slot": 2, **case}, {"slot": 2, "inputs": {"query": "again"}}, {"slot": 9, **case}])
    assert read(named, 9) == read(named, 9, trusted=True) == {1: "x"}


@pytest.mark.parametrize(("cut", "left"), [(-30, {0: "case1", 1: "case2"}), (-len(FINAL) + 20, {})])
def test_a_final_version_that_was_cut_off_leaves_no_draft(cut: int, left: dict[int, str]) -> None:
    assert texts(read_answer(f"{DRAFT}\nThe final version: {FINAL[:cut]}", 3, FIELDS, ended=False).cases) == left


def test_an_answer_among_the_thoughts_is_read_and_said() -> None:
    found = read_answer("", 3, FIELDS, apart=f"{BRACES} {DRAFT} No: {FINAL}\n")
    assert texts(found.cases) == {0: "case1", 1: "case2", 2: "case3"} and found.from_thoughts
    assert read_answer("", 3, FIELDS, apart=f"{DRAFT} But that is too plain.").cases == {}
    assert read_answer("", 3, FIELDS, apart=DRAFT, ended=False).cases == {}


def test_reading_stops_when_every_slot_has_its_case() -> None:
    for trusted in (False, True):
        reader = AnswerReader(3, FIELDS, habits=AnswerHabits(trusted=trusted))
        text, at = answer("case", 40), 0
        while not reader.over:
            reader.feed(text[at : at + 20])
            at += 20
        reader.finish(ended=True)
        assert at < len(answer("case", 4)) + 20 and reader.full and reader.surplus <= 1


def test_white_space_without_end_behind_the_last_case() -> None:
    reader = AnswerReader(3, FIELDS, habits=AnswerHabits(trusted=True))
    reader.feed(FINAL)
    assert reader.full and not reader.over
    for _ in range(10):
        reader.feed(" " * 10)
    assert reader.over


def test_thoughts_without_end() -> None:
    reader = AnswerReader(3, FIELDS)
    with pytest.raises(RunawayOutput):
        for _ in range(10_000):
            reader.feed("<think>" if not reader.written else "and so on " * 20)


def test_what_was_seen_of_a_model_decides_how_far_it_is_believed() -> None:
    habits = AnswerHabits()
    for _ in range(2):
        reader = AnswerReader(3, FIELDS, habits=habits)
        assert not reader.feed(FINAL) and not habits.trusted
        assert len(reader.finish(ended=True)) == 3
    assert habits.trusted and len(AnswerReader(3, FIELDS, habits=habits).feed(FINAL)) == 3
    reader = AnswerReader(3, FIELDS, habits=habits)
    reader.feed(THOUGHTS["a draft in prose"])
    reader.finish(ended=True)
    assert not habits.trusted and habits.doubtful


def test_a_model_that_goes_on_in_words_is_not_believed_any_more() -> None:
    habits = AnswerHabits(trusted=True)
    reader = AnswerReader(3, FIELDS, habits=habits)
    assert len(reader.feed(DRAFT)) == 3 and not reader.over
    reader.feed("\n\nToo plain. The final version: ")
    assert reader.doubted and not reader.over and not habits.trusted
    reader.feed(FINAL)
    assert reader.finish(ended=True) == [] and reader.drafts == {0, 1, 2}


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("name", THOUGHTS)
def test_a_model_that_is_believed_and_drafts_leaves_no_draft(name: str, size: int) -> None:
    """What was delivered before it could be known is named, to be taken out again."""
    reader = AnswerReader(3, FIELDS, habits=AnswerHabits(trusted=True))
    found: dict[int, Any] = {}
    text = THOUGHTS[name]
    for start in range(0, len(text), size):
        found.update(reader.feed(text[start : start + size]))
        if reader.over:
            break
    found.update(reader.finish(ended=True))
    left = {index: text for index, text in texts(found).items() if index not in reader.drafts}
    assert set(found) == {0, 1, 2} and all(text == f"case{index + 1}" for index, text in left.items())


def test_words_behind_the_cases_are_no_reason_to_take_them_out() -> None:
    for behind in (
        "\nI hope that these help!",
        "\n```\nLet me know if you need {more}.",
        ', {"slot": 4, "inputs": {"query": "x"}}',
    ):
        reader = AnswerReader(3, FIELDS, habits=AnswerHabits(trusted=True))
        assert len(reader.feed(FINAL + behind)) == 3
        reader.finish(ended=True)
        assert not reader.drafts


def test_words_without_end_behind_the_cases_are_not_read_for_ever() -> None:
    reader = AnswerReader(3, FIELDS, habits=AnswerHabits(trusted=True))
    reader.feed(FINAL)
    for _ in range(2_000):
        reader.feed(" and so on and so on")
        if reader.over:
            break
    assert reader.over and reader.written < 10_000


@given(st.text('<>/think{}[]",: \n1slot', max_size=200), st.integers(1, 9), st.booleans())
def test_garbage_never_raises(text: str, size: int, trusted: bool) -> None:
    read(text, size, trusted=trusted)


@pytest.mark.timeout(60)  # what is looked at again with each piece takes minutes
@pytest.mark.parametrize(
    "unit", ["{", "[", "[{", '{"a":', "[[[[}}}}", "[}", " ", "\n", "```json\n    ", "<think>", "{}", '"', "<"]
)
def test_an_answer_in_small_pieces_is_read_in_linear_time(unit: str) -> None:
    text = (unit * 200_000)[:200_000]
    reader = AnswerReader(5, ["query"])
    delivered = [case for place in range(0, len(text), 8) for case in reader.feed(text[place : place + 8])]
    assert not delivered and not reader.finish(ended=True)
