"""Counts of accepted cases by what they have in common. Each read is short, so that commits come in between."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from dsbuilder_tui.domain.case_kind import TAG as KIND
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.domain.judging import TAG as VERDICT
from dsbuilder_tui.store.case_search import CaseQuery, attribute_path
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.schema import MAIN_BRANCH

_WINDOW = 2000


class CaseGrouping(StrEnum):
    """What cases can be told apart by; a case without it counts under the empty name."""

    CATEGORY = "category"
    ATTRIBUTE = "attribute"
    KIND = "kind"
    VERDICT = "verdict"
    MODEL = "model"
    FLAG = "flag"  # a case has any number of these
    EXPECTATION = "expectation"  # and of these: its keys that have a value


_SCALARS: Mapping[CaseGrouping, str] = {
    CaseGrouping.ATTRIBUTE: "json_extract(tags, ?)",
    CaseGrouping.KIND: f"ifnull(json_extract(tags, '$.{KIND}'), '{CaseKind.SINGLE.value}')",
    CaseGrouping.VERDICT: f"json_extract(tags, '$.{VERDICT}.finding')",
    CaseGrouping.MODEL: "json_extract(tags, '$.model')",
}
_LISTS: Mapping[CaseGrouping, tuple[str, str]] = {  # what is gone through, and the name in it
    CaseGrouping.FLAG: (
        "json_each(CASE WHEN json_valid(tags) THEN tags ELSE '{}' END, '$.flags') AS part",
        "CASE WHEN part.type = 'object' THEN json_extract(part.value, '$.kind') END",
    ),
    CaseGrouping.EXPECTATION: (
        "json_each(CASE WHEN json_valid(expectations) THEN expectations ELSE '{}' END) AS part",
        "CASE WHEN part.type <> 'null' THEN part.key END",
    ),
}


class CaseGroups:
    """Counts cases. Costs as much as there are cases, unless categories alone are asked for."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def counts(
        self, categories: Sequence[str], query: CaseQuery, by: CaseGrouping = CaseGrouping.CATEGORY, axis: str = ""
    ) -> Counter[str]:
        """How many cases of these categories a query finds, by what is asked for; with an attribute, its ``axis``."""
        found: Counter[str] = Counter()
        for name in categories:
            number, edge = self._store.ids.get(name, 0), 0
            while True:

                def read(connection: sqlite3.Connection, number: int = number, edge: int = edge) -> _Window:
                    return _window(connection, number, edge, query, by, axis)

                last, counts = await self._store.read(read)
                if last is None:
                    break
                edge = last
                for group, count in counts:
                    found[name if by is CaseGrouping.CATEGORY else str(group or "")] += count
        return found


# The last ordinal of a stretch of a category's cases (None when there are no more), and the counts in it by name.
_Window = tuple[int | None, Sequence[tuple[str | None, int]]]


def window_end(connection: sqlite3.Connection, number: int, edge: int) -> int | None:
    """The last ordinal of the stretch of a category's cases that begins behind ``edge`` and is read at once; None without any."""
    (last,) = connection.execute(
        "SELECT max(ordinal) FROM (SELECT ordinal FROM accepted_case INDEXED BY accepted_slot "
        "WHERE branch_id=? AND category_id=? AND ordinal>? ORDER BY ordinal LIMIT ?)",
        (MAIN_BRANCH, number, edge, _WINDOW),
    ).fetchone()
    return None if last is None else int(last)


def _window(
    connection: sqlite3.Connection, number: int, edge: int, query: CaseQuery, by: CaseGrouping, axis: str
) -> _Window:
    slot, last = (MAIN_BRANCH, number, edge), window_end(connection, number, edge)
    if last is None:
        return None, ()
    condition, values = query.condition()
    rows = f"FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal>? AND ordinal<=? AND ({condition})"
    if by in _LISTS:
        parts, name = _LISTS[by]
        sql = f"SELECT {name}, count(DISTINCT seq) FROM (SELECT seq, tags, expectations {rows}), {parts} GROUP BY 1"
        return last, connection.execute(sql, (*slot, last, *values)).fetchall()
    if by is CaseGrouping.CATEGORY:
        return last, connection.execute(f"SELECT NULL, count(*) {rows}", (*slot, last, *values)).fetchall()
    path = (attribute_path(axis),) if by is CaseGrouping.ATTRIBUTE else ()
    sql = f"SELECT CASE WHEN json_valid(tags) THEN {_SCALARS[by]} END, count(*) {rows} GROUP BY 1"
    return last, connection.execute(sql, (*path, *slot, last, *values)).fetchall()
