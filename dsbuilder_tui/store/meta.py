"""Values that a session keeps by name: its state, seed, settings, draft …"""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.undo_log import ActReturn, NewAct, note_act

_LAST_SECOND = 1e11  # of what can be a date


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_written_dataset(value: Any) -> bool:
    if not isinstance(value, dict):
        return value is None
    numbers = all(_is_whole(value.get(name)) for name in ("cases", "seq"))
    files = [value, *([value["scenarios"]] if "scenarios" in value else [])]
    return numbers and all(
        isinstance(file, dict) and _is_text(file.get("path")) and isinstance(file.get("sha256"), str) for file in files
    )


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


# What nothing else can stand in for.
_NEEDED: Mapping[str, Callable[[Any], bool]] = {
    "state": lambda value: value in list(SessionState),
    "seed": lambda value: _is_whole(value) and 0 <= value < 2**63,
    "created_at": lambda value: _is_number(value) and 0 <= value < _LAST_SECOND,
    "settings": lambda value: value is None or _is_table(value),
    "provider": _is_text,
    "worker_model": _is_text,
}
# What is as good as not there when it is something else.
_DISPENSABLE: Mapping[str, Callable[[Any], bool]] = {
    "out": _is_text,
    "promised": _is_text,
    "dataset": _is_written_dataset,
    "draft": _is_text,
    "agent_summary": _is_text,
    "target": _is_table,
    "seals": _is_table,
    "mlflow": _is_table,
    "mlflow_logging": lambda value: isinstance(value, bool),
    "branch": _is_whole,
    "own_words": lambda value: isinstance(value, list),
}


class MetaTable:
    """Reads and writes named values."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def all(self) -> dict[str, Any]:
        """Raises ``SessionDamaged`` for values of a kind that no session has."""

        def read(connection: sqlite3.Connection) -> dict[str, Any]:
            rows = connection.execute("SELECT key, value FROM meta").fetchall()
            try:
                return {key: orjson.loads(value) for key, value in rows}
            except orjson.JSONDecodeError:
                raise self._damaged("a value is not JSON") from None

        found = await self._store.read(read)
        for name, fits in _NEEDED.items():
            if name in found and not fits(found[name]):
                raise self._damaged(f"{name} is of another kind")
        return {name: value for name, value in found.items() if name not in _DISPENSABLE or _DISPENSABLE[name](value)}

    def _damaged(self, what: str) -> SessionDamaged:
        name = self._store.database.path.parent.name
        return SessionDamaged(
            f"The session {name} is damaged (meta: {what}).",
            f"Restore a copy of its folder, or `dsbuilder doctor {shlex.quote(name)} --repair` makes a new session of what "
            "can be read.",
        )

    async def set(self, **values: Any) -> None:
        """Keep values."""
        await self.set_by(None, values)

    async def set_by(self, act: NewAct | ActReturn | None, values: Mapping[str, Any]) -> None:
        """Keep values, by an act that is done, or undone, in the same transaction."""

        def write(connection: sqlite3.Connection) -> None:
            rows = [(key, to_text(value)) for key, value in values.items()]
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)
            note_act(connection, act)

        await self._store.write(write)
