"""The truth about a session's progress: what is accepted, rejected, given up on, and when."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint, Rejection, Usage, case_id
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.store.database import Database
from dsbuilder_tui.store.files import sync_folder
from dsbuilder_tui.store.rows import CategoryProgress, Changes, LedgerRows
from dsbuilder_tui.store.schema import MAIN_BRANCH, SEQUENCED_TABLES

PAGE = 500


class SessionStore:
    """Reads and writes one session file. All methods raise ``StorageError`` or ``SessionDamaged`` on a bad disk."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._seq = 0
        self._checkpoint = 0
        self._ids: dict[str, int] = {}
        self._names: dict[int, str] = {}

    @classmethod
    async def create(cls, path: Path, plan: DatasetPlanInput, meta: dict[str, Any], clock: Clock) -> SessionStore:
        """A new session file, which takes its name only when it is whole: a kill on the way leaves no half session."""
        unborn = path.with_name(f"{path.name}.new")
        database = Database(unborn)
        await database.open(create=True)

        def fill(connection: sqlite3.Connection) -> None:
            now = clock.now()
            connection.execute("INSERT INTO branch (id, name, created_at) VALUES (?, 'main', ?)", (MAIN_BRANCH, now))
            connection.executemany("INSERT INTO meta VALUES (?, ?)", [(k, _text(v)) for k, v in meta.items()])
            connection.execute(
                "INSERT INTO plan_revision VALUES (1, ?, 1, ?, ?)",
                (MAIN_BRANCH, _text(plan.model_dump(mode="json")), now),
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

    async def _load(self) -> None:
        def load(connection: sqlite3.Connection) -> None:
            self._ids = dict(connection.execute("SELECT name, id FROM category"))
            self._names = {number: name for name, number in self._ids.items()}
            latest = [connection.execute(f"SELECT max(seq) FROM {table}").fetchone()[0] for table in SEQUENCED_TABLES]
            self._seq = max(number or 0 for number in latest)
            self._checkpoint = connection.execute("SELECT max(id) FROM checkpoint").fetchone()[0] or 0

        await self._db.read(load)

    @property
    def seq(self) -> int:
        """The last place in the history that was given out."""
        return self._seq

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def next_checkpoint(self) -> int:
        self._checkpoint += 1
        return self._checkpoint

    async def meta(self) -> dict[str, Any]:
        def read(connection: sqlite3.Connection) -> dict[str, Any]:
            return {key: orjson.loads(value) for key, value in connection.execute("SELECT key, value FROM meta")}

        return await self._db.read(read)

    async def set_meta(self, **values: Any) -> None:
        def write(connection: sqlite3.Connection) -> None:
            rows = [(key, _text(value)) for key, value in values.items()]
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

        await self._db.write(write)

    async def remember(self, kind: str, **data: Any) -> None:
        """Write one line into the session's history."""
        row = (self.next_seq(), MAIN_BRANCH, kind, _text(data), self._clock.now())
        await self._db.write(lambda connection: connection.execute("INSERT INTO history VALUES (?,?,?,?,?)", row))

    async def plan(self) -> DatasetPlanInput:
        """The newest revision of the plan."""

        def read(connection: sqlite3.Connection) -> str:
            row = connection.execute(
                "SELECT plan FROM plan_revision WHERE branch_id=? ORDER BY revision DESC LIMIT 1", (MAIN_BRANCH,)
            ).fetchone()
            if row is None:
                raise SessionDamaged(f"{self._db.path} holds no plan.", "Restore a copy of the folder.")
            return str(row[0])

        return parse_plan(orjson.loads(await self._db.read(read)), str(self._db.path))

    async def progress(self) -> dict[str, CategoryProgress]:
        def read(connection: sqlite3.Connection) -> dict[str, CategoryProgress]:
            rows = connection.execute(
                "SELECT category_id, accepted, rejected, exhausted FROM progress WHERE branch_id=?", (MAIN_BRANCH,)
            )
            return {self._names[number]: CategoryProgress(*counts) for number, *counts in rows}

        return await self._db.read(read)

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

    async def rejections_by_stage(self) -> dict[str, int]:
        def read(connection: sqlite3.Connection) -> dict[str, int]:
            return dict(connection.execute("SELECT stage, count(*) FROM rejection GROUP BY stage ORDER BY stage"))

        return await self._db.read(read)

    async def rejections(self, limit: int = 100) -> list[Rejection]:
        """The newest rejections, newest first."""

        def read(connection: sqlite3.Connection) -> list[Rejection]:
            rows = connection.execute(
                "SELECT seq, category_id, ordinal, attempt, stage, reason, text, created_at, score, threshold, "
                "nearest_seq, nearest_case_id FROM rejection WHERE branch_id=? ORDER BY seq DESC LIMIT ?",
                (MAIN_BRANCH, limit),
            )
            return [Rejection(row[0], self._names[row[1]], *row[2:]) for row in rows]

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
            for number, ordinal, highest, tries, nearest in connection.execute(
                "SELECT r.category_id, r.ordinal, max(r.attempt), sum(r.seq > ?), group_concat(r.nearest_seq) "
                "FROM rejection r LEFT JOIN accepted_case a USING (branch_id, category_id, ordinal) "
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
            return LedgerRows(filled, attempts, exhausted)

        return await self._db.read(read)

    async def inputs_of(self, seqs: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The inputs of a few accepted cases."""

        def read(connection: sqlite3.Connection) -> dict[int, dict[str, Any]]:
            marks = ",".join("?" * len(seqs))
            rows = connection.execute(f"SELECT seq, inputs FROM accepted_case WHERE seq IN ({marks})", tuple(seqs))
            return {seq: orjson.loads(inputs) for seq, inputs in rows}

        return await self._db.read(read) if seqs else {}

    async def cases(
        self, categories: Iterable[str], *, damaged: list[str] | None = None
    ) -> AsyncIterator[list[AcceptedCase]]:
        """Accepted cases in slot order, a page at a time; memory stays flat whatever the size of the session.

        A case whose checksum does not match is appended to ``damaged`` (by its id) and left out; without that list
        ``SessionDamaged`` is raised.
        """
        for name in categories:
            number, last = self._ids.get(name), 0
            while number is not None:

                def read(connection: sqlite3.Connection, number: int = number, after: int = last) -> list[Any]:
                    return connection.execute(
                        "SELECT seq, ordinal, inputs, expectations, tags, created_at, crc FROM accepted_case "
                        "WHERE branch_id=? AND category_id=? AND ordinal>? ORDER BY ordinal LIMIT ?",
                        (MAIN_BRANCH, number, after, PAGE),
                    ).fetchall()

                rows = await self._db.read(read)
                if not rows:
                    break
                last = rows[-1][1]
                yield [case for row in rows if (case := self._case(name, number, row, damaged)) is not None]

    def _case(self, name: str, number: int, row: Any, damaged: list[str] | None) -> AcceptedCase | None:
        seq, ordinal, inputs, expectations, tags, created_at, crc = row
        if _crc(number, ordinal, inputs, expectations, tags) != crc:
            if damaged is None:
                raise SessionDamaged(
                    f"The case {case_id(name, ordinal)} in {self._db.path} is damaged (its checksum does not match).",
                    f"`dsbuilder resume {self._db.path.parent.name} --repair` sets damaged cases aside and writes them "
                    "again; `dsbuilder export … --skip-damaged` leaves them out.",
                )
            damaged.append(case_id(name, ordinal))
            return None
        load = orjson.loads
        return AcceptedCase(seq, name, ordinal, load(inputs), load(expectations), load(tags), created_at)

    async def set_damaged_aside(self) -> list[str]:
        """Move every case whose checksum does not match into ``damaged_case``, which opens its slot again."""

        def repair(connection: sqlite3.Connection) -> list[str]:
            bad: list[tuple[int, int, int]] = []
            for seq, number, ordinal, inputs, expectations, tags, crc in connection.execute(
                "SELECT seq, category_id, ordinal, inputs, expectations, tags, crc FROM accepted_case "
                "WHERE branch_id=?",
                (MAIN_BRANCH,),
            ):
                if _crc(number, ordinal, inputs, expectations, tags) != crc:
                    bad.append((seq, number, ordinal))
            for seq, number, _ in bad:
                connection.execute(
                    "INSERT OR REPLACE INTO damaged_case SELECT *, ? FROM accepted_case WHERE seq=?",
                    (self._clock.now(), seq),
                )
                connection.execute("DELETE FROM accepted_case WHERE seq=?", (seq,))
                connection.execute(
                    "UPDATE progress SET accepted=accepted-1 WHERE branch_id=? AND category_id=?",
                    (MAIN_BRANCH, number),
                )
            return [case_id(self._names[number], ordinal) for _, number, ordinal in bad]

        return await self._db.write(repair)

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
        await self._db.write(lambda connection: self._apply(connection, changes))

    def _apply(self, connection: sqlite3.Connection, changes: Changes) -> None:
        ids, counts = self._ids, {number: [0, 0, 0] for number in self._names}
        cases = []
        for c in changes.accepted:
            number = ids[c.category]
            inputs, expectations, tags = _text(c.inputs), _text(c.expectations), _text(c.tags)
            crc = _crc(number, c.ordinal, inputs, expectations, tags)
            cases.append(
                (c.seq, MAIN_BRANCH, number, c.ordinal, c.structure, inputs, expectations, tags, c.created_at, crc)
            )
            counts[number][0] += 1
        connection.executemany("INSERT INTO accepted_case VALUES (?,?,?,?,?,?,?,?,?,?)", cases)
        rejections = []
        for r in changes.rejected:
            number = ids[r.category]
            rejections.append(
                (r.seq, MAIN_BRANCH, number, r.ordinal, r.attempt, r.stage, r.score, r.threshold, r.nearest_seq,
                 r.nearest_case_id, r.reason, r.text, r.created_at)
            )  # fmt: skip
            counts[number][1] += 1
        connection.executemany("INSERT INTO rejection VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", rejections)
        for e in changes.exhausted:
            number = ids[e.category]
            connection.execute(
                "INSERT INTO exhausted_slot VALUES (?,?,?,?,?,?)",
                (MAIN_BRANCH, number, e.ordinal, e.seq, e.attempts, e.reason),
            )
            counts[number][2] += 1
        connection.executemany(
            "INSERT INTO worker_call VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (w.seq, MAIN_BRANCH, ids[w.category], w.batch, w.model, w.size, w.outcome, w.delivered, w.retries,
                 w.usage.prompt_tokens, w.usage.completion_tokens, w.seconds, w.detail, w.created_at)
                for w in changes.calls
            ],
        )  # fmt: skip
        connection.executemany(
            "INSERT INTO checkpoint VALUES (?,?,?,?,?,?,?)",
            [(p.id, MAIN_BRANCH, p.seq, p.reason, p.accepted, p.planned, p.created_at) for p in changes.checkpoints],
        )
        connection.executemany(
            "UPDATE progress SET accepted=accepted+?, rejected=rejected+?, exhausted=exhausted+? "
            "WHERE branch_id=? AND category_id=?",
            [(*count, MAIN_BRANCH, number) for number, count in counts.items() if any(count)],
        )


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _crc(number: int, ordinal: int, inputs: str, expectations: str, tags: str) -> int:
    head = f"{number}\0{ordinal}\0{inputs}\0{expectations}\0{tags}"
    return zlib.crc32(head.encode("utf-8", "surrogatepass"))
