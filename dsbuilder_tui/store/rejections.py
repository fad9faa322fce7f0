"""Candidates that were turned away: pages, counts and single ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dsbuilder_tui.domain.case import Rejection
from dsbuilder_tui.domain.stage import NO_REJECTION
from dsbuilder_tui.store.case_search import CASE_ID, words_condition
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.schema import MAIN_BRANCH

REJECTION_COLUMNS = (
    "seq, category_id, ordinal, attempt, stage, reason, text, created_at, score, threshold, nearest_seq, "
    "nearest_case_id, batch, candidate"
)
_NOT_WRITTEN = ", ".join(f"'{stage}'" for stage in sorted(NO_REJECTION))
# A condition on rows of `rejection`: those that are one, in sessions of any version.
TURNED_AWAY = f"stage NOT IN ({_NOT_WRITTEN})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRejections:
    """What was turned away for one slot at one stage; the last columns are those of the newest, at ``seq``."""

    ordinal: int
    stage: str
    count: int
    seq: int
    nearest_case_id: str | None
    reason: str


class RejectionTable:
    """Reads rejections."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def at(self, seq: int) -> Rejection | None:
        """The rejection at a place in the history, or None."""

        def read(connection: sqlite3.Connection) -> Rejection | None:
            row = connection.execute(f"SELECT {REJECTION_COLUMNS} FROM rejection WHERE seq=?", (seq,)).fetchone()
            return None if row is None else rejection_from(self._store.names, row)

        return await self._store.read(read)

    async def place(self, seq: int) -> int | None:
        """How many rejections come before this one in what ``page`` lists; None when there is none at that place."""

        def read(connection: sqlite3.Connection) -> int | None:
            there = connection.execute(
                f"SELECT 1 FROM rejection WHERE branch_id=? AND seq=? AND {TURNED_AWAY}", (MAIN_BRANCH, seq)
            ).fetchone()
            if there is None:
                return None
            later = f"SELECT count(*) FROM rejection WHERE branch_id=? AND seq>? AND {TURNED_AWAY}"
            return int(connection.execute(later, (MAIN_BRANCH, seq)).fetchone()[0])

        return await self._store.read(read)

    async def page(
        self, offset: int, limit: int, *, category: str | None = None, stage: str | None = None, text: str = ""
    ) -> list[Rejection]:
        """Rejections, newest first."""
        where, values = self._where(category, stage, text)

        def read(connection: sqlite3.Connection) -> list[Rejection]:
            rows = connection.execute(
                f"SELECT {REJECTION_COLUMNS} FROM rejection WHERE {where} ORDER BY seq DESC LIMIT ? OFFSET ?",
                (*values, max(0, limit), max(0, offset)),
            )
            return [rejection_from(self._store.names, row) for row in rows]

        return await self._store.read(read)

    async def count(self, *, category: str | None = None, stage: str | None = None, text: str = "") -> int:
        where, values = self._where(category, stage, text)
        sql = f"SELECT count(*) FROM rejection WHERE {where}"
        return await self._store.read(lambda connection: int(connection.execute(sql, values).fetchone()[0]))

    async def of_empty_slots(self, category: str) -> list[SlotRejections]:
        """What was turned away for the slots of a category that have no case now, by slot and stage."""
        number = self._store.ids.get(category, 0)

        def read(connection: sqlite3.Connection) -> list[SlotRejections]:
            # Beside max(), SQLite takes bare columns from the row that has it: the newest one.
            rows = connection.execute(
                "SELECT r.ordinal, r.stage, count(*), max(r.seq), r.nearest_case_id, r.reason FROM rejection r "
                "LEFT JOIN accepted_case a USING (branch_id, category_id, ordinal) "
                f"WHERE r.branch_id=? AND r.category_id=? AND a.seq IS NULL AND r.{TURNED_AWAY} GROUP BY r.ordinal, r.stage",
                (MAIN_BRANCH, number),
            )
            return [
                SlotRejections(
                    ordinal=ordinal, stage=stage, count=count, seq=seq, nearest_case_id=nearest, reason=reason
                )
                for ordinal, stage, count, seq, nearest, reason in rows
            ]

        return await self._store.read(read)

    async def by_stage(self) -> dict[str, int]:
        def read(connection: sqlite3.Connection) -> dict[str, int]:
            return stage_counts(connection)

        return await self._store.read(read)

    async def by_category(self) -> dict[str, dict[str, int]]:
        """Category → stage → rejections. Reads an index, not the rejections."""

        def read(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
            found: dict[str, dict[str, int]] = {}
            for number, stage, count in connection.execute(
                "SELECT category_id, stage, count(*) FROM rejection INDEXED BY rejection_stage WHERE branch_id=? AND "
                f"{TURNED_AWAY} GROUP BY stage, category_id",
                (MAIN_BRANCH,),
            ):
                found.setdefault(self._store.names[number], {})[stage] = count
            return found

        return await self._store.read(read)

    def _where(self, category: str | None, stage: str | None, text: str) -> tuple[str, list[Any]]:
        parts, values = ["branch_id=?", TURNED_AWAY], list[Any]([MAIN_BRANCH])
        if category is not None:
            parts.append("category_id=?")
            values.append(self._store.ids.get(category, 0))
        if stage is not None:
            parts.append("stage=?")
            values.append(stage)
        words, found = words_condition(text, (), ("text", "reason", CASE_ID))
        return " AND ".join([*parts, words] if words else parts), [*values, *found]


def stage_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Stage → rejections, in the order of the stages' names."""
    sql = f"SELECT stage, count(*) FROM rejection WHERE {TURNED_AWAY} GROUP BY stage ORDER BY stage"
    return dict(connection.execute(sql))


def not_written(connection: sqlite3.Connection, branch: int) -> dict[int, int]:
    """Category → rows that an older version kept, and counted, among the rejections, though nobody had written anything."""
    sql = (
        "SELECT category_id, count(*) FROM rejection INDEXED BY rejection_stage WHERE branch_id=? AND "
        f"stage IN ({_NOT_WRITTEN}) GROUP BY category_id"
    )
    return dict(connection.execute(sql, (branch,)))


def rejection_from(names: Mapping[int, str], row: Sequence[Any]) -> Rejection:
    """A row of ``REJECTION_COLUMNS``."""
    seq, number, ordinal, attempt, stage, reason, text, created_at, score, threshold, nearest, nearest_id, *end = row
    batch, candidate = end
    return Rejection(
        seq=seq,
        category=names[number],
        ordinal=ordinal,
        attempt=attempt,
        stage=stage,
        reason=reason,
        text=text,
        created_at=created_at,
        score=score,
        threshold=threshold,
        nearest_seq=nearest,
        nearest_case_id=nearest_id,
        batch=batch,
        candidate=None if candidate is None else orjson.loads(candidate),
    )
