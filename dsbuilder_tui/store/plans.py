"""The revisions of a session's plan."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import orjson

from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.domain.events import PlanRevised
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.store.commit import history_row, write_history
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.progress import read_progress
from dsbuilder_tui.store.retired_slots import recount
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.rows import CategoryProgress, HistoryRow
from dsbuilder_tui.store.schema import MAIN_BRANCH

RENAMED = "categories_renamed"  # the kind of a line of history
_MOST_PARSED = 4
UNDECIDED = 0  # the revision of a session that has no plan yet


class PlanTable:
    """Reads and writes plan revisions, and the names of their categories."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store
        self._parsed: dict[
            int, tuple[str, DatasetPlanInput]
        ] = {}  # the latest revisions that were asked for, by number

    async def newest(self, *, first: bool = False) -> DatasetPlanInput:
        """The newest revision of the plan, or the first one."""
        return (await self.at(1 if first else None))[1]

    async def at(self, seq: int | None) -> tuple[int, DatasetPlanInput]:
        """The revision that was in force at a place in the history (``None``: now), and its number."""

        def read(connection: sqlite3.Connection) -> tuple[int, str]:
            row = connection.execute(
                "SELECT revision, plan FROM plan_revision WHERE branch_id=? AND (seq<=? OR "
                "revision=(SELECT min(revision) FROM plan_revision WHERE branch_id=?)) "
                "ORDER BY revision DESC LIMIT 1",
                (MAIN_BRANCH, 2**62 if seq is None else seq, MAIN_BRANCH),
            ).fetchone()
            if row is None:
                raise SessionDamaged(f"{self._store.path} holds no plan.", "Restore a copy of the folder.")
            return int(row[0]), str(row[1])

        return self._revision(*await self._store.read(read))

    async def of(self, checkpoint: Checkpoint) -> tuple[int, DatasetPlanInput]:
        """The revision that was in force at a checkpoint of any branch, and its number."""
        wanted = checkpoint.revision

        def read(connection: sqlite3.Connection) -> tuple[int, str]:
            row = connection.execute("SELECT revision, plan FROM plan_revision WHERE revision=?", (wanted,)).fetchone()
            if row is None:
                raise SessionDamaged(
                    f"{self._store.path} does not hold revision {wanted} of the plan.", "Restore a copy of the folder."
                )
            return int(row[0]), str(row[1])

        return self._revision(*await self._store.read(read))

    def _revision(self, revision: int, text: str) -> tuple[int, DatasetPlanInput]:
        kept = self._parsed.get(revision)
        if kept is None or kept[0] != text:
            while len(self._parsed) >= _MOST_PARSED:
                self._parsed.pop(next(iter(self._parsed)))
            self._parsed[revision] = kept = text, self._parse(revision, text)
        return revision, kept[1]

    def _parse(self, revision: int, text: str) -> DatasetPlanInput:
        data = orjson.loads(text)
        if revision == UNDECIDED:
            return DatasetPlanInput.undecided(data["dataset_name"])
        return parse_plan(data, str(self._store.path))

    async def revision(self) -> int:
        """The number of the newest revision."""
        return await self._store.read(
            lambda connection: int(
                connection.execute(
                    "SELECT max(revision) FROM plan_revision WHERE branch_id=?", (MAIN_BRANCH,)
                ).fetchone()[0]
            )
        )

    async def places(self) -> dict[int, int]:
        """The place of each revision in the history, by its number."""
        sql = "SELECT revision, seq FROM plan_revision WHERE branch_id=? ORDER BY revision"
        return await self._store.read(lambda connection: dict(connection.execute(sql, (MAIN_BRANCH,)).fetchall()))

    async def former_cases(self, names: Iterable[str]) -> dict[str, int]:
        """How many cases of these categories were taken out, set aside or are on other branches; those without any are left
        out."""
        numbers = {self._store.ids[name]: name for name in names if name in self._store.ids}

        def read(connection: sqlite3.Connection) -> dict[str, int]:
            found = {}
            for number, name in numbers.items():
                (cases,) = connection.execute(
                    "SELECT (SELECT count(*) FROM withdrawn_case WHERE category_id=:n) + "
                    "(SELECT count(*) FROM shelved_accepted_case WHERE category_id=:n) + "
                    "(SELECT count(*) FROM shelved_withdrawn_case WHERE category_id=:n) + "
                    "(SELECT count(*) FROM former_accepted_case WHERE category_id=:n) + "
                    "(SELECT count(*) FROM damaged_case WHERE category_id=:n)",
                    {"n": number},
                ).fetchone()
                if cases:
                    found[name] = cases
            return found

        return await self._store.read(read)

    async def remembered(self, names: Iterable[str]) -> list[str]:
        """Those of the categories about which the session file holds more than their name."""
        numbers = {self._store.ids[name]: name for name in names if name in self._store.ids}

        def read(connection: sqlite3.Connection) -> list[str]:
            return [name for number, name in numbers.items() if _is_remembered(connection, number)]

        return await self._store.read(read)

    async def renames(self) -> list[tuple[int, dict[str, str]]]:
        """The places in the history at which categories got another name, and which: old → new."""

        def read(connection: sqlite3.Connection) -> list[tuple[int, dict[str, str]]]:
            rows = connection.execute("SELECT seq, data FROM history WHERE kind=? ORDER BY seq", (RENAMED,))
            return [(seq, orjson.loads(data)["names"]) for seq, data in rows]

        return await self._store.read(read)

    async def revise(
        self,
        plan: DatasetPlanInput,
        before: DatasetPlanInput,
        revision: int,
        revised: Callable[[dict[str, CategoryProgress]], tuple[PlanRevised, SessionState]],
        renamed: Mapping[str, str],
    ) -> tuple[PlanRevised, SessionState]:
        """Write a revision in one transaction, and retire or bring back slots as its counts ask for.

        ``revised`` says from the new counters what is to be told and which state the session is in. ``renamed`` (old →
        new) must name categories without cases; the new names must not be those of remembered ones.
        """
        seq = self._store.next_seq()
        named = self._store.next_seq() if renamed else 0
        told = self._store.next_seq()

        def write(connection: sqlite3.Connection) -> tuple[PlanRevised, SessionState, dict[str, int]]:
            ids = _rename(connection, self._store.ids, renamed)
            if renamed:
                row = HistoryRow(
                    seq=named, kind=RENAMED, data={"names": dict(renamed)}, created_at=self._store.clock.now()
                )
                write_history(connection, [row], ids)
            was = {renamed.get(category.name, category.name): category.count for category in before.categories}
            write_revision(connection, RevisedPlan(plan, was, revision, seq, self._store.clock.now()), ids)
            event, state = revised(read_progress(connection, {number: name for name, number in ids.items()}))
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('state', ?)", (to_text(state),))
            write_history(connection, [history_row(told, event)], ids)
            return event, state, ids

        event, state, ids = await self._store.write(write)
        self._store.set_ids(ids)
        return event, state


