"""Slots that a plan revision takes out or brings back. None is ever renumbered.

A category's slots are 1 … N without the retired ones; N is its count plus the number of those.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from dsbuilder_tui.store.schema import MAIN_BRANCH

_SLOT = "branch_id=? AND category_id=? AND ordinal=?"


def recount(connection: sqlite3.Connection, number: int, was: int, count: int, seq: int) -> None:
    """Let a category that had ``was`` slots have ``count``; accepted cases keep theirs. The caller holds the transaction.

    Fewer: exhausted slots go first, then open ones, the highest first. More: retired ones come back, the lowest
    first, then new ones follow behind the highest there ever was. ``seq`` is the place of the revision.
    """
    if count < was:
        _retire(connection, number, was, was - count, seq)
    elif count > was:
        back = connection.execute(
            "SELECT ordinal FROM retired_slot WHERE branch_id=? AND category_id=? ORDER BY ordinal LIMIT ?",
            (MAIN_BRANCH, number, count - was),
        ).fetchall()
        _delete(connection, "retired_slot", number, [ordinal for (ordinal,) in back])


def retired_slots(connection: sqlite3.Connection) -> dict[int, list[int]]:
    """The retired slots by the number of their category, in order. Categories without any are left out."""
    found: dict[int, list[int]] = {}
    for number, ordinal in connection.execute(
        "SELECT category_id, ordinal FROM retired_slot WHERE branch_id=? ORDER BY category_id, ordinal", (MAIN_BRANCH,)
    ):
        found.setdefault(number, []).append(ordinal)
    return found


def retire(connection: sqlite3.Connection, number: int, ordinals: Iterable[int], seq: int) -> None:
    """Take slots that hold no case out of a category."""
    connection.executemany(
        "INSERT INTO retired_slot VALUES (?,?,?,?)", [(MAIN_BRANCH, number, ordinal, seq) for ordinal in ordinals]
    )


def _retire(connection: sqlite3.Connection, number: int, was: int, many: int, seq: int) -> None:
    category = (MAIN_BRANCH, number)
    taken = set(_ordinals(connection, "retired_slot", category))
    top = was + len(taken)
    exhausted = sorted(_ordinals(connection, "exhausted_slot", category), reverse=True)
    gone = exhausted[:many]
    _delete(connection, "exhausted_slot", number, gone)
    connection.execute(
        "UPDATE progress SET exhausted=exhausted-? WHERE branch_id=? AND category_id=?", (len(gone), *category)
    )
    if len(gone) < many:
        taken |= {*exhausted, *_ordinals(connection, "accepted_case", category)}
        still = (ordinal for ordinal in range(top, 0, -1) if ordinal not in taken)
        gone += [ordinal for ordinal, _ in zip(still, range(many - len(gone)), strict=False)]
    retire(connection, number, gone, seq)


def _ordinals(connection: sqlite3.Connection, table: str, category: tuple[int, int]) -> list[int]:
    rows = connection.execute(f"SELECT ordinal FROM {table} WHERE branch_id=? AND category_id=?", category)
    return [ordinal for (ordinal,) in rows]


def _delete(connection: sqlite3.Connection, table: str, number: int, ordinals: list[int]) -> None:
    connection.executemany(
        f"DELETE FROM {table} WHERE {_SLOT}", [(MAIN_BRANCH, number, ordinal) for ordinal in ordinals]
    )
