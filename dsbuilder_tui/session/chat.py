"""The conversation of a session, and what the person has typed and not sent."""

from __future__ import annotations

from dsbuilder_tui.domain.events import MessageAdded
from dsbuilder_tui.domain.message import Message, MessageContent, MessageRole, TextContent
from dsbuilder_tui.domain.sanitise import whole_characters
from dsbuilder_tui.models.address import without_keys
from dsbuilder_tui.session.own_words import OwnWords
from dsbuilder_tui.session.session_context import SessionContext


class SessionChat:
    """Keeps messages. Everything is on disk when a method returns."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._own = OwnWords(context.files)

    async def own_words(self, limit: int = 1000) -> list[Message]:
        """Those of the newest messages that the person typed themselves, on this machine, oldest first."""
        since = await self._own.since()
        return [m for m in await self.messages(limit) if m.role == MessageRole.PERSON and m.seq >= since]

    async def messages(self, limit: int = 1000) -> list[Message]:
        """The newest messages, oldest first."""
        return await self._context.files.store.chat.newest(limit)

    async def add(self, role: MessageRole, text: str, content: MessageContent | None = None) -> Message:
        """Keep a message, of plain text unless it has other content; it is on disk, and announced, when this returns."""
        store, now = self._context.files.store, self._context.files.clock.now()
        message = Message(store.next_seq(), role, whole_characters(text), content or TextContent(), now)
        meta = await self._own.with_message(message)
        self._context.files.meta |= meta
        await store.chat.add(message, meta)
        self._context.files.emit(MessageAdded(ts=now, message=message))
        return message

    @property
    def draft(self) -> str:
        """What the person has typed and not sent."""
        return str(self._context.files.meta.get("draft") or "")

    async def save_draft(self, text: str) -> None:
        await self._context.files.remember(draft=self.without_keys(whole_characters(text)))

    def without_keys(self, text: str) -> str:
        """What a person typed, without the keys that are set: they are in no message, draft or request."""
        return without_keys(text, self._context.config)
