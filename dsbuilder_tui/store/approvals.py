"""Questions that need a person's yes, and what the main agent goes on from once they are answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson

from dsbuilder_tui.domain.approval import Approval, ApprovalDecision, ApprovalState, approval_request
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH


class ApprovalTable:
    """Reads and writes questions."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def ask(self, approval: Approval, run_state: str) -> None:
        a = approval
        data = to_text(a.request.data())
        row = (a.call_id, MAIN_BRANCH, a.seq, a.tool, data, run_state, a.state, a.decision, a.created_at)
        await self._store.write(
            lambda connection: connection.execute("INSERT OR REPLACE INTO approval VALUES (?,?,?,?,?,?,?,?,?)", row)
        )

    async def change(self, approval: Approval) -> None:
        """Write what has become of a question. One that is settled cannot be gone on from any more."""
        a = approval
        row = (to_text(a.request.data()), a.state, a.decision, a.state, a.call_id)
        await self._store.write(
            lambda connection: connection.execute(
                "UPDATE approval SET data=?, state=?, decision=?, "
                "run_state=CASE WHEN ?='settled' THEN '' ELSE run_state END WHERE call_id=?",
                row,
            )
        )

    async def newest(self, limit: int = 200, state: ApprovalState | None = None) -> list[tuple[Approval, str]]:
        """The newest questions (all, or those in one state), oldest first, each with what the agent goes on from."""

        def read(connection: sqlite3.Connection) -> list[tuple[Approval, str]]:
            rows = connection.execute(
                "SELECT call_id, seq, tool, data, state, decision, created_at, run_state FROM approval "
                "WHERE branch_id=? AND state=coalesce(?, state) ORDER BY seq DESC LIMIT ?",
                (MAIN_BRANCH, state, limit),
            ).fetchall()
            return [(_approval_from(row), run_state) for *row, run_state in reversed(rows)]

        return await self._store.read(read)


def _approval_from(row: Sequence[Any]) -> Approval:
    call_id, seq, tool, data, state_now, decided, created_at = row
    state, decision = _outcome(state_now, decided)
    return Approval(
        call_id=call_id,
        seq=seq,
        tool=tool,
        request=approval_request(orjson.loads(data)),
        state=state,
        decision=decision,
        created_at=created_at,
    )


def _outcome(state: str, decision: str) -> tuple[ApprovalState, ApprovalDecision]:
    """A state or an answer of a later version is none that this one can go on from."""
    try:
        return ApprovalState(state), ApprovalDecision(decision)
    except ValueError:
        return ApprovalState.SETTLED, ApprovalDecision.REPLACED
