"""One SQLite connection on one thread: SQLite before 3.51.3 can corrupt a WAL file that has two."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from json import JSONDecodeError
from pathlib import Path
from typing import TypeVar

from dsbuilder_tui.domain.errors import DsbuilderError, SessionDamaged, SessionTooNew, StorageError
from dsbuilder_tui.store.commit_mark import CommitMark, Mark
from dsbuilder_tui.store.schema import MIGRATIONS, SEALED
from dsbuilder_tui.store.soundness import TableDamage, damaged_session, opening_tables, table_damages
from dsbuilder_tui.store.table_sums import Seal, TableSum, TableSums, read_seal, recounted, write_seal

T = TypeVar("T")


class Database:
    """A session file. Every method runs on the connection's own thread, in the order of the calls."""

    def __init__(self, path: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
        self.path = path
        self._migrations = migrations
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="session-store")
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._sums: TableSums | None = None
        self._mark = CommitMark(path)
        self._files: dict[Path, tuple[int, int]] = {}  # what is open, and what the folder must have under these names
        self._quiet = True  # no check of the pages goes on
        self.was_closed = True  # whether whoever wrote last had ended properly

    async def open(self, *, create: bool = False) -> None:
        """Open the file and bring it to the current version, keeping a copy from before each migration.

        Raises ``SessionDamaged``, ``SessionTooNew`` or ``StorageError``; the file is then as it was.
        """
        try:
            await self._submit(lambda: self._open(create))
        except BaseException:
            await self.close()
            raise

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that only reads."""
        return await self._submit(lambda: function(self._live()))

    async def write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function in one transaction: all of it is on disk when this returns, or none of it."""

        return await self._submit(lambda: self._transaction(function))

    async def recount(self, *tables: str) -> None:
        """Take what these tables hold for what they should hold: what was damaged in them has been dealt with."""
        await self._submit(lambda: self._transaction(lambda _: self._live_sums().recount(*tables)))

    async def damages(self, tables: Iterable[str] | None = None) -> list[TableDamage]:
        """Those of the tables (all, without any named) whose rows are not what was written. Reads them to their end."""
        return await self._submit(lambda: table_damages(self._live(), self._live_sums().seal, tables))

    async def opening_damages(self) -> list[TableDamage]:
        """As ``damages``, for what everything else is read by. Costs the same at any size."""
        return await self._submit(
            lambda: table_damages(self._live(), self._live_sums().seal, opening_tables(self._live_sums().seal))
        )

    async def quick_check(self) -> None:
        """Have SQLite look at every page. Raises ``SessionDamaged``, or ``StorageError`` when ``close`` cut it short."""

        def check() -> None:
            self._quiet = False
            try:
                found = [str(row[0]) for row in self._live().execute("PRAGMA quick_check(5)")]
            finally:
                self._quiet = True
            if found != ["ok"]:
                raise _readable(sqlite3.DatabaseError("; ".join(found)), self.path)

        await self._submit(check)

    async def seal(self) -> Seal:
        """What the tables should add up to, as of the last commit."""
        return await self._submit(lambda: self._live_sums().seal)

    async def moved(self, move: Callable[[], Path]) -> None:
        """Close the connection, let ``move`` move the file, and open it where that says it is now.

        All on the connection's own thread, so that what is asked for meanwhile comes after. When ``move`` raises, the
        file is open again where it was.
        """

        def relocate() -> None:
            self._close()
            try:
                self.path = move()
                self._mark = CommitMark(self.path)
            finally:
                self._open(create=False)

        await self._submit(relocate)

    async def close(self) -> None:
        """Close the connection (folding the WAL into the file) and end its thread. Safe to call twice."""
        if not self._closed:
            self._closed = True
            if self._connection is not None and not self._quiet:
                self._connection.interrupt()  # nobody waits for what a check of the pages finds
            await asyncio.get_running_loop().run_in_executor(self._executor, self._close)
        self._executor.shutdown(wait=False)

    async def _submit(self, function: Callable[[], T]) -> T:
        def guarded() -> T:
            try:
                return function()
            except sqlite3.Error as error:
                raise _readable(error, self.path) from error
            except JSONDecodeError as error:
                raise SessionDamaged(
                    f"A row of {self.path} is damaged: {error}.",
                    f"`dsbuilder doctor {self.path.parent.name}` says what is whole.",
                ) from error

        if self._closed:
            raise StorageError(f"{self.path} is closed.", "Open the session again.")
        return await asyncio.get_running_loop().run_in_executor(self._executor, guarded)

    def _live(self) -> sqlite3.Connection:
        if self._connection is None:  # it could not be opened again after a move
            raise StorageError(f"{self.path} is closed.", "Open the session again.")
        return self._connection

    def _live_sums(self) -> TableSums:
        self._live()
        assert self._sums is not None
        return self._sums

    def _transaction(self, function: Callable[[sqlite3.Connection], T], *, closed: bool = False) -> T:
        connection, sums = self._live(), self._live_sums()
        self._still_there()
        first = sums.seal.closed
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = function(connection)
            seal = sums.write(closed=closed)
            connection.execute("COMMIT")
        except BaseException:
            sums.forget()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        sums.take_over(seal)
        self._still_there()
        try:
            self._mark.write(_mark_of(seal))
        except OSError as error:
            raise StorageError(
                f"{self.path.parent} cannot be written: {error.strerror or error}.", "Free some space, then resume."
            ) from None
        if first and not closed:
            # So that the file itself says that it is being written: a copy without its log can be told.
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        return result

    def _still_there(self) -> None:
        """Raises ``StorageError`` when what is open is not what lies in the folder any more: it would be lost."""
        for path, file in self._files.items():
            try:
                found = path.stat()
            except OSError:
                found = None
            if found is None or (found.st_dev, found.st_ino) != file:
                raise StorageError(
                    f"{path} was {'removed' if found is None else 'replaced'} while it was in use; what is decided from "
                    "now on could not be saved.",
                    "Put the session's folder back from a copy or the trash, then resume.",
                )

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        try:
            if connection is not None:
                if self._sums is not None and not self._sums.seal.closed:
                    with contextlib.suppress(
                        sqlite3.Error, StorageError
                    ):  # then the next to open it looks more closely
                        self._connection = connection
                        self._transaction(lambda _: None, closed=True)
                self._connection = None
                connection.close()
        finally:
            self._sums, self._files = None, {}
            self._mark.close()

    def _open(self, create: bool) -> None:
        try:
            if create:
                # The -wal and -shm files inherit this mode.
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            elif not self.path.is_file():
                raise SessionDamaged(f"{self.path} is missing.", "Restore it, or import the session's JSON export.")
        except OSError as error:
            raise StorageError(
                f"{self.path} cannot be created: {error.strerror or error}.", "Make the folder writable."
            ) from None
        log = self.path.with_name(f"{self.path.name}-wal")
        had_log = log.is_file() and log.stat().st_size > 0
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=True)
        # A flipped bit can make text that is no UTF-8; the checksum of the row tells, and the rest stays readable.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(self._migrations):
                raise SessionTooNew(
                    f"{self.path} was written by a newer dsbuilder (format {version}, this one knows up to "
                    f"{len(self._migrations)}).",
                    "Update dsbuilder; the session was not touched.",
                )
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            self._migrate(connection, version)
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name='meta'").fetchone():
                raise SessionDamaged(
                    f"{self.path} is not a session file.", "Restore it, or import the session's JSON export."
                )
            self._sums = TableSums(connection)
            self.was_closed = self._sums.seal.closed
            self._check_log(self._sums.seal, had_log)
            self._files = {
                path: (found.st_dev, found.st_ino)
                for path in (self.path, log)
                if path.exists() and (found := path.stat())
            }
        except BaseException:
            self._sums = None
            connection.close()
            raise
        self._connection = connection

    def _check_log(self, seal: Seal, had_log: bool) -> None:
        """Raises ``SessionDamaged`` when commits are missing that were announced."""
        mark, now = self._mark.read(), _mark_of(seal)
        if mark is not None and mark.commits > now.commits:
            lost = f"{mark.accepted} cases were announced, {now.accepted} are there"
        elif mark is None and not seal.closed and not had_log:
            lost = f"it was being written when it was copied, and only {now.accepted} cases are there"
        else:
            return
        kept = ""
        if had_log:
            log = self.path.with_name(f"{self.path.name}-wal")
            aside = log.with_name(f"{log.name}.damaged")
            with contextlib.suppress(OSError):
                shutil.copyfile(log, aside)
                kept = f" Its log is kept as {aside.name}."
        raise SessionDamaged(
            f"The log of the session {self.path.parent.name} is damaged or missing: {lost}.{kept}",
            f"Copy the folder again with its {self.path.name}-wal, or restore a copy; "
            f"`dsbuilder doctor {self.path.parent.name} --repair` makes a new session of what is there.",
        )

    def _migrate(self, connection: sqlite3.Connection, version: int) -> None:
        commits = 0
        if SEALED <= version < len(self._migrations):  # damage must not be taken for what was written
            commits = (seal := read_seal(connection)).commits
            if found := table_damages(connection, seal):
                raise damaged_session(self.path.parent.name, found)
        for number in range(version, len(self._migrations)):
            if version > 0:  # a new file has nothing to be kept
                backup = self.path.with_name(f"{self.path.name}.v{number}.bak")
                backup.unlink(missing_ok=True)
                os.close(os.open(backup, os.O_CREAT | os.O_RDWR, 0o600))
                copy = sqlite3.connect(backup)
                connection.backup(copy)
                copy.close()
            connection.executescript(f"BEGIN;{self._migrations[number]};PRAGMA user_version={number + 1};")
            if number + 1 >= SEALED:
                write_seal(connection, recounted(connection, commits))
            connection.execute("COMMIT")
            if number + 1 == SEALED:
                self._mark.remove()


def _mark_of(seal: Seal) -> Mark:
    return Mark(seal.commits, seal.sums.get("accepted_case", TableSum()).rows)


def _readable(error: sqlite3.Error, path: Path) -> DsbuilderError:
    text = str(error)
    if "interrupted" in text:
        return StorageError(f"{path} was closed while it was read.", "Open the session again.")
    if "locked" in text:
        return StorageError(f"{path} is locked by another program.", "Close whatever has it open, then try again.")
    if "full" in text or "disk I/O" in text or "readonly" in text or "unable to open" in text:
        return StorageError(
            f"{path} could not be written: {text}. Everything accepted so far is saved.",
            "Free some space, make the folder writable, then resume.",
        )
    return SessionDamaged(
        f"{path} is damaged: {text}.",
        "Restore a copy of the folder, or `dsbuilder import` its *_checkpoint.json; nothing was changed.",
    )
