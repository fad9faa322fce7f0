"""Talking with the main agent in tests: a host, scripted turns of a model, and what came of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from agents.testing import ScriptedModel, assistant_message, function_call

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.agent.conversation import Conversation
from dsbuilder_tui.agent.headless_host import HeadlessHost
from dsbuilder_tui.agent.turn_events import QuestionAsked, TextDelta, TextFinished, ToolFinished, TurnEvent, TurnFailed

says = assistant_message
calls = function_call

SUPPORT = {
    "dataset_name": "support_bot",
    "description": "A support bot of a web shop",
    "categories": [
        {"name": "order_status", "description": "Where is it", "count": 8, "example_inputs": ["Where is my order #12345?"],
         "expectations": {"polite": True}},
        {"name": "refunds", "description": "Money back", "count": 4, "example_inputs": ["I want my money back for #77."],
         "expectations": {"polite": True}},
    ],
}  # fmt: skip


class Talking:
    """One conversation: what it is told, and the parts that came back."""

    def __init__(self, session: Session, model: ScriptedModel | None) -> None:
        self.model = model
        self.host = HeadlessHost(session)
        self.conversation = Conversation(self.host, model=model)

    @property
    def session(self) -> Session:
        return self.host.session

    async def say(self, text: str, pastes: dict[int, str] | None = None) -> list[TurnEvent]:
        return await gather(self.conversation.say(text, pastes))

    async def answer(self, yes: bool, words: str = "", plan: DatasetPlanInput | None = None) -> list[TurnEvent]:
        waiting = await self.conversation.waiting()
        assert waiting is not None, "nothing waits for an answer"
        return await gather(self.conversation.answer(waiting, yes=yes, words=words, plan=plan))

    def told(self, call: int = -1) -> str:
        """Everything that the model was given at one of its calls."""
        assert self.model is not None
        given = self.model.calls[call]
        return f"{given.system_instructions}\n{given.input}"


async def gather(parts: AsyncGenerator[TurnEvent, None]) -> list[TurnEvent]:
    found = [part async for part in parts]
    words = "".join(part.text for part in found if isinstance(part, TextDelta))
    assert words == "".join(part.text for part in found if isinstance(part, TextFinished)), (
        "what streams is what is said"
    )
    return found


def said(parts: Iterable[TurnEvent]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, TextFinished))


def outcomes(parts: Iterable[TurnEvent]) -> list[tuple[str, bool]]:
    return [(part.tool, part.ok) for part in parts if isinstance(part, ToolFinished)]


def troubles(parts: Iterable[TurnEvent]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, TurnFailed))


def asked(parts: Iterable[TurnEvent]) -> list[str]:
    return [part.approval.tool for part in parts if isinstance(part, QuestionAsked)]


@asynccontextmanager
async def talking(
    config: DatasetBuilderConfig, *steps: Any, plan: DatasetPlanInput | None = None, reference: str | None = None
) -> AsyncIterator[Talking]:
    """A conversation in a new session (with a plan or without one), or in the one named ``reference``.

    ``steps`` are what a scripted model does; without any the configured model answers.
    """
    if reference is not None:
        session = await Session.open(reference, config)
    elif plan is not None:
        session = await Session.create(plan, config)
    else:
        session = await Session.begin("untitled", config)
    async with session:
        talk = Talking(session, ScriptedModel(list(steps)) if steps else None)
        await talk.conversation.open()
        try:
            yield talk
        finally:
            await talk.host.close()
