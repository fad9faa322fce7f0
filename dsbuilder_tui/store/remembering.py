"""What the main agent remembers of the conversation, what it waits for, and what its tools have done."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from dsbuilder_tui.domain.history import Approval
from dsbuilder_tui.store.base import StoreBase, to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH


class Remembering(StoreBase):
    """Reads and writes the main agent's side of a session."""

    async def agent_items(self) -> list[tuple[int, dict[str, Any]]]:
        """What the agent has in mind, oldest first, each with its number."""

        def read(connection: sqlite3.Connection) -> list[tuple[int, dict[str, Any]]]:
            rows = connection.execute("SELECT id, item FROM agent_item WHERE branch_id=? ORDER BY id", (MAIN_BRANCH,))
            return [(number, orjson.loads(item)) for number, item in rows]

        return await self._db.read(read)

    async def add_agent_items(self, items: Sequence[dict[str, Any]]) -> None:
        rows = [(MAIN_BRANCH, to_text(item), self._clock.now()) for item in items]
        await self._db.write(
            lambda connection: connection.executemany(
                "INSERT INTO agent_item (branch_id, item, created_at) VALUES (?,?,?)", rows
            )
        )

    async def compact_agent_items(self, upto: int, summary: str) -> None:
        """Put a summary in the place of the items up to a number, in one transaction."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM agent_item WHERE branch_id=? AND id<=?", (MAIN_BRANCH, upto))
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('agent_summary', ?)", (to_text(summary),))

        await self._db.write(write)

    async def ask_approval(self, approval: Approval, run_state: str) -> None:
        a = approval
        row = (a.call_id, MAIN_BRANCH, a.seq, a.tool, to_text(a.data), run_state, a.state, a.decision, a.created_at)
        await self._db.write(
            lambda connection: connection.execute("INSERT OR REPLACE INTO approval VALUES (?,?,?,?,?,?,?,?,?)", row)
        )

    async def change_approval(self, approval: Approval) -> None:
        """Write what has become of a question. One that is settled cannot be gone on from any more."""
        a = approval
        row = (to_text(a.data), a.state, a.decision, a.state, a.call_id)
        await self._db.write(
            lambda connection: connection.execute(
                "UPDATE approval SET data=?, state=?, decision=?, "
                "run_state=CASE WHEN ?='settled' THEN '' ELSE run_state END WHERE call_id=?",
                row,
            )
        )

    async def approvals(self, limit: int = 200, state: str | None = None) -> list[tuple[Approval, str]]:
        """The newest questions (all, or those in one state), oldest first, each with what the agent goes on from."""

        def read(connection: sqlite3.Connection) -> list[tuple[Approval, str]]:
            rows = connection.execute(
                "SELECT call_id, seq, tool, data, state, decision, created_at, run_state FROM approval "
                "WHERE branch_id=? AND state=coalesce(?, state) ORDER BY seq DESC LIMIT ?",
                (MAIN_BRANCH, state, limit),
            ).fetchall()
            return [
                (Approval(call_id, seq, tool, orjson.loads(data), state, decision, at), run_state)
                for call_id, seq, tool, data, state, decision, at, run_state in reversed(rows)
            ]

        return await self._db.read(read)

    async def tool_effect(self, call_id: str) -> str | None:
        """What a tool call answered when it was carried out, None when it was not."""

        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute("SELECT answer FROM tool_effect WHERE call_id=?", (call_id,)).fetchone()
            return str(row[0]) if row else None

        return await self._db.read(read)

    async def note_tool_effect(self, call_id: str, tool: str, answer: str) -> None:
        row = (call_id, tool, answer, self._clock.now())
        await self._db.write(
            lambda connection: connection.execute("INSERT OR IGNORE INTO tool_effect VALUES (?,?,?,?)", row)
        )
