"""A worker at the fake endpoint that writes conversations and scenarios, rightly or with a slip."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.support.fake_agent import Reply

_SLOT = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_TURNS = re.compile(r"turns: (\d+)")
_WORDS = "parcel garden violin harbour engine kitchen mountain invoice window teacher lantern".split()

Slip = Callable[[dict[str, Any], int], None]


def kinds_plan(**more: Any) -> dict[str, Any]:
    """A plan with a category of each kind."""
    of_all = {"expectations": {"polite": True}, "attributes": {"tone": ["calm", "angry"]}}
    return {
        "dataset_name": "kinds",
        "categories": [
            {"name": "orders", "count": 4, "example_inputs": ["Where is my order #12345?"], **of_all},
            {"name": "talks", "kind": "conversation", "count": 6, "example_inputs": ["I want a refund for order #12345"],
             **of_all, "attributes": {"tone": ["calm", "angry"], "turns": ["3", "5"]}},
            {"name": "plays", "kind": "scenario", "count": 5, "example_inputs": ["Get a refund for order #12345"], **of_all},
        ],
        **more,
    }  # fmt: skip


def _words(number: int) -> str:
    return " ".join(_WORDS[(number // 11**k + k * number) % 11] for k in range(6))


class KindsWorker:
    """``reply_for`` of ``FakeOpenAI``: what the prompt asks for. ``slip`` may spoil a case (the case, the number of the call)."""

    def __init__(self, slip: Slip | None = None) -> None:
        self.prompts: list[str] = []
        self.schemas: list[Any] = []
        self._slip, self._count = slip, 0

    def __call__(self, body: dict[str, Any], call: int) -> Reply:
        prompt = str(body["messages"][-1]["content"])
        self.prompts.append(prompt)
        self.schemas.append(body.get("response_format"))
        slots = prompt[prompt.index("Slots (") :]
        cases = [self._case(prompt, int(found[1]), found[2], call) for found in _SLOT.finditer(slots)]
        said = {"choices": [{"message": {"content": json.dumps({"cases": cases})}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 50}}  # fmt: skip
        return Reply(said)

    def _case(self, prompt: str, number: int, attributes: str, call: int) -> dict[str, Any]:
        self._count += 1
        n = self._count
        words = _words(n)
        if "Each case is a conversation" in prompt:
            found = _TURNS.search(attributes)
            length = int(found[1]) if found else 3
            turns = [f"What about {_words(n * 53 + k * 17)}, please?" for k in range(length)]
            inputs: dict[str, Any] = {
                "messages": [
                    {"role": "assistant" if (length - k) % 2 == 0 else "user", "content": text}
                    for k, text in enumerate(turns)
                ]
            }
        elif "Each case is a scenario" in prompt:
            inputs = {
                "goal": f"Find out about {words}",
                "persona": f"A {_WORDS[n % 11]} maker",
                "simulation_guidelines": ["Be brief"],
            }
        else:
            inputs = {"query": f"What about {words} and {n}?"}
        case = {"slot": number, "inputs": inputs, "expectations": {"polite": True}}
        if self._slip is not None:
            self._slip(case, call)
        return case
