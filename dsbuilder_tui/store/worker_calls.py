"""Worker calls that have ended, and the tokens they took."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.batch_words import BatchFigures
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.rejections import TURNED_AWAY
from dsbuilder_tui.store.rows import WorkerCall
from dsbuilder_tui.store.schema import MAIN_BRANCH

CALL_COLUMNS = (
    "seq, category_id, batch, model, size, outcome, delivered, retries, prompt_tokens, completion_tokens, seconds, detail, "
    "created_at, worker, estimated, role, batched"
)


# A batch's cases stand this near its call in the history, so that telling of one reads the same at any size.
_NEAR = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSums:
    """What the calls of one model for one category and purpose came to; ``seconds`` of all of them, one after another."""

    category: str
    role: CallRole
    model: str
    calls: int
    seconds: float
    delivered: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class CallTally:
    """How calls have ended, the commonest ending first; how often they were tried again; ``seconds`` of all together; and
    the last one that brought nothing whole, a call that a person cut off aside."""

    endings: Mapping[CallOutcome, int]
    retries: int
    seconds: float
    last_failed: WorkerCall | None
    slowest: WorkerCall | None = None  # of those that brought cases

    @property
    def calls(self) -> int:
        return sum(self.endings.values())


class WorkerCallTable:
    """Reads the calls of workers and of the judge."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def page(self, offset: int, limit: int) -> list[WorkerCall]:
        """Calls, newest first."""

        def read(connection: sqlite3.Connection) -> list[WorkerCall]:
            rows = connection.execute(
                f"SELECT {CALL_COLUMNS} FROM worker_call WHERE branch_id=? ORDER BY seq DESC LIMIT ? OFFSET ?",
                (MAIN_BRANCH, max(0, limit), max(0, offset)),
            )
            return [call_from(self._store.names, row) for row in rows]

        return await self._store.read(read)

    async def count(self) -> int:
        sql = "SELECT count(*) FROM worker_call WHERE branch_id=?"
        return await self._store.read(lambda connection: int(connection.execute(sql, (MAIN_BRANCH,)).fetchone()[0]))

    async def place(self, batch: int) -> int | None:
        """How many calls come before this one in what ``page`` lists; None when no call of that batch has ended.

        Of several calls for one batch, such as those of its judge, it is the newest.
        """

        def read(connection: sqlite3.Connection) -> int | None:
            branch = (MAIN_BRANCH,)
            seq = connection.execute(
                "SELECT max(seq) FROM worker_call WHERE branch_id=? AND batch=?", (*branch, batch)
            ).fetchone()[0]
            if seq is None:
                return None
            later = "SELECT count(*) FROM worker_call WHERE branch_id=? AND seq>?"
            return int(connection.execute(later, (*branch, seq)).fetchone()[0])

        return await self._store.read(read)

    async def newest(self, batch: int) -> WorkerCall | None:
        """The newest call for a batch that has ended; None when none has."""

        def read(connection: sqlite3.Connection) -> WorkerCall | None:
            row = connection.execute(
                f"SELECT {CALL_COLUMNS} FROM worker_call WHERE branch_id=? AND batch=? ORDER BY seq DESC LIMIT 1",
                (MAIN_BRANCH, batch),
            ).fetchone()
            return None if row is None else call_from(self._store.names, row)

        return await self._store.read(read)

    async def figures(self, batch: int, seq: int) -> BatchFigures:
        """What became of the candidates of a batch whose call stands at ``seq`` in the history."""

        def read(connection: sqlite3.Connection) -> BatchFigures:
            where = "WHERE branch_id=? AND batch=? AND seq BETWEEN ? AND ?"
            values = (MAIN_BRANCH, batch, seq - _NEAR, seq + _NEAR)
            (accepted,) = connection.execute(f"SELECT count(*) FROM accepted_case {where}", values).fetchone()
            away = connection.execute(
                f"SELECT stage, count(*) FROM rejection {where} AND {TURNED_AWAY} GROUP BY stage ORDER BY 2 DESC, 1",
                values,
            )
            return BatchFigures(accepted, dict(away.fetchall()))

        return await self._store.read(read)

    async def tally(self, category: str | None = None) -> CallTally:
        """How the calls have ended, of one category or of all."""
        of = "" if category is None else " AND category_id=?"
        values = (MAIN_BRANCH, *(() if category is None else (self._store.ids.get(category, 0),)))
        brought = f"('{CallOutcome.OK}', '{CallOutcome.CANCELLED}')"

        def read(connection: sqlite3.Connection) -> CallTally:
            endings: dict[CallOutcome, int] = {}
            retries, seconds = 0, 0.0
            for outcome, count, again, took in connection.execute(
                f"SELECT outcome, count(*), sum(retries), sum(seconds) FROM worker_call WHERE branch_id=?{of} "
                "GROUP BY outcome ORDER BY 2 DESC, 1",
                values,
            ):
                endings[_outcome(outcome)] = endings.get(_outcome(outcome), 0) + count
                retries, seconds = retries + again, seconds + took
            row = connection.execute(
                f"SELECT {CALL_COLUMNS} FROM worker_call WHERE branch_id=?{of} AND outcome NOT IN {brought} "
                "ORDER BY seq DESC LIMIT 1",
                values,
            ).fetchone()
            longest = connection.execute(
                f"SELECT {CALL_COLUMNS} FROM worker_call WHERE branch_id=?{of} AND outcome='{CallOutcome.OK}' "
                "ORDER BY seconds DESC, seq LIMIT 1",
                values,
            ).fetchone()
            failed, slowest = (None if one is None else call_from(self._store.names, one) for one in (row, longest))
            return CallTally(endings, retries, seconds, failed, slowest)

        return await self._store.read(read)

    async def usage(self) -> Usage:
        """Tokens of all calls so far that wrote cases, in whatever stage."""

        def read(connection: sqlite3.Connection) -> Usage:
            row = connection.execute(
                "SELECT sum(prompt_tokens), sum(completion_tokens) FROM worker_call WHERE role<>?", (CallRole.JUDGE,)
            ).fetchone()
            return Usage(row[0] or 0, row[1] or 0, known=bool(row[0] or row[1]))

        return await self._store.read(read)

    async def by_category(self) -> list[CallSums]:
        """All calls so far, summed up by category, model and what they were for."""

        def read(connection: sqlite3.Connection) -> list[CallSums]:
            rows = connection.execute(
                "SELECT category_id, role, model, count(*), sum(seconds), sum(delivered), sum(prompt_tokens), "
                "sum(completion_tokens) FROM worker_call WHERE branch_id=? GROUP BY category_id, role, model ORDER BY 1, 2, 3",
                (MAIN_BRANCH,),
            )
            return [
                CallSums(
                    category=self._store.names[number], role=CallRole(role), model=model, calls=calls, seconds=seconds,
                    delivered=delivered, usage=Usage(prompt, completion, known=bool(prompt or completion)),
                )
                for number, role, model, calls, seconds, delivered, prompt, completion in rows
            ]  # fmt: skip

        return await self._store.read(read)

    async def last_batch(self) -> int:
        """The highest batch number used so far."""
        sql = "SELECT max(batch) FROM (SELECT max(batch) AS batch FROM worker_call UNION SELECT max(batch) FROM batch_request)"
        return await self._store.read(lambda connection: connection.execute(sql).fetchone()[0] or 0)


def call_from(names: Mapping[int, str], row: Sequence[Any]) -> WorkerCall:
    """A row of ``CALL_COLUMNS``."""
    seq, number, batch, model, size, outcome, delivered, retries, prompt, completion, *end = row
    seconds, detail, created_at, worker, estimated, role, batched = end
    return WorkerCall(
        seq=seq,
        category=names[number],
        batch=batch,
        model=model,
        size=size,
        outcome=_outcome(outcome),
        delivered=delivered,
        retries=retries,
        usage=Usage(prompt, completion, known=bool(prompt or completion) and not estimated, estimated=bool(estimated)),
        seconds=seconds,
        detail=detail,
        created_at=created_at,
        worker=worker,
        role=CallRole(role),
        batched=bool(batched),
    )


def _outcome(value: str) -> CallOutcome:
    """An outcome of a later version is none that this one knows: the call counts as failed."""
    try:
        return CallOutcome(value)
    except ValueError:
        return CallOutcome.FAILED
