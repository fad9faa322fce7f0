"""The rows that a session which is rebuilt from elsewhere starts with, beside its cases."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.reading_connection import reading
from dsbuilder_tui.store.row_format import checksum, to_text
from dsbuilder_tui.store.rows import RemovedText
from dsbuilder_tui.store.schema import MAIN_BRANCH


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRevision:
    """A revision of a plan, by its number, and its place in the history."""

    number: int
    seq: int
    plan: DatasetPlanInput


async def restore_revisions(store: StoreConnection, revisions: Sequence[PlanRevision]) -> None:
    """Put the revisions that a session had in the place of the one that it was made with; the last of them is in force."""
    now = store.clock.now()

    def write(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM plan_revision WHERE branch_id=?", (MAIN_BRANCH,))
        connection.executemany(
            "INSERT INTO plan_revision VALUES (?,?,?,?,?)",
            [(r.seq, MAIN_BRANCH, r.number, to_text(r.plan.model_dump(mode="json")), now) for r in revisions],
        )

    await store.write(write)


async def restore_removed(store: StoreConnection, texts: Iterable[RemovedText], reason: str) -> None:
    """Remember texts that must not come back as those of withdrawn cases. Categories that are not there are left out."""
    now, rows = store.clock.now(), []
    for text in texts:
        if (number := store.ids.get(text.category)) is None:
            continue
        inputs, expectations, tags = to_text(text.inputs), to_text(text.expectations), "{}"
        crc = checksum(number, text.ordinal, inputs, expectations, tags)
        rows.append(
            (store.next_seq(), MAIN_BRANCH, number, text.ordinal, inputs, expectations, tags, now, crc, store.next_seq(),
             reason, now)
        )  # fmt: skip
    sql = (
        "INSERT INTO withdrawn_case (seq, branch_id, category_id, ordinal, inputs, expectations, tags, created_at, crc, "
        "batch, withdrawn_seq, reason, withdrawn_at) VALUES (?,?,?,?,?,?,?,?,?,0,?,?,?)"
    )
    await store.write(lambda connection: connection.executemany(sql, rows))


def kept_value(session_file: Path, name: str) -> Any:
    """A named value of a session file that may be open elsewhere; None where there is none, or none can be read."""
    with contextlib.suppress(sqlite3.Error, OSError, orjson.JSONDecodeError), reading(session_file) as connection:
        row = connection.execute("SELECT value FROM meta WHERE key=?", (name,)).fetchone()
        return None if row is None else orjson.loads(row[0])
    return None
