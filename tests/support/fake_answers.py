"""How a model may say its cases: with thoughts, drafts and prefaces around them, or in another envelope."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Case = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """What an answer holds; ``thoughts`` come in a field of their own."""

    text: str = ""
    thoughts: str = ""
    arguments: str = ""  # of a call


def _listed(cases: list[Case]) -> str:
    return json.dumps({"cases": cases}, ensure_ascii=False)


def _without_slots(cases: list[Case]) -> list[Case]:
    return [{key: value for key, value in case.items() if key != "slot"} for case in cases]


def _renumbered(cases: list[Case], number: Callable[[int], Any]) -> str:
    return _listed([{**case, "slot": number(case["slot"])} for case in reversed(cases)])


_SHAPE = '{"cases": [{"slot": 1, "inputs": {"query": "..."}, and so on'
_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"cases": {"type": "array", "items": {"properties": {"slot": {"type": "integer"}}}}},
    }
)

# Each is given the cases that were asked for, and as many drafts of them.
ANSWERS: dict[str, Callable[[list[Case], list[Case]], Said]] = {
    "think": lambda cases, drafts: Said(f"<think>\n{_listed(drafts)} Too plain.\n</think>\n\n{_listed(cases)}"),
    "think_braces": lambda cases, drafts: Said(f"<think>It looks like {_SHAPE}.</think>\n{_listed(cases)}"),
    "think_open": lambda cases, drafts: Said(f"<think>It looks like {_SHAPE}.\n\n{_listed(cases)}"),
    "think_closed": lambda cases, drafts: Said(f"It looks like {_SHAPE}. {_listed(drafts)}</think>\n{_listed(cases)}"),
    "channels": lambda cases, drafts: Said(
        f"<|channel|>analysis<|message|>{_listed(drafts)}<|end|><|start|>assistant<|channel|>final<|message|>{_listed(cases)}"
    ),
    "brackets": lambda cases, drafts: Said(f"[THINK]{_listed(drafts)}[/THINK]{_listed(cases)}"),
    "draft": lambda cases, drafts: Said(f"{_listed(drafts)}\n\nToo plain. The final version:\n{_listed(cases)}"),
    "draft_in_prose": lambda cases, drafts: Said(f"A draft:\n{_listed(drafts)}\nNow the final one:\n{_listed(cases)}"),
    "schema_echo": lambda cases, drafts: Said(f"{_SCHEMA}\n\n{_listed(cases)}"),
    "reasoning_apart": lambda cases, drafts: Said(_listed(cases), _listed(drafts) + " Too plain."),
    "only_reasoning": lambda cases, drafts: Said("", f"It looks like {_SHAPE}. {_listed(cases)}"),
    "envelope": lambda cases, drafts: Said(json.dumps({"response": {"data": {"test_cases": cases}}})),
    "properties": lambda cases, drafts: Said(json.dumps({"type": "object", "properties": {"cases": cases}})),
    "by_number": lambda cases, drafts: Said(
        json.dumps({"cases": {str(len(cases) - n): case for n, case in enumerate(reversed(_without_slots(cases)))}})
    ),
    "tool_call": lambda cases, drafts: Said(arguments=_listed(cases)),
    "call": lambda cases, drafts: Said(json.dumps({"name": "test_cases", "arguments": _listed(cases)})),
    "string": lambda cases, drafts: Said(json.dumps(_listed(cases))),
    "lines": lambda cases, drafts: Said("\n".join(map(json.dumps, cases))),
    "slots_in_words": lambda cases, drafts: Said(_renumbered(cases, lambda slot: f"{slot}.")),
    "slots_as_floats": lambda cases, drafts: Said(_renumbered(cases, float)),
    "slots_from_zero": lambda cases, drafts: Said(_renumbered(cases[::-1], lambda slot: slot - 1)),
    "kinds_as_text": lambda cases, drafts: Said(
        _listed([{**case, "inputs": json.dumps(case["inputs"]), "expectations": {"polite": "true"}} for case in cases])
    ),
    "three": lambda cases, drafts: Said(_listed(cases[:3])),
    # of no use
    "only_thoughts": lambda cases, drafts: Said(f"<think>{_listed(drafts)} Hmm, too plain; I should"),
    "other_fields": lambda cases, drafts: Said(json.dumps({"cases": [{"id": 7, "question": "x"} for _ in cases]})),
    "other_slots": lambda cases, drafts: Said(_renumbered(cases, lambda slot: slot + 100)),
    "other_kinds": lambda cases, drafts: Said(
        _listed([{**case, "expectations": {"polite": "quite"}} for case in cases])
    ),
}
