"""Requests of the stages behind the draft, as the fake endpoint sees them."""

from __future__ import annotations

from typing import Any

from tests.support.fake_judge import cases_of
from tests.support.fake_openai import FakeOpenAI

FULL = ["draft", {"evolve": "harder"}, "critique", "revise"]


def stage_of(body: dict[str, Any]) -> str:
    """Which stage a request for cases is for: draft, evolve, revise."""
    system = str(body["messages"][0]["content"])
    if "that is written already" not in system:
        return "draft"
    return "revise" if "A reviewer has found fault" in system else "evolve"


def asked(fake: FakeOpenAI, stage: str) -> list[str]:
    """The texts of the cases that calls of evolve or revise were given, in order."""
    return [str(next(iter(case["inputs"].values()))) for body in at(fake, stage) for case in cases_of(body)]


def at(fake: FakeOpenAI, stage: str) -> list[dict[str, Any]]:
    """The requests of one stage, in order; ``critique`` has those of the judge's prompt."""
    return list(fake.judge.bodies) if stage == "critique" else [b for b in fake.bodies if stage_of(b) == stage]


def only(fake: FakeOpenAI, stage: str, *kinds: str) -> None:
    """Have the calls of one stage go wrong so, one after another, and then well; the last kind goes on when it is ``…``."""
    left = list(kinds)

    def kind_for(body: dict[str, Any]) -> str | None:
        if stage_of(body) != stage or not left:
            return None
        return left[0] if left[1:] == ["…"] else left.pop(0)

    if stage == "critique":
        fake.judge.script, fake.judge.kind = ([], kinds[0]) if kinds[1:] == ("…",) else (left, "ok")
    else:
        fake.kind_for = kind_for
