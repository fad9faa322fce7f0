"""Who answers in the conversation, as the studio sees it: the main agent, or a stand-in for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

from dsbuilder_tui.agent.monitor import Note
from dsbuilder_tui.agent.turn_events import TurnEvent
from dsbuilder_tui.domain.approval import Approval
from dsbuilder_tui.domain.plan import DatasetPlanInput


class Talk(Protocol):
    """See ``agent.conversation.Conversation``. Closing a stream of parts stops the turn cleanly."""

    @property
    def busy(self) -> bool: ...

    async def open(self) -> None: ...

    async def prepare(self) -> None: ...

    async def waiting(self) -> Approval | None: ...

    def say(self, text: str, pastes: Mapping[int, str] | None = None) -> AsyncGenerator[TurnEvent, None]: ...

    def answer(
        self, approval: Approval, *, yes: bool, words: str = "", plan: DatasetPlanInput | None = None
    ) -> AsyncGenerator[TurnEvent, None]: ...

    def note(self, note: Note) -> AsyncGenerator[TurnEvent, None]: ...
