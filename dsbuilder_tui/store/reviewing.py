"""Reading a session in pages and by search. Each read is short, so that the commits of a run come in between."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import orjson

from dsbuilder_tui.domain.case import AcceptedCase, Rejection, Usage
from dsbuilder_tui.domain.history import HistoryEntry, SearchStep
from dsbuilder_tui.store.base import CASE_COLUMNS, StoreBase, read_case
from dsbuilder_tui.store.rows import SlotFacts, WorkerCall
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.searching import CASE_ID, CaseQuery, words_condition

_WINDOW = 2000
_MOST_PARAMETERS = 500
# Up to here walking back over the rows is faster than sorting their places out of an index.
_WALK_BACK = 2000

REJECTION_COLUMNS = (
    "seq, category_id, ordinal, attempt, stage, reason, text, created_at, score, threshold, nearest_seq, "
    "nearest_case_id, batch, candidate"
)
CALL_COLUMNS = (
    "seq, category_id, batch, model, size, outcome, delivered, retries, prompt_tokens, completion_tokens, seconds, detail, "
    "created_at, worker"
)


class Reviewing(StoreBase):
    """Reads cases, rejections and worker calls."""

    async def case_page(
        self, categories: Sequence[str], offset: int, limit: int, *, newest_first: bool
    ) -> list[AcceptedCase]:
        """Cases in slot order of these categories, or the newest first. Damaged ones are marked, not left out."""
        numbers = [self._ids[name] for name in categories if name in self._ids]

        def read(connection: sqlite3.Connection) -> list[AcceptedCase]:
            find = _newest if newest_first else _in_slot_order
            return self._fetch(connection, find(connection, numbers, max(0, offset), max(0, limit)))

        return await self._db.read(read)

    async def cases_by_seq(self, seqs: Sequence[int]) -> list[AcceptedCase]:
        """These cases in the order given; those that are not there are left out."""
        return await self._db.read(lambda connection: self._fetch(connection, seqs)) if seqs else []

    async def search_cases(self, categories: Sequence[str], query: CaseQuery) -> AsyncIterator[SearchStep]:
        """Look through the cases of these categories, a window of about 2,000 rows at a time."""
        numbers = [self._ids[name] for name in categories if name in self._ids]
        condition, values = query.condition()
        total = await self._db.read(lambda connection: sum(_filled(connection, number) for number in numbers))
        scanned = 0
        groups = [numbers] if query.newest_first else [[number] for number in numbers]
        window = _window_back if query.newest_first else _window
        for group in groups:
            edge: int | None = None
            while True:

                def read(
                    connection: sqlite3.Connection, group: list[int] = group, edge: int | None = edge
                ) -> tuple[int | None, int, list[int]]:
                    return window(connection, group, edge, condition, values)

                edge, count, seqs = await self._db.read(read)
                if edge is None:
                    break
                scanned += count
                yield SearchStep(seqs, scanned, max(total, scanned))

    async def slot_facts(self, category: str, ordinal: int) -> SlotFacts:
        """What there is about one slot, read in one go."""
        number = self._ids.get(category, 0)
        slot = (MAIN_BRANCH, number, ordinal)

        def read(connection: sqlite3.Connection) -> SlotFacts:
            row = connection.execute(
                f"SELECT {CASE_COLUMNS} FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal=?", slot
            ).fetchone()
            attempt = connection.execute(
                "SELECT max(attempt) FROM rejection WHERE branch_id=? AND category_id=? AND ordinal=?", slot
            ).fetchone()[0]
            given_up = connection.execute(
                "SELECT 1 FROM exhausted_slot WHERE branch_id=? AND category_id=? AND ordinal=?", slot
            ).fetchone()
            case = None if row is None else read_case(self._names, row)
            return SlotFacts(case, attempt or 0, given_up is not None)

        return await self._db.read(read)

    async def cases_at(self, seqs: Sequence[int]) -> dict[int, AcceptedCase]:
        """A few cases by their places in the history, accepted or withdrawn since; damaged ones are left out."""

        def read(connection: sqlite3.Connection) -> dict[int, AcceptedCase]:
            marks = ",".join("?" * len(seqs))
            rows = connection.execute(
                f"SELECT {CASE_COLUMNS} FROM accepted_case WHERE seq IN ({marks}) "
                f"UNION ALL SELECT {CASE_COLUMNS} FROM withdrawn_case WHERE seq IN ({marks})",
                (*seqs, *seqs),
            )
            return {case.seq: case for row in rows if not (case := read_case(self._names, row)).damaged}

        return await self._db.read(read) if seqs else {}

    async def counts_at(self, seq: int) -> dict[str, int]:
        """Accepted cases of each category up to a place in the history. Reads an index, not the cases."""

        def read(connection: sqlite3.Connection) -> dict[str, int]:
            rows = connection.execute(
                "SELECT category_id, count(*) FROM accepted_case INDEXED BY accepted_slot "
                "WHERE branch_id=? AND seq<=? GROUP BY category_id",
                (MAIN_BRANCH, seq),
            )
            found = dict(rows.fetchall())
            return {name: found.get(number, 0) for name, number in self._ids.items()}

        return await self._db.read(read)

    async def history_of_case(self, category: str, ordinal: int) -> list[HistoryEntry]:
        """What was done to the case of one slot, oldest first."""
        number = self._ids.get(category, 0)

        def read(connection: sqlite3.Connection) -> list[HistoryEntry]:
            rows = connection.execute(
                "SELECT seq, kind, data, created_at FROM history WHERE category_id=? AND ordinal=? ORDER BY seq",
                (number, ordinal),
            )
            return [HistoryEntry(seq, kind, orjson.loads(data), at) for seq, kind, data, at in rows]

        return await self._db.read(read)

    async def rejections_by_stage(self) -> dict[str, int]:
        def read(connection: sqlite3.Connection) -> dict[str, int]:
            return dict(connection.execute("SELECT stage, count(*) FROM rejection GROUP BY stage ORDER BY stage"))

        return await self._db.read(read)

    async def rejection_page(
        self, offset: int, limit: int, *, category: str | None = None, stage: str | None = None, text: str = ""
    ) -> list[Rejection]:
        """Rejections, newest first."""
        where, values = self._rejections_where(category, stage, text)

        def read(connection: sqlite3.Connection) -> list[Rejection]:
            rows = connection.execute(
                f"SELECT {REJECTION_COLUMNS} FROM rejection WHERE {where} ORDER BY seq DESC LIMIT ? OFFSET ?",
                (*values, max(0, limit), max(0, offset)),
            )
            return [rejection_from(self._names, row) for row in rows]

        return await self._db.read(read)

    async def count_rejections(self, *, category: str | None = None, stage: str | None = None, text: str = "") -> int:
        where, values = self._rejections_where(category, stage, text)
        return await self._db.read(_counter(f"SELECT count(*) FROM rejection WHERE {where}", values))

    async def rejection(self, seq: int) -> Rejection | None:
        """The rejection at a place in the history, or None."""

        def read(connection: sqlite3.Connection) -> Rejection | None:
            row = connection.execute(f"SELECT {REJECTION_COLUMNS} FROM rejection WHERE seq=?", (seq,)).fetchone()
            return None if row is None else rejection_from(self._names, row)

        return await self._db.read(read)

    async def call_page(self, offset: int, limit: int) -> list[WorkerCall]:
        """Worker calls, newest first."""

        def read(connection: sqlite3.Connection) -> list[WorkerCall]:
            rows = connection.execute(
                f"SELECT {CALL_COLUMNS} FROM worker_call WHERE branch_id=? ORDER BY seq DESC LIMIT ? OFFSET ?",
                (MAIN_BRANCH, max(0, limit), max(0, offset)),
            )
            return [call_from(self._names, row) for row in rows]

        return await self._db.read(read)

    async def count_calls(self) -> int:
        return await self._db.read(_counter("SELECT count(*) FROM worker_call WHERE branch_id=?", [MAIN_BRANCH]))

    def _rejections_where(self, category: str | None, stage: str | None, text: str) -> tuple[str, list[Any]]:
        parts, values = ["branch_id=?"], list[Any]([MAIN_BRANCH])
        if category is not None:
            parts.append("category_id=?")
            values.append(self._ids.get(category, 0))
        if stage is not None:
            parts.append("stage=?")
            values.append(stage)
        words, found = words_condition(text, (), ("text", "reason", CASE_ID))
        return " AND ".join([*parts, words] if words else parts), [*values, *found]

    def _fetch(self, connection: sqlite3.Connection, seqs: Sequence[int]) -> list[AcceptedCase]:
        found: dict[int, AcceptedCase] = {}
        for start in range(0, len(seqs), _MOST_PARAMETERS):
            part = seqs[start : start + _MOST_PARAMETERS]
            marks = ",".join("?" * len(part))
            for row in connection.execute(f"SELECT {CASE_COLUMNS} FROM accepted_case WHERE seq IN ({marks})", part):
                found[row[0]] = read_case(self._names, row)
        return [found[seq] for seq in seqs if seq in found]


def call_from(names: Mapping[int, str], row: Sequence[Any]) -> WorkerCall:
    """A row of ``CALL_COLUMNS``."""
    seq, number, batch, model, size, outcome, delivered, retries, prompt, completion, *end = row
    usage = Usage(prompt, completion, bool(prompt or completion))
    return WorkerCall(seq, names[number], batch, model, size, outcome, delivered, retries, usage, *end)


def rejection_from(names: Mapping[int, str], row: Sequence[Any]) -> Rejection:
    """A row of ``REJECTION_COLUMNS``."""
    seq, number, *rest = row
    rest[-1] = None if rest[-1] is None else orjson.loads(rest[-1])
    return Rejection(seq, names[number], *rest)


def _counter(sql: str, values: Sequence[Any]) -> Callable[[sqlite3.Connection], int]:
    return lambda connection: int(connection.execute(sql, values).fetchone()[0])


def _filled(connection: sqlite3.Connection, number: int) -> int:
    row = connection.execute(
        "SELECT accepted FROM progress WHERE branch_id=? AND category_id=?", (MAIN_BRANCH, number)
    ).fetchone()
    return int(row[0]) if row else 0


def _in_slot_order(connection: sqlite3.Connection, numbers: Sequence[int], offset: int, limit: int) -> list[int]:
    """The index of the slots holds the places too, so that skipping to an offset reads no case."""
    seqs: list[int] = []
    for number in numbers:
        if len(seqs) >= limit:
            break
        there = _filled(connection, number)
        if offset >= there:
            offset -= there
            continue
        rows = connection.execute(
            "SELECT seq FROM accepted_case INDEXED BY accepted_slot WHERE branch_id=? AND category_id=? "
            "ORDER BY ordinal LIMIT ? OFFSET ?",
            (MAIN_BRANCH, number, limit - len(seqs), offset),
        )
        seqs += [seq for (seq,) in rows]
        offset = 0
    return seqs


def _newest(connection: sqlite3.Connection, numbers: Sequence[int], offset: int, limit: int) -> list[int]:
    marks = ",".join("?" * len(numbers))
    how = "NOT INDEXED" if offset + limit <= _WALK_BACK else "INDEXED BY accepted_slot"
    rows = connection.execute(
        f"SELECT seq FROM accepted_case {how} WHERE branch_id=? AND category_id IN ({marks}) "
        "ORDER BY seq DESC LIMIT ? OFFSET ?",
        (MAIN_BRANCH, *numbers, limit, offset),
    )
    return [seq for (seq,) in rows]


def _window(
    connection: sqlite3.Connection, group: Sequence[int], edge: int | None, condition: str, values: Sequence[str]
) -> tuple[int | None, int, list[int]]:
    """The next window of one category's cases: its last ordinal (None when there is none), its size, what was found."""
    first, slot = edge or 0, (MAIN_BRANCH, group[0])
    last, count = connection.execute(
        "SELECT max(ordinal), count(*) FROM (SELECT ordinal FROM accepted_case INDEXED BY accepted_slot "
        "WHERE branch_id=? AND category_id=? AND ordinal>? ORDER BY ordinal LIMIT ?)",
        (*slot, first, _WINDOW),
    ).fetchone()
    if last is None:
        return None, 0, []
    rows = connection.execute(
        "SELECT seq FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal>? AND ordinal<=? "
        f"AND ({condition}) ORDER BY ordinal",
        (*slot, first, last, *values),
    ).fetchall()
    return last, count, [seq for (seq,) in rows]


def _window_back(
    connection: sqlite3.Connection, group: Sequence[int], edge: int | None, condition: str, values: Sequence[str]
) -> tuple[int | None, int, list[int]]:
    """The same from the newest case back; the edge is a place in the history."""
    marks = ",".join("?" * len(group))
    before = 2**63 - 1 if edge is None else edge
    cases = f"FROM accepted_case NOT INDEXED WHERE branch_id=? AND category_id IN ({marks}) AND seq<?"
    first, count = connection.execute(
        f"SELECT min(seq), count(*) FROM (SELECT seq {cases} ORDER BY seq DESC LIMIT ?)",
        (MAIN_BRANCH, *group, before, _WINDOW),
    ).fetchone()
    if first is None:
        return None, 0, []
    rows = connection.execute(
        f"SELECT seq {cases} AND seq>=? AND ({condition}) ORDER BY seq DESC",
        (MAIN_BRANCH, *group, before, first, *values),
    ).fetchall()
    return first, count, [seq for (seq,) in rows]