@dataclass(frozen=True, slots=True)
class RevisedPlan:
    """A plan to be written: ``was`` has the slots of each category by then, ``seq`` is its place in the history."""

    plan: DatasetPlanInput
    was: Mapping[str, int]
    revision: int
    seq: int
    created_at: float


def write_revision(connection: sqlite3.Connection, new: RevisedPlan, ids: dict[str, int]) -> None:
    """Write a plan, add its new categories to ``ids``, and retire or bring back slots; the caller holds the transaction."""
    connection.execute(
        "INSERT INTO plan_revision VALUES (?,?,?,?,?)",
        (new.seq, MAIN_BRANCH, new.revision, to_text(new.plan.model_dump(mode="json")), new.created_at),
    )
    add_categories(connection, new.plan, ids)
    counts = {category.name: category.count for category in new.plan.categories}
    for name in {**new.was, **counts}:
        recount(connection, ids[name], new.was.get(name, 0), counts.get(name, 0), new.seq)


def add_categories(connection: sqlite3.Connection, plan: DatasetPlanInput, ids: dict[str, int]) -> None:
    """Give the categories of a plan numbers, those that have none; also in ``ids``."""
    for category in plan.categories:
        if category.name not in ids:
            number = ids[category.name] = max(ids.values(), default=0) + 1
            connection.execute("INSERT INTO category VALUES (?, ?)", (number, category.name))
            connection.execute("INSERT INTO progress (branch_id, category_id) VALUES (?, ?)", (MAIN_BRANCH, number))


def _rename(connection: sqlite3.Connection, ids: Mapping[str, int], renamed: Mapping[str, str]) -> dict[str, int]:
    """Give categories other names, also each other's. A forgotten category of such a name makes room."""
    changed = {ids[old]: new for old, new in renamed.items()}
    kept = {name: number for name, number in ids.items() if number not in changed}
    for new in changed.values():
        if new in kept:
            forgotten = kept.pop(new)
            for table, column in (("progress", "category_id"), ("retired_slot", "category_id"), ("category", "id")):
                connection.execute(f"DELETE FROM {table} WHERE {column}=?", (forgotten,))
    # A name stands only once in the table, so all of them make way first; no category is called like this.
    connection.executemany("UPDATE category SET name=? WHERE id=?", [(f"\n{n}", n) for n in changed])
    connection.executemany("UPDATE category SET name=? WHERE id=?", [(new, n) for n, new in changed.items()])
    return {**kept, **{new: number for number, new in changed.items()}}


def _is_remembered(connection: sqlite3.Connection, number: int) -> bool:
    tables = (
        "accepted_case", "withdrawn_case", "damaged_case", "rejection", "worker_call", "history", "verdict",
        "batch_request",
        "former_accepted_case", "shelved_accepted_case", "shelved_withdrawn_case", "shelved_rejection", "shelved_history",
    )  # fmt: skip
    found = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE category_id=:n" for table in tables)
    return bool(connection.execute(f"SELECT EXISTS ({found})", {"n": number}).fetchone()[0])
