"""The passages of the documents that a plan names, as they were when they were read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from dsbuilder_tui.domain.evidence import SOURCES
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.schema import MAIN_BRANCH

_COLUMNS = "p.document, p.heading, p.start, p.end, p.text"


class PassageTable:
    """Keeps passages by their source: the path that a plan names."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def sources(self) -> set[str]:
        """The sources that have been read."""
        sql = "SELECT DISTINCT source FROM source_passage"
        return await self._store.read(lambda connection: {source for (source,) in connection.execute(sql)})

    async def add(self, source: str, passages: Sequence[Passage]) -> None:
        """Keep the passages of a source, in their order; in place of those that it had."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM source_passage WHERE source=?", (source,))
            connection.executemany(
                "INSERT OR IGNORE INTO passage VALUES (?,?,?,?,?,?)",
                [(p.id, p.document, p.heading, p.start, p.end, p.text) for p in passages],
            )
            connection.executemany(
                "INSERT INTO source_passage VALUES (?,?,?)", [(source, n, p.id) for n, p in enumerate(passages)]
            )

        await self._store.write(write)

    async def of(self, sources: Iterable[str]) -> list[Passage]:
        """The passages of several sources, in order, each once."""
        wanted = list(sources)

        def read(connection: sqlite3.Connection) -> list[Passage]:
            found: dict[str, Passage] = {}
            for source in wanted:
                rows = connection.execute(
                    f"SELECT s.passage_id, {_COLUMNS} FROM source_passage s JOIN passage p ON p.id=s.passage_id "
                    "WHERE s.source=? ORDER BY s.place",
                    (source,),
                )
                for key, *values in rows:
                    found.setdefault(key, Passage(*values))
            return list(found.values())

        return await self._store.read(read)

    async def by_ids(self, keys: Iterable[str]) -> list[Passage]:
        """These passages, in the order given; those that are not there are left out."""
        wanted = list(dict.fromkeys(keys))

        def read(connection: sqlite3.Connection) -> list[Passage]:
            sql = f"SELECT {_COLUMNS} FROM passage p WHERE p.id=?"
            rows = (connection.execute(sql, (key,)).fetchone() for key in wanted)
            return [Passage(*row) for row in rows if row]

        return await self._store.read(read)

    async def uses(self) -> dict[str, int]:
        """For each passage that accepted cases were written from, by id, how many. Reads all cases."""
        sql = (
            "SELECT json_extract(s.value, '$.passage'), count(*) FROM accepted_case c, json_each(c.tags, ?) s "
            "WHERE c.branch_id=? GROUP BY 1"
        )
        path = f"$.{SOURCES}"
        return await self._store.read(lambda connection: dict(connection.execute(sql, (path, MAIN_BRANCH))))
