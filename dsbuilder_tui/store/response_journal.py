"""The response journal: what models answered to worker calls, compressed and capped."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.rows import WorkerAnswer
from dsbuilder_tui.store.schema import MAIN_BRANCH

_FAST = 1  # of zlib's levels: a third of the size for a tenth of a millisecond an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer(WorkerAnswer):
    """An answer with the number of its batch and the model that gave it."""

    batch: int
    model: str


class ResponseJournal:
    """Reads the answers that a session keeps, and lets old ones go."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def count(self) -> int:
        """How many answers are kept."""
        sql = "SELECT count(*) FROM worker_answer WHERE branch_id=?"
        return await self._store.read(lambda connection: int(connection.execute(sql, (MAIN_BRANCH,)).fetchone()[0]))

    async def size(self) -> int:
        """Bytes that the answers take, compressed."""
        sql = "SELECT coalesce(sum(size), 0) FROM worker_answer WHERE branch_id=?"
        return await self._store.read(lambda connection: int(connection.execute(sql, (MAIN_BRANCH,)).fetchone()[0]))

    async def page(self, after: int, limit: int, role: CallRole = CallRole.WORKER) -> list[KeptAnswer]:
        """Answers to calls of a role behind the place ``after`` in the history, oldest first.

        Raises ``SessionDamaged`` when one cannot be read.
        """

        def read(connection: sqlite3.Connection) -> list[KeptAnswer]:
            rows = connection.execute(
                "SELECT a.seq, a.category_id, a.ordinals, a.answer, coalesce(c.batch, 0), coalesce(c.model, '') "
                "FROM worker_answer a LEFT JOIN worker_call c ON c.seq=a.seq WHERE a.branch_id=? AND a.seq>? "
                "AND coalesce(c.role, ?)=? ORDER BY a.seq LIMIT ?",
                (MAIN_BRANCH, after, CallRole.WORKER, role, limit),
            )
            return [
                KeptAnswer(
                    seq=seq,
                    category=self._store.names[number],
                    ordinals=_ordinals(slots),
                    text=_unpacked(seq, answer),
                    batch=batch,
                    model=model,
                )
                for seq, number, slots, answer, batch, model in rows
            ]

        return await self._store.read(read)

    async def trim(self, most: int) -> None:
        """Remove the oldest answers until all take ``most`` bytes at most; 0 removes all."""

        def remove(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM worker_answer WHERE seq <= (SELECT seq FROM "
                "(SELECT seq, sum(size) OVER (ORDER BY seq DESC) AS kept FROM worker_answer) "
                "WHERE kept > ? ORDER BY seq DESC LIMIT 1)",
                (most,),
            )

        await self._store.write(remove)


def write_answers(connection: sqlite3.Connection, answers: Iterable[WorkerAnswer], ids: Mapping[str, int]) -> None:
    """Add answers to the journal; the caller holds the transaction. ``ids`` gives the numbers of the categories."""
    rows = []
    for answer in answers:
        packed = zlib.compress(answer.text.encode("utf-8", "surrogatepass"), _FAST)
        rows.append((answer.seq, MAIN_BRANCH, ids[answer.category], len(packed), json.dumps(answer.ordinals), packed))
    connection.executemany("INSERT INTO worker_answer VALUES (?,?,?,?,?,?)", rows)


def _ordinals(text: str) -> tuple[int, ...]:
    return tuple(json.loads(text))


def _unpacked(seq: int, packed: bytes) -> str:
    try:
        return zlib.decompress(packed).decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError) as error:
        raise SessionDamaged(
            f"The kept answer {seq} of the session file is damaged ({error}).",
            "The cases are not touched; `dsbuilder regate SESSION --purge` removes the kept answers.",
        ) from error
