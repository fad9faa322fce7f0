"""Whether a session file still holds what was written to it: its rows compared with the sums kept of them."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dsbuilder_tui.domain.case import case_id
from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.store.row_format import checksum
from dsbuilder_tui.store.sqlite_errors import UNREADABLE
from dsbuilder_tui.store.table_sums import Seal, TableSum, covered_columns, sum_of

# What a session is, and what everything else is read by: looked at each time that it is opened.
_ALWAYS = ("branch", "category", "meta", "plan_revision", "progress")
# Nothing is lost with these but themselves, and whoever reads them says so.
ASIDE = ("likeness", "worker_answer")
_SMALL = 500  # rows up to which any other table is looked at then, too
# What a run starts from, and what it must not pay for twice.
RUN_TABLES = (
    "accepted_case", "exhausted_slot", "rejection", "retired_slot", "withdrawn_case", "passage", "source_passage",
    "staged_case", "template", "batch_job", "batch_request", "row_file", "row_order", "source_row",
)  # fmt: skip
CASES = "accepted_case"

_WORDS = {
    "accepted_case": "accepted cases",
    "agent_item": "items of the main agent's memory",
    "approval": "approvals",
    "batch_job": "batch jobs",
    "batch_request": "requests of batch jobs",
    "branch": "branches",
    "category": "categories",
    "checkpoint": "checkpoints",
    "exhausted_slot": "exhausted slots",
    "history": "lines of history",
    "message": "messages",
    "meta": "named values, such as its seed",
    "passage": "passages of documents",
    "plan_revision": "revisions of the plan",
    "progress": "counters",
    "rejection": "rejections",
    "retired_slot": "retired slots",
    "row_file": "files of rows",
    "row_order": "places of rows",
    "source_passage": "places of passages in their documents",
    "source_row": "rows of files",
    "staged_case": "cases between two stages of writing",
    "template": "templates of cases",
    "tracking_outbox": "cases that wait to be logged to MLflow",
    "verdict": "verdicts of the judge",
    "withdrawn_case": "withdrawn cases",
    "worker_call": "worker calls",
}


@dataclass(frozen=True, slots=True)
class TableDamage:
    """One table that is not what was written. ``there`` and ``written`` count its rows."""

    table: str
    there: int
    written: int
    detail: str = ""

    @property
    def words(self) -> str:
        name = _WORDS.get(self.table, self.table.replace("_", " ") + " rows")
        if self.detail:
            return f"{name}: {self.detail}"
        if self.there != self.written:
            return f"{name}: {self.there} of {self.written} are there"
        return f"{name}: not what was written"


def opening_tables(seal: Seal) -> list[str]:
    """The tables to look at whenever a file is opened. Costs the same at any size."""
    return [
        *_ALWAYS,
        *(table for table, s in seal.sums.items() if s.rows <= _SMALL and table not in (*_ALWAYS, *ASIDE)),
    ]


def table_damages(connection: sqlite3.Connection, seal: Seal, tables: Iterable[str] | None = None) -> list[TableDamage]:
    """Those of the tables (all, without any named) whose rows are not what was written."""
    there, found = covered_columns(connection), []
    for table in seal.sums if tables is None else tables:
        written = seal.sums.get(table, TableSum())
        if table not in there:
            found.append(TableDamage(table, 0, written.rows, "the table is gone"))
            continue
        try:
            now = sum_of(connection, table, there[table])
            if now != written:
                found.append(TableDamage(table, now.rows, written.rows))
            elif written.rows <= _SMALL and (wrong := _structure(connection, table)):
                found.append(TableDamage(table, now.rows, written.rows, wrong))
        except UNREADABLE as error:
            found.append(TableDamage(table, 0, written.rows, str(error)))
    return found


def damaged_cases(connection: sqlite3.Connection, table: str = CASES) -> list[str]:
    """The cases whose checksum is not that of what stands there: the sums of tables leave that to it. Reads them all."""
    names = dict(connection.execute("SELECT id, name FROM category NOT INDEXED"))
    return [
        case_id(str(names.get(number, number)), ordinal)
        for number, ordinal, inputs, expectations, tags, crc in connection.execute(
            f"SELECT category_id, ordinal, inputs, expectations, tags, crc FROM {table} NOT INDEXED"
        )
        if checksum(number, ordinal, inputs, expectations, tags) != crc
    ]


def some_of(names: Sequence[str], most: int = 5) -> str:
    """The first of the names, and how many more there are."""
    return f"{', '.join(names[:most])}{f' and {len(names) - most} more' if len(names) > most else ''}"


def damaged_session(name: str, damages: Iterable[TableDamage]) -> SessionDamaged:
    """The error that names what is damaged."""
    return SessionDamaged(
        f"The session {name} is damaged ({'; '.join(damage.words for damage in damages)}).",
        f"Restore a copy of its folder, or `dsbuilder doctor {shlex.quote(name)} --repair` makes a new session of what "
        "can be read.",
    )


def _structure(connection: sqlite3.Connection, table: str) -> str:
    """What is wrong with the pages and indexes of a table, by SQLite's own account."""
    (first,) = connection.execute(f"PRAGMA integrity_check('{table}')").fetchone()
    return "" if first == "ok" else str(first)


class CategoryNames(dict[int, str]):
    """The names of the categories by their numbers. A number that a damaged row has made up is said to be that."""

    def __init__(self, names: Mapping[int, str]) -> None:
        super().__init__(names)

    def __missing__(self, number: object) -> str:
        raise SessionDamaged(
            f"A row of the session file names category {number!r}, which there is not.",
            "`dsbuilder doctor SESSION` says what is damaged, `dsbuilder doctor SESSION --repair` saves what can be read.",
        )
