"""Points in a session's history that can be returned to: written by a commit, listed, and read as the dataset was then."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from dsbuilder_tui.domain.branch import numbers_there
from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint, Exhausted, Rejection
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.head_move import segment_path
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.rows import CategoryProgress, Changes
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.travelled_tables import HEAD_SEGMENT

_BRANCH = "coalesce((SELECT b.name FROM segment s JOIN branch b ON b.id=s.branch_id WHERE s.id=c.segment_id), m.name)"
# A piece of a line ends at a checkpoint where another one begins behind it.
_BEFORE = (
    "coalesce((SELECT max(p.id) FROM checkpoint p WHERE p.segment_id=c.segment_id AND p.id<c.id), "
    "(SELECT max(p.id) FROM checkpoint p JOIN segment s ON s.parent_id=p.segment_id WHERE s.id=c.segment_id))"
)
CHECKPOINT_COLUMNS = (
    "c.id, c.seq, c.reason, c.accepted, c.planned, c.created_at, c.name, c.note, "
    f"{_BRANCH}, c.revision, c.message_seq, {_BEFORE}"
)
# Those of branches that were deleted have another number there, until these are brought back.
CHECKPOINTS = f"checkpoint c JOIN branch m ON m.id={MAIN_BRANCH} AND c.branch_id=m.id"


class CheckpointTable:
    """Reads checkpoints; a commit writes them."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def newest(self, limit: int = 1000) -> list[Checkpoint]:
        """The newest checkpoints of all branches, oldest first."""

        def read(connection: sqlite3.Connection) -> list[Checkpoint]:
            rows = connection.execute(
                f"SELECT {CHECKPOINT_COLUMNS} FROM {CHECKPOINTS} ORDER BY c.id DESC LIMIT ?", (limit,)
            )
            return [checkpoint_from(row) for row in rows][::-1]

        return await self._store.read(read)

    async def line(self, limit: int) -> list[Checkpoint]:
        """The newest checkpoints that the present branch stands on, oldest first."""
        return await self._store.read(lambda connection: _on_line(connection, "1", "c.id", limit)[::-1])

    async def last(self, *, cases: int | None = None, until: float | None = None) -> Checkpoint | None:
        """Of those that the present branch stands on the last one with the most cases, but no more than ``cases``; or the last
        one up to a time in seconds."""
        if cases is not None:
            condition, order = "c.accepted<=?", "c.accepted DESC, c.id"
        else:
            condition, order = "c.created_at<=?", "c.id"
        most = until if cases is None else cases
        found = await self._store.read(lambda connection: _on_line(connection, condition, order, 1, most))
        return found[0] if found else None

    async def plan_ends(self) -> list[Checkpoint]:
        """Of those that the present branch stands on the last one of each revision of the plan, oldest first."""
        latest = "c.id=(SELECT max(l.id) FROM checkpoint l WHERE l.segment_id IN ({line}) AND l.revision=c.revision)"
        return await self._store.read(lambda connection: _on_line(connection, latest, "c.id", -1)[::-1])

    async def counts_by_line(self) -> tuple[int, int]:
        """How many the present branch stands on, and how many there are besides. Costs the same at any number of cases."""

        def read(connection: sqlite3.Connection) -> tuple[int, int]:
            (here,) = connection.execute(
                f"SELECT count(*) FROM {CHECKPOINTS} WHERE c.segment_id IN ({_line(connection)})"
            ).fetchone()
            (total,) = connection.execute(f"SELECT count(*) FROM {CHECKPOINTS}").fetchone()
            return here, total - here

        return await self._store.read(read)

    async def at(self, number: int) -> Checkpoint:
        """Raises ``InputError`` when there is none with that number."""
        return await self._store.read(lambda connection: checkpoint_at(connection, number))

    async def counts(self, number: int) -> dict[str, CategoryProgress] | None:
        """The counters of each category at a checkpoint; None for one of an older format."""

        def read(connection: sqlite3.Connection) -> dict[str, CategoryProgress] | None:
            (text,) = connection.execute("SELECT counters FROM checkpoint WHERE id=?", (number,)).fetchone()
            return None if text is None else counters_from(text, self._store.names)

        return await self._store.read(read)

    async def rename(self, number: int, name: str, note: str) -> None:
        """Give a checkpoint a name and a note. Raises ``InputError`` when there is none with that number."""

        def write(connection: sqlite3.Connection) -> None:
            checkpoint_at(connection, number)
            connection.execute("UPDATE checkpoint SET name=?, note=? WHERE id=?", (name, note, number))

        await self._store.write(write)

    async def first(self, reason: str) -> Checkpoint | None:
        """The first checkpoint that was made for this reason."""

        def read(connection: sqlite3.Connection) -> Checkpoint | None:
            row = connection.execute(
                f"SELECT {CHECKPOINT_COLUMNS} FROM {CHECKPOINTS} WHERE c.reason=? ORDER BY c.id LIMIT 1", (reason,)
            ).fetchone()
            return None if row is None else checkpoint_from(row)

        return await self._store.read(read)


