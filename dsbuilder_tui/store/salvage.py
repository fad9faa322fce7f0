"""Everything that can be read of a damaged session file, in a new one that is whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from dsbuilder_tui.domain.errors import DsbuilderError, SessionDamaged
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.store.reading_connection import require_plain_schema
from dsbuilder_tui.store.row_format import checksum, to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH, MIGRATIONS, SEALED
from dsbuilder_tui.store.soundness import TableDamage, table_damages
from dsbuilder_tui.store.sqlite_errors import UNREADABLE
from dsbuilder_tui.store.table_sums import read_seal, recounted, write_seal

_PAGE = 200
_CASES = ("accepted_case", "withdrawn_case")
# Columns that hold JSON: a row in which one does not is no row that could be read.
_JSON = {
    "meta": "value",
    "history": "data",
    "message": "data",
    "approval": "data",
    "agent_item": "item",
    "staged_case": "body",
}
_MADE_ANEW = ("seal", "progress", "category", "plan_revision")

_DEFAULTS: dict[str, Any] = {"seed": 0, "created_at": 0.0, "settings": {}, "provider": "", "worker_model": ""}


def salvage(source: Path, target: Path, now: float) -> tuple[DatasetPlanInput, list[str]]:
    """Write what can be read of ``source`` into a new file. The source is not touched.

    Returns the plan, and what was lost or mended in sentences. Raises ``SessionDamaged`` when no plan can be read.
    """
    with tempfile.TemporaryDirectory(prefix="dsbuilder-") as name:
        copy = Path(name) / source.name
        for ending in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{source}{ending}", f"{copy}{ending}")
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as old:
            with contextlib.suppress(sqlite3.Error):  # what cannot be read is said below
                require_plain_schema(old, source)
            old.text_factory = lambda raw: raw.decode("utf-8", "replace")
            with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as new:
                try:
                    return _Salvage(old, new, now).plan_and_losses()
                except (sqlite3.Error, LookupError, TypeError, ValueError) as error:
                    raise SessionDamaged(
                        f"Nothing can be saved of {source}: {error}.",
                        "Restore a copy of the folder, or `dsbuilder import` its *_checkpoint.json.",
                    ) from error


class _Salvage:
    def __init__(self, old: sqlite3.Connection, new: sqlite3.Connection, now: float) -> None:
        self._old, self._new, self._now = old, new, now
        self._losses: list[str] = []
        self._damaged = self._damages()

    def plan_and_losses(self) -> tuple[DatasetPlanInput, list[str]]:
        for number, migration in enumerate(MIGRATIONS, 1):
            self._new.executescript(f"{migration};PRAGMA user_version={number}")
        self._new.execute("BEGIN IMMEDIATE")
        plan = self._plan()
        plan, numbers = self._categories(plan)
        for table in self._tables():
            if table not in _MADE_ANEW:
                self._copy(table, numbers)
        self._new.execute(
            "INSERT OR IGNORE INTO branch (id, name, created_at) VALUES (?, 'main', ?)", (MAIN_BRANCH, self._now)
        )
        plan = self._room_for_all(plan)
        self._new.execute(
            "INSERT INTO plan_revision VALUES (?, ?, ?, ?, ?)",
            (self._plan_seq, MAIN_BRANCH, self._revision, to_text(plan.model_dump(mode="json")), self._now),
        )
        self._count(plan, numbers)
        write_seal(self._new, recounted(self._new, self._commits()))
        self._new.execute("COMMIT")
        return plan, self._losses

    def _commits(self) -> int:
        """The number of transactions by which checkpoints and changes were told apart."""
        return max(
            int(self._new.execute(f"SELECT ifnull(max(commits), 0) FROM {table}").fetchone()[0])
            for table in ("checkpoint", "row_change")
        )

    def _damages(self) -> dict[str, TableDamage]:
        try:
            if self._old.execute("PRAGMA user_version").fetchone()[0] < SEALED:
                return {}
            return {damage.table: damage for damage in table_damages(self._old, read_seal(self._old))}
        except (sqlite3.Error, SessionDamaged):
            return {}

    def _tables(self) -> list[str]:
        rows = self._new.execute("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'")
        return [name for (name,) in rows]

    def _rows(self, table: str) -> Iterator[dict[str, Any]]:
        """What can be read of a table: from its beginning, and where that ends at a damage, from its end."""
        try:
            columns = [row[1] for row in self._old.execute(f"PRAGMA table_info({table})")]
            rowid = "WITHOUT ROWID" not in str(
                self._old.execute("SELECT sql FROM sqlite_master WHERE name=?", (table,)).fetchone()
            )
        except UNREADABLE:
            return
        wanted, key = ", ".join(columns), "rowid" if rowid else ""
        seen: set[int] = set()
        for order, compare, start in (("ASC", ">", -(2**63)), ("DESC", "<", 2**63 - 1)):
            edge: int | None = start
            try:
                while edge is not None:
                    if key:
                        page = self._old.execute(
                            f"SELECT rowid, {wanted} FROM {table} NOT INDEXED WHERE rowid {compare} ? "
                            f"ORDER BY rowid {order} LIMIT {_PAGE}",
                            (edge,),
                        )
                    else:
                        page = self._old.execute(f"SELECT 0, {wanted} FROM {table} NOT INDEXED")
                    last = None
                    for number, *values in page:
                        last = number
                        if not key or number not in seen:
                            seen.add(number)
                            yield dict(zip(columns, values, strict=True))
                    edge = last if key else None
                return
            except UNREADABLE:
                if not key:
                    return

    def _plan(self) -> DatasetPlanInput:
        revisions = [row for row in self._rows("plan_revision") if isinstance(row["revision"], int)]
        for row in sorted(revisions, key=lambda row: -row["revision"]):
            with contextlib.suppress(DsbuilderError, ValueError, TypeError, KeyError):
                data = orjson.loads(row["plan"])
                plan = (
                    parse_plan(data, "the plan")
                    if row["revision"]
                    else DatasetPlanInput.undecided(data["dataset_name"])
                )
                self._revision, self._plan_seq = row["revision"], row["seq"]
                if row is not max(revisions, key=lambda row: int(row["revision"])):
                    self._losses.append("The newest revision of the plan cannot be read; the one before it is used.")
                return plan
        raise SessionDamaged(
            "No plan can be read.", "Restore a copy of the folder, or `dsbuilder import` its *_checkpoint.json."
        )

    def _categories(self, plan: DatasetPlanInput) -> tuple[DatasetPlanInput, dict[int, str]]:
        """The numbers of the categories: as they stand in the file, mended where the plan says otherwise."""
        numbers = {row["id"]: row["name"] for row in self._rows("category") if isinstance(row["name"], str)}
        planned = [category.name for category in plan.categories]
        absent = [name for name in planned if name not in numbers.values()]
        filled = Counter(row["category_id"] for row in self._rows("accepted_case"))
        strangers = [number for number in sorted(filled) if numbers.get(number) not in planned]
        if absent and len(absent) == len(strangers):
            for number, name in zip(strangers, absent, strict=True):
                was = numbers.get(number)
                if was is not None and "plan_revision" in self._damaged and "category" not in self._damaged:
                    data = plan.model_dump(mode="json")
                    next(c for c in data["categories"] if c["name"] == name)["name"] = was
                    plan = parse_plan(data, "the plan")
                else:
                    numbers[number] = name
                self._losses.append(f"The category {name!r} was called {was!r} elsewhere; they are taken for one.")
        for name in (category.name for category in plan.categories):
            if name not in numbers.values():
                numbers[max(numbers, default=0) + 1] = name
        numbers = {number: name for number, name in numbers.items() if isinstance(number, int)}
        for number, name in numbers.items():
            with contextlib.suppress(sqlite3.IntegrityError):
                self._new.execute("INSERT INTO category VALUES (?, ?)", (number, name))
        return plan, numbers

    def _copy(self, table: str, numbers: dict[int, str]) -> None:
        columns = [row[1] for row in self._new.execute(f"PRAGMA table_info({table})")]
        copied = set_aside = 0
        for row in self._rows(table):
            values = {column: row[column] for column in columns if column in row}
            goal = table
            if table in _CASES and not _is_whole_case(row):
                goal, set_aside = "damaged_case", set_aside + 1
                kept = [r[1] for r in self._new.execute("PRAGMA table_info(damaged_case)")]
                values = {**{column: row[column] for column in kept if column in row}, "found_at": self._now}
            if row.get("category_id") is not None and row["category_id"] not in numbers:
                continue
            if table in _JSON and not _is_json(row[_JSON[table]]):
                continue
            try:
                self._new.execute(
                    f"INSERT INTO {goal} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
                    list(values.values()),
                )
                copied += goal == table
            except UNREADABLE:
                continue
        damage = self._damaged.get(table)
        if set_aside:
            self._losses.append(f"{set_aside} of the {table.replace('_', ' ')} rows are damaged; they are set aside.")
        if damage is not None and (damage.written != copied + set_aside or not set_aside):
            self._losses.append(f"{damage.words[0].upper()}{damage.words[1:]} (saved: {copied} of {damage.written}).")

    def _room_for_all(self, plan: DatasetPlanInput) -> DatasetPlanInput:
        """Raise counts that are lower than what their categories hold."""
        data, changed = plan.model_dump(mode="json"), False
        for category in data["categories"]:
            (top,) = self._new.execute(
                "SELECT max(ordinal) FROM accepted_case JOIN category ON id = category_id WHERE name=?",
                (category["name"],),
            ).fetchone()
            (retired,) = self._new.execute(
                "SELECT count(*) FROM retired_slot JOIN category ON id = category_id WHERE name=?", (category["name"],)
            ).fetchone()
            if top is not None and top - retired > category["count"]:
                self._losses.append(
                    f"{category['name']!r} holds more than its count says: it is raised to {top - retired}."
                )
                category["count"], changed = top - retired, True
        if not changed:
            return plan
        data.pop("total_instances", None)
        return parse_plan(data, "the plan")

    def _count(self, plan: DatasetPlanInput, numbers: dict[int, str]) -> None:
        new = self._new
        new.execute(
            "DELETE FROM exhausted_slot WHERE EXISTS (SELECT 1 FROM accepted_case a WHERE a.branch_id=exhausted_slot.branch_id "
            "AND a.category_id=exhausted_slot.category_id AND a.ordinal=exhausted_slot.ordinal)"
        )
        for number in numbers:
            counts = [
                new.execute(f"SELECT count(*) FROM {table} WHERE category_id=?", (number,)).fetchone()[0]
                for table in ("accepted_case", "rejection", "exhausted_slot")
            ]
            new.execute("INSERT INTO progress VALUES (?,?,?,?,?)", (MAIN_BRANCH, number, *counts))
        accepted, exhausted = new.execute("SELECT sum(accepted), sum(exhausted) FROM progress").fetchone()
        state = SessionState.PAUSED
        if plan.decided and accepted + exhausted >= plan.total_instances:
            state = SessionState.SHORT if exhausted else SessionState.COMPLETE
        for key, value in {**_DEFAULTS, "state": state}.items():
            new.execute(
                f"INSERT OR {'REPLACE' if key == 'state' else 'IGNORE'} INTO meta VALUES (?, ?)", (key, to_text(value))
            )
        new.execute("DELETE FROM meta WHERE key='dataset'")  # what was exported was of the damaged file


def _is_whole_case(row: dict[str, Any]) -> bool:
    try:
        whole = (
            checksum(row["category_id"], row["ordinal"], row["inputs"], row["expectations"], row["tags"]) == row["crc"]
        )
        return whole and all(_is_json(row[column]) for column in ("inputs", "expectations", "tags"))
    except (TypeError, AttributeError):
        return False


def _is_json(text: Any) -> bool:
    try:
        orjson.loads(text)
    except (ValueError, TypeError):
        return False
    return True
