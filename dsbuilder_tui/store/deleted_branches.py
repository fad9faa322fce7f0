"""Branches taken out of a session's history and brought back: hidden, not erased, so that it can be undone at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

import orjson

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.store.branches import branch_named, require_free
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.head_move import owner_of, parent_of, segment_path, start_of
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH

_DELETED = "deleted_branches"  # the key of `meta` that has the names of those that are hidden, by number
_HIDDEN = 0  # the `branch_id` of checkpoints that only hidden branches stand on


class DeletedBranches:
    """Hides branches, with the checkpoints that only they stand on. Takes as long as there are checkpoints, not cases."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def names(self) -> list[str]:
        """The names of those that are hidden, the oldest first."""
        return await self._store.read(lambda connection: list(_deleted(connection).values()))

    async def delete(self, name: str) -> None:
        """Raises ``InputError`` when there is none of that name, or when it is worked on."""

        def write(connection: sqlite3.Connection) -> None:
            branch = branch_named(connection, name)
            if branch.current:
                raise InputError(
                    f"The session is on the branch {name!r}; it cannot be deleted.", "Go to another one first."
                )
            deleted = {**_deleted(connection), branch.id: name}
            # Names of people are printable: none is like this.
            connection.execute("UPDATE branch SET name=? WHERE id=?", (f"\n{branch.id}", branch.id))
            _note(connection, deleted)
            _show_what_is_reached(connection, set(deleted))

        await self._store.write(write)

    async def restore(self, name: str) -> None:
        """Bring the newest one back that was hidden under this name. Raises ``InputError`` when there is none, or when another
        branch is called so now."""

        def write(connection: sqlite3.Connection) -> None:
            deleted = _deleted(connection)
            number = next((number for number, called in reversed(deleted.items()) if called == name), None)
            if number is None:
                names = ", ".join(dict.fromkeys(deleted.values()))
                raise InputError(
                    f"No branch {name!r} was deleted.", f"Deleted are: {names}." if names else "None was deleted."
                )
            require_free(connection, name)
            del deleted[number]
            connection.execute("UPDATE branch SET name=? WHERE id=?", (name, number))
            _note(connection, deleted)
            _show_what_is_reached(connection, set(deleted))

        await self._store.write(write)


def _deleted(connection: sqlite3.Connection) -> dict[int, str]:
    row = connection.execute("SELECT value FROM meta WHERE key=?", (_DELETED,)).fetchone()
    return {} if row is None else {int(number): name for number, name in orjson.loads(row[0]).items()}


def _note(connection: sqlite3.Connection, deleted: Mapping[int, str]) -> None:
    text = to_text({str(number): name for number, name in deleted.items()})
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_DELETED, text))


def _show_what_is_reached(connection: sqlite3.Connection, deleted: set[int]) -> None:
    """Hide the checkpoints that no branch but the deleted ones stands on, and no others. A piece that one of those has left to
    another is that one's from now on."""
    whole: dict[int, int] = {}  # pieces of lines that are reached to their end, with a branch that does
    parts: dict[int, tuple[int, int]] = {}  # the last checkpoint of others that is reached, with that
    for number, segment, checkpoint in connection.execute(
        "SELECT id, segment_id, checkpoint_id FROM branch ORDER BY id"
    ).fetchall():
        if number in deleted:
            continue
        if segment is None:  # a fork that nobody has worked on stands at its checkpoint, inside of a piece
            (segment,) = connection.execute("SELECT segment_id FROM checkpoint WHERE id=?", (checkpoint,)).fetchone()
            *line, _ = segment_path(connection, segment)
            parts[segment] = max(parts.get(segment, (0, 0)), (checkpoint, number))
        else:
            line = segment_path(connection, segment)
        for each in line:
            whole.setdefault(each, number)
    for (segment,) in connection.execute("SELECT DISTINCT segment_id FROM checkpoint").fetchall():
        last, heir = (2**62, whole[segment]) if segment in whole else parts.get(segment, (0, 0))
        connection.execute(
            "UPDATE checkpoint SET branch_id=CASE WHEN id<=? THEN ? ELSE ? END WHERE segment_id=?",
            (last, MAIN_BRANCH, _HIDDEN, segment),
        )
        if heir and owner_of(connection, segment) in deleted:
            parent, start = (
                parent_of(connection, segment),
                start_of(connection, segment),
            )  # the first one has no row yet
            connection.execute("INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?)", (segment, heir, parent, start))
