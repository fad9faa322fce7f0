"""The tables of a session brought to another point of its history, within one transaction.

They hold one branch, the head. Its line is made of segments, a tree: a segment begins where its parent ends, at a checkpoint. To
leave a segment is to shelve what came in it and to take its changes back; to enter it is the opposite. Nothing is thrown away.
"""

from __future__ import annotations

import sqlite3

from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.travelled_tables import TRAVELLED_TABLES, keep_changes, leave_changes_unkept

_FIRST_SEGMENT = 1
_IN_HAND = -1  # a row of `former_…` that is on its way


def move_head(connection: sqlite3.Connection, head: int, goal: int, checkpoint: int) -> None:
    """Bring the tables from the end of the segment ``head`` to a checkpoint of the segment ``goal``.

    That segment ends at the checkpoint then: what was behind it is a segment of its own. The caller holds the transaction.
    """
    leave_changes_unkept(connection)
    left, entered = segment_path(connection, head), segment_path(connection, goal)
    shared = 0
    while shared < min(len(left), len(entered)) and left[shared] == entered[shared]:
        shared += 1
    for segment in reversed(left[shared:]):
        _leave(connection, segment)
    for segment in entered[shared:]:
        _enter(connection, segment)
    (later,) = connection.execute(
        "SELECT count(*) FROM checkpoint WHERE segment_id=? AND id>?", (goal, checkpoint)
    ).fetchone()
    if later:
        _leave(connection, _split(connection, goal, checkpoint))
    keep_changes(connection)


def segment_path(connection: sqlite3.Connection, segment: int) -> list[int]:
    """The segments of a line, from the first one to this one."""
    path = [segment]
    while path[-1] != _FIRST_SEGMENT:
        path.append(_row(connection, path[-1])[0])
    return path[::-1]


def add_segment(connection: sqlite3.Connection, branch: int, parent: int, start_seq: int) -> int:
    """A new segment behind the end of another one. Returns its number."""
    (segment,) = connection.execute(
        "INSERT INTO segment VALUES ((SELECT max(ifnull(max(id), 0), ?) + 1 FROM segment), ?, ?, ?) RETURNING id",
        (_FIRST_SEGMENT, branch, parent, start_seq),
    ).fetchone()
    return int(segment)


def start_of(connection: sqlite3.Connection, segment: int) -> int:
    """The place in the history behind which a segment begins."""
    return _row(connection, segment)[1]


def parent_of(connection: sqlite3.Connection, segment: int) -> int:
    """The segment that a segment begins behind; 0 for the first one."""
    return _row(connection, segment)[0]


def owner_of(connection: sqlite3.Connection, segment: int) -> int:
    """The branch that a segment belongs to; others may go through it."""
    return _row(connection, segment)[2]


def _row(connection: sqlite3.Connection, segment: int) -> tuple[int, int, int]:
    row = connection.execute("SELECT parent_id, start_seq, branch_id FROM segment WHERE id=?", (segment,)).fetchone()
    return (0, 0, MAIN_BRANCH) if row is None else row


def _split(connection: sqlite3.Connection, segment: int, checkpoint: int) -> int:
    """End a segment at one of its checkpoints. Returns the segment that has the rest."""
    seq, commits = connection.execute("SELECT seq, commits FROM checkpoint WHERE id=?", (checkpoint,)).fetchone()
    rest = add_segment(connection, owner_of(connection, segment), segment, seq)
    connection.execute("UPDATE row_change SET segment_id=? WHERE segment_id=? AND commits>?", (rest, segment, commits))
    connection.execute("UPDATE checkpoint SET segment_id=? WHERE segment_id=? AND id>?", (rest, segment, checkpoint))
    connection.execute("UPDATE segment SET parent_id=? WHERE parent_id=? AND id<>?", (rest, segment, rest))
    connection.execute("UPDATE branch SET segment_id=? WHERE segment_id=?", (rest, segment))
    return rest


def _leave(connection: sqlite3.Connection, segment: int) -> None:
    """Take the last segment of the head off the tables."""
    start = start_of(connection, segment)
    for table in TRAVELLED_TABLES:
        connection.execute(
            f"INSERT INTO shelved_{table.name} ({table.listed}, segment_id) SELECT {table.listed}, ? FROM {table.name} "
            f"WHERE {table.born}>?",
            (segment, start),
        )
        connection.execute(f"DELETE FROM {table.name} WHERE {table.born}>?", (start,))
    _swap(connection, segment, start, applied=True)


def _enter(connection: sqlite3.Connection, segment: int) -> None:
    """Bring a segment back whose parent is the last one of the head."""
    _swap(connection, segment, start_of(connection, segment), applied=False)
    for table in TRAVELLED_TABLES:
        connection.execute(
            f"INSERT INTO {table.name} ({table.listed}) SELECT {table.listed} FROM shelved_{table.name} "
            f"WHERE segment_id=? ORDER BY {table.born}",
            (segment,),
        )
        connection.execute(f"DELETE FROM shelved_{table.name} WHERE segment_id=?", (segment,))


def _swap(connection: sqlite3.Connection, segment: int, start: int, *, applied: bool) -> None:
    """Take the changes of a segment back, the last one first, or carry them out again; of rows that were there before it: those
    that came in it are shelved as they are at its end.
    """
    changes = connection.execute(
        "SELECT id, place, first, second FROM row_change WHERE segment_id=? AND born<=? AND applied=? "
        f"ORDER BY id {'DESC' if applied else 'ASC'}",
        (segment, start, applied),
    ).fetchall()
    for change, place, *key in changes:
        table = TRAVELLED_TABLES[place]
        which = " AND ".join(f"{column}=?" for column in table.key)
        values = tuple(key[: len(table.key)])
        name, columns = table.name, table.listed
        connection.execute(
            f"INSERT INTO former_{name} (change_id, {columns}) SELECT {_IN_HAND}, {columns} FROM {name} WHERE {which}",
            values,
        )
        connection.execute(f"DELETE FROM {name} WHERE {which}", values)
        connection.execute(
            f"INSERT INTO {name} ({columns}) SELECT {columns} FROM former_{name} WHERE change_id=?", (change,)
        )
        connection.execute(f"DELETE FROM former_{name} WHERE change_id=?", (change,))
        connection.execute(f"UPDATE former_{name} SET change_id=? WHERE change_id={_IN_HAND}", (change,))
    connection.execute(
        "UPDATE row_change SET applied=1-applied WHERE segment_id=? AND born<=? AND applied=?",
        (segment, start, applied),
    )
