"""The rows that a plan's slots are about, as they were when their file was read."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dsbuilder_tui.domain.row_axis import ROW
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.schema import MAIN_BRANCH


@dataclass(frozen=True, slots=True)
class KeptRows:
    """The rows of one category. ``order`` has the number of a row for each place, ``bodies`` the rows by number, as JSON;
    ``digest`` is that of the file when it was read, which then had ``total`` rows."""

    digest: str
    total: int
    order: Sequence[int]
    bodies: Mapping[int, bytes]


class SourceRowTable:
    """Keeps rows by the content of their file, and which of them the slots of a category get by the path in the plan."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def of(self, category: str, file: str) -> KeptRows | None:
        """What is kept for a category; None when the file was never read for it."""

        def read(connection: sqlite3.Connection) -> KeptRows | None:
            known = connection.execute(
                "SELECT digest, total FROM row_file WHERE category=? AND file=?", (category, file)
            ).fetchone()
            if known is None:
                return None
            numbers = connection.execute(
                "SELECT number FROM row_order WHERE category=? AND file=? ORDER BY place", (category, file)
            )
            order = [number for (number,) in numbers]
            bodies = connection.execute(
                "SELECT number, body FROM source_row WHERE digest=? AND number IN "
                "(SELECT number FROM row_order WHERE category=? AND file=?)",
                (known[0], category, file),
            )
            digest, total = known
            return KeptRows(digest, total, order, {number: body.encode() for number, body in bodies})

        return await self._store.read(read)

    async def add(self, category: str, file: str, rows: KeptRows) -> None:
        """Keep the rows of a category: those that are there stay as they are, and so do the places that have one."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR IGNORE INTO row_file VALUES (?,?,?,?)", (category, file, rows.digest, rows.total)
            )
            connection.executemany(
                "INSERT OR IGNORE INTO source_row VALUES (?,?,?)",
                [(rows.digest, number, body.decode()) for number, body in rows.bodies.items()],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO row_order VALUES (?,?,?,?)",
                [(category, file, place, number) for place, number in enumerate(rows.order, 1)],
            )

        await self._store.write(write)

    async def uses(self) -> dict[str, tuple[int, int]]:
        """For each category how many rows its accepted cases are about, and how many cases that are. Reads all cases."""
        number = f"json_extract(c.tags, '$.{ROW}.number')"
        sql = (
            f"SELECT k.name, count(DISTINCT {number}), count({number}) FROM accepted_case c "
            "JOIN category k ON k.id=c.category_id WHERE c.branch_id=? GROUP BY c.category_id"
        )
        return await self._store.read(
            lambda connection: {name: (rows, cases) for name, rows, cases in connection.execute(sql, (MAIN_BRANCH,))}
        )

    async def totals(self) -> dict[tuple[str, str], int]:
        """How many rows a file had when it was read for a category, by the category and the path."""
        sql = "SELECT category, file, total FROM row_file"
        return await self._store.read(
            lambda connection: {(category, file): total for category, file, total in connection.execute(sql)}
        )
