"""The material of figures about a dataset: attribute values, samples of texts, changes. Each read is short."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass

import orjson

from dsbuilder_tui.domain.case import display_text
from dsbuilder_tui.domain.case_pair import PairKind, PairSide
from dsbuilder_tui.domain.events import RunFinished, RunPaused, RunStarted
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.rejections import TURNED_AWAY
from dsbuilder_tui.store.schema import MAIN_BRANCH

# What may change, or take away, a case that was counted already.
_DISTURBING = ("case_edited", "case_withdrawn", "kept_anyway", "repaired", "branch_switched", "act_undone")

_RUNS = (RunStarted.type, RunPaused.type, RunFinished.type)
_NEWEST = 200  # cases, by which it is told how fast a run is

AttributeRow = tuple[int, str, int, str | None]  # place in the history, category, ordinal, attributes as JSON


@dataclass(frozen=True, slots=True)
class RunTimes:
    """When runs began and ended, in seconds since the epoch; of the newest one, how many of its last cases came in how
    many seconds. The end of one that goes on is ``None``.
    """

    spans: tuple[tuple[float, float | None], ...] = ()
    newest_cases: int = 0
    newest_seconds: float = 0.0


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

    async def since(self, seconds: float) -> tuple[int, int]:
        """How many cases there are, and how many candidates were turned away, from a time on."""

        def read(connection: sqlite3.Connection) -> tuple[int, int]:
            values = (MAIN_BRANCH, seconds)
            (accepted,) = connection.execute(
                "SELECT count(*) FROM accepted_case WHERE branch_id=? AND created_at>=?", values
            ).fetchone()
            (rejected,) = connection.execute(
                f"SELECT count(*) FROM rejection WHERE branch_id=? AND created_at>=? AND {TURNED_AWAY}", values
            ).fetchone()
            return int(accepted), int(rejected)

        return await self._store.read(read)

    async def run_times(self, *, running: bool) -> RunTimes:
        """When the session ran. A run that was killed ended with the last case that it brought."""

        def read(connection: sqlite3.Connection) -> RunTimes:
            marks = ",".join("?" * len(_RUNS))
            lines = connection.execute(
                f"SELECT seq, kind, created_at FROM history WHERE kind IN ({marks}) ORDER BY seq", _RUNS
            ).fetchall()
            spans: list[tuple[float, float | None]] = []
            started = 0
            for place, (seq, kind, at) in enumerate(lines):
                if kind != RunStarted.type:
                    continue
                following = lines[place + 1] if place + 1 < len(lines) else None
                if following is not None and following[1] != RunStarted.type:
                    end = following[2]
                elif following is None and running:
                    end = None
                else:
                    upto = following[0] if following is not None else 2**63 - 1
                    last = connection.execute(
                        "SELECT created_at FROM accepted_case WHERE seq>? AND seq<? ORDER BY seq DESC LIMIT 1",
                        (seq, upto),
                    ).fetchone()
                    end = last[0] if last is not None else at
                spans.append((at, end))
                started = seq
            count, first, last_at = connection.execute(
                "SELECT count(*), min(created_at), max(created_at) FROM (SELECT created_at FROM accepted_case "
                "WHERE seq>? ORDER BY seq DESC LIMIT ?)",
                (started, _NEWEST),
            ).fetchone()
            return RunTimes(tuple(spans), count, (last_at - first) if count > 1 else 0.0)

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
