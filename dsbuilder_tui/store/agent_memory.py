"""The items that the main agent has in mind, and what its tool calls have done."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH


class AgentMemoryTable:
    """Reads and writes the main agent's memory."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def items(self) -> list[tuple[int, dict[str, Any]]]:
        """What the agent has in mind, oldest first, each with its number."""

        def read(connection: sqlite3.Connection) -> list[tuple[int, dict[str, Any]]]:
            rows = connection.execute("SELECT id, item FROM agent_item WHERE branch_id=? ORDER BY id", (MAIN_BRANCH,))
            return [(number, orjson.loads(item)) for number, item in rows]

        return await self._store.read(read)

    async def add_items(self, items: Sequence[dict[str, Any]]) -> None:
        rows = [(MAIN_BRANCH, to_text(item), self._store.clock.now()) for item in items]
        await self._store.write(
            lambda connection: connection.executemany(
                "INSERT INTO agent_item (branch_id, item, created_at) VALUES (?,?,?)", rows
            )
        )

    async def compact(self, upto: int, summary: str) -> None:
        """Put a summary in the place of the items up to a number, in one transaction."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM agent_item WHERE branch_id=? AND id<=?", (MAIN_BRANCH, upto))
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('agent_summary', ?)", (to_text(summary),))

        await self._store.write(write)

    async def tool_effect(self, call_id: str) -> str | None:
        """What a tool call answered when it was carried out, None when it was not."""

        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute("SELECT answer FROM tool_effect WHERE call_id=?", (call_id,)).fetchone()
            return str(row[0]) if row else None

        return await self._store.read(read)

    async def note_tool_effect(self, call_id: str, tool: str, answer: str) -> None:
        row = (call_id, tool, answer, self._store.clock.now())
        await self._store.write(
            lambda connection: connection.execute("INSERT OR IGNORE INTO tool_effect VALUES (?,?,?,?)", row)
        )
