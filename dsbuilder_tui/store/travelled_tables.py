"""The tables that go with the branch that is worked on, and the triggers that keep what their rows said before.

A row that came behind a checkpoint is known by its place in the history. One that was there at a checkpoint and is changed or
deleted later is kept as it was, once between two checkpoints, in the transaction that changes it: whoever makes the change. What
came and went between two checkpoints is kept nowhere, since nothing can lead back to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CURRENT_BRANCH = "branch"  # the key of `meta` that has the number of the branch that is worked on
HEAD_BRANCH = f"coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key='{CURRENT_BRANCH}'), 1)"
HEAD_SEGMENT = f"(SELECT segment_id FROM branch WHERE id={HEAD_BRANCH})"


@dataclass(frozen=True, slots=True)
class TravelledTable:
    """``born`` names the column with the place in the history at which a row came; ``changing`` those columns that are ever
    changed in a row that is there, if any."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ("seq",)
    born: str = "seq"
    changing: tuple[str, ...] = ()
    deleted: bool = False  # whether a row is ever deleted

    @property
    def listed(self) -> str:
        """Its columns, as SQL lists them."""
        return ", ".join(self.columns)


_SLOT = ("category_id", "ordinal")
_CASE = (
    "seq", "branch_id", "category_id", "ordinal", "structure", "inputs", "expectations", "tags", "created_at", "crc", "batch",
)  # fmt: skip
# Their places are in the session file: a new one is put at the end.
TRAVELLED_TABLES = (
    TravelledTable("accepted_case", _CASE, changing=("inputs", "expectations", "tags"), deleted=True),
    TravelledTable(
        "verdict",
        ("seq", "branch_id", "category_id", "ordinal", "case_seq", "standing", "finding", "failed", "reason", "quote", "model",
         "created_at"),
        changing=("standing",),
        deleted=True,
    ),
    TravelledTable("likeness", ("seq", "near", "near_seq", "semantic", "semantic_seq"), deleted=True),
    TravelledTable(
        "exhausted_slot", ("branch_id", *_SLOT, "seq", "attempts", "reason"), key=_SLOT, deleted=True
    ),
    TravelledTable("retired_slot", ("branch_id", *_SLOT, "seq"), key=_SLOT, deleted=True),
    TravelledTable(
        "rejection",
        ("seq", "branch_id", *_SLOT, "attempt", "stage", "score", "threshold", "nearest_seq", "nearest_case_id", "reason",
         "text", "created_at", "batch", "candidate", "gave_up"),
        deleted=True,
    ),
    TravelledTable("history", ("seq", "branch_id", "kind", "data", "created_at", "category_id", "ordinal")),
    TravelledTable(
        "withdrawn_case", (*_CASE, "withdrawn_seq", "replaced_by", "reason", "withdrawn_at"), born="withdrawn_seq", deleted=True
    ),
)  # fmt: skip
CASE_PLACE, RETIRED_PLACE, REJECTION_PLACE = 0, 4, 5  # of `accepted_case`, `retired_slot` and `rejection`

_NEWEST = "(SELECT {0} FROM checkpoint ORDER BY id DESC LIMIT 1)"


def note_return(connection: sqlite3.Connection, table: TravelledTable, row: Mapping[str, Any]) -> None:
    """Keep that a row comes back which is older than the newest checkpoint, and was not there at that; before it is written."""
    place = TRAVELLED_TABLES.index(table)
    first, second = (*(row[column] for column in table.key), 0)[:2]
    connection.execute(
        "INSERT INTO row_change (segment_id, commits, place, first, second, born) "
        f"SELECT {HEAD_SEGMENT}, (SELECT commits+1 FROM seal WHERE id=1), :place, :first, :second, :born "
        f"WHERE :born<={_NEWEST.format('seq')} AND NOT EXISTS (SELECT 1 FROM row_change WHERE place=:place AND first=:first "
        f"AND second=:second AND commits>{_NEWEST.format('commits')})",
        {"place": place, "first": first, "second": second, "born": row[table.born]},
    )


def keep_changes(connection: sqlite3.Connection) -> None:
    """Have every row that was there at a checkpoint kept as it was when it is changed or deleted."""
    for place, table in enumerate(TRAVELLED_TABLES):
        for act, event in _events(table):
            connection.execute(
                f"CREATE TEMP TRIGGER {act}_{table.name} AFTER {event} ON main.{table.name} {_body(place)}"
            )


def leave_changes_unkept(connection: sqlite3.Connection) -> None:
    """The opposite of ``keep_changes``, while the tables are brought to another point; undone with its transaction."""
    for table in TRAVELLED_TABLES:
        for act, _ in _events(table):
            connection.execute(f"DROP TRIGGER temp.{act}_{table.name}")


def _events(table: TravelledTable) -> list[tuple[str, str]]:
    events = [("changed", f"UPDATE OF {', '.join(table.changing)}")] if table.changing else []
    return [*events, ("gone", "DELETE")] if table.deleted else events


def _body(place: int) -> str:
    table = TRAVELLED_TABLES[place]
    first, second = (*(f"OLD.{column}" for column in table.key), "0")[:2]
    born, old = f"OLD.{table.born}", ", ".join(f"OLD.{column}" for column in table.columns)
    return (
        f"WHEN {born}<={_NEWEST.format('seq')} AND NOT EXISTS (SELECT 1 FROM row_change WHERE place={place} AND "
        f"first={first} AND second={second} AND commits>{_NEWEST.format('commits')}) "
        "BEGIN INSERT INTO row_change (segment_id, commits, place, first, second, born) "
        f"VALUES ({HEAD_SEGMENT}, (SELECT commits+1 FROM seal WHERE id=1), {place}, {first}, {second}, {born}); "
        f"INSERT INTO former_{table.name} (change_id, {table.listed}) VALUES ((SELECT max(id) FROM row_change), {old}); END"
    )
