"""A worker at the fake endpoint that writes about the rows in its prompt."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.support.fake_agent import Reply

_SLOT = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_ROW = re.compile(r"^   <row>(.*)</row>$", re.MULTILINE)
_WORDS = (
    "parcel refund garden violin harbour engine kitchen mountain invoice window teacher candle river ticket marble "
    "lantern saddle pepper anchor meadow copper thunder pillow basket glacier orchard velvet compass shadow turbine"
).split()

Slip = Callable[[dict[str, Any], dict[str, Any], int], None]


class RowWorker:
    """``reply_for`` of ``FakeOpenAI``. ``slip`` may spoil a case (its slot's row, the number of the call)."""

    def __init__(self, slip: Slip | None = None) -> None:
        self.prompts: list[str] = []
        self.rows: list[dict[str, Any]] = []
        self._slip, self._count = slip, 0

    def __call__(self, body: dict[str, Any], call: int) -> Reply:
        prompt = str(body["messages"][-1]["content"])
        self.prompts.append(prompt)
        slots = prompt[prompt.index("Slots (") :]
        starts = list(_SLOT.finditer(slots))
        cases = []
        for place, found in enumerate(starts):
            end = starts[place + 1].start() if place + 1 < len(starts) else len(slots)
            row = _ROW.search(slots[found.end() : end])
            cases.append(self._case(int(found[1]), json.loads(row[1]) if row else {}, call))
        said = {"choices": [{"message": {"content": json.dumps({"cases": cases})}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 50}}  # fmt: skip
        return Reply(said)

    def _case(self, number: int, row: dict[str, Any], call: int) -> dict[str, Any]:
        self._count += 1
        self.rows.append(row)
        n, words = self._count, list[str]()
        for _ in range(6):
            n, place = divmod(n * 7919 + 13, len(_WORDS))
            words.append(_WORDS[place])
        case = {
            "slot": number, "inputs": {"query": f"{' '.join(words)}: what does the {row.get('name')} cost?"},
            "expectations": {"polite": True, "expected_facts": [f"It costs {row.get('price')}."]},
        }  # fmt: skip
        if self._slip is not None:
            self._slip(case, row, call)
        return case
