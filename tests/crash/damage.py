"""Damage to the files of a session: single bits, whole sectors, rows, counters; and the commands that must notice."""

from __future__ import annotations

import contextlib
import io
import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dsbuilder_tui.cli.dispatch import run_command
from dsbuilder_tui.diversity.fingerprint_file import NAMES as FINGERPRINTS
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.commit_mark import MARK_FILE

NAME = "damaged"
SECTOR = 512
DATABASE, LOG = "session.db", "session.db-wal"


class Outcome(StrEnum):
    """What came of one damage."""

    NAMED = "named"  # the command said so, and its exit code was not 0
    RECOVERED = "as it was"  # exit code 0, and every byte of the dataset is what it was before
    SILENT = "SILENT"  # exit code 0, and another dataset
    UNEXPECTED = "unexpected error"  # not foreseen: a traceback in the crash log


@dataclass(frozen=True, slots=True)
class Told:
    """How one command ended."""

    code: int
    out: str
    err: str


def plan_of(cases: int) -> DatasetPlanInput:
    categories = [
        {
            "name": name,
            "count": cases // 3,
            "example_inputs": ["Where is my order #12345?", "Can I return shoes after 40 days?"],
            "expectations": {"polite": True},
        }
        for name in ("orders", "refunds", "complaints")
    ]
    return parse_plan({"dataset_name": NAME, "categories": categories}, "plan")


async def build(root: Path, cases: int, *, running: bool) -> Path:
    """A session of so many cases in ``root``: closed, or copied at the end of its run, with its log beside it.

    Returns the folder to copy from. What was exported then lies beside it as ``reference.jsonl``.
    """
    config = DatasetBuilderConfig(
        checkpoint_dir=str(root / "made"),
        provider="offline",
        max_workers=4,
        batch_size=20,
        max_dataset_size=cases,
        checkpoint_interval=10,
    )
    folder = root / "pristine"
    async with await Session.create(plan_of(cases), config) as session:
        await session.run()
        await session.export(root / "reference.jsonl")
        if running:
            shutil.copytree(session.folder, folder)
        made = session.folder
    if not running:
        shutil.copytree(made, folder)
    return folder


def put_back(pristine: Path, sessions: Path) -> Path:
    """A fresh copy of the session, to be damaged."""
    folder = sessions / NAME
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(pristine, folder)
    return folder


