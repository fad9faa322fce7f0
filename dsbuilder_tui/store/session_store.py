"""The truth about a session's progress: what is accepted, rejected, given up on, and when."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint, Usage, case_id
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.store.base import CASE_COLUMNS, checksum, read_case, to_text
from dsbuilder_tui.store.commit import apply, history_row, write_history
from dsbuilder_tui.store.conversation import Conversation
from dsbuilder_tui.store.costs import Costs
from dsbuilder_tui.store.database import Database
from dsbuilder_tui.store.figuring import Figuring
from dsbuilder_tui.store.files import sync_folder
from dsbuilder_tui.store.past import gone_texts
from dsbuilder_tui.store.planning import UNDECIDED, Plans
from dsbuilder_tui.store.remembering import Remembering
from dsbuilder_tui.store.replaying import Replaying
from dsbuilder_tui.store.retiring import retired_slots
from dsbuilder_tui.store.reviewing import Reviewing
from dsbuilder_tui.store.rows import CategoryProgress, Changes, HistoryRow, LedgerRows
from dsbuilder_tui.store.schema import MAIN_BRANCH, SEQUENCED_TABLES
from dsbuilder_tui.store.whatif import WhatIfs

PAGE = 500
_NO_LIMIT = 2**63 - 1


class SessionStore(Reviewing, Conversation, Plans, Replaying, Remembering, Costs, Figuring, WhatIfs):
    """Reads and writes one session file. All methods raise ``StorageError`` or ``SessionDamaged`` on a bad disk."""

    @classmethod
    async def create(cls, path: Path, plan: DatasetPlanInput, meta: dict[str, Any], clock: Clock) -> SessionStore:
        """A new session file, which takes its name only when it is whole: a kill on the way leaves no half session."""
        unborn = path.with_name(f"{path.name}.new")
        database = Database(unborn)
        await database.open(create=True)

        def fill(connection: sqlite3.Connection) -> None:
            now = clock.now()
            connection.execute("INSERT INTO branch (id, name, created_at) VALUES (?, 'main', ?)", (MAIN_BRANCH, now))
            connection.executemany("INSERT INTO meta VALUES (?, ?)", [(k, to_text(v)) for k, v in meta.items()])
            connection.execute(
                "INSERT INTO plan_revision VALUES (1, ?, ?, ?, ?)",
                (MAIN_BRANCH, 1 if plan.decided else UNDECIDED, to_text(plan.model_dump(mode="json")), now),
            )
            for number, category in enumerate(plan.categories, 1):
                connection.execute("INSERT INTO category VALUES (?, ?)", (number, category.name))
                connection.execute("INSERT INTO progress (branch_id, category_id) VALUES (?, ?)", (MAIN_BRANCH, number))

        try:
            await database.write(fill)
        finally:
            await database.close()
        unborn.rename(path)
        sync_folder(path.parent)
        return await cls.open(path, clock)

    @classmethod
    async def open(cls, path: Path, clock: Clock) -> SessionStore:
        database = Database(path)
        await database.open()
        store = cls(database, clock)
        try:
            await store._load()
        except BaseException:
            await database.close()
            raise
        return store

    async def close(self) -> None:
        await self._db.close()

    @property
    def folder(self) -> Path:
        """The session's folder."""
        return self._db.path.parent

    async def _load(self) -> None:
        def load(connection: sqlite3.Connection) -> None:
            self._ids = dict(connection.execute("SELECT name, id FROM category"))
            self._names = {number: name for name, number in self._ids.items()}
            latest = [connection.execute(f"SELECT max(seq) FROM {table}").fetchone()[0] for table in SEQUENCED_TABLES]
            self._seq = max(number or 0 for number in latest)
            self._checkpoint = connection.execute("SELECT max(id) FROM checkpoint").fetchone()[0] or 0

        await self._db.read(load)

    async def moved(self, move: Callable[[], Path]) -> None:
        """Close the file, let ``move`` give its folder another place, and open it there; whoever reads waits.

        ``move`` returns where the file is then. What it raises is raised after the file is open again where it was.
        """
        await self._db.moved(move)

    async def meta(self) -> dict[str, Any]:
        def read(connection: sqlite3.Connection) -> dict[str, Any]:
            return {key: orjson.loads(value) for key, value in connection.execute("SELECT key, value FROM meta")}

        return await self._db.read(read)

    async def set_meta(self, **values: Any) -> None:
        def write(connection: sqlite3.Connection) -> None:
            rows = [(key, to_text(value)) for key, value in values.items()]
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

        await self._db.write(write)

    async def remember(self, kind: str, **data: Any) -> None:
        """Write one line into the session's history."""
        row = HistoryRow(self.next_seq(), kind, data, self._clock.now())
        await self._db.write(lambda connection: write_history(connection, [row], self._ids))

    async def record(self, *events: Event) -> None:
        """Write events into the session's history, so that they can be told again."""
        rows = [history_row(self.next_seq(), event) for event in events]
        if rows:
            await self._db.write(lambda connection: write_history(connection, rows, self._ids))

    async def totals(self) -> CategoryProgress:
        """The counters of all categories together."""
        counts = (await self.progress()).values()
        return CategoryProgress(
            sum(c.accepted for c in counts), sum(c.rejected for c in counts), sum(c.exhausted for c in counts)
        )

    async def usage(self) -> Usage:
        """Tokens of all worker calls so far."""

        def read(connection: sqlite3.Connection) -> Usage:
            row = connection.execute("SELECT sum(prompt_tokens), sum(completion_tokens) FROM worker_call").fetchone()
            return Usage(row[0] or 0, row[1] or 0, known=bool(row[0] or row[1]))

        return await self._db.read(read)

    async def last_batch(self) -> int:
        """The highest batch number used so far."""
        return await self._db.read(
            lambda connection: connection.execute("SELECT max(batch) FROM worker_call").fetchone()[0] or 0
        )

    async def checkpoints(self, limit: int = 1000) -> list[Checkpoint]:
        """The newest checkpoints, oldest first."""

        def read(connection: sqlite3.Connection) -> list[Checkpoint]:
            rows = connection.execute(
                "SELECT id, seq, reason, accepted, planned, created_at FROM checkpoint WHERE branch_id=? "
                "ORDER BY id DESC LIMIT ?",
                (MAIN_BRANCH, limit),
            )
            return [Checkpoint(*row) for row in rows][::-1]

        return await self._db.read(read)

    async def ledger_rows(self) -> LedgerRows:
        """Filled slots, open slots with rejections, exhausted slots. Reads indexes and hashes, not the cases."""

        def read(connection: sqlite3.Connection) -> LedgerRows:
            filled: dict[str, list[tuple[int, int | None, int]]] = {name: [] for name in self._ids}
            for number, *row in connection.execute(
                "SELECT category_id, ordinal, structure, seq FROM accepted_case WHERE branch_id=? ORDER BY seq",
                (MAIN_BRANCH,),
            ):
                filled[self._names[number]].append(tuple(row))
            since = connection.execute("SELECT max(seq) FROM history WHERE kind='exhausted_reopened'").fetchone()[0]
            attempts: dict[tuple[str, int], tuple[int, int, list[int]]] = {}
            # A withdrawal gives its slot a fresh set of tries, as reopening does to exhausted ones. So has a slot that was
            # given up on and is not any more: a plan has taken it out and brought it back.
            for number, ordinal, highest, tries, nearest in connection.execute(
                "SELECT r.category_id, r.ordinal, max(r.attempt), sum(r.seq > max(?, ifnull(w.last, 0), ifnull(g.last, 0))), "
                "group_concat(r.nearest_seq) FROM rejection r "
                "LEFT JOIN accepted_case a USING (branch_id, category_id, ordinal) "
                "LEFT JOIN (SELECT branch_id, category_id, ordinal, max(withdrawn_seq) AS last FROM withdrawn_case "
                "GROUP BY 1, 2, 3) w USING (branch_id, category_id, ordinal) "
                "LEFT JOIN (SELECT branch_id, category_id, ordinal, max(seq) AS last FROM rejection "
                "WHERE gave_up IS NOT NULL AND seq NOT IN (SELECT seq FROM exhausted_slot) "
                "GROUP BY 1, 2, 3) g USING (branch_id, category_id, ordinal) "
                "WHERE r.branch_id=? AND a.seq IS NULL GROUP BY r.category_id, r.ordinal",
                (since or 0, MAIN_BRANCH),
            ):
                seqs = [int(seq) for seq in nearest.split(",")] if nearest else []
                attempts[self._names[number], ordinal] = (highest, tries, seqs)
            exhausted: dict[str, list[int]] = {name: [] for name in self._ids}
            for number, ordinal in connection.execute(
                "SELECT category_id, ordinal FROM exhausted_slot WHERE branch_id=?", (MAIN_BRANCH,)
            ):
                exhausted[self._names[number]].append(ordinal)
            gone = list(gone_texts(connection, self._names))
            retired = {self._names[number]: ordinals for number, ordinals in retired_slots(connection).items()}
            return LedgerRows(filled, attempts, exhausted, gone, retired)

        return await self._db.read(read)

    async def cases(
        self, categories: Iterable[str], *, damaged: list[str] | None = None, upto: int | None = None
    ) -> AsyncIterator[list[AcceptedCase]]:
        """Accepted cases in slot order, a page at a time; memory stays flat whatever the size of the session.

        A case whose checksum does not match is appended to ``damaged`` (by its id) and left out; without that list
        ``SessionDamaged`` is raised. With ``upto`` only cases up to that place in the history come.
        """
        most = _NO_LIMIT if upto is None else upto
        for name in categories:
            number, last = self._ids.get(name), 0
            while number is not None:

                def read(connection: sqlite3.Connection, number: int = number, after: int = last) -> list[Any]:
                    return connection.execute(
                        f"SELECT {CASE_COLUMNS} FROM accepted_case "
                        "WHERE branch_id=? AND category_id=? AND ordinal>? AND seq<=? ORDER BY ordinal LIMIT ?",
                        (MAIN_BRANCH, number, after, most, PAGE),
                    ).fetchall()

                rows = await self._db.read(read)
                if not rows:
                    break
                last = rows[-1][2]
                page = [read_case(self._names, row) for row in rows]
                for bad in page:
                    if bad.damaged:
                        self._note_damaged(bad, damaged)
                yield [case for case in page if not case.damaged]

    def _note_damaged(self, case: AcceptedCase, damaged: list[str] | None) -> None:
        if damaged is None:
            raise SessionDamaged(
                f"The case {case.case_id} in {self._db.path} is damaged (its checksum does not match).",
                f"`dsbuilder resume {self._db.path.parent.name} --repair` sets damaged cases aside and writes them "
                "again; `dsbuilder export … --skip-damaged` leaves them out.",
            )
        damaged.append(case.case_id)

    async def set_damaged_aside(self) -> list[str]:
        """Move every case whose checksum does not match into ``damaged_case``, which opens its slot again."""

        def repair(connection: sqlite3.Connection) -> list[str]:
            bad: list[tuple[int, int, int]] = []
            for seq, number, ordinal, inputs, expectations, tags, crc in connection.execute(
                "SELECT seq, category_id, ordinal, inputs, expectations, tags, crc FROM accepted_case "
                "WHERE branch_id=?",
                (MAIN_BRANCH,),
            ):
                if checksum(number, ordinal, inputs, expectations, tags) != crc:
                    bad.append((seq, number, ordinal))
            for seq, number, _ in bad:
                connection.execute(
                    "INSERT OR REPLACE INTO damaged_case SELECT seq, branch_id, category_id, ordinal, structure, inputs, "
                    "expectations, tags, created_at, crc, ?, batch FROM accepted_case WHERE seq=?",
                    (self._clock.now(), seq),
                )
                connection.execute("DELETE FROM accepted_case WHERE seq=?", (seq,))
                connection.execute(
                    "UPDATE progress SET accepted=accepted-1 WHERE branch_id=? AND category_id=?",
                    (MAIN_BRANCH, number),
                )
            return [case_id(self._names[number], ordinal) for _, number, ordinal in bad]

        return await self._db.write(repair)

    async def structures(self, after: int, most: int) -> list[tuple[int, int, str]]:
        """The next accepted cases behind a place in the history, as (seq, structural hash, category)."""

        def read(connection: sqlite3.Connection) -> list[tuple[int, int, str]]:
            rows = connection.execute(
                # In the order of the key: over the index of slots, every page would sort all that is left.
                "SELECT seq, structure, category_id FROM accepted_case NOT INDEXED WHERE branch_id=? AND seq>? "
                "ORDER BY seq LIMIT ?",
                (MAIN_BRANCH, after, most),
            )
            return [(seq, structure or 0, self._names[number]) for seq, structure, number in rows]

        return await self._db.read(read)

    async def set_structures(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Note the structural hashes of accepted cases, as (hash, seq)."""
        await self._db.write(
            lambda connection: connection.executemany("UPDATE accepted_case SET structure=? WHERE seq=?", pairs)
        )

    async def reopen_exhausted(self) -> int:
        """Give every exhausted slot a fresh set of attempts. Returns how many there were."""
        await self.remember("exhausted_reopened")

        def reopen(connection: sqlite3.Connection) -> int:
            count = connection.execute("DELETE FROM exhausted_slot WHERE branch_id=?", (MAIN_BRANCH,)).rowcount
            connection.execute("UPDATE progress SET exhausted=0 WHERE branch_id=?", (MAIN_BRANCH,))
            return count

        return await self._db.write(reopen)

    async def commit(self, changes: Changes) -> None:
        """Write everything in one transaction; on disk when this returns."""
        await self._db.write(lambda connection: apply(connection, changes, self._ids))