def _on_line(
    connection: sqlite3.Connection, condition: str, order: str, limit: int, *values: object
) -> list[Checkpoint]:
    """Checkpoints that the present branch stands on, the last one of that order first. ``{line}`` stands for its pieces."""
    line = _line(connection)
    rows = connection.execute(
        f"SELECT {CHECKPOINT_COLUMNS} FROM {CHECKPOINTS} WHERE c.segment_id IN ({line}) AND {condition.format(line=line)} "
        f"ORDER BY {order} DESC LIMIT ?",
        (*values, limit),
    )
    return [checkpoint_from(row) for row in rows]


def _line(connection: sqlite3.Connection) -> str:
    """The pieces of the line of the present branch, as SQL lists them: each ends where the next one begins."""
    (head,) = connection.execute(f"SELECT {HEAD_SEGMENT}").fetchone()
    return ", ".join(map(str, segment_path(connection, head)))


def checkpoint_from(row: Sequence[Any]) -> Checkpoint:
    """A row of ``CHECKPOINT_COLUMNS``."""
    number, seq, reason, accepted, planned, created_at, name, note, branch, revision, message_seq, before = row
    return Checkpoint(
        id=number, seq=seq, reason=reason, accepted=accepted, planned=planned, created_at=created_at, name=name, note=note,
        branch=branch, revision=revision, message_seq=message_seq, before=before,
    )  # fmt: skip


def checkpoint_at(connection: sqlite3.Connection, number: int) -> Checkpoint:
    """Raises ``InputError`` when there is none with that number."""
    row = connection.execute(f"SELECT {CHECKPOINT_COLUMNS} FROM {CHECKPOINTS} WHERE c.id=?", (number,)).fetchone()
    if row is None:
        there = [found for (found,) in connection.execute(f"SELECT c.id FROM {CHECKPOINTS} ORDER BY c.id")]
        raise InputError(f"There is no checkpoint {number}.", numbers_there(there))
    return checkpoint_from(row)


def counters_from(text: str, names: Mapping[int, str]) -> dict[str, CategoryProgress]:
    """The counters as a checkpoint keeps them, by the name of the category; those without any are left out."""
    return {names[int(number)]: CategoryProgress(*counts) for number, counts in orjson.loads(text).items()}


def write_checkpoints(
    connection: sqlite3.Connection, points: Iterable[Checkpoint], later: Changes, ids: Mapping[str, int]
) -> None:
    """Write checkpoints behind everything else of a transaction; ``later`` is what that holds, also behind their places."""
    for point in points:
        counters = {
            number: list(counts)
            for number, *counts in connection.execute(
                "SELECT category_id, accepted, rejected, exhausted FROM progress WHERE branch_id=?", (MAIN_BRANCH,)
            )
        }
        behind: tuple[Sequence[AcceptedCase | Rejection | Exhausted], ...] = (
            later.accepted,
            later.rejected,
            later.exhausted,
        )
        for which, rows in enumerate(behind):
            for row in rows:
                if row.seq > point.seq:
                    counters[ids[row.category]][which] -= 1
        connection.execute(
            "INSERT INTO checkpoint (id, branch_id, seq, reason, accepted, planned, created_at, segment_id, commits, revision, "
            f"counters, message_seq, settings_id, name, note) VALUES (?,?,?,?,?,?,?,{HEAD_SEGMENT},"
            "(SELECT commits+1 FROM seal WHERE id=1), (SELECT max(revision) FROM plan_revision),?,"
            "(SELECT ifnull(max(seq), 0) FROM message),?,?,?)",
            (point.id, MAIN_BRANCH, point.seq, point.reason, point.accepted, point.planned, point.created_at,
             to_text({str(number): counts for number, counts in counters.items() if any(counts)}),
             _settings_layer(connection), point.name, point.note),
        )  # fmt: skip


def _settings_layer(connection: sqlite3.Connection) -> int:
    """The number of the session's present layer of settings, which is kept once."""
    kept = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('settings', 'seals')").fetchall())
    layer = (kept.get("settings", "null"), kept.get("seals", "null"))
    row = connection.execute(
        "SELECT id FROM settings_layer WHERE settings=? AND seals=? ORDER BY id DESC LIMIT 1", layer
    ).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO settings_layer (settings, seals) VALUES (?,?) RETURNING id", layer
        ).fetchone()
    return int(row[0])
