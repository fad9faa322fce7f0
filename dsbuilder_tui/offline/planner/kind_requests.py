"""Kinds of cases, as people ask for them: multi-turn conversations, and scenarios for a simulated user."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.conversation import MESSAGES, TURNS, usual_lengths
from dsbuilder_tui.domain.plan import DEFAULT_INPUT_FIELD
from dsbuilder_tui.domain.scenario import CONTEXT, GOAL
from dsbuilder_tui.offline.writer.input_fields import text_of
from dsbuilder_tui.offline.writer.templates import goal_of, original, read_template

_DIALOGUES = r"(?:conversations?|dialog(?:ue)?s?|chats?)"
_SIMULATED = re.compile(
    rf"\b(?:(?:as |for )?(?:a )?simulated (?:users?|{_DIALOGUES})|simulat(?:ed|ions?)(?: scenarios?)?|"
    rf"(?:mlflow(?:'s)?|conversation(?:al)?|user|multi[ -]?turn) scenarios?|scenarios? (?:to (?:be )?simulated?|"
    r"for (?:the |mlflow'?s? )?(?:conversation )?simulat(?:or|ion)))\b",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    rf"\b(?:multi[ -]?turns?(?: {_DIALOGUES})?|(?:into |as )?(?:a )?(?:whole |longer |real |short )?"
    r"(?:conversations?|dialog(?:ue)?s?)|back[ -]and[ -]forths?|(?:with |over |of )?(?:several|multiple|more than (?:1|one)) "
    r"(?:turns|messages))\b",
    re.IGNORECASE,
)
_BARE_SCENARIO = re.compile(r"^(?:(?:into|as|to) )?(?:be )?scenarios?$", re.IGNORECASE)
_LENGTHS = re.compile(
    r"\b(?:with |of |over |in )?(\d{1,2})(?:(?: ?- ?| to )(\d{1,2})|((?: ?,? ?(?:or|and) ?\d{1,2})+))?[ -](?:turns?|messages?)"
    r"(?: each)?\b",
    re.IGNORECASE,
)
ENDINGS = {CaseKind.CONVERSATION: "multi_turn", CaseKind.SCENARIO: "scenarios"}


def kind_in(phrase: str, *, of_category: bool = False) -> tuple[CaseKind, tuple[str, ...], str]:
    """The kind that a phrase asks for, the lengths it names, and the phrase without either; single where it asks for none.

    Behind a category "scenarios" alone are scenarios; elsewhere people call any test case so.
    """
    lengths = _LENGTHS.search(phrase)
    rest = f"{phrase[: lengths.start()]} {phrase[lengths.end() :]}" if lengths else phrase
    if (found := _SIMULATED.search(rest)) or (of_category and (found := _BARE_SCENARIO.match(rest.strip()))):
        return CaseKind.SCENARIO, (), f"{rest[: found.start()]} {rest[found.end() :]}"
    if found := _SPOKEN.search(rest):
        return CaseKind.CONVERSATION, _values(lengths), f"{rest[: found.start()]} {rest[found.end() :]}"
    if lengths and (int(lengths[1]) > 1 or lengths[2] or lengths[3]):
        return CaseKind.CONVERSATION, _values(lengths), rest
    return CaseKind.SINGLE, (), phrase


def _values(lengths: re.Match[str] | None) -> tuple[str, ...]:
    if lengths is None:
        return ()
    if lengths[2]:
        return (f"{lengths[1]}-{lengths[2]}",)
    return tuple(dict.fromkeys((lengths[1], *re.findall(r"\d+", lengths[3] or ""))))


def make_kind(category: dict[str, Any], kind: CaseKind, lengths: Iterable[str], fields: Mapping[str, str]) -> None:
    """Make a category one of that kind, its examples with it. ``fields`` are the plan's input fields."""
    if lengths:
        category["attributes"] = {**(category.get("attributes") or {}), TURNS: list(lengths)}
    if category.get("kind") != kind.value:
        category["kind"] = kind.value
        category["example_inputs"] = [_example(kind, one, fields) for one in category.get("example_inputs") or []]


def kind_words(categories: Iterable[Mapping[str, Any]]) -> list[str]:
    """What the kinds of these categories mean, in a sentence for each kind that is not single."""
    told = []
    for kind in (CaseKind.CONVERSATION, CaseKind.SCENARIO):
        of_kind = [category for category in categories if category.get("kind") == kind.value]
        if not of_kind:
            continue
        names = ", ".join(category["name"] for category in of_kind)
        lengths = dict.fromkeys(n for c in of_kind for n in (c.get("attributes") or {}).get(TURNS) or usual_lengths(()))
        told.append(
            f"{names}: each case is a conversation of {' or '.join(lengths)} messages, the last of which the application has to "
            "answer."
            if kind is CaseKind.CONVERSATION
            else f"{names}: each case tells MLflow's simulated user what to want and how to act; MLflow keeps such records in "
            "datasets of their own, so they are exported to a file of their own."
        )
    return told


def _example(kind: CaseKind, example: str | dict[str, Any], fields: Mapping[str, str]) -> str | dict[str, Any]:
    """An example of another kind as one of this."""
    if isinstance(example, str):
        return _goal(example) if kind is CaseKind.SCENARIO else example
    first = next(iter(fields or {DEFAULT_INPUT_FIELD: ""}))
    own = next((field for field in (MESSAGES, GOAL) if field in example), first)
    text = text_of(example.get(own, ""))
    others = {field: value for field, value in example.items() if field in fields and field not in (own, MESSAGES)}
    if kind is CaseKind.SCENARIO:
        return {GOAL: _goal(text), CONTEXT: others} if others else _goal(text)
    if own == MESSAGES:
        return example
    return {MESSAGES: [{"role": "user", "content": text}], **others} if others else text


def _goal(text: str) -> str:
    return original(goal_of(read_template(text)))
