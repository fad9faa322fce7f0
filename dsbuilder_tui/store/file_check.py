"""A session file looked at page by page: one that was not closed properly, or that is not what was closed."""

from __future__ import annotations

import shlex
import sqlite3
from pathlib import Path

from dsbuilder_tui.domain.errors import DsbuilderError, SessionDamaged, StorageError
from dsbuilder_tui.domain.exhaustion import exhaustion
from dsbuilder_tui.store.soundness import ASIDE, damaged_cases, damaged_session, some_of, table_damages
from dsbuilder_tui.store.table_sums import read_seal


def check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Have SQLite look at every page. Raises ``SessionDamaged``."""
    _require_ok(connection, "quick_check", path)


def check_everything(connection: sqlite3.Connection, path: Path) -> str:
    """Look at every page, index, sum and case of a file that is not what was closed.

    Returns what to say when what a session goes by is there all the same; cases that are damaged can be left out, or
    written again. Raises ``SessionDamaged``.
    """
    damages = table_damages(connection, read_seal(connection))
    if grave := [damage for damage in damages if damage.table not in ASIDE]:
        raise damaged_session(path.parent.name, grave)
    _require_ok(connection, "integrity_check", path)
    lost = [damage.words for damage in damages]
    if cases := damaged_cases(connection):
        lost.append(
            f"cases: {some_of(cases)}; `dsbuilder resume {shlex.quote(path.parent.name)} --repair` writes them again"
        )
    what = f"Damaged: {'; '.join(lost)}." if lost else "Everything that was written is there all the same."
    return f"{path} is not byte for byte what was closed: a failing disk or another program has changed it. {what}"


def _require_ok(connection: sqlite3.Connection, check: str, path: Path) -> None:
    found = [str(row[0]) for row in connection.execute(f"PRAGMA {check}(5)")]
    if found != ["ok"]:
        raise readable_error(sqlite3.DatabaseError("; ".join(found)), path)


def readable_error(error: sqlite3.Error | UnicodeDecodeError | OSError, path: Path) -> DsbuilderError:
    """What SQLite, or the system, says of a session file, in words for a person."""
    text = "its names are no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
    if "interrupted" in text:
        return StorageError(f"{path} was closed while it was read.", "Open the session again.")
    if "locked" in text:
        return StorageError(f"{path} is locked by another program.", "Close whatever has it open, then try again.")
    if isinstance(error, OSError) or any(words in text for words in _REFUSED):
        _, hint = exhaustion(error) or ("", "Free some space, make the folder writable, then resume.")
        return StorageError(f"{path} could not be read or written: {text}. Everything accepted so far is saved.", hint)
    return SessionDamaged(
        f"{path} is damaged: {text}.",
        "Restore a copy of the folder, or `dsbuilder import` its *_checkpoint.json; nothing was changed.",
    )


_REFUSED = ("full", "disk I/O", "readonly", "unable to open", "out of memory")
