"""The messages of a session."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import orjson

from dsbuilder_tui.domain.message import Message, MessageRole, message_content
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH

MESSAGE_COLUMNS = "seq, role, kind, text, data, created_at"
_ROLES = {str(role): role for role in MessageRole}


def read_message(row: Any) -> Message:
    """A row of ``MESSAGE_COLUMNS`` as a message."""
    seq, role, kind, text, data, created_at = row
    return Message(seq, _ROLES.get(role, role), text, message_content(kind, orjson.loads(data)), created_at)


class ChatTable:
    """Reads and writes messages."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def add(self, message: Message, meta: Mapping[str, Any]) -> None:
        """Write one message, and values of the ``meta`` table with it; on disk when this returns."""
        m = message
        kind, data = m.content.recorded_kind, to_text(m.content.data())
        row = (m.seq, MAIN_BRANCH, m.role, kind, m.text, data, m.created_at)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO message VALUES (?,?,?,?,?,?,?)", row)
            values = [(key, to_text(value)) for key, value in meta.items()]
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)

        await self._store.write(write)

    async def has_message_of(self, role: MessageRole) -> bool:
        """Whether somebody of that role has said anything."""
        return await self._store.read(
            lambda connection: (
                connection.execute("SELECT 1 FROM message WHERE role=? LIMIT 1", (role,)).fetchone() is not None
            )
        )

    async def of_role(self, role: MessageRole, since: int) -> list[Message]:
        """All messages of somebody from a place in the history on, oldest first."""

        def read(connection: sqlite3.Connection) -> list[Message]:
            rows = connection.execute(
                f"SELECT {MESSAGE_COLUMNS} FROM message WHERE branch_id=? AND role=? AND seq>=? ORDER BY seq",
                (MAIN_BRANCH, role, since),
            )
            return [read_message(row) for row in rows]

        return await self._store.read(read)

    async def newest(self, limit: int, until: int | None = None) -> list[Message]:
        """The newest messages, oldest first; with ``until`` those up to a place in the history."""
        last = 2**63 - 1 if until is None else until

        def read(connection: sqlite3.Connection) -> list[Message]:
            rows = connection.execute(
                f"SELECT {MESSAGE_COLUMNS} FROM message WHERE branch_id=? AND seq<=? ORDER BY seq DESC LIMIT ?",
                (MAIN_BRANCH, last, limit),
            ).fetchall()
            return [read_message(row) for row in reversed(rows)]

        return await self._store.read(read)
