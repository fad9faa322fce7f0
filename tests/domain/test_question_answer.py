"""A case becomes one question and one answer, and comes back as it was."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.question_answer import QuestionAnswer

LINES = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
VALUES = st.one_of(LINES, st.integers(), st.booleans(), st.none(), st.lists(LINES, max_size=3))
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": LINES}), max_size=4
)
INPUTS = st.dictionaries(st.sampled_from(["query", "locale", "text", "plan"]), VALUES, max_size=3)
EXPECTATIONS = st.dictionaries(
    st.sampled_from(["expected_facts", "expected_response", "guidelines", "polite"]), VALUES, max_size=4
)


def case(inputs: dict[str, Any], expectations: dict[str, Any]) -> AcceptedCase:
    return AcceptedCase(1, "refunds", 3, inputs, expectations, {"attributes": {"tone": "calm"}}, 0.0)


@given(st.one_of(INPUTS.filter(bool), MESSAGES.map(lambda said: {"messages": said, "locale": "de"})), EXPECTATIONS)
def test_nothing_is_lost(inputs: dict[str, Any], expectations: dict[str, Any]) -> None:
    made = QuestionAnswer.of(case(inputs, expectations))
    assert made.inputs == inputs and made.expectations == expectations
    assert made.tags == case(inputs, expectations).record()["tags"]


def test_what_was_changed_elsewhere_comes_back_changed() -> None:
    talk = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "?"}, {"role": "user", "content": "a"}]
    made = QuestionAnswer.of(case({"messages": talk}, {"expected_facts": ["one", "two"], "polite": True}))
    assert (made.question, made.answer) == ("a", "one\ntwo")
    edited = QuestionAnswer(question="b", answer="three", metadata=made.metadata)
    assert edited.inputs == {"messages": [*talk[:2], {"role": "user", "content": "b"}]}
    assert edited.expectations == {"expected_facts": ["three"], "polite": True}


def test_of_several_texts_the_usual_one_is_the_question() -> None:
    assert QuestionAnswer.of(case({"document": "long " * 20, "question": "why?"}, {})).question == "why?"
    assert QuestionAnswer.of(case({"a": "short", "b": "a longer text"}, {})).question == "a longer text"
