"""Named points in a session's history."""

from __future__ import annotations

import sqlite3

from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.schema import MAIN_BRANCH


class CheckpointTable:
    """Reads checkpoints; a commit writes them."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def newest(self, limit: int = 1000) -> list[Checkpoint]:
        """The newest checkpoints, oldest first."""

        def read(connection: sqlite3.Connection) -> list[Checkpoint]:
            rows = connection.execute(
                "SELECT id, seq, reason, accepted, planned, created_at FROM checkpoint WHERE branch_id=? "
                "ORDER BY id DESC LIMIT ?",
                (MAIN_BRANCH, limit),
            )
            return [Checkpoint(*row) for row in rows][::-1]

        return await self._store.read(read)
