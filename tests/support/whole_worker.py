"""A worker at the fake endpoint for plans that ask for everything at once: kinds, passages, pairs, own keys, stages."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.fake_agent import Reply

_SLOT = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)
_PASSAGE = re.compile(r"<passage>\n(.*?)\n</passage>", re.DOTALL)
_PARTNER = re.compile(r"^   (Contrast|Same): .*?<case>(.*)</case>$", re.MULTILINE)
_CHANGE = re.compile(r"differs in (an?) (negation|amount|date|right):")
_TURNS = re.compile(r"turns: (\d+)")
_WORDS = (
    "parcel garden violin harbour engine kitchen mountain invoice window teacher lantern saddle pepper anchor meadow copper "
    "thunder pillow basket glacier orchard velvet compass shadow turbine marble candle river ticket bridge"
).split()


class WholeWorker:
    """``reply_for`` of ``FakeOpenAI``. Every text is said once, over all runs against the same worker."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self._count = 0

    def __call__(self, body: dict[str, Any], call: int) -> Reply:
        prompt = str(body["messages"][-1]["content"])
        self.prompts.append(prompt)
        slots = prompt[prompt.index("Slots (") :]
        starts = list(_SLOT.finditer(slots))
        cases = []
        for place, found in enumerate(starts):
            end = starts[place + 1].start() if place + 1 < len(starts) else len(slots)
            cases.append({"slot": int(found[1]), **self._case(prompt, found[2], slots[found.end() : end])})
        said = {"choices": [{"message": {"content": json.dumps({"cases": cases})}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 50}}  # fmt: skip
        return Reply(said)

    def _words(self) -> str:
        self._count += 1
        n = self._count
        return " ".join(_WORDS[(n * 7 // 30**k + k * k * n + 11 * k) % 30] for k in range(6)) + f" {n}"

    def _case(self, prompt: str, attributes: str, told: str) -> dict[str, Any]:
        keys = re.findall(
            r"^- (\w+): ", prompt.partition("Write for each case")[2].partition("\nSlots (")[0], re.MULTILINE
        )
        partner = _PARTNER.search(told)
        if partner is not None:
            return self._partner(partner[1], _CHANGE.search(told), json.loads(partner[2]), _PASSAGE.findall(told), keys)
        words = self._words()
        text = f"What about {words}, please?"
        if "Each case is a conversation" in prompt:
            found = _TURNS.search(attributes)
            length = int(found[1]) if found else 3
            inputs: dict[str, Any] = {
                "messages": [
                    {"role": "assistant", "content": f"It is about {self._words()}."} if (length - k) % 2 == 0
                    else {"role": "user", "content": text if k == length - 1 else f"First, {self._words()}."}
                    for k in range(length)
                ]
            }  # fmt: skip
        elif "Each case is a scenario" in prompt:
            inputs = {"goal": f"Find out about {words}", "persona": f"A {words.split()[0]} maker",
                      "simulation_guidelines": ["Be brief"]}  # fmt: skip
        else:
            inputs = {"query": text}
        return {"inputs": inputs, **self._expected(_PASSAGE.findall(told), keys, f"Deals with {words}")}

    def _expected(self, passages: list[str], keys: list[str], guideline: str) -> dict[str, Any]:
        quotes = [max(re.split(r"(?<=[.])\s|\n\n", passage), key=len).strip() for passage in passages]
        whole: dict[str, Any] = {
            "expected_facts": [f"It says: {quote}" for quote in quotes] or [guideline],
            "guidelines": [guideline], "expected_tool_calls": [], "priority": "low", "expected_response": guideline,
        }  # fmt: skip
        found: dict[str, Any] = {"expectations": {key: whole[key] for key in keys if key in whole}}
        return {**found, "evidence": quotes} if quotes else found

    def _partner(
        self, kind: str, change: re.Match[str] | None, original: dict[str, Any], passages: list[str], keys: list[str]
    ) -> dict[str, Any]:
        inputs = json.loads(json.dumps(original["inputs"]))
        more = f" It is not mine, {self._words()}." if kind == "Contrast" else ""
        if "messages" in inputs:
            last = inputs["messages"][-1]
            last["content"] = last["content"] + more if more else f"Kindly tell me now: {last['content']}"
        else:
            (field, text), *_ = inputs.items()
            inputs[field] = text + more if more else f"Kindly tell me now: {text}"
        if not more:
            return {"inputs": inputs, "expectations": original["expectations"], "changed": None,
                    **{k: v for k, v in self._expected(passages, keys, "").items() if k == "evidence"}}  # fmt: skip
        named = change[2] if change else "negation"
        return {
            "inputs": inputs,
            "changed": f"{named}: not mine",
            **self._expected(passages, keys, f"It is refused for {named}"),
        }
