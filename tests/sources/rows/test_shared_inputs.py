"""A passage that many questions share is no likeness of theirs, and keeps questions about other passages apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui.dedup import deduplicate
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rows.dataset_rows import Row, Source
from tests.support.row_files import json_lines, put

HOSPITAL = "The hospital was founded in 1902 by Anna Berg. It has forty beds, and treats children and adults. Its new wing has a clinic."
BRIDGE = "The bridge over the sound was built by two firms from the south, and carries trains on its lower deck and cars on the upper."


def rows(*pairs: tuple[str, str], **more: Any) -> bytes:
    return json_lines([{"question": question, "context": context, **more} for question, context in pairs])


QUESTIONS = (("Who founded the hospital?", HOSPITAL), ("Which clinic is in the new wing?", HOSPITAL),
             ("How many beds are there?", HOSPITAL), ("Who built the bridge?", BRIDGE), ("What runs on the upper deck?", BRIDGE))  # fmt: skip


@pytest.mark.parametrize("fields", [(), ("question", "context")])
def test_questions_about_one_passage_are_kept(fields: tuple[str, ...], tmp_path: Path) -> None:
    report = deduplicate(put(tmp_path, "x.jsonl", rows(*QUESTIONS)), fields=fields)
    assert (report.kept, report.shared) == (5, ("context",)) and report.as_dict()["shared"] == ["context"]
    assert "Many rows share context" in "\n".join(report.lines())


def test_one_question_twice_about_a_passage_is_a_repeat_and_about_two_is_not(tmp_path: Path) -> None:
    again = (("Who founded the hospital?", HOSPITAL), ("Who founded the hospital?", BRIDGE))
    path = put(tmp_path, "x.jsonl", rows(*QUESTIONS, *again))
    report = deduplicate(path)
    assert (report.kept, report.dropped, report.first_dropped[0].line) == (6, {"structural": 1}, 6)
    across = deduplicate(path, config=DatasetBuilderConfig(diversity_across=True, diversity_stages="structural"))
    assert (across.kept, across.scopes) == (6, 1)


@pytest.mark.parametrize(
    "pairs",
    [
        [("Same thing?", HOSPITAL), ("Same thing?", HOSPITAL)],  # nothing else tells them apart
        [("Summarise it.", HOSPITAL), ("Summarise it.", BRIDGE)],  # the passage does
        [("Who is it?", "short"), ("Where is it?", "short")],  # it drowns nothing
        [("Who is it?", HOSPITAL)],
    ],
)
def test_what_is_not_shared_is_compared(pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    with Source(put(tmp_path, "x.jsonl", rows(*pairs))) as source:
        found = [item.parts for item in source.rows() if isinstance(item, Row)]
        assert source.shared == () and all(parts.shared == "" for parts in found)
        assert [context in parts.text for parts, (_, context) in zip(found, pairs, strict=True)] == [True] * len(pairs)


def test_a_row_that_was_kept_is_shown_as_it_was_compared(tmp_path: Path) -> None:
    report = deduplicate(put(tmp_path, "x.jsonl", rows(*QUESTIONS, QUESTIONS[0])))
    assert report.first_dropped[0].match.shown == report.first_dropped[0].text == "Who founded the hospital?"
