"""Events are data: every one can be written as a JSON line and shown, whatever it carries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dsbuilder_tui.cli.line_displays import JsonLines, PlainLines
from dsbuilder_tui.domain.case_change import CaseChange
from dsbuilder_tui.domain.events import (
    AgentCalled,
    CaseEdited,
    CaseWithdrawn,
    DiversityMeasured,
    Event,
    MessageAdded,
    PlanRevised,
)
from dsbuilder_tui.domain.message import Message, MessageRole, TextContent

COUNTS = {"planned": 3, "accepted": 1, "rejected": 0, "exhausted": 0}
CASE: dict[str, Any] = {"case_id": "c-00001", "category": "c", "slot": 1, "seq": 9, "text": "Hi \x1b[2J\u202e"}


def made() -> Iterator[Event]:
    yield CaseEdited(ts=1.0, **CASE, change=CaseChange.EDITED)
    yield CaseWithdrawn(ts=1.0, **CASE, reason="odd", accepted=2, planned=3)
    content = TextContent.model_validate({"nested": [{"a": None}]})
    yield MessageAdded(ts=1.0, message=Message(4, MessageRole.PERSON, "a\x9bb", content, 1.0))
    yield AgentCalled(
        ts=1.0, purpose="turn", model="m\x1b[2J", prompt_tokens=5, cached_tokens=1, completion_tokens=2, seconds=0.5,
        dollars=None,
    )  # fmt: skip
    yield DiversityMeasured(
        ts=1.0, cases=9, variety=None, mean_likeness=0.5, nearest_likeness=None, packed=2.5, cells=4, cells_filled=3,
        rejected=0, final=True,
    )  # fmt: skip
    yield PlanRevised(ts=1.0, revision=2, planned=3, categories={"c": COUNTS})


@pytest.mark.parametrize("event", list(made()), ids=lambda event: event.type)
def test_what_a_person_does_can_be_shown(event: Event, capsys: pytest.CaptureFixture[str]) -> None:
    JsonLines(lambda: None).show(event)
    line = capsys.readouterr().out
    data = json.loads(line)
    assert (data.pop("type"), data.pop("ts")) == (event.type, "1970-01-01T00:00:01.000Z")
    assert data == event.facts()
    assert not set(line) & {"\x1b", "\x9b", "\u202e"}
    PlainLines(lambda: None).show(event)


def test_plain_lines_tell_the_figures_once_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines(lambda: None)
    figures: dict[str, Any] = {
        "ts": 1.0, "cases": 1200, "variety": 41.2, "mean_likeness": 0.31, "nearest_likeness": 0.624, "packed": 2.5, "cells": 60,
        "cells_filled": 57, "rejected": 0,
    }  # fmt: skip
    lines.show(DiversityMeasured(**figures, final=False))
    assert capsys.readouterr().out == ""
    lines.show(DiversityMeasured(**figures, final=True))
    assert capsys.readouterr().out == (
        "  Diversity: as varied as 41 different cases among 1,200, any two 0.31 alike, the nearest 0.62, 57 of 60 cells hold a case\n"
    )
