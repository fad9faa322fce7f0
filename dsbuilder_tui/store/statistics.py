"""The material of figures about a dataset: attribute values, samples of texts, changes. Each read is short."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

import orjson

from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.case_pair import PairKind, PairSide
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.schema import MAIN_BRANCH

# What may change, or take away, a case that was counted already.
_DISTURBING = ("case_edited", "case_withdrawn", "kept_anyway", "repaired", "branch_switched")

AttributeRow = tuple[int, str, int, str | None]  # place in the history, category, ordinal, attributes as JSON


class StatisticsReader:
    """Reads what figures are made of."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def attribute_page(self, after: int, most: int, until: float | None = None) -> list[AttributeRow]:
        """The next accepted cases after a place in the history, in order; with ``until`` only those accepted by then.

        The JSON is None for a case whose row is damaged, or which has no attributes.
        """
        bound = float("inf") if until is None else until

        def read(connection: sqlite3.Connection) -> list[AttributeRow]:
            rows = connection.execute(
                "SELECT seq, category_id, ordinal, CASE WHEN json_valid(tags) THEN json_extract(tags, '$.attributes') END "
                "FROM accepted_case NOT INDEXED WHERE branch_id=? AND seq>? AND created_at<=? ORDER BY seq LIMIT ?",
                (MAIN_BRANCH, after, bound, most),
            )
            return [(seq, self._store.names[number], ordinal, found) for seq, number, ordinal, found in rows]

        return await self._store.read(read)

    async def lacking(self, key: str, categories: Collection[str]) -> int:
        """How many accepted cases of some categories have no expectation of this name. Reads all of theirs."""
        numbers = [self._store.ids[name] for name in categories if name in self._store.ids]
        marks = ",".join("?" * len(numbers))

        def read(connection: sqlite3.Connection) -> int:
            query = (
                f"SELECT count(*) FROM accepted_case WHERE branch_id=? AND category_id IN ({marks}) "
                "AND json_valid(expectations) AND json_type(expectations, ?) IS NULL"
            )
            return int(connection.execute(query, (MAIN_BRANCH, *numbers, f'$."{key}"')).fetchone()[0])

        return await self._store.read(read)

    async def partners(self, category: str) -> dict[PairKind, int]:
        """How many accepted cases of a category are partners of others, by kind. Reads all of its cases."""
        number = self._store.ids.get(category, 0)

        def read(connection: sqlite3.Connection) -> dict[PairKind, int]:
            query = (
                "SELECT json_extract(tags, '$.pair.kind'), count(*) FROM accepted_case "
                "WHERE branch_id=? AND category_id=? AND json_valid(tags) AND json_extract(tags, '$.pair.side')=? GROUP BY 1"
            )
            rows = connection.execute(query, (MAIN_BRANCH, number, PairSide.PARTNER)).fetchall()
            return {PairKind(kind): count for kind, count in rows if kind in set(PairKind)}

        return await self._store.read(read)

    async def disturbed(self) -> int:
        """The last place in the history at which something happened to a case that was accepted before; 0 for never."""
        marks = ",".join("?" * len(_DISTURBING))

        def read(connection: sqlite3.Connection) -> int:
            query = f"SELECT max(seq) FROM history WHERE kind IN ({marks})"
            return connection.execute(query, _DISTURBING).fetchone()[0] or 0

        return await self._store.read(read)

    async def text_sample(self, category: str, every: int) -> list[str]:
        """The texts of every so manieth slot of a category that holds a case, in order; damaged ones are left out."""
        number = self._store.ids.get(category, 0)

        def read(connection: sqlite3.Connection) -> list[str]:
            rows = connection.execute(
                "SELECT inputs FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal % ? = 0 ORDER BY ordinal",
                (MAIN_BRANCH, number, every),
            )
            return [inputs for (inputs,) in rows]

        texts = []
        for inputs in await self._store.read(read):
            try:
                texts.append(display_text(orjson.loads(inputs)))
            except ValueError:  # a damaged row
                continue
        return texts
