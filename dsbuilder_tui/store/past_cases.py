"""The cases as they were at a checkpoint of any branch: read where they lie, while the session stays where it is."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase, Rejection
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.head_move import segment_path, start_of
from dsbuilder_tui.store.rejections import REJECTION_COLUMNS, rejection_from
from dsbuilder_tui.store.row_format import CASE_COLUMNS, read_case
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.statistics import AttributeRow
from dsbuilder_tui.store.travelled_tables import (
    CASE_PLACE,
    HEAD_SEGMENT,
    REJECTION_PLACE,
    RETIRED_PLACE,
    TRAVELLED_TABLES,
)

_PAGE = 500


@dataclass(frozen=True, slots=True)
class _Past:
    """Where the rows of a checkpoint lie, as parts of SQL.

    A row is in its table as far as the head shares the line, else on the shelf of its segment. Where it was changed, one change
    is decisive: on a shelved part of the line the last one up to the checkpoint (the row after it), else the first one behind the
    checkpoint (the row before it).
    """

    values: Mapping[str, int]
    whole: str  # the segments of the line that lie before that of the checkpoint, as SQL lists them
    shelved: str  # those of the line that are not in the tables
    present: str  # those whose rows are in the tables

    @classmethod
    def of(cls, connection: sqlite3.Connection, checkpoint: int) -> _Past:
        segment, seq, commits = connection.execute(
            "SELECT segment_id, seq, commits FROM checkpoint WHERE id=?", (checkpoint,)
        ).fetchone()
        (head,) = connection.execute(f"SELECT {HEAD_SEGMENT}").fetchone()
        line, present = segment_path(connection, segment), segment_path(connection, head)
        shelved = [each for each in line if each not in present]
        shared = start_of(connection, shelved[0]) if shelved else seq
        values = {"seq": seq, "segment": segment, "commits": commits, "shared": shared}
        return cls(values, *(", ".join(map(str, part)) or "0" for part in (line[:-1], shelved, present)))

    def sources(self, place: int, columns: str, condition: str = "1", *, newest: bool = False) -> list[str]:
        """Queries that together give all rows of then of a table; ``condition`` is added to each. With ``newest`` they are for
        walking back over the places in the history."""
        walked = "+" if newest else ""  # then the index of the slots would have all of them sorted
        table = TRAVELLED_TABLES[place]
        if not table.changing and not table.deleted:  # as it came, so it stays
            return [
                f"SELECT {columns} FROM {table.name} WHERE {table.born}<=:shared AND {condition}",
                f"SELECT {columns} FROM shelved_{table.name} WHERE {walked}segment_id IN ({self.shelved}) AND {table.born}<=:seq "
                f"AND {condition}",
            ]
        former = ", ".join(f"f.{column.strip()}" for column in columns.split(","))
        as_it_lies = f"{self._decisive(place, '')} IS NULL AND {condition}"
        return [
            f"SELECT {columns} FROM {table.name} t WHERE {table.born}<=:shared AND {as_it_lies}",
            f"SELECT {columns} FROM shelved_{table.name} t WHERE {walked}segment_id IN ({self.shelved}) AND {table.born}<=:seq "
            f"AND {as_it_lies}",
            f"SELECT {former} FROM former_{table.name} f JOIN row_change r ON r.id=f.change_id "
            f"WHERE r.place={place} AND (r.born<=:shared AND r.segment_id IN ({self.present}, {self.shelved}) "
            f"OR r.born<=:seq AND r.segment_id IN ({self.shelved})) "
            f"AND r.id={self._decisive(place, 'f.')} AND {condition}",
        ]

    def _decisive(self, place: int, row: str) -> str:
        """The number of the decisive change of a row, as an expression; NULL for one that is as it lies."""
        first, second = (*(f"{row or 't.'}{column}" for column in TRAVELLED_TABLES[place].key), "0")[:2]
        then = f"(c.segment_id IN ({self.whole}) OR c.segment_id=:segment AND c.commits<=:commits)"
        change = f"FROM row_change c WHERE c.place={place} AND c.first={first} AND c.second={second}"
        return (
            f"ifnull((SELECT max(c.id) {change} AND c.applied=0 AND {then}), "
            f"(SELECT min(c.id) {change} AND c.applied=1 AND NOT {then}))"
        )


class PastCaseTable:
    """Reads what was there at a checkpoint. What is asked for must be a checkpoint that there is."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def parted(self, checkpoint: int) -> int:
        """The place in the history up to which the present branch and the line of a checkpoint are one."""
        return await self._store.read(lambda connection: _Past.of(connection, checkpoint).values["shared"])

    async def was_edited(self, checkpoint: int, category: str, ordinal: int) -> bool:
        """Whether the case of a slot was edited on the line of a checkpoint since that left the present branch."""
        number = self._store.ids.get(category, 0)

        def read(connection: sqlite3.Connection) -> bool:
            past = _Past.of(connection, checkpoint)
            query = (
                f"SELECT 1 FROM shelved_history WHERE segment_id IN ({past.shelved}) AND seq<=:seq AND kind='case_edited' "
                "AND category_id=:number AND ordinal=:ordinal"
            )
            return (
                connection.execute(query, {**past.values, "number": number, "ordinal": ordinal}).fetchone() is not None
            )

        return await self._store.read(read)

    async def newest(self, checkpoint: int, most: int) -> list[AcceptedCase]:
        """Some cases, the newest of then first; a damaged one is marked. Costs the same at any number of cases."""
        rows = await self._newest_rows(checkpoint, most, CASE_PLACE, CASE_COLUMNS)
        return [read_case(self._store.names, row) for row in rows]

    async def rejections(self, checkpoint: int, most: int) -> list[Rejection]:
        """Some of what had been turned away by then, the newest first. Costs the same at any number."""
        rows = await self._newest_rows(checkpoint, most, REJECTION_PLACE, REJECTION_COLUMNS)
        return [rejection_from(self._store.names, row) for row in rows]

    async def _newest_rows(self, checkpoint: int, most: int, place: int, columns: str) -> list[Any]:
        """Some rows of a table as of then, from the last place in the history back; that is their first column."""

        def read(connection: sqlite3.Connection) -> list[Any]:
            past, found = _Past.of(connection, checkpoint), list[Any]()
            for query in past.sources(place, columns, newest=True):
                found += connection.execute(f"{query} ORDER BY 1 DESC LIMIT :most", {**past.values, "most": most})
            return sorted(found, key=lambda row: row[0], reverse=True)[:most]

        return await self._store.read(read)

    async def attribute_page(self, checkpoint: int, after: int, most: int) -> list[AttributeRow]:
        """As ``StatisticsReader.attribute_page``, of the cases of then."""

        def read(connection: sqlite3.Connection) -> list[AttributeRow]:
            past = _Past.of(connection, checkpoint)
            union = " UNION ALL ".join(past.sources(CASE_PLACE, "seq, category_id, ordinal, tags", "seq>:after"))
            rows = connection.execute(
                "SELECT seq, category_id, ordinal, CASE WHEN json_valid(tags) THEN json_extract(tags, '$.attributes') END "
                f"FROM ({union}) ORDER BY seq LIMIT :most",
                {**past.values, "after": after, "most": most},
            )
            return [(seq, self._store.names[number], ordinal, found) for seq, number, ordinal, found in rows]

        return await self._store.read(read)

    async def pages(self, checkpoint: int, categories: Iterable[str]) -> AsyncIterator[list[AcceptedCase]]:
        """All cases in slot order, a page at a time; a damaged one is marked."""
        for name in categories:
            number, last = self._store.ids.get(name), 0
            while number is not None:

                def read(connection: sqlite3.Connection, number: int = number, after: int = last) -> list[AcceptedCase]:
                    past = _Past.of(connection, checkpoint)
                    slots = f"branch_id={MAIN_BRANCH} AND category_id=:number AND ordinal>:after"
                    union = " UNION ALL ".join(past.sources(CASE_PLACE, CASE_COLUMNS, slots))
                    rows = connection.execute(
                        f"SELECT {CASE_COLUMNS} FROM ({union}) ORDER BY ordinal LIMIT {_PAGE}",
                        {**past.values, "number": number, "after": after},
                    )
                    return [read_case(self._store.names, row) for row in rows]

                if not (page := await self._store.read(read)):
                    break
                last = page[-1].ordinal
                yield page

    async def retired(self, checkpoint: int) -> dict[str, list[int]]:
        """The slots that revisions had taken out by then, in order. Categories without any are left out."""

        def read(connection: sqlite3.Connection) -> dict[str, list[int]]:
            past, found = _Past.of(connection, checkpoint), dict[str, list[int]]()
            for query in past.sources(RETIRED_PLACE, "category_id, ordinal"):
                for number, ordinal in connection.execute(query, past.values):
                    found.setdefault(self._store.names[number], []).append(ordinal)
            return {name: sorted(ordinals) for name, ordinals in found.items()}

        return await self._store.read(read)
