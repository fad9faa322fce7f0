"""One SQLite connection on one thread: SQLite before 3.51.3 can corrupt a WAL file that two write to.

What takes long and only reads has another one, on a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from json import JSONDecodeError
from pathlib import Path
from typing import TypeVar

from dsbuilder_tui.domain.errors import SessionClosed, SessionDamaged, SessionInUse, SessionTooNew, StorageError
from dsbuilder_tui.domain.plain_words import are, counted, were
from dsbuilder_tui.store.commit_mark import CommitMark, Mark
from dsbuilder_tui.store.file_check import check_everything, check_pages, readable_error
from dsbuilder_tui.store.file_digest import file_digest
from dsbuilder_tui.store.outbox_triggers import watch_cases
from dsbuilder_tui.store.reading_connection import (
    connect_to_read,
    has_log,
    is_writable,
    log_of,
    readable_text,
    reading,
    require_plain_schema,
)
from dsbuilder_tui.store.schema import MIGRATIONS, SEALED
from dsbuilder_tui.store.soundness import TableDamage, damaged_session, opening_tables, table_damages
from dsbuilder_tui.store.sqlite_errors import UNREADABLE
from dsbuilder_tui.store.table_sums import Seal, TableSum, TableSums, read_seal, recounted, write_seal
from dsbuilder_tui.store.travelled_tables import keep_changes

T = TypeVar("T")
_FOLD_PATIENCE = 250  # milliseconds that closing waits for somebody who reads at that moment


class Database:
    """A session file. Every method runs on the connection's own thread, in the order of the calls; checks run beside it.

    One that cannot be written, or whose folder cannot, is opened to be read: ``read_only`` is then true. So is one that is
    ``watched``: another process writes it meanwhile, and is neither waited for nor held up.
    """

    def __init__(self, path: Path, migrations: Sequence[str] = MIGRATIONS, *, watched: bool = False) -> None:
        self.path = path
        self.watched = watched
        self._migrations = migrations
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="session-store")
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._sums: TableSums | None = None
        self._checker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="session-check")
        self._mark = CommitMark(path)
        self._files: dict[Path, tuple[int, int]] = {}  # what is open, and what the folder must have under these names
        # The file itself. Held as long as the connection is: to close it would end the locks of this process on the file.
        self._bytes: int | None = None
        self._digest = ""  # what the bytes add up to by the mark; empty when that is not known
        self._commits = 0  # since it was opened
        self.read_only = False
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
        """Those of the tables (all, without any named) whose rows are not what was written. Reads them to their end,
        beside whatever else goes on.
        """
        return await self._look(lambda connection: table_damages(connection, read_seal(connection), tables))

    async def opening_damages(self) -> list[TableDamage]:
        """As ``damages``, for what everything else is read by. Costs the same at any size. Nothing is said of a file that is
        watched: its rows and their sums are read one after the other, and it is written between."""
        if self.watched:
            return []
        return await self._submit(
            lambda: table_damages(self._live(), self._live_sums().seal, opening_tables(self._live_sums().seal))
        )

    @property
    def to_be_checked(self) -> int:
        """The bytes of a file that ``check_file`` has something to say of: it was not closed properly, or its digest is
        known. Else 0.
        """
        return self.path.stat().st_size if self._digest or not self.was_closed else 0

    async def check_file(self) -> str:
        """Compare the file with what was closed, and look at every page of one that is another or was not closed.

        Returns what a person should know though everything that was written is there; mostly nothing. Raises
        ``SessionDamaged``, or ``StorageError`` when ``close`` cut it short.
        """
        if self._digest:
            return await self._look(self._compare)
        if not self.was_closed:
            await self._look(lambda connection: check_pages(connection, self.path))
        return ""

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

        def when_nobody_looks() -> None:
            self._executor.submit(self._guarded(relocate)).result()

        self._require_open()
        await asyncio.get_running_loop().run_in_executor(self._checker, when_nobody_looks)

    async def close(self) -> None:
        """Close the connection (folding the WAL into the file) and end its thread. Safe to call twice."""

        def end() -> None:
            self._checker.shutdown(cancel_futures=True)  # cut short: nobody waits for what a check finds
            self._close()

        if not self._closed:
            self._closed = True
            await asyncio.get_running_loop().run_in_executor(self._executor, end)
        self._executor.shutdown(wait=False)

    async def _submit(self, function: Callable[[], T]) -> T:
        self._require_open()
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._guarded(function))

    async def _look(self, look: Callable[[sqlite3.Connection], T]) -> T:
        """Run what takes long on a connection of its own, as of the last commit."""

        def looked() -> T:
            with reading(self.path, lambda: self._closed) as connection:
                connection.execute("BEGIN")
                return look(connection)

        self._require_open()
        return await asyncio.get_running_loop().run_in_executor(self._checker, self._guarded(looked))

    def _require_open(self) -> None:
        if self._closed:
            raise SessionClosed(f"{self.path} is closed.", "Open the session again.")

    def _guarded(self, function: Callable[[], T]) -> Callable[[], T]:
        def guarded() -> T:
            try:
                return function()
            except (*UNREADABLE, OSError) as error:
                raise readable_error(error, self.path) from error
            except JSONDecodeError as error:
                raise SessionDamaged(
                    f"A row of {self.path} is damaged: {error}.",
                    f"`dsbuilder doctor {shlex.quote(self.path.parent.name)}` says what is whole.",
                ) from error

        return guarded

    def _compare(self, connection: sqlite3.Connection) -> str:
        wanted, descriptor = self._digest, self._bytes
        if descriptor is None or not wanted or file_digest(descriptor, lambda: self._closed) == wanted:
            return ""
        if not self._digest:  # it was written to meanwhile, so that what was read may be of both
            return ""
        return check_everything(connection, self.path)

    def _live(self) -> sqlite3.Connection:
        if self._connection is None:  # it could not be opened again after a move
            raise SessionClosed(f"{self.path} is closed.", "Open the session again.")
        return self._connection

    def _live_sums(self) -> TableSums:
        self._live()
        assert self._sums is not None
        return self._sums

    def _transaction(self, function: Callable[[sqlite3.Connection], T], *, closed: bool = False) -> T:
        connection, sums = self._live(), self._live_sums()
        if self.watched:
            raise SessionInUse(
                f"This window only watches {self.path.parent.name}: another one works on it.",
                "Change it there, or open it here when that one has left it.",
            )
        if self.read_only:
            raise StorageError(
                f"{self.path} cannot be written: the session is open to be read.",
                "Copy its folder to a place that can be written to, and open the copy.",
            )
        self._still_there()
        first, self._digest = sums.seal.closed, ""
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
        self._commits += 1
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
                if self._sums is not None and not self._sums.seal.closed and not self.read_only:
                    with contextlib.suppress(
                        sqlite3.Error, StorageError
                    ):  # then the next to open it looks more closely
                        self._connection = connection
                        self._transaction(lambda _: None, closed=True)
                self._connection = None
                if not self.read_only:
                    with contextlib.suppress(sqlite3.Error):  # else the log stays where somebody watches the session
                        connection.execute(f"PRAGMA busy_timeout={_FOLD_PATIENCE}")
                        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                connection.close()
                with contextlib.suppress(OSError, StorageError):  # then it is not compared
                    self._note_digest()
        finally:
            self._sums, self._files, self._digest, self._commits = None, {}, "", 0
            self._mark.close()
            if self._bytes is not None:
                os.close(self._bytes)
                self._bytes = None

    def _note_digest(self) -> None:
        """Note what the file is now that it is closed. Raises ``OSError`` or ``StorageError``."""
        if not self._commits or self._sums is None or not self._sums.seal.closed or self._bytes is None:
            return
        if has_log(self.path):  # somebody else has it open
            return
        self._files.pop(log_of(self.path), None)
        self._still_there()
        self._mark.write(replace(_mark_of(self._sums.seal), digest=file_digest(self._bytes)))

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
        log, had_log = log_of(self.path), has_log(self.path)
        self.read_only = self.watched or not is_writable(self.path)
        connection = connect_to_read(self.path) if self.read_only else self._connect()
        try:
            if not self.watched:
                self._bytes = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            require_plain_schema(connection, self.path)
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(self._migrations):
                raise SessionTooNew(
                    f"{self.path} was written by a newer dsbuilder (format {version}, this one knows up to "
                    f"{len(self._migrations)}).",
                    "Update dsbuilder; the session was not touched.",
                )
            if self.read_only:
                self._require_current(version)
            else:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
                self._migrate(connection, version)
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name='meta'").fetchone():
                raise SessionDamaged(
                    f"{self.path} is not a session file.", "Restore it, or import the session's JSON export."
                )
            self._sums = TableSums(connection)
            watch_cases(connection)
            keep_changes(connection)
            self.was_closed = self._sums.seal.closed
            if not self.watched:
                self._check_log(self._sums.seal, had_log)
                self._digest = "" if had_log else self._known_digest(self._sums.seal)
            self._files = {
                path: (found.st_dev, found.st_ino)
                for path in (self.path, log)
                if path.exists() and (found := path.stat())
            }
        except BaseException:
            self._sums = None
            connection.close()
            if self._bytes is not None:
                os.close(self._bytes)
                self._bytes = None
            raise
        self._connection = connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=True)
        connection.text_factory = readable_text
        return connection

    def _require_current(self, version: int) -> None:
        if version < len(self._migrations):
            raise StorageError(
                f"{self.path} was written by an older dsbuilder and lies where nothing can be written: it cannot be brought "
                "up to date there.",
                "Copy the folder to a place that can be written to, and open the copy.",
            )

    def _known_digest(self, seal: Seal) -> str:
        """What the bytes of the file must add up to; empty when that is not known."""
        mark = self._mark.read()
        if mark is None:
            # A note that cannot be read is no proof that the file was closed.
            self.was_closed = self.was_closed and not self._mark.is_there
            return ""
        return mark.digest if seal.closed and mark.commits == seal.commits else ""

    def _check_log(self, seal: Seal, had_log: bool) -> None:
        """Raises ``SessionDamaged`` when commits are missing that were announced."""
        mark, now = self._mark.read(), _mark_of(seal)
        if mark is not None and mark.commits > now.commits:
            lost = f"{counted(mark.accepted, 'case')} {were(mark.accepted)} announced, {now.accepted} {are(now.accepted)} there"
        elif mark is None and not seal.closed and not had_log:
            lost = f"it was being written when it was copied, and only {counted(now.accepted, 'case')} {are(now.accepted)} there"
        else:
            return
        kept = ""
        if had_log:
            log = log_of(self.path)
            aside = log.with_name(f"{log.name}.damaged")
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)  # be it a link
                shutil.copyfile(log, aside)
                kept = f" Its log is kept as {aside.name}."
        raise SessionDamaged(
            f"The log of the session {self.path.parent.name} is damaged or missing: {lost}.{kept}",
            f"Copy the folder again with its {self.path.name}-wal, or restore a copy; "
            f"`dsbuilder doctor {shlex.quote(self.path.parent.name)} --repair` makes a new session of what is there.",
        )

    def _migrate(self, connection: sqlite3.Connection, version: int) -> None:
        commits = 0
        if version < len(self._migrations) and (mark := self._mark.read()) is not None:
            self._mark.write(replace(mark, digest=""))
        if SEALED <= version < len(self._migrations):  # damage must not be taken for what was written
            commits = (seal := read_seal(connection)).commits
            if found := table_damages(connection, seal):
                raise damaged_session(self.path.parent.name, found)
        if not version:  # a new file has nothing to be kept, and comes to be in one step
            self._migrate_by(connection, self._migrations, version, commits)
            return
        for number in range(version, len(self._migrations)):
            backup = self.path.with_name(f"{self.path.name}.v{number}.bak")
            backup.unlink(missing_ok=True)
            os.close(os.open(backup, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            copy = sqlite3.connect(backup)
            connection.backup(copy)
            copy.close()
            self._migrate_by(connection, self._migrations[number : number + 1], number, commits)

    def _migrate_by(
        self, connection: sqlite3.Connection, migrations: Sequence[str], version: int, commits: int
    ) -> None:
        """Carry out these migrations of a file of that version, in one transaction."""
        reached = version + len(migrations)
        connection.executescript(f"BEGIN;{';'.join(migrations)};PRAGMA user_version={reached};")
        if reached >= SEALED:
            write_seal(connection, recounted(connection, commits))
        connection.execute("COMMIT")
        if version < SEALED <= reached:
            self._mark.remove()


def _mark_of(seal: Seal) -> Mark:
    return Mark(seal.commits, seal.sums.get("accepted_case", TableSum()).rows)
