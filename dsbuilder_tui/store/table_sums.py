"""Sums over the rows of every table, kept in the transaction that changes them, so that damage is noticed.

A sum is the number of a table's rows and the total of their hashes: any row that is lost, changed or put back to an
earlier state changes it. Triggers of the connection keep them, so that no statement can forget to.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import xxhash

from dsbuilder_tui.domain.errors import SessionDamaged

_MODULUS = 2**64
_OWN = "seal"  # the table of the sums themselves
# In a table with a `crc` these are covered by that: the hash of a row need not read them.
_COVERED_BY_CRC = ("inputs", "expectations", "tags")


@dataclass(frozen=True, slots=True)
class TableSum:
    """What the rows of one table add up to."""

    rows: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Seal:
    """The sums of all tables after a number of commits. ``closed``: whoever wrote last has ended properly."""

    commits: int
    closed: bool
    sums: Mapping[str, TableSum]


class TableSums:
    """Keeps the sums of one connection's tables. Called on the connection's thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Raises ``SessionDamaged`` when the sums themselves cannot be read."""
        self._connection = connection
        self.seal = read_seal(connection)
        self._changed: dict[str, list[int]] = {}
        connection.create_function("row_added", -1, self._added)
        connection.create_function("row_removed", -1, self._removed)
        connection.execute("PRAGMA recursive_triggers=ON")  # or INSERT OR REPLACE would remove rows unseen
        for table, columns in covered_columns(connection).items():
            old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
            acts = {
                "INSERT": f"SELECT row_added('{table}', {new});",
                "DELETE": f"SELECT row_removed('{table}', {old});",
                "UPDATE": f"SELECT row_removed('{table}', {old}); SELECT row_added('{table}', {new});",
            }
            for act, body in acts.items():
                connection.execute(
                    f"CREATE TEMP TRIGGER sum_{act}_{table} AFTER {act} ON main.{table} BEGIN {body} END"
                )

    def write(self, *, closed: bool = False) -> Seal:
        """Write the sums as the transaction that is open has changed them; ``take_over`` them when it is committed."""
        seal = Seal(self.seal.commits + 1, closed, {**self.seal.sums, **self._new_sums()})
        write_seal(self._connection, seal)
        return seal

    def take_over(self, seal: Seal) -> None:
        """The transaction is committed."""
        self.seal = seal
        self._changed.clear()

    def forget(self) -> None:
        """The transaction is rolled back."""
        self._changed.clear()

    def recount(self, *tables: str) -> None:
        """Take what these tables hold now for what they should hold, with the transaction that is open."""
        covered = covered_columns(self._connection)
        for table in tables:
            now, was = sum_of(self._connection, table, covered[table]), self.seal.sums.get(table, TableSum())
            self._changed[table] = [now.rows - was.rows, now.total - was.total]

    def _new_sums(self) -> dict[str, TableSum]:
        found = {}
        for table, (rows, total) in self._changed.items():
            was = self.seal.sums.get(table, TableSum())
            found[table] = TableSum(was.rows + rows, (was.total + total) % _MODULUS)
        return found

    def _added(self, table: str, *values: Any) -> None:
        change = self._changed.setdefault(table, [0, 0])
        change[0] += 1
        change[1] += row_hash(values)

    def _removed(self, table: str, *values: Any) -> None:
        change = self._changed.setdefault(table, [0, 0])
        change[0] -= 1
        change[1] -= row_hash(values)


def row_hash(values: Sequence[Any]) -> int:
    return xxhash.xxh3_64_intdigest(ascii(tuple(values)).encode())


def covered_columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The tables of a session file, each with the columns that its sum covers."""
    columns: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type='table' "
        "ORDER BY t.name, c.cid"
    ):
        if table != _OWN and not table.startswith("sqlite_"):
            columns.setdefault(table, []).append(column)
    return {
        table: [name for name in names if "crc" not in names or name not in _COVERED_BY_CRC]
        for table, names in columns.items()
    }


def sum_of(connection: sqlite3.Connection, table: str, covered: Sequence[str]) -> TableSum:
    """What the rows of a table add up to now, by its covered columns. Reads the table and no index of it."""
    rows = total = 0
    for row in connection.execute(f"SELECT {', '.join(covered)} FROM {table} NOT INDEXED"):
        rows += 1
        total += row_hash(row)
    return TableSum(rows, total % _MODULUS)


def recounted(connection: sqlite3.Connection, commits: int = 0) -> Seal:
    """A seal for what the tables hold now, whatever they should hold."""
    covered = covered_columns(connection)
    return Seal(commits, True, {table: sum_of(connection, table, columns) for table, columns in covered.items()})


def write_seal(connection: sqlite3.Connection, seal: Seal) -> None:
    """Write the sums; the caller holds the transaction."""
    sums = orjson.dumps({table: [s.rows, f"{s.total:016x}"] for table, s in seal.sums.items()}).decode()
    connection.execute(
        "INSERT OR REPLACE INTO seal VALUES (1,?,?,?,?)",
        (seal.commits, seal.closed, sums, _crc(seal.commits, seal.closed, sums)),
    )


def read_seal(connection: sqlite3.Connection) -> Seal:
    """The sums as they were written. Raises ``SessionDamaged`` when they are not whole."""
    row = connection.execute("SELECT commits, closed, sums, crc FROM seal NOT INDEXED WHERE id=1").fetchone()
    if row is None or row[3] != _crc(*row[:3]):
        raise SessionDamaged(
            "The sums of the session file, by which damage is noticed, are damaged themselves.",
            "Restore a copy of its folder, or `dsbuilder doctor SESSION --repair` makes a new session of what can be read.",
        )
    sums = {table: TableSum(rows, int(total, 16)) for table, (rows, total) in orjson.loads(row[2]).items()}
    return Seal(row[0], bool(row[1]), sums)


def _crc(commits: int, closed: bool, sums: str) -> int:
    return zlib.crc32(f"{commits} {int(closed)} {sums}".encode())
