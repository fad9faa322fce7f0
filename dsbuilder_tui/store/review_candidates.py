"""Cases that may deserve a look, by what the session file knows of them. Each read is short and bounded.

A case on which a person has decided, by a review, a pin or an edit, is never among them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dsbuilder_tui.domain.judging import Judgement
from dsbuilder_tui.domain.review import REVIEWED
from dsbuilder_tui.store.case_groups import window_end
from dsbuilder_tui.store.case_search import mark_condition
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.decision_scores import WORDS_IN, Measure
from dsbuilder_tui.store.rejections import TURNED_AWAY
from dsbuilder_tui.store.schema import MAIN_BRANCH

DECISION = "case_reviewed"  # the kind of a line of history that holds a decision
_MOST_PARAMETERS = 500
_UNDECIDED = f"NOT ({' OR '.join(mark_condition(mark) for mark in (REVIEWED, 'pinned', 'edited'))})"
# What a flag, or a stage that came to no good end, looks like in tags; whoever reads them looks closer.
_TELLING = ('"flags":', '"result":"bad"', '"result":"kept"', '"result":"not_judged"')


@dataclass(frozen=True, slots=True)
class Telling:
    """A case whose tags may say something."""

    seq: int
    ordinal: int
    tags: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A case that came close to another one, whose place is ``other_seq``. A ``short`` one has few words."""

    seq: int
    ordinal: int
    score: float
    other_seq: int | None
    short: bool


