"""Talking with the main agent in tests: a host, scripted turns of a model, and what came of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from agents.testing import ScriptedModel, assistant_message, function_call

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.agent.conversation import Conversation
from dsbuilder_tui.agent.headless_host import HeadlessHost
from dsbuilder_tui.agent.turn_events import QuestionAsked, TextDelta, TurnEvent, TurnFailed, WordsWithdrawn
from dsbuilder_tui.domain.events import MessageAdded
from dsbuilder_tui.domain.message import Message, MessageRole, TextContent, ToolContent

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
        return await self._heard(self.conversation.say(text, pastes))

    async def answer(self, yes: bool, words: str = "", plan: DatasetPlanInput | None = None) -> list[TurnEvent]:
        waiting = await self.conversation.waiting()
        assert waiting is not None, "nothing waits for an answer"
        return await self._heard(self.conversation.answer(waiting, yes=yes, words=words, plan=plan))

    async def _heard(self, parts: AsyncGenerator[TurnEvent, None]) -> list[TurnEvent]:
        """The parts of a turn. Its messages are those that the session announces, each once, in their order."""
        announced: list[Message] = []
        stop = self.session.subscribe(
            lambda event: announced.append(event.message) if isinstance(event, MessageAdded) else None
        )
        found = await gather(parts)
        stop()
        kept = [message for message in announced if message.role is not MessageRole.PERSON]
        assert [part for part in found if isinstance(part, Message)] == kept
        return found

    def told(self, call: int = -1) -> str:
        """Everything that the model was given at one of its calls."""
        assert self.model is not None
        given = self.model.calls[call]
        return f"{given.system_instructions}\n{given.input}"


async def gather(parts: AsyncGenerator[TurnEvent, None]) -> list[TurnEvent]:
    found = [part async for part in parts]
    words = ""
    kept = 0  # of the words that are in a message
    for part in found:
        if isinstance(part, TextDelta):
            words += part.text
        elif isinstance(part, WordsWithdrawn):
            words = words[:kept]
        elif isinstance(part, Message) and part.kind == "text":
            kept = len(words)
    assert words == "".join(texts(found)), "what streams is what is said"
    return found


def said(parts: Iterable[TurnEvent]) -> str:
    return "\n".join(texts(parts))


def texts(parts: Iterable[TurnEvent]) -> list[str]:
    """What the agent said."""
    return [p.text for p in parts if isinstance(p, Message) and isinstance(p.content, TextContent)]


def tools_used(parts: Iterable[TurnEvent]) -> list[ToolContent]:
    """What tools were given and answered."""
    return [p.content for p in parts if isinstance(p, Message) and isinstance(p.content, ToolContent)]


def outcomes(parts: Iterable[TurnEvent]) -> list[tuple[str, bool]]:
    return [(used.tool, used.ok) for used in tools_used(parts)]


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
