"""The main agent's memory of a session: its items, their summary, what its tools did, what it knows of the application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.session.session_context import SessionContext


class AgentMemory:
    """Keeps what the main agent has in mind. Everything is on disk when a method returns."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    @property
    def summary(self) -> str:
        """What was said before the items that the agent still has word for word."""
        return str(self._context.files.meta.get("agent_summary") or "")

    async def items(self) -> list[tuple[int, dict[str, Any]]]:
        """What the agent has in mind as items of the Responses API, oldest first, each with its number."""
        return await self._context.files.store.agent_memory.items()

    async def add_items(self, items: Sequence[dict[str, Any]]) -> None:
        await self._context.files.store.agent_memory.add_items([whole_characters(item) for item in items])

    async def compact(self, upto: int, summary: str) -> None:
        """Put a summary in the place of the items up to a number."""
        summary = whole_characters(summary)
        await self._context.files.store.agent_memory.compact(upto, summary)
        self._context.files.meta["agent_summary"] = summary

    @property
    def target(self) -> dict[str, Any]:
        """What is known of the evaluated application; foreign text."""
        return dict(self._context.files.meta.get("target") or {})

    async def remember_target(self, target: dict[str, Any]) -> None:
        await self._context.files.remember(target=whole_characters(target))

    async def tool_effect(self, call_id: str) -> str | None:
        """What a tool call answered when it was carried out, None when it was not."""
        return await self._context.files.store.agent_memory.tool_effect(call_id)

    async def note_tool_effect(self, call_id: str, tool: str, answer: str) -> None:
        """Remember that a tool call has had its effect, so that it is never carried out twice."""
        await self._context.files.store.agent_memory.note_tool_effect(call_id, tool, whole_characters(answer))
