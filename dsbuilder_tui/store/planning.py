"""The revisions of a session's plan."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import orjson

from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.domain.events import PlanRevised
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.domain.summary import SessionState
from dsbuilder_tui.store.base import StoreBase, to_text
from dsbuilder_tui.store.commit import history_row, write_history
from dsbuilder_tui.store.rows import CategoryProgress
from dsbuilder_tui.store.schema import MAIN_BRANCH


class Plans(StoreBase):
    """Reads and writes plan revisions, and the counters of their categories."""

    async def plan(self, *, first: bool = False) -> DatasetPlanInput:
        """The newest revision of the plan, or the first one."""
        return (await self.plan_at(1 if first else None))[1]

    async def plan_at(self, seq: int | None) -> tuple[int, DatasetPlanInput]:
        """The revision that was in force at a place in the history (``None``: now), and its number."""

        def read(connection: sqlite3.Connection) -> tuple[int, str]:
            row = connection.execute(
                "SELECT revision, plan FROM plan_revision WHERE branch_id=? AND (seq<=? OR revision=1) "
                "ORDER BY revision DESC LIMIT 1",
                (MAIN_BRANCH, 2**62 if seq is None else seq),
            ).fetchone()
            if row is None:
                raise SessionDamaged(f"{self._db.path} holds no plan.", "Restore a copy of the folder.")
            return int(row[0]), str(row[1])

        revision, text = await self._db.read(read)
        return revision, parse_plan(orjson.loads(text), str(self._db.path))

    async def plan_revision(self) -> int:
        """The number of the newest revision."""
        return await self._db.read(
            lambda connection: int(
                connection.execute(
                    "SELECT max(revision) FROM plan_revision WHERE branch_id=?", (MAIN_BRANCH,)
                ).fetchone()[0]
            )
        )

    async def progress(self) -> dict[str, CategoryProgress]:
        return await self._db.read(lambda connection: _progress(connection, self._names))

    async def filled(self) -> dict[str, tuple[int, int]]:
        """How many slots of each category are filled, and the highest of them. Categories without cases are left out."""

        def read(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
            rows = connection.execute(
                "SELECT category_id, count(*), max(ordinal) FROM accepted_case WHERE branch_id=? GROUP BY category_id",
                (MAIN_BRANCH,),
            )
            return {self._names[number]: (count, highest) for number, count, highest in rows}

        return await self._db.read(read)

    async def revise_plan(
        self,
        plan: DatasetPlanInput,
        revision: int,
        revised: Callable[[dict[str, CategoryProgress]], tuple[PlanRevised, SessionState]],
    ) -> tuple[PlanRevised, SessionState]:
        """Write a revision in one transaction; slots the plan no longer has are no longer given up on.

        ``revised`` says from the new counters what is to be told and which state the session is in.
        """
        seq, told = self.next_seq(), self.next_seq()

        def write(connection: sqlite3.Connection) -> tuple[PlanRevised, SessionState, dict[str, int]]:
            connection.execute(
                "INSERT INTO plan_revision VALUES (?,?,?,?,?)",
                (seq, MAIN_BRANCH, revision, to_text(plan.model_dump(mode="json")), self._clock.now()),
            )
            ids = dict(self._ids)
            for category in plan.categories:
                if category.name not in ids:
                    number = ids[category.name] = max(ids.values()) + 1
                    connection.execute("INSERT INTO category VALUES (?, ?)", (number, category.name))
                    connection.execute(
                        "INSERT INTO progress (branch_id, category_id) VALUES (?, ?)", (MAIN_BRANCH, number)
                    )
            counts = {category.name: category.count for category in plan.categories}
            for name, number in ids.items():
                gone = connection.execute(
                    "DELETE FROM exhausted_slot WHERE branch_id=? AND category_id=? AND ordinal>?",
                    (MAIN_BRANCH, number, counts.get(name, 0)),
                ).rowcount
                connection.execute(
                    "UPDATE progress SET exhausted=exhausted-? WHERE branch_id=? AND category_id=?",
                    (gone, MAIN_BRANCH, number),
                )
            event, state = revised(_progress(connection, {number: name for name, number in ids.items()}))
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('state', ?)", (to_text(state),))
            write_history(connection, [history_row(told, event)], ids)
            return event, state, ids

        event, state, self._ids = await self._db.write(write)
        self._names = {number: name for name, number in self._ids.items()}
        return event, state


def _progress(connection: sqlite3.Connection, names: dict[int, str]) -> dict[str, CategoryProgress]:
    rows = connection.execute(
        "SELECT category_id, accepted, rejected, exhausted FROM progress WHERE branch_id=?", (MAIN_BRANCH,)
    )
    return {names[number]: CategoryProgress(*counts) for number, *counts in rows}
