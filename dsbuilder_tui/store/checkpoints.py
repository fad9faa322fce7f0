"""Named points in a session's history."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.schema import MAIN_BRANCH

CHECKPOINT_COLUMNS = "id, seq, reason, accepted, planned, created_at"


class CheckpointTable:
    """Reads checkpoints; a commit writes them."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def newest(self, limit: int = 1000) -> list[Checkpoint]:
        """The newest checkpoints, oldest first."""

        def read(connection: sqlite3.Connection) -> list[Checkpoint]:
            rows = connection.execute(
                f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoint WHERE branch_id=? ORDER BY id DESC LIMIT ?",
                (MAIN_BRANCH, limit),
            )
            return [checkpoint_from(row) for row in rows][::-1]

        return await self._store.read(read)

    async def first(self, reason: str) -> Checkpoint | None:
        """The first checkpoint that was made for this reason."""

        def read(connection: sqlite3.Connection) -> Checkpoint | None:
            row = connection.execute(
                f"SELECT {CHECKPOINT_COLUMNS} FROM checkpoint WHERE branch_id=? AND reason=? ORDER BY id LIMIT 1",
                (MAIN_BRANCH, reason),
            ).fetchone()
            return None if row is None else checkpoint_from(row)

        return await self._store.read(read)


def checkpoint_from(row: Sequence[Any]) -> Checkpoint:
    """A row of ``CHECKPOINT_COLUMNS``."""
    number, seq, reason, accepted, planned, created_at = row
    return Checkpoint(id=number, seq=seq, reason=reason, accepted=accepted, planned=planned, created_at=created_at)
