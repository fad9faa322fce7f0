"""What reads foreign texts, with texts that make a reader look again and again: the work grows as the text does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.domain.case import Slot
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.generation.answer_versions import read_answer
from dsbuilder_tui.generation.template_answer import read_template_answer
from dsbuilder_tui.generation.thoughts import split_thoughts
from dsbuilder_tui.models.error_report import read_body, retry_after_seconds
from dsbuilder_tui.models.tool_call_text import find_calls
from dsbuilder_tui.offline.planner.utterance import hear
from dsbuilder_tui.offline.writer.templates import paraphrases, read_template
from dsbuilder_tui.quality.validation import BY_DEFAULT, Validation
from dsbuilder_tui.store.plan_file import plan_of_text
from dsbuilder_tui.tui.home.new_session import plan_of_form
from tests.support.adversarial import is_superlinear

CALLS = (
    "<tool_call>a <arg_key>", "<tool_call>save <arg_key>a</arg_key><arg_value>", "<function=save>", "<parameter=a>",
    "<function=save><parameter=a>x", '{"name": ', "[ ", '[{"name": "save"}, ', "```", "<|end|>",
    '{"', '"', '["\\"', '{"a": "', '[1,"x ', '["x[', '[[1],"', '{"a":{"b":', "[{},", "{}", "save {}",
)  # fmt: skip
ANSWERS = (
    "<think>", "</think>", "<details ", "type=reasoning", "<|channel|>", "final <|constrain|>", '{"slot": 1, ', '"', '"a": {', "[{",
    '{"slot": 1}', '{"slot": 1, "inputs": {"query": "a"}},', "\\", '\\"', "```json\n", "{'slot': ", " ",
)  # fmt: skip
VALUES = (
    "$1 ", "11 ", "1,", "US$ 5 ", "5 USD ", "1 May ", "2026-05-01 ", "12345 ", "order 12345 ", "order1-", "#123-", "nameXXX-", "“", "„a",
    "“one two three four” ", "[a_", "[your name] ", "{a_b", "<name> ", "_", "'a ", "... ", "one ", "tone: calm ", "- ", "Mai 1 ",
)  # fmt: skip
SENTENCES = (
    "cases for mdata", "please ", "! ", "\n", "\t", "is it 5 ", "refunds: 20, ", "'a' ", "[pasted text", "system prompt ", "a/b.md ",
    "my a is ", "where is my ", "? ", "10 of 10 and ", "call it ", "for example ",
)  # fmt: skip
ERRORS = ("retry in ", "wait  ", "<title>", "<h1", "<", "exceed_", "1h", "1.", '{"error":', "[", "in 1")


def grows(act: Callable[[str], object], units: tuple[str, ...]) -> list[str]:
    return [found for unit in units if (found := is_superlinear(act, "", unit, " x")) is not None]


def quietly(act: Callable[[str], object]) -> Callable[[str], object]:
    def tried(text: str) -> None:
        with suppress(DsbuilderError):
            act(text)

    return tried


READERS: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
    "calls in words": (lambda text: find_calls(text, ["save"]), CALLS),
    "thoughts": (split_thoughts, ANSWERS),
    "a whole answer": (lambda text: read_answer(text, 10), ANSWERS),
    "templates": (lambda text: read_template_answer([text], ["query"]), (*ANSWERS, '{"templates": [', '"fillers": [{"name": "a"},')),
    "an error": (lambda text: read_body(text.encode(), 400), ERRORS),
    "a page": (lambda text: read_body(b"<html>" + text.encode(), 400), ERRORS),
    "a wait": (lambda text: retry_after_seconds({"retry-after": text}), ERRORS),
    "a message to the planner": (hear, SENTENCES),
    "an example": (lambda text: paraphrases(read_template(text)), SENTENCES),
    "the form": (quietly(lambda text: plan_of_form("a", "b", text)), (" ", "1 ", "a 1 ", "a: ", "_", ", ", "a 5\n")),
    "a plan": (quietly(lambda text: plan_of_text(text, "a plan")), ("- ", "? ", "a: ", "&a ", "'", '"', "#", "[", "{", "!", "|\n")),
}  # fmt: skip


@pytest.mark.timeout(120)
@pytest.mark.parametrize("reader", READERS)
def test_a_text_of_any_kind_is_read_once(reader: str) -> None:
    act, units = READERS[reader]
    assert grows(act, units) == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", BY_DEFAULT)
def test_a_case_of_any_kind_is_judged_once(name: str, make_plan: Callable[..., DatasetPlanInput]) -> None:
    plan = make_plan(3, validators=[*(f"-{other}" for other in BY_DEFAULT if other != name)])
    validation = Validation(plan)
    slot = Slot(plan.categories[0].name, 1, {"tone": "calm", "language": "German"})

    def judged(inputs: Callable[[str], Any], expectations: Callable[[str], Any]) -> Callable[[str], object]:
        return lambda text: validation.fault(
            validation.case(slot, {"query": inputs(text)}, {"answer": expectations(text)}, "a source")
        )

    for act in (
        judged(lambda text: text, lambda text: text),
        judged(lambda text: text, lambda text: text.split()[:2_000]),
    ):
        assert grows(act, VALUES) == []
