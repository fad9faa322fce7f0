"""Marks beside a case in a list: those of a person, and in a word what it is to be answered with."""

from __future__ import annotations

from dsbuilder_tui.domain.case import AcceptedCase, slot_of
from dsbuilder_tui.domain.evidence import evidence_of
from dsbuilder_tui.domain.expectation import MlflowKey
from dsbuilder_tui.domain.flags import FLAG_MARKS, flags_of
from dsbuilder_tui.domain.judging import Judgement, verdict_of
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.review import REVIEWED
from dsbuilder_tui.tui.paint.line import plain

FLAG_ROLES = {"contradiction": "bad", "contrast": "info", "similar": "muted"}
_PARTS = {MlflowKey.TOOL_CALLS: "call", MlflowKey.FACTS: "fact"}


def marks_of(case: AcceptedCase) -> str:
    """``★`` pinned, ``✎`` edited, ``✉`` with a note, ``✓`` looked at."""
    marks = (("★", "pinned"), ("✎", "edited"), ("✉", "note"), ("✓", REVIEWED))
    return "".join(sign for sign, mark in marks if case.tags.get(mark))


def telling_mark(case: AcceptedCase) -> tuple[str, str]:
    """The one thing worth knowing of a case beside its text, the gravest first: a bad verdict, a flag (``± #143``), what it is
    to be answered with (``2 quotes``, ``1 call``), how it varies; and its role."""
    verdict = verdict_of(case.tags)
    if verdict is not None and verdict.finding is Judgement.BAD:
        return ("✗ bad", "bad")
    if flags := flags_of(case.tags):
        near = slot_of(flags[0].case_id)
        return (f"{FLAG_MARKS[flags[0].kind]} {f'#{near[1]}' if near else flags[0].kind}", FLAG_ROLES[flags[0].kind])
    if quotes := evidence_of(case.tags):
        return (counted(len(quotes), "quote"), "good")
    for key, word in _PARTS.items():
        value = case.expectations.get(key)
        if isinstance(value, list) and value:
            return (counted(len(value), word), "good")
    if case.expectations.get(MlflowKey.TOOL_CALLS) == []:
        return ("no call", "muted")
    attributes = case.tags.get("attributes")
    values = list(attributes.values()) if isinstance(attributes, dict) else []
    return (plain(values[-1]) if values else "", "faint")
