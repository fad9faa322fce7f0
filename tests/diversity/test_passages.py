"""Parts of inputs that cases have in common: a system message, instructions, a document. Compared is what stands beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.diversity.answer import Question
from dsbuilder_tui.diversity.compared_text import PARTS, compared_text
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.fingerprint_file import FingerprintFile
from dsbuilder_tui.diversity.passages import MOST_PASSAGES, read_texts
from dsbuilder_tui.diversity.static_embedding import built_in_embedder
from dsbuilder_tui.diversity.thresholds import Rules
from dsbuilder_tui.domain.plan import parse_plan

HARBOUR = "The harbour was built in 1870 by two brothers; its crane was moved to the north quay after the great flood."
LIBRARY = "The library holds forty thousand books; it is open on weekdays, and its reading room has a view of the park."
RULES = "Answer in one sentence, in the language of the customer, and promise nothing that the passage does not say."
QUESTIONS = ("Who built the harbour?", "Where is the crane now?", "What happened to the crane after the flood?")


@pytest.fixture
def comparer() -> Iterator[Comparer]:
    found = Comparer(built_in_embedder(), passages=True)
    yield found
    found.file.close()


def asked(category: str = "c", **inputs: Any) -> Question:
    return Question(category, compared_text(inputs), {}, Rules(once=True))


def admitted(comparer: Comparer, *questions: Question) -> list[bool]:
    """One call a question, as cases come in."""
    return [comparer.judge([question])[0].row is not None for question in questions]


def test_questions_about_one_document_are_held_against_each_other_alone(comparer: Comparer) -> None:
    questions = [asked(question=question, context=HARBOUR, instructions=RULES) for question in QUESTIONS]
    assert admitted(comparer, *questions) == [True, True, True]
    again = asked(question="What has happened to the crane after the flood?", context=HARBOUR, instructions=RULES)
    assert admitted(comparer, again, questions[0]) == [False, False]


def test_what_comes_together_is_seen_to_be_shared(comparer: Comparer) -> None:
    questions = [asked(question=question, context=HARBOUR) for question in QUESTIONS]
    assert [answer.row for answer in comparer.judge(questions)] == [0, 1, 2]
    assert admitted(comparer, asked(question="Who has built the harbour?", context=HARBOUR)) == [False]


def test_names_and_numbers_make_no_other_passage(comparer: Comparer) -> None:
    led = "The clinic in the new wing treats diseases of the skin and is led by Dr. {}, who is there on {}."
    some = [
        asked(question=question, context=led.format(*detail))
        for question, detail in zip(
            QUESTIONS, [("Holm", "Monday"), ("Berg", "Friday"), ("Lind", "Sunday")], strict=True
        )
    ]
    assert admitted(comparer, *some) == [True, True, True]


def test_the_same_question_about_another_document_is_another_case(comparer: Comparer) -> None:
    known = [asked(question=question, context=text) for text in (HARBOUR, LIBRARY) for question in QUESTIONS[:2]]
    comparer.admit(known)
    late = [asked(question="When does it open?", context=text) for text in (HARBOUR, LIBRARY)]
    assert admitted(comparer, *late) == [True, True]
    assert comparer.judge([asked(question="When does it open, please?", context=LIBRARY)])[0].row is None


def test_each_category_has_its_own(comparer: Comparer) -> None:
    comparer.admit([asked("a", question=QUESTIONS[0], context=HARBOUR)])
    for category, expected in (("a", QUESTIONS[1]), ("b", f"{HARBOUR}{PARTS}{QUESTIONS[1]}")):
        (text,) = comparer.masked([asked(category, question=QUESTIONS[1], context=HARBOUR)])
        assert text == comparer.fingerprinter.masked([expected])[0]


def test_what_is_alone_or_short_is_compared() -> None:
    whole = [HARBOUR, f"{HARBOUR}{PARTS}{HARBOUR}", f"blue{PARTS}small", f"{HARBOUR}{PARTS} "]
    assert [read.compared for read in read_texts(whole * 2, [()] * 8)] == whole * 2
    many = PARTS.join(f"{number} {LIBRARY}" for number in range(9))
    assert len(read_texts([many], [()])[0].passages) == MOST_PASSAGES


def test_they_are_known_again_from_the_file(tmp_path: Path) -> None:
    def opened() -> Comparer:
        maker = Comparer(built_in_embedder()).fingerprinter
        file = FingerprintFile.open(tmp_path, maker.row_type, maker.versions)
        return Comparer(built_in_embedder(), file, passages=True)

    first = opened()
    row = first.judge([asked(question=QUESTIONS[0], context=HARBOUR)])[0].row
    first.file.rows["seq"][row] = 1
    first.file.close()
    again = opened()
    again.index(again.file.rows["seq"].nonzero()[0], ["c"])
    (text,) = again.masked([asked(question=QUESTIONS[1], context=HARBOUR)])
    assert text == again.fingerprinter.masked([QUESTIONS[1]])[0]
    again.file.close()


def test_of_messages_what_the_user_says_is_compared() -> None:
    def said(user: str, system: str) -> str:
        return compared_text(
            {"messages": [{"role": "system", "content": system}, {"role": "user", "content": user}], "locale": "en"}
        )

    assert said("Hello", RULES) == said("Hello", HARBOUR) == f"en{PARTS}Hello"
    assert compared_text({"list": ["a", "b"], "odd": [{"role": "user"}]}) == f"a{PARTS}b{PARTS}user"


@pytest.mark.parametrize(
    "examples",
    [
        [{"question": QUESTIONS[0], "context": HARBOUR, "instructions": RULES}],
        [{"question": question, "context": HARBOUR, "instructions": RULES} for question in QUESTIONS],
        [{"messages": [{"role": "system", "content": RULES * 3}, {"role": "user", "content": QUESTIONS[1]}]}],
    ],
    ids=["one example", "three", "messages"],
)
async def test_a_plan_whose_cases_share_most_of_their_words_is_filled(
    examples: list[dict[str, Any]], make_config: Callable[..., DatasetBuilderConfig]
) -> None:
    axes = {"length": ["short"], "tone": ["polite", "neutral", "impatient"], "situation": ["ordinary", "typos"]}
    category = {"name": "c", "count": 24, "example_inputs": examples, "attributes": axes}
    plan = parse_plan({"dataset_name": "d", "input_fields": list(examples[0]), "categories": [category]})
    async with await Session.create(plan, make_config()) as session:
        await session.run()
        summary = await session.summary()
    assert summary.instances_created == 24
    assert summary.diversity_rejections < 24
