"""The messages of a session."""

from __future__ import annotations

import sqlite3

import orjson

from dsbuilder_tui.domain.history import Message
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH


class ChatTable:
    """Reads and writes messages."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def add(self, message: Message) -> None:
        """Write one message; on disk when this returns."""
        m = message
        row = (m.seq, MAIN_BRANCH, m.role, m.kind, m.text, to_text(m.data), m.created_at)
        await self._store.write(
            lambda connection: connection.execute("INSERT INTO message VALUES (?,?,?,?,?,?,?)", row)
        )

    async def has_message_of(self, role: str) -> bool:
        """Whether somebody of that role has said anything."""
        return await self._store.read(
            lambda connection: (
                connection.execute("SELECT 1 FROM message WHERE role=? LIMIT 1", (role,)).fetchone() is not None
            )
        )

    async def newest(self, limit: int) -> list[Message]:
        """The newest messages, oldest first."""

        def read(connection: sqlite3.Connection) -> list[Message]:
            rows = connection.execute(
                "SELECT seq, role, kind, text, data, created_at FROM message WHERE branch_id=? ORDER BY seq DESC LIMIT ?",
                (MAIN_BRANCH, limit),
            ).fetchall()
            return [
                Message(seq, role, kind, text, orjson.loads(data), at)
                for seq, role, kind, text, data, at in reversed(rows)
            ]

        return await self._store.read(read)
