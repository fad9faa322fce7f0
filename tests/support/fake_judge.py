"""The judge's side of the fake endpoint: what it is asked about, and what it says."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CRITERIA = ("on_topic", "natural", "attributes_shown", "expectation_right", "answerable", "leaks_nothing")
_CASE = re.compile(r"^<case (\d+)>\n(.*)\n</case \1>$", re.MULTILINE)


@dataclass
class JudgeSays:
    """An answer. ``reason`` is the finish reason."""

    text: str
    thoughts: str = ""
    reason: str = "stop"


def verdict(number: int, *failed: str, reason: str = "it is wrong", quote: str = "", **more: Any) -> dict[str, Any]:
    """One verdict as it was asked for; a case without ``failed`` is good."""
    answers = {name: "no" if name in failed else "yes" for name in CRITERIA}
    return {"case": number, "reason": reason if failed else "fine", "quote": quote, **answers, **more}


def verdicts(*each: dict[str, Any]) -> str:
    return json.dumps({"verdicts": list(each)}, ensure_ascii=False)


def cases_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The cases that a request asks about, in order."""
    return [json.loads(text) for _, text in _CASE.findall(str(body["messages"][-1]["content"]))]


def is_judging(body: dict[str, Any]) -> bool:
    """Whether a request is one of the judge's."""
    return str(body["messages"][0]["content"]).startswith("You judge test cases")


@dataclass
class FakeJudge:
    """Finds bad what ``bad`` says is, unless ``say`` gives a whole answer. ``script`` and ``kind`` are behaviours of the
    endpoint (server_error, rate_limit, hang …) in place of an answer."""

    bad: Callable[[dict[str, Any]], bool] = lambda case: False
    say: Callable[[list[dict[str, Any]], int], JudgeSays | str | None] = lambda cases, call: None
    script: list[str] = field(default_factory=list)
    kind: str = "ok"
    bodies: list[dict[str, Any]] = field(default_factory=list)
    gate: asyncio.Event | None = None  # while set and not signalled, answers wait
    in_gate: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, body: dict[str, Any]) -> JudgeSays:
        cases = cases_of(body)
        said = self.say(cases, len(self.bodies))
        if said is None:
            said = verdicts(
                *(
                    verdict(n, "natural", reason="no user writes so", quote=" ".join(_text(case).split()[:3]))
                    if self.bad(case)
                    else verdict(n)
                    for n, case in enumerate(cases, 1)
                )
            )
        return JudgeSays(said) if isinstance(said, str) else said

    @property
    def asked(self) -> list[str]:
        """The texts of all cases that were asked about, in order."""
        return [_text(case) for body in self.bodies for case in cases_of(body)]


def _text(case: dict[str, Any]) -> str:
    return str(next(iter(case["inputs"].values())))
