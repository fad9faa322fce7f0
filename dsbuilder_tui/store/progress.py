"""The counters of a session's categories, which each commit keeps."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.rejections import not_written
from dsbuilder_tui.store.rows import CategoryProgress
from dsbuilder_tui.store.schema import MAIN_BRANCH


class ProgressTable:
    """Reads the counters. Costs the same at any size."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def by_category(self) -> dict[str, CategoryProgress]:
        return await self._store.read(lambda connection: read_progress(connection, self._store.names))

    async def totals(self) -> CategoryProgress:
        """The counters of all categories together."""
        counts = (await self.by_category()).values()
        return CategoryProgress(
            sum(c.accepted for c in counts), sum(c.rejected for c in counts), sum(c.exhausted for c in counts)
        )


def read_progress(connection: sqlite3.Connection, names: Mapping[int, str]) -> dict[str, CategoryProgress]:
    """The counters of these categories, within whatever transaction the caller has begun.

    What an older version counted as rejected without a candidate is left out, as it is wherever rejections are read.
    """
    none = not_written(connection, MAIN_BRANCH)
    rows = connection.execute(
        "SELECT category_id, accepted, rejected, exhausted FROM progress WHERE branch_id=?", (MAIN_BRANCH,)
    )
    return {
        names[number]: CategoryProgress(accepted, rejected - none.get(number, 0), exhausted)
        for number, accepted, rejected, exhausted in rows
    }
