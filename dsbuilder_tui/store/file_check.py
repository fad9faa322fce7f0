"""A session file looked at page by page: one that was not closed properly, or that is not what was closed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from dsbuilder_tui.domain.errors import DsbuilderError, SessionDamaged, StorageError
from dsbuilder_tui.store.soundness import damaged_session, table_damages
from dsbuilder_tui.store.table_sums import read_seal


def check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Have SQLite look at every page. Raises ``SessionDamaged``."""
    _require_ok(connection, "quick_check", path)


def check_everything(connection: sqlite3.Connection, path: Path) -> str:
    """Look at every page, index and sum of a file that is not what was closed.

    Returns what to say when all that was written is there all the same. Raises ``SessionDamaged``.
    """
    if damages := table_damages(connection, read_seal(connection)):
        raise damaged_session(path.parent.name, damages)
    _require_ok(connection, "integrity_check", path)
    return (
        f"{path} is not byte for byte what was closed: a failing disk or another program has changed it. Everything that "
        "was written is there all the same."
    )


def _require_ok(connection: sqlite3.Connection, check: str, path: Path) -> None:
    found = [str(row[0]) for row in connection.execute(f"PRAGMA {check}(5)")]
    if found != ["ok"]:
        raise readable_error(sqlite3.DatabaseError("; ".join(found)), path)


def readable_error(error: sqlite3.Error | OSError, path: Path) -> DsbuilderError:
    """What SQLite, or the system, says of a session file, in words for a person."""
    text = str(error)
    if "interrupted" in text:
        return StorageError(f"{path} was closed while it was read.", "Open the session again.")
    if "locked" in text:
        return StorageError(f"{path} is locked by another program.", "Close whatever has it open, then try again.")
    if isinstance(error, OSError) or any(words in text for words in _REFUSED):
        return StorageError(
            f"{path} could not be read or written: {text}. Everything accepted so far is saved.",
            "Free some space, make the folder writable, then resume.",
        )
    return SessionDamaged(
        f"{path} is damaged: {text}.",
        "Restore a copy of the folder, or `dsbuilder import` its *_checkpoint.json; nothing was changed.",
    )


_REFUSED = ("full", "disk I/O", "readonly", "unable to open", "out of memory")
