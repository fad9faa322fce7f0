"""The session file as all its tables share it: the database, the clock, the categories' numbers, places in the history."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.store.database import Database
from dsbuilder_tui.store.schema import SEQUENCED_TABLES
from dsbuilder_tui.store.soundness import CategoryNames, damaged_session

T = TypeVar("T")


class StoreConnection:
    """One open session file. ``ids`` maps the names of categories to their numbers, ``names`` the other way."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock
        self.ids: Mapping[str, int] = {}
        self.names: Mapping[int, str] = CategoryNames({})
        self._seq = 0
        self._checkpoint = 0

    async def load(self) -> None:
        """Read the numbers of the categories, and the last places that were given out.

        Raises ``SessionDamaged`` when what a session is read by is not what was written.
        """
        if found := await self.database.opening_damages():
            raise damaged_session(self.path.parent.name, found)

        def load(connection: sqlite3.Connection) -> None:
            self.set_ids(dict(connection.execute("SELECT name, id FROM category")))
            latest = [connection.execute(f"SELECT max(seq) FROM {table}").fetchone()[0] for table in SEQUENCED_TABLES]
            self._seq = max(number or 0 for number in latest)
            self._checkpoint = connection.execute("SELECT max(id) FROM checkpoint").fetchone()[0] or 0

        await self.read(load)

    def set_ids(self, ids: Mapping[str, int]) -> None:
        """Take over the numbers of the categories after a revision of the plan."""
        self.ids, self.names = ids, CategoryNames({number: name for name, number in ids.items()})

    async def require_sound(self, tables: Iterable[str] | None = None) -> None:
        """Raises ``SessionDamaged`` naming those of the tables (all, without any named) that are not what was written."""
        if found := await self.database.damages(tables):
            raise damaged_session(self.path.parent.name, found)

    @property
    def path(self) -> Path:
        return self.database.path

    @property
    def seq(self) -> int:
        """The last place in the history that was given out."""
        return self._seq

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def next_seqs(self, count: int) -> range:
        self._seq += count
        return range(self._seq - count + 1, self._seq + 1)

    def next_checkpoint(self) -> int:
        self._checkpoint += 1
        return self._checkpoint

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that only reads, on the connection's own thread."""
        return await self.database.read(function)

    async def write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function in one transaction: all of it is on disk when this returns, or none of it."""
        return await self.database.write(function)
