"""What figures about a dataset are made of: attribute values, samples of texts, rejections. Each read is short."""

from __future__ import annotations

import sqlite3

import orjson

from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.store.base import StoreBase
from dsbuilder_tui.store.schema import MAIN_BRANCH

# What may change a case that was counted already.
_DISTURBING = ("case_edited", "case_withdrawn", "kept_anyway", "repaired")

AttributeRow = tuple[int, str, int, str | None]  # place in the history, category, ordinal, attributes as JSON


class Figuring(StoreBase):
    """Reads what figures are made of."""

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
            return [(seq, self._names[number], ordinal, found) for seq, number, ordinal, found in rows]

        return await self._db.read(read)

    async def disturbed(self) -> int:
        """The last place in the history at which something happened to a case that was accepted before; 0 for never."""
        marks = ",".join("?" * len(_DISTURBING))

        def read(connection: sqlite3.Connection) -> int:
            query = f"SELECT max(seq) FROM history WHERE kind IN ({marks})"
            return connection.execute(query, _DISTURBING).fetchone()[0] or 0

        return await self._db.read(read)

    async def text_sample(self, category: str, every: int) -> list[str]:
        """The texts of every so manieth slot of a category that holds a case, in order; damaged ones are left out."""
        number = self._ids.get(category, 0)

        def read(connection: sqlite3.Connection) -> list[str]:
            rows = connection.execute(
                "SELECT inputs FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal % ? = 0 ORDER BY ordinal",
                (MAIN_BRANCH, number, every),
            )
            return [inputs for (inputs,) in rows]

        texts = []
        for inputs in await self._db.read(read):
            try:
                texts.append(display_text(orjson.loads(inputs)))
            except ValueError:  # a damaged row
                continue
        return texts

    async def rejections_of_categories(self) -> dict[str, dict[str, int]]:
        """Category → stage → rejections. Reads an index, not the rejections."""

        def read(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
            found: dict[str, dict[str, int]] = {}
            for number, stage, count in connection.execute(
                "SELECT category_id, stage, count(*) FROM rejection INDEXED BY rejection_stage WHERE branch_id=? "
                "GROUP BY stage, category_id",
                (MAIN_BRANCH,),
            ):
                found.setdefault(self._names[number], {})[stage] = count
            return found

        return await self._db.read(read)
