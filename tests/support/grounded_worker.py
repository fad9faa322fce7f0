"""A worker at the fake endpoint that writes from the passages in its prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.support.fake_agent import Reply

_SLOT = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_PASSAGE = re.compile(r"<passage>\n(.*?)\n</passage>", re.DOTALL)
_WORDS = [
    "parcel",
    "refund",
    "garden",
    "violin",
    "harbour",
    "engine",
    "kitchen",
    "mountain",
    "invoice",
    "window",
    "teacher",
]

Slip = Callable[[dict[str, Any], list[str], int], None]


class GroundedWorker:
    """``reply_for`` of ``FakeOpenAI``. ``slip`` may spoil a case (its slot's passages, the number of the call)."""

    def __init__(self, slip: Slip | None = None) -> None:
        self.prompts: list[str] = []
        self._slip, self._count = slip, 0

    def __call__(self, body: dict[str, Any], call: int) -> Reply:
        prompt = str(body["messages"][-1]["content"])
        self.prompts.append(prompt)
        slots = prompt[prompt.index("Slots (") :]
        starts = list(_SLOT.finditer(slots))
        cases = []
        for place, found in enumerate(starts):
            end = starts[place + 1].start() if place + 1 < len(starts) else len(slots)
            passages = _PASSAGE.findall(slots[found.end() : end])
            cases.append(self._case(int(found[1]), passages, call))
        said = {"choices": [{"message": {"content": json.dumps({"cases": cases})}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 50}}  # fmt: skip
        return Reply(said)

    def _case(self, number: int, passages: list[str], call: int) -> dict[str, Any]:
        self._count += 1
        n = self._count
        quotes = [max(re.split(r"(?<=[.])\s|\n\n", passage), key=len).strip() for passage in passages]
        words = " ".join(_WORDS[(n // 11**k + k * n) % 11] for k in range(5))
        case = {
            "slot": number, "inputs": {"query": f"What about {words} and {n}?"}, "evidence": quotes,
            "expectations": {"polite": True, "expected_facts": [f"It says: {quote}" for quote in quotes]},
        }  # fmt: skip
        if self._slip is not None:
            self._slip(case, passages, call)
        return case
