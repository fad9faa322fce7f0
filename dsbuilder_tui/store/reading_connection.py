"""Connections that only read: beside the one that writes, or where nothing can be written at all."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from dsbuilder_tui.domain.errors import SessionDamaged, StorageError

_STEPS = 20_000  # of SQLite's machine between two questions whether to go on: some milliseconds at most


def is_writable(path: Path) -> bool:
    """Whether a session file, and the folder that its log goes to, can be written by this process."""
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def log_of(path: Path) -> Path:
    """The log that SQLite keeps beside a database."""
    return path.with_name(f"{path.name}-wal")


def has_log(path: Path) -> bool:
    """Whether something may stand in the log that is not in the database yet."""
    log = log_of(path)
    return log.is_file() and log.stat().st_size > 0


@contextlib.contextmanager
def reading(path: Path, stopped: Callable[[], bool] = lambda: False) -> Iterator[sqlite3.Connection]:
    """A connection that leaves the file and its log as they are. What it is at is cut short once ``stopped`` says so."""
    connection = connect_to_read(path)
    connection.set_progress_handler(stopped, _STEPS)
    try:
        yield connection
    finally:
        connection.close()


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a file to be read. Raises ``StorageError`` for one whose log cannot be applied where it lies."""
    writable = is_writable(path)
    if not writable and has_log(path):
        raise StorageError(
            f"{path} lies where nothing can be written, and its log {log_of(path).name} holds what is not in it yet.",
            "Copy the folder, with all its files, to a place that can be written to, and open the copy.",
        )
    mode = "mode=ro" if writable else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
    connection.text_factory = readable_text
    return connection


def require_plain_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raises ``SessionDamaged`` for a file with a view, a trigger or a virtual table, which no session has.

    They are code: it would be carried out as soon as anything is read or written.
    """
    connection.execute("PRAGMA trusted_schema=OFF")
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('view', 'trigger') OR sql LIKE 'CREATE VIRTUAL%' LIMIT 1"
    ).fetchone()
    if found:
        raise SessionDamaged(
            f"{path} is not a session file: it has {found[0]!r}, a view, a trigger or a virtual table.",
            "Restore it, or import the session's JSON export.",
        )


def readable_text(raw: bytes) -> str:
    """A flipped bit can make text that is no UTF-8: the sums tell of it, and the rest stays readable."""
    return raw.decode("utf-8", "replace")
