"""SQuAD: articles with paragraphs and questions, or one question a record, as Hugging Face has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dsbuilder_tui.sources.rows.expected import as_expectations
from dsbuilder_tui.sources.rows.row_parts import Parts, parts_of
from dsbuilder_tui.sources.rows.row_shape import RowShape
from dsbuilder_tui.store.imports.json_values import Unusable


def _recognises(record: Mapping[str, Any]) -> bool:
    if isinstance(record.get("paragraphs"), list):
        return True
    return "question" in record and bool(_is_answers(record.get("answers")))


def _is_answers(value: Any) -> bool:
    if isinstance(value, Mapping):
        return isinstance(value.get("text"), list | str)
    return isinstance(value, list) and any(isinstance(each, Mapping) and "text" in each for each in value)


def _unfold(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The questions of an article, each with the passage that it is about."""
    paragraphs = record.get("paragraphs")
    if not isinstance(paragraphs, list):
        yield record
        return
    for paragraph in paragraphs:
        questions = paragraph.get("qas") if isinstance(paragraph, Mapping) else None
        for asked in questions if isinstance(questions, list) else ():
            if isinstance(asked, Mapping):
                title = {"title": record["title"]} if record.get("title") else {}
                yield {**title, "context": paragraph.get("context"), **asked}


def _parts(record: Mapping[str, Any]) -> Parts:
    question, context = record.get("question"), record.get("context")
    if not isinstance(question, str):
        raise Unusable("no field question")
    inputs = {"question": question, **({"context": context} if isinstance(context, str) and context else {})}
    answers = record.get("answers")
    if isinstance(answers, Mapping):
        texts = answers.get("text")
    else:
        texts = [each.get("text") for each in answers or () if isinstance(each, Mapping)]
    expected = as_expectations("answers", texts)
    if record.get("is_impossible") is True or (_is_answers(answers) and not texts):
        expected = {"answerable": False}
    return parts_of(record, inputs, expected, ("question", "context", "answers", "is_impossible", "plausible_answers"))


SHAPE = RowShape(label="questions of SQuAD", recognises=_recognises, parts=_parts, unfold=_unfold)
