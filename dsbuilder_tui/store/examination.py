"""A session file read from end to end: what of it is whole, and what is not. Nothing is written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.domain.plain_words import are, counted, were
from dsbuilder_tui.store.commit_mark import CommitMark, Mark
from dsbuilder_tui.store.file_digest import file_digest
from dsbuilder_tui.store.reading_connection import has_log, log_of, reading, require_plain_schema
from dsbuilder_tui.store.schema import MAIN_BRANCH, MIGRATIONS, SEALED
from dsbuilder_tui.store.soundness import CASES, damaged_cases, some_of, table_damages
from dsbuilder_tui.store.sqlite_errors import UNREADABLE
from dsbuilder_tui.store.table_sums import TableSum, read_seal

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what is wrong with it in words: empty when it is whole."""

    name: str
    words: str
    problem: str = ""

    @property
    def line(self) -> str:
        """One line of a report."""
        return f"{'✗' if self.problem else '✓'} {self.name}: {self.problem or self.words}"


def examine(path: Path, *, is_open: bool = False) -> list[Finding]:
    """Everything that a session file holds, compared with everything that is known of it.

    ``is_open``: this process has it open. Its bytes are not compared then: they change. Raises ``StorageError`` when its
    log cannot be read where it lies.
    """
    if not path.is_file():
        return [Finding("file", "", f"{path} is missing")]
    findings: list[Finding] = []
    noted = CommitMark(
        path
    ).read()  # before the file is read, which may be written to meanwhile: it must not be behind its mark
    try:
        with reading(path) as connection:
            require_plain_schema(connection, path)
            connection.execute("BEGIN")
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
                looks |= {
                    "sums": lambda: _sums(connection),
                    "log": lambda: _log(connection, path, noted),
                    "file": lambda: _file(connection, path, noted, is_open=is_open),
                }
            findings += [_guarded(name, look) for name, look in looks.items()]
    except UNREADABLE as error:
        findings.append(Finding("file", "", f"SQLite cannot read it: {error}"))
    except SessionDamaged as error:
        findings.append(Finding("file", "", error.problem))
    return findings


def _guarded(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except (
        sqlite3.Error,
        OSError,
        SessionDamaged,
        ValueError,
        TypeError,
        KeyError,
    ) as error:  # whatever a damaged row can be
        return Finding(name, "", str(error))


def _pages(connection: sqlite3.Connection) -> Finding:
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
    except UNREADABLE as error:
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
    bad = damaged_cases(connection) + [f"{one} (withdrawn)" for one in damaged_cases(connection, "withdrawn_case")]
    if bad:
        return Finding("cases", "", f"damaged: {some_of(bad, _MOST_NAMED)}")
    (count,) = connection.execute("SELECT count(*) FROM accepted_case NOT INDEXED").fetchone()
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
        "batch_request",
        "verdict",
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


def _log(connection: sqlite3.Connection, path: Path, mark: Mark | None) -> Finding:
    seal = read_seal(connection)
    there = seal.sums.get(CASES, TableSum()).rows
    if mark is not None and mark.commits > seal.commits:
        return Finding(
            "log", "", f"{counted(mark.accepted, 'case')} {were(mark.accepted)} announced, {there} {are(there)} there"
        )
    if mark is None and not seal.closed and not log_of(path).is_file():
        return Finding("log", "", f"the file was copied without its log; {counted(there, 'case')} {are(there)} there")
    if mark is None and CommitMark(path).is_there:
        return Finding("log", "", "session.mark, which says what was announced, cannot be read")
    return Finding("log", "everything that was announced is there" if mark else "no mark of what was announced")


def _file(connection: sqlite3.Connection, path: Path, mark: Mark | None, *, is_open: bool) -> Finding:
    """The bytes of the file, whatever they are of: no sum of rows covers an index, the header or a page that is free."""
    seal = read_seal(connection)
    if is_open:
        return Finding("file", "open here: its bytes were compared when it was opened")
    if mark is None or not mark.digest or mark.commits != seal.commits or has_log(path):
        return Finding("file", "no digest to compare it with: it was not closed by this version")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        same = file_digest(descriptor) == mark.digest
    finally:
        os.close(descriptor)
    if same:
        return Finding("file", "every byte is what was closed")
    return Finding("file", "", "not byte for byte what was closed: a failing disk or another program has changed it")
