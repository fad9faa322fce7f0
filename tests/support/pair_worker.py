"""A worker at the fake endpoint that writes partners for the cases in its prompt."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.fake_agent import Reply

_SLOT = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_CASE = re.compile(r"^   (Contrast|Same): .*?<case>(.*)</case>$", re.MULTILINE)
_CHANGE = re.compile(r"differs in (an?) (negation|amount|date|right):")
_WORDS = (
    "parcel refund garden violin harbour engine kitchen mountain invoice window teacher candle river ticket marble "
    "lantern saddle pepper anchor meadow copper thunder pillow basket glacier orchard velvet compass shadow turbine"
).split()
_OTHER_WORDS = {"Please": "Kindly", "look": "have a look", "into": "at", "today": "this very day"}


@dataclass
class Asked:
    """A slot of a partner as it stood in a prompt."""

    kind: str
    change: str
    case: dict[str, Any]


def contrast(asked: Asked, times: int) -> dict[str, Any]:
    """The case but for one thing, and what is expected then."""
    query = asked.case["inputs"]["query"]
    return {
        "inputs": {"query": f"{query} It is not mine."},
        "expectations": {"decision": "refuse", "guidelines": [f"It is refused for {asked.change}"]},
        "changed": f"{asked.change}: not mine",
    }


def same(asked: Asked, times: int) -> dict[str, Any]:
    """The case in other words."""
    query = " ".join(_OTHER_WORDS.get(word, word) for word in str(asked.case["inputs"]["query"]).split())
    return {"inputs": {"query": query}, "expectations": asked.case["expectations"], "changed": None}


@dataclass
class PairWorker:
    """``reply_for`` of ``FakeOpenAI``. ``contrast`` and ``same`` write the partners; their second argument counts the tries
    for the same original.
    """

    contrast: Callable[[Asked, int], dict[str, Any]] = contrast
    same: Callable[[Asked, int], dict[str, Any]] = same
    asked: list[Asked] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    rng: random.Random = field(default_factory=lambda: random.Random(3))

    def __call__(self, body: dict[str, Any], call: int) -> Reply:
        prompt = str(body["messages"][-1]["content"])
        self.prompts.append(prompt)
        slots = prompt[prompt.index("Slots (") :]
        starts = list(_SLOT.finditer(slots))
        cases = []
        for place, found in enumerate(starts):
            end = starts[place + 1].start() if place + 1 < len(starts) else len(slots)
            cases.append({"slot": int(found[1]), **self.case(slots[found.end() : end])})
        said = {"choices": [{"message": {"content": json.dumps({"cases": cases})}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 50}}  # fmt: skip
        return Reply(said)

    def case(self, told: str) -> dict[str, Any]:
        if (found := _CASE.search(told)) is None:
            words = " ".join(self.rng.sample(_WORDS, 7))
            return {
                "inputs": {"query": f"Please look into {words} today."},
                "expectations": {"decision": "grant", "guidelines": [f"It deals with {words}"]},
            }
        change = _CHANGE.search(told)
        asked = Asked(found[1].lower(), change[2] if change else "", json.loads(found[2]))
        self.asked.append(asked)
        times = sum(one.case["inputs"] == asked.case["inputs"] for one in self.asked)
        return (self.contrast if asked.kind == "contrast" else self.same)(asked, times)
