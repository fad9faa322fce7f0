"""A session file read from end to end: what of it is whole, and what is not. Nothing is written."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.store.commit_mark import CommitMark
from dsbuilder_tui.store.row_format import CASE_COLUMNS, checksum
from dsbuilder_tui.store.schema import MAIN_BRANCH, MIGRATIONS, SEALED
from dsbuilder_tui.store.soundness import CASES, table_damages
from dsbuilder_tui.store.table_sums import TableSum, read_seal

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what is wrong with it in words: empty when it is whole."""

    name: str
    words: str
    problem: str = ""


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads, and leaves the file and its log as they are."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    try:
        yield connection
    finally:
        connection.close()


def examine(path: Path) -> list[Finding]:
    """Everything that a session file holds, compared with everything that is known of it."""
    if not path.is_file():
        return [Finding("file", "", f"{path} is missing")]
    findings: list[Finding] = []
    try:
        with reading(path) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                return [Finding("file", "", f"format {version} is newer than this dsbuilder knows")]
            findings.append(_pages(connection))
            looks: dict[str, Callable[[], Finding]] = {
                "cases": lambda: _cases(connection),
                "counters": lambda: _counters(connection),
                "categories": lambda: _categories(connection),
            }
            if version >= SEALED:
                looks |= {"sums": lambda: _sums(connection), "log": lambda: _log(connection, path)}
            findings += [_guarded(name, look) for name, look in looks.items()]
    except sqlite3.Error as error:
        findings.append(Finding("file", "", f"SQLite cannot read it: {error}"))
    return findings


def _guarded(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except (sqlite3.Error, SessionDamaged, ValueError, TypeError, KeyError) as error:  # whatever a damaged row can be
        return Finding(name, "", str(error))


def _pages(connection: sqlite3.Connection) -> Finding:
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
    except sqlite3.Error as error:
        found = [str(error)]
    if found == ["ok"]:
        return Finding("pages", "every page and index is in order")
    return Finding("pages", "", "; ".join(found[:_MOST_NAMED]))


def _sums(connection: sqlite3.Connection) -> Finding:
    seal = read_seal(connection)
    if damages := table_damages(connection, seal):
        return Finding("sums", "", "; ".join(damage.words for damage in damages))
    rows = sum(table.rows for table in seal.sums.values())
    return Finding("sums", f"all {counted(rows, 'row')} of {len(seal.sums)} tables are what was written")


def _cases(connection: sqlite3.Connection) -> Finding:
    names = dict(connection.execute("SELECT id, name FROM category NOT INDEXED"))
    count, bad = 0, []
    for row in connection.execute(f"SELECT {CASE_COLUMNS} FROM accepted_case NOT INDEXED"):
        _, number, ordinal, inputs, expectations, tags, _, crc, *_ = row
        count += 1
        if checksum(number, ordinal, inputs, expectations, tags) != crc:
            bad.append(f"{names.get(number, number)}-{ordinal:05d}")
    if bad:
        more = f" and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
        return Finding("cases", "", f"damaged: {', '.join(bad[:_MOST_NAMED])}{more}")
    return Finding("cases", f"{counted(count, 'case')}, each with its checksum")


def _counters(connection: sqlite3.Connection) -> Finding:
    wrong = []
    names = dict(connection.execute("SELECT id, name FROM category NOT INDEXED"))
    for column, table in (("accepted", "accepted_case"), ("rejected", "rejection"), ("exhausted", "exhausted_slot")):
        there = dict(
            connection.execute(
                f"SELECT category_id, count(*) FROM {table} NOT INDEXED WHERE branch_id=? GROUP BY category_id",
                (MAIN_BRANCH,),
            )
        )
        for number, said in connection.execute(
            f"SELECT category_id, {column} FROM progress WHERE branch_id=?", (MAIN_BRANCH,)
        ):
            if said != there.pop(number, 0):
                wrong.append(f"{names.get(number, number)}: {said} {column}, by the counter")
        wrong += [f"{names.get(number, number)}: {count} {column} without a counter" for number, count in there.items()]
    return Finding("counters", "they agree with the rows", "; ".join(wrong[:_MOST_NAMED]))


def _categories(connection: sqlite3.Connection) -> Finding:
    known = {number for (number,) in connection.execute("SELECT id FROM category NOT INDEXED")}
    lost = []
    for table in (
        "accepted_case",
        "withdrawn_case",
        "rejection",
        "exhausted_slot",
        "retired_slot",
        "worker_call",
        "progress",
    ):
        for (number,) in connection.execute(f"SELECT DISTINCT category_id FROM {table} NOT INDEXED"):
            if number not in known:
                lost.append(f"{table.replace('_', ' ')} rows of category {number}")
    (text,) = connection.execute(
        "SELECT plan FROM plan_revision NOT INDEXED ORDER BY +revision DESC LIMIT 1"
    ).fetchone()
    names = {name for (name,) in connection.execute("SELECT name FROM category NOT INDEXED")}
    lost += [f"the plan's {c['name']!r}" for c in orjson.loads(text)["categories"] if c["name"] not in names]
    return Finding(
        "categories", "every row belongs to one", f"there is none for: {'; '.join(lost[:_MOST_NAMED])}" if lost else ""
    )


def _log(connection: sqlite3.Connection, path: Path) -> Finding:
    seal, mark = read_seal(connection), CommitMark(path).read()
    there = seal.sums.get(CASES, TableSum()).rows
    if mark is not None and mark.commits > seal.commits:
        return Finding("log", "", f"{mark.accepted} cases were announced, {there} are there")
    if mark is None and not seal.closed and not path.with_name(f"{path.name}-wal").is_file():
        return Finding("log", "", f"the file was copied without its log; {there} cases are there")
    return Finding("log", "everything that was announced is there" if mark else "no mark of what was announced")