def told(*arguments: str) -> Told:
    """Run one command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = run_command(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
    return Told(code, out.getvalue(), err.getvalue())


def outcome_of_export(sessions: Path, reference: Path) -> tuple[Outcome, Told]:
    """What ``export`` makes of the session."""
    written = sessions / "out.jsonl"
    written.unlink(missing_ok=True)
    end = told("export", NAME, "--out", str(written), "--checkpoint-dir", str(sessions))
    if "unexpected error" in end.err:
        return Outcome.UNEXPECTED, end
    if end.code:
        return Outcome.NAMED, end
    return (Outcome.RECOVERED if written.read_bytes() == reference.read_bytes() else Outcome.SILENT), end


def outcome_of_doctor(sessions: Path) -> Told:
    """What ``doctor`` makes of the session."""
    return told("doctor", NAME, "--checkpoint-dir", str(sessions))


Damage = Callable[[Path, random.Random], str]
Made = Callable[[bool], Path]  # a session to copy from, in the middle of its run or closed


def flip_bit(folder: Path, rng: random.Random) -> str:
    """One bit anywhere in the database."""
    return _flip(folder / DATABASE, rng, (folder / DATABASE).stat().st_size)


def flip_mark(folder: Path, rng: random.Random) -> str:
    """One bit of what is noted beside the database."""
    return _flip(folder / MARK_FILE, rng, len((folder / MARK_FILE).read_bytes().rstrip()))


def flip_fingerprint(folder: Path, rng: random.Random) -> str:
    """One bit of what texts are compared by."""
    path = folder / rng.choice(FINGERPRINTS)
    return _flip(path, rng, path.stat().st_size)


def flip_log(folder: Path, rng: random.Random) -> str:
    """One bit of the log."""
    return _flip(folder / LOG, rng, (folder / LOG).stat().st_size)


def _flip(path: Path, rng: random.Random, size: int) -> str:
    at, bit = rng.randrange(size), rng.randrange(8)
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))
    return f"bit {bit} of byte {at} of {path.name}"


def zero_sector(folder: Path, rng: random.Random) -> str:
    """A sector of the database that reads as zeros."""
    return _overwrite(folder / DATABASE, rng, lambda: bytes(SECTOR))


def garble_sector(folder: Path, rng: random.Random) -> str:
    """A sector of the database that holds something else."""
    return _overwrite(folder / DATABASE, rng, lambda: rng.randbytes(SECTOR))


def garble_log(folder: Path, rng: random.Random) -> str:
    """A sector of the log that holds something else."""
    return _overwrite(folder / LOG, rng, lambda: rng.randbytes(SECTOR))


def tear_log(folder: Path, rng: random.Random) -> str:
    """A log that ends somewhere."""
    size = rng.randrange((folder / LOG).stat().st_size)
    with (folder / LOG).open("r+b") as file:
        file.truncate(size)
    return f"log of {size} bytes"


def remove_log(folder: Path, rng: random.Random) -> str:
    """A database that was copied without its log."""
    (folder / LOG).unlink()
    return "no log"


def bare_database(folder: Path, rng: random.Random) -> str:
    """A database that was copied alone, out of its folder."""
    for path in folder.iterdir():
        if path.name != DATABASE:
            path.unlink()
    return "the database alone"


def delete_row(folder: Path, rng: random.Random) -> str:
    """One row less in any table."""
    with contextlib.closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as plain:
        table = rng.choice([name for name in _tables(plain) if plain.execute(f"SELECT 1 FROM {name}").fetchone()])
        key = [row[1] for row in plain.execute(f"PRAGMA table_info({table})") if row[5]]
        row = plain.execute(f"SELECT {', '.join(key)} FROM {table} ORDER BY random() LIMIT 1").fetchone()
        plain.execute(f"DELETE FROM {table} WHERE {' AND '.join(f'{column}=?' for column in key)}", row)
    return f"a row of {table}"


def change_number(folder: Path, rng: random.Random) -> str:
    """A number in any table that is another one."""
    with contextlib.closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as plain:
        columns = [
            (table, row[1])
            for table in _tables(plain)
            for row in plain.execute(f"PRAGMA table_info({table})")
            if row[2] == "INTEGER" and not row[5] and plain.execute(f"SELECT 1 FROM {table}").fetchone()
        ]
        table, column = rng.choice(columns)
        with contextlib.suppress(sqlite3.IntegrityError):
            plain.execute(f"UPDATE {table} SET {column} = ifnull({column}, 0) + {rng.randint(1, 64)}")
    return f"{table}.{column}"


def _overwrite(path: Path, rng: random.Random, content: Callable[[], bytes]) -> str:
    data = path.read_bytes()
    places = range(max(1, len(data) // SECTOR))
    sector = rng.choice([place for place in places if any(data[place * SECTOR : (place + 1) * SECTOR])])
    with path.open("r+b") as file:
        file.seek(sector * SECTOR)
        file.write(content())
    return f"sector {sector} of {path.name}"


def _tables(plain: sqlite3.Connection) -> list[str]:
    found = plain.execute("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'").fetchall()
    return [name for (name,) in found]


AT_REST: tuple[Damage, ...] = (flip_bit, zero_sector, garble_sector, delete_row, change_number)
FLIPS: tuple[Damage, ...] = (flip_mark, flip_fingerprint)
WHILE_IT_RUNS: tuple[Damage, ...] = (garble_log, tear_log, flip_log, remove_log, bare_database)
