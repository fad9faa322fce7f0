"""One SQLite connection on one thread: SQLite before 3.51.3 can corrupt a WAL file that has two."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from dsbuilder_tui.domain.errors import DsbuilderError, SessionDamaged, SessionTooNew, StorageError
from dsbuilder_tui.store.schema import MIGRATIONS

T = TypeVar("T")


class Database:
    """A session file. Every method runs on the connection's own thread, in the order of the calls."""

    def __init__(self, path: Path, migrations: Sequence[str] = MIGRATIONS) -> None:
        self.path = path
        self._migrations = migrations
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="session-store")
        self._connection: sqlite3.Connection | None = None
        self._closed = False

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

        def transaction() -> T:
            connection = self._live()
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = function(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

        return await self._submit(transaction)

    async def moved(self, move: Callable[[], Path]) -> None:
        """Close the connection, let ``move`` move the file, and open it where that says it is now.

        All on the connection's own thread, so that what is asked for meanwhile comes after. When ``move`` raises, the
        file is open again where it was.
        """

        def relocate() -> None:
            self._live().close()
            self._connection = None
            try:
                self.path = move()
            finally:
                self._open(create=False)

        await self._submit(relocate)

    async def close(self) -> None:
        """Close the connection (folding the WAL into the file) and end its thread. Safe to call twice."""
        connection, self._connection = self._connection, None
        self._closed = True
        if connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._executor, connection.close)
        self._executor.shutdown(wait=False)

    async def _submit(self, function: Callable[[], T]) -> T:
        def guarded() -> T:
            try:
                return function()
            except sqlite3.Error as error:
                raise _readable(error, self.path) from error

        if self._closed:
            raise StorageError(f"{self.path} is closed.", "Open the session again.")
        return await asyncio.get_running_loop().run_in_executor(self._executor, guarded)

    def _live(self) -> sqlite3.Connection:
        if self._connection is None:  # it could not be opened again after a move
            raise StorageError(f"{self.path} is closed.", "Open the session again.")
        return self._connection

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
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _migrate(self, connection: sqlite3.Connection, version: int) -> None:
        for number in range(version, len(self._migrations)):
            if version > 0:  # a new file has nothing to be kept
                backup = self.path.with_name(f"{self.path.name}.v{number}.bak")
                backup.unlink(missing_ok=True)
                os.close(os.open(backup, os.O_CREAT | os.O_RDWR, 0o600))
                copy = sqlite3.connect(backup)
                connection.backup(copy)
                copy.close()
            connection.executescript(f"BEGIN;{self._migrations[number]};PRAGMA user_version={number + 1};COMMIT;")


def _readable(error: sqlite3.Error, path: Path) -> DsbuilderError:
    text = str(error)
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