class ReviewCandidates:
    """Looks for them, a category at a time."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def telling(self, category: str, most: int) -> list[Telling]:
        """The first cases of a category with flags, or with a stage that came to no good end."""
        number, edge, found = self._number(category), 0, list[Telling]()
        either = " OR ".join("instr(tags, ?)" for _ in _TELLING)
        while len(found) < most:

            def read(
                connection: sqlite3.Connection, edge: int = edge, left: int = most - len(found)
            ) -> tuple[int | None, list[Any]]:
                slot, last = (MAIN_BRANCH, number, edge), window_end(connection, number, edge)
                if last is None:
                    return None, []
                rows = connection.execute(
                    "SELECT seq, ordinal, tags FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal>? "
                    f"AND ordinal<=? AND ({either}) AND json_valid(tags) AND {_UNDECIDED} ORDER BY ordinal LIMIT ?",
                    (*slot, last, *_TELLING, left),
                )
                return last, rows.fetchall()

            last, rows = await self._store.read(read)
            found += [Telling(seq, ordinal, orjson.loads(tags)) for seq, ordinal, tags in rows]
            if last is None:
                break
            edge = last
        return found

    async def judged(self, category: str, finding: Judgement, most: int) -> list[tuple[int, int]]:
        """The newest cases of a category with this verdict: place and ordinal."""

        def read(connection: sqlite3.Connection) -> list[tuple[int, int]]:
            return connection.execute(
                "SELECT c.seq, c.ordinal FROM verdict v CROSS JOIN accepted_case c ON c.seq=v.case_seq WHERE v.branch_id=? "
                f"AND v.standing=1 AND v.category_id=? AND v.finding=? AND {_UNDECIDED} ORDER BY v.seq DESC LIMIT ?",
                (MAIN_BRANCH, self._number(category), finding, most),
            ).fetchall()

        return await self._store.read(read)

    async def near(self, category: str, measure: Measure, most: int) -> list[NearMiss]:
        """The cases of a category that came closest to another one, from the score of ``measure`` on."""
        stage, least = measure.stage, min(measure.threshold, measure.for_short)

        def read(connection: sqlite3.Connection) -> list[NearMiss]:
            # The index of the slots and the scores alone say which; their rows are read of no others.
            closest = (
                f"SELECT l.seq AS place, l.{stage} AS score, l.{stage}_seq AS other FROM accepted_case c "
                "INDEXED BY accepted_slot CROSS JOIN likeness l USING (seq) WHERE c.branch_id=? AND c.category_id=? "
                f"AND l.{stage}>=?"
            )
            short = f"({WORDS_IN.format('inputs')} < ?)"
            rows = connection.execute(
                f"SELECT seq, ordinal, score, other, {short} FROM ({closest}) JOIN accepted_case ON seq=place "
                f"WHERE (score>=? OR {short}) AND {_UNDECIDED} ORDER BY score DESC, seq LIMIT ?",
                (measure.short_words, MAIN_BRANCH, self._number(category), least, measure.threshold,
                 measure.short_words, most),
            )  # fmt: skip
            return [NearMiss(seq, ordinal, score, other, bool(brief)) for seq, ordinal, score, other, brief in rows]

        return await self._store.read(read)

    async def rewritten(self, category: str, least: int, most: int) -> list[tuple[int, int, int]]:
        """The cases of a category whose slots were turned away most often: place, ordinal, how often, from ``least`` on."""

        def read(connection: sqlite3.Connection) -> list[tuple[int, int, int]]:
            return connection.execute(
                "SELECT c.seq, c.ordinal, r.times FROM (SELECT ordinal AS slot, count(*) AS times FROM rejection "
                f"WHERE branch_id=? AND category_id=? AND {TURNED_AWAY} GROUP BY ordinal HAVING times>=?) r JOIN accepted_case c "
                f"ON c.branch_id=? AND c.category_id=? AND c.ordinal=r.slot WHERE {_UNDECIDED} "
                "ORDER BY r.times DESC, c.ordinal LIMIT ?",
                (*(slot := (MAIN_BRANCH, self._number(category))), least, *slot, most),
            ).fetchall()

        return await self._store.read(read)

    async def last_slot(self, category: str) -> int:
        """The highest ordinal of a category that has a case; 0 without any."""

        def read(connection: sqlite3.Connection) -> int:
            sql = "SELECT max(ordinal) FROM accepted_case WHERE branch_id=? AND category_id=?"
            return connection.execute(sql, (MAIN_BRANCH, self._number(category))).fetchone()[0] or 0

        return await self._store.read(read)

    async def at(self, category: str, ordinals: Sequence[int]) -> dict[int, int]:
        """Those of these slots that have an undecided case, and its place."""

        def read(connection: sqlite3.Connection) -> dict[int, int]:
            found: dict[int, int] = {}
            for start in range(0, len(ordinals), _MOST_PARAMETERS):
                part = ordinals[start : start + _MOST_PARAMETERS]
                found |= connection.execute(
                    "SELECT ordinal, seq FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal IN "
                    f"({','.join('?' * len(part))}) AND {_UNDECIDED}",
                    (MAIN_BRANCH, self._number(category), *part),
                ).fetchall()
            return found

        return await self._store.read(read)

    async def slots_of(self, seqs: Collection[int]) -> dict[int, tuple[str, int]]:
        """Category and ordinal of cases, by their places; also of those that were taken out."""

        def read(connection: sqlite3.Connection) -> dict[int, tuple[str, int]]:
            found: dict[int, tuple[str, int]] = {}
            for table in ("withdrawn_case", "accepted_case"):
                for seq in seqs:
                    sql = f"SELECT category_id, ordinal FROM {table} WHERE seq=?"
                    if (row := connection.execute(sql, (seq,)).fetchone()) is not None:
                        found[seq] = self._store.names[row[0]], row[1]
            return found

        return await self._store.read(read)

    async def taken_out(self, seq: int) -> int | None:
        """The rejection by which a person took a case out, given its place; None when nobody did."""

        def read(connection: sqlite3.Connection) -> int | None:
            row = connection.execute("SELECT withdrawn_seq FROM withdrawn_case WHERE seq=?", (seq,)).fetchone()
            return None if row is None else int(row[0])

        return await self._store.read(read)

    async def standing(self, seqs: Collection[int]) -> dict[int, bool]:
        """Which of these cases are there now, and whether each bears a person's mark."""

        def read(connection: sqlite3.Connection) -> dict[int, bool]:
            found: dict[int, bool] = {}
            for seq in seqs:
                row = connection.execute(f"SELECT {_UNDECIDED} FROM accepted_case WHERE seq=?", (seq,)).fetchone()
                if row is not None:
                    found[seq] = not row[0]
            return found

        return await self._store.read(read)

    async def decisions(self) -> list[tuple[dict[str, Any], str, int, float]]:
        """All decisions of a person, oldest first: data, category, ordinal, time."""

        def read(connection: sqlite3.Connection) -> list[tuple[dict[str, Any], str, int, float]]:
            rows = connection.execute(
                "SELECT data, category_id, ordinal, created_at FROM history WHERE kind=? ORDER BY seq", (DECISION,)
            )
            return [(orjson.loads(data), self._store.names[number], ordinal, at) for data, number, ordinal, at in rows]

        return await self._store.read(read)

    def _number(self, category: str) -> int:
        return self._store.ids.get(category, 0)
