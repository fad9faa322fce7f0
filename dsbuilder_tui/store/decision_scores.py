"""Scores of past decisions held against another threshold. At 100,000 cases a read takes some ten milliseconds."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.case import case_id, display_text
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.domain.whatif import STEPS, Flip, Scores
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import CASE_COLUMNS, read_case
from dsbuilder_tui.store.schema import MAIN_BRANCH

_TEXT_LENGTH = 500
_MOST_PARAMETERS = 500
# JSON as it is written here has blanks inside of texts alone, so that they count its words, too.
WORDS_IN = "length({0}) - length(replace({0}, ' ', '')) + 1"
_COLUMN = f"max(0, min({STEPS - 1}, CAST({{}} * {STEPS} + 1e-6 AS INTEGER)))"


@dataclass(frozen=True, slots=True)
class Measure:
    """A stage with another threshold. A text of fewer than ``short_words`` words has ``for_short`` instead."""

    stage: Stage
    threshold: float
    for_short: float
    short_words: int = 0


class DecisionScores:
    """Reads which decisions another threshold would turn around. ``category`` None means all of them."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def scores(self, stage: Stage, category: str | None) -> Scores:
        """How many decisions there are with which score."""
        rejected, values = self._rejections(stage, category)
        accepted, there = self._accepted(stage, category)
        # The index of the slots knows which cases are still there, and reads none of them.
        cases = "accepted_case c INDEXED BY accepted_slot CROSS JOIN likeness l USING (seq)"

        def read(connection: sqlite3.Connection) -> Scores:
            turned_away = connection.execute(
                f"SELECT {_COLUMN.format('score')}, count(*) FROM rejection WHERE {rejected} GROUP BY 1", values
            )
            let_in = connection.execute(
                f"SELECT {_COLUMN.format('l.' + stage)}, count(*) FROM {cases} WHERE {accepted} GROUP BY 1", there
            )
            return Scores(_columns(turned_away), _columns(let_in))

        return await self._store.read(read)

    async def passing(self, measure: Measure, category: str | None, most: int) -> tuple[int, list[Flip]]:
        """How many rejections would get past the stage, and the first ``most``, the nearest to the threshold first."""
        where, values = self._rejections(measure.stage, category)
        where = f"{where} AND score < ? AND (score < ? OR {WORDS_IN.format('text')} >= ?)"
        values += [measure.threshold, measure.for_short, measure.short_words]

        def read(connection: sqlite3.Connection) -> tuple[int, list[Flip]]:
            count = connection.execute(f"SELECT count(*) FROM rejection WHERE {where}", values).fetchone()[0]
            rows = connection.execute(
                "SELECT seq, category_id, ordinal, text, score, threshold, nearest_seq, nearest_case_id FROM rejection "
                f"WHERE {where} ORDER BY score DESC, seq DESC LIMIT ?",
                [*values, most],
            )
            return count, [
                Flip(
                    seq=seq,
                    category=self._store.names[number],
                    ordinal=ordinal,
                    text=text,
                    score=score,
                    threshold=threshold,
                    nearest_seq=nearest,
                    nearest_case_id=nearest_id,
                )
                for seq, number, ordinal, text, score, threshold, nearest, nearest_id in rows
            ]

        return await self._store.read(read)

    async def falling(self, measure: Measure, category: str | None, most: int) -> tuple[int, list[Flip]]:
        """How many accepted cases would be turned away, and the first ``most``, the nearest to the threshold first."""
        where, values = self._accepted(measure.stage, category)
        score = f"l.{measure.stage}"
        short = f"({score} >= ? OR {WORDS_IN.format('c.inputs')} < ?)"
        # The join leaves out what was withdrawn, or set aside as damaged, since.
        cases = f"likeness l CROSS JOIN accepted_case c USING (seq) WHERE {where} AND {score} >= ? AND {short}"
        values += [min(measure.threshold, measure.for_short), measure.threshold, measure.short_words]

        def read(connection: sqlite3.Connection) -> tuple[int, list[Flip]]:
            count = connection.execute(f"SELECT count(*) FROM {cases}", values).fetchone()[0]
            found = connection.execute(
                f"SELECT seq, {score}, l.{measure.stage}_seq FROM {cases} ORDER BY abs({score} - ?), seq DESC LIMIT ?",
                [*values, measure.threshold, most],
            ).fetchall()
            return count, self._flips(connection, found)

        return await self._store.read(read)

    def _rejections(self, stage: Stage, category: str | None) -> tuple[str, list[Any]]:
        where, values = "branch_id=? AND stage=? AND score IS NOT NULL", [MAIN_BRANCH, stage]
        return (
            (where, values) if category is None else (f"{where} AND category_id=?", [*values, self._number(category)])
        )

    def _accepted(self, stage: Stage, category: str | None) -> tuple[str, list[Any]]:
        where = f"c.branch_id=? AND l.{stage} IS NOT NULL"
        if category is None:
            return where, [MAIN_BRANCH]
        return f"{where} AND c.category_id=?", [MAIN_BRANCH, self._number(category)]

    def _number(self, category: str) -> int:
        return self._store.ids.get(category, 0)

    def _flips(self, connection: sqlite3.Connection, found: Sequence[tuple[int, float, int | None]]) -> list[Flip]:
        cases = {
            row[0]: read_case(self._store.names, row) for row in _rows(connection, CASE_COLUMNS, [f[0] for f in found])
        }
        nearest, slot = [seq for _, _, seq in found if seq is not None], "seq, category_id, ordinal"
        there = [*_rows(connection, slot, nearest), *_rows(connection, slot, nearest, "withdrawn_case")]
        names = {seq: case_id(self._store.names[number], ordinal) for seq, number, ordinal in there}
        return [
            Flip(
                seq=seq,
                category=cases[seq].category,
                ordinal=cases[seq].ordinal,
                text=display_text(cases[seq].inputs)[:_TEXT_LENGTH],
                score=score,
                threshold=None,
                nearest_seq=near,
                nearest_case_id=names.get(near),
            )
            for seq, score, near in found
        ]


def _columns(rows: sqlite3.Cursor) -> tuple[int, ...]:
    counts = [0] * STEPS
    for column, count in rows:
        counts[column] = count
    return tuple(counts)


def _rows(connection: sqlite3.Connection, columns: str, seqs: Sequence[int], table: str = "accepted_case") -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(seqs), _MOST_PARAMETERS):
        part = seqs[start : start + _MOST_PARAMETERS]
        marks = ",".join("?" * len(part))
        found += connection.execute(f"SELECT {columns} FROM {table} WHERE seq IN ({marks})", part).fetchall()
    return found
