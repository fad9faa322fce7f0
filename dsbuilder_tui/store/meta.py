"""Values that a session keeps by name: its state, seed, settings, draft …"""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import to_text


class MetaTable:
    """Reads and writes named values."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def all(self) -> dict[str, Any]:
        def read(connection: sqlite3.Connection) -> dict[str, Any]:
            return {key: orjson.loads(value) for key, value in connection.execute("SELECT key, value FROM meta")}

        return await self._store.read(read)

    async def set(self, **values: Any) -> None:
        def write(connection: sqlite3.Connection) -> None:
            rows = [(key, to_text(value)) for key, value in values.items()]
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

        await self._store.write(write)
