"""Cases between two stages of writing: what a resumed run goes on from, so that no stage is paid for twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

import orjson

from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.rows import SlotUnstaged, StagedCase
from dsbuilder_tui.store.schema import MAIN_BRANCH


class StagedCaseTable:
    """Reads what stands between two stages."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def all(self) -> list[StagedCase]:
        """All of it, by category and slot."""

        def read(connection: sqlite3.Connection) -> list[StagedCase]:
            rows = connection.execute(
                "SELECT category_id, ordinal, made_for, body, trail, batch, model, created_at FROM staged_case "
                "WHERE branch_id=? ORDER BY category_id, ordinal",
                (MAIN_BRANCH,),
            )
            return [
                StagedCase(
                    category=self._store.names[number], ordinal=ordinal, made_for=made_for, body=orjson.loads(body),
                    trail=orjson.loads(trail), batch=batch, model=model, created_at=at,
                )
                for number, ordinal, made_for, body, trail, batch, model, at in rows
            ]  # fmt: skip

        return await self._store.read(read)


def write_staged(
    connection: sqlite3.Connection, changes: Iterable[StagedCase | SlotUnstaged], ids: Mapping[str, int]
) -> None:
    """Keep what stages have made, and let go what is decided, in order; the caller holds the transaction."""
    for change in changes:
        slot = (MAIN_BRANCH, ids[change.category], change.ordinal)
        if isinstance(change, SlotUnstaged):
            connection.execute("DELETE FROM staged_case WHERE branch_id=? AND category_id=? AND ordinal=?", slot)
        else:
            values = (
                *slot, change.made_for, to_text(change.body), to_text(change.trail), change.batch, change.model,
                change.created_at,
            )  # fmt: skip
            connection.execute("INSERT OR REPLACE INTO staged_case VALUES (?,?,?,?,?,?,?,?,?)", values)
