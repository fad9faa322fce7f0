"""What the fake endpoint's worker says: words, cases, and the pieces in which an answer of each kind comes."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.fake_answers import Said

SYLLABLES = "ba be bi bo bu da de di do du ka ke ki ko ku la le li lo lu ma me mi mo mu na ne ni no nu".split()
SLOTS = re.compile(r"Slots \((\d+)\):")
_WRITTEN: dict[str, Any] = {
    "expected_facts": ["The message is answered."],
    "guidelines": ["Is polite."],
    "expected_response": "It is answered.",
    "expected_tool_calls": [],
}


def with_written(case: dict[str, Any], prompt: str) -> dict[str, Any]:
    """The case with what the prompt wants written for each."""
    _, asks, wanted = prompt.partition("Write for each case")
    keys = re.findall(r"^- (\w+): ", wanted, re.MULTILINE) if asks and "expectations" in case else ()
    more = {key: _WRITTEN.get(key, "any") for key in keys}
    return {**case, "expectations": {**case["expectations"], **more}} if more else case


SLOT_LINE = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)


class Arguments(str):
    """A piece of an answer that comes in the arguments of a tool call."""

    __slots__ = ()


class Thinking(str):
    """A piece of an answer that comes in the field for thoughts."""

    __slots__ = ()


def word(number: int) -> str:
    """A number as a pronounceable word, so that masking ids does not make two texts the same."""
    out = ""
    while True:
        number, digit = divmod(number, len(SYLLABLES))
        out = SYLLABLES[digit] + out
        if not number:
            return out + "n"


def pieces_of_answer(said: Said) -> list[str]:
    """Thoughts and arguments whole, the text in about five pieces."""
    step = max(1, len(said.text) // 5)
    return [
        *(Thinking(said.thoughts),) * bool(said.thoughts),
        *(Arguments(said.arguments),) * bool(said.arguments),
        *(said.text[n : n + step] for n in range(0, len(said.text), step)),
    ]


def pieces_of_cases(kind: str, whole_cases: list[dict[str, Any]]) -> tuple[list[str], str]:
    """Cases as an answer of a kind, and the reason for which that ends."""
    cases = [json.dumps(case, ensure_ascii=False) for case in whole_cases]
    if kind == "malformed":
        cases[len(cases) // 2] = '{"slot": 1, "inputs": query oops }'
    if kind == "wrong_types":
        cases[0] = json.dumps({"slot": "one", "inputs": {"query": 42}, "expectations": "none"})
    if kind == "trailing_commas":
        cases = [case[:-2] + ",},}" if case.endswith("}}") else case for case in cases]
    if kind == "split_utf8":
        cases = [case.replace("Where", "Où ☃ 🚀 where") for case in cases]
    pieces = ['{"cases": [', *(case + ("," if n < len(cases) else "") for n, case in enumerate(cases, 1)), "]}"]
    if kind == "fenced":
        pieces = ["Sure, here are your cases:\n```json\n", *pieces, "\n```\nLet me know if you need {more}!"]
    if kind == "prose":
        pieces = ["Here you go.\n", *(case + "\n" for case in cases), "That's all [for now]."]
    if kind == "broken_all":
        pieces = ['{{{ this is <<< not json """ at all ]]']
    if kind == "truncated":
        whole = "".join(pieces)
        return [whole[: int(len(whole) * 0.6)]], "length"
    return pieces, "stop"
