"""Which slots are filled, open, exhausted or retired."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Mapping

from dsbuilder_tui.domain.case import Exhausted
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.store.commit import write_history
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.removed_texts import removed_texts
from dsbuilder_tui.store.retired_slots import retire, retired_slots
from dsbuilder_tui.store.rows import FilledSlots, HistoryRow, LedgerRows, RemovedText
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.standing_lines import STANDING_LINE
from dsbuilder_tui.store.undo_log import NewAct, recording


class SlotTable:
    """Reads what the ledger of a run starts from; opens exhausted slots and retires empty ones."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def ledger_rows(self) -> LedgerRows:
        """Filled slots, open slots with rejections, exhausted slots. Reads indexes and hashes, not the cases."""

        def read(connection: sqlite3.Connection) -> LedgerRows:
            filled = {name: FilledSlots() for name in self._store.ids}
            for number, *row in connection.execute(
                "SELECT category_id, ordinal, structure, seq FROM accepted_case WHERE branch_id=? ORDER BY seq",
                (MAIN_BRANCH,),
            ):
                filled[self._store.names[number]].append(*row)
            since = connection.execute(
                f"SELECT max(seq) FROM history WHERE kind='exhausted_reopened' AND {STANDING_LINE}"
            ).fetchone()[0]
            attempts: dict[tuple[str, int], tuple[int, int, list[int]]] = {}
            critiques: dict[tuple[str, int], str] = {}
            # A withdrawal gives its slot a fresh set of tries, as reopening does to exhausted ones. So has a slot that was
            # exhausted and is not any more: a plan has taken it out and brought it back.
            # Beside max(), SQLite takes a bare column from the row that has it: the last try.
            for number, ordinal, highest, tries, nearest, critique in connection.execute(
                "SELECT r.category_id, r.ordinal, max(r.attempt), sum(r.seq > max(?, ifnull(w.last, 0), ifnull(g.last, 0))), "
                "group_concat(r.nearest_seq), CASE WHEN r.stage IN (?, ?, ?, ?) THEN r.reason END FROM rejection r "
                "LEFT JOIN accepted_case a USING (branch_id, category_id, ordinal) "
                "LEFT JOIN (SELECT branch_id, category_id, ordinal, max(withdrawn_seq) AS last FROM withdrawn_case "
                "GROUP BY 1, 2, 3) w USING (branch_id, category_id, ordinal) "
                "LEFT JOIN (SELECT branch_id, category_id, ordinal, max(seq) AS last FROM rejection "
                "WHERE gave_up IS NOT NULL AND seq NOT IN (SELECT seq FROM exhausted_slot) "
                "GROUP BY 1, 2, 3) g USING (branch_id, category_id, ordinal) "
                "WHERE r.branch_id=? AND a.seq IS NULL GROUP BY r.category_id, r.ordinal",
                (since or 0, Stage.SCHEMA, Stage.VALIDATORS, Stage.JUDGE, Stage.CRITIQUE, MAIN_BRANCH),
            ):
                seqs = [int(seq) for seq in nearest.split(",")] if nearest else []
                attempts[self._store.names[number], ordinal] = (highest, tries, seqs)
                if critique:
                    critiques[self._store.names[number], ordinal] = critique
            exhausted: dict[str, list[int]] = {name: [] for name in self._store.ids}
            for number, ordinal in connection.execute(
                "SELECT category_id, ordinal FROM exhausted_slot WHERE branch_id=?", (MAIN_BRANCH,)
            ):
                exhausted[self._store.names[number]].append(ordinal)
            gone = list(removed_texts(connection, self._store.names))
            retired = {self._store.names[number]: ordinals for number, ordinals in retired_slots(connection).items()}
            return LedgerRows(
                filled=filled, attempts=attempts, exhausted=exhausted, gone=gone, retired=retired, critiques=critiques
            )

        return await self._store.read(read)

    async def exists(self, category: str, count: int, ordinal: int) -> bool:
        """Whether a category of that count has this slot now."""
        number = self._store.ids.get(category, 0)

        def read(connection: sqlite3.Connection) -> bool:
            retired, this = connection.execute(
                "SELECT count(*), ifnull(sum(ordinal=?), 0) FROM retired_slot WHERE branch_id=? AND category_id=?",
                (ordinal, MAIN_BRANCH, number),
            ).fetchone()
            return 1 <= ordinal <= count + retired and not this

        return await self._store.read(read)

    async def retired(self) -> dict[str, list[int]]:
        """The slots that revisions have taken out, in order. Categories without any are left out."""
        found = await self._store.read(retired_slots)
        return {self._store.names[number]: ordinals for number, ordinals in found.items()}

    async def exhausted(self) -> list[Exhausted]:
        """The slots that were given up."""
        sql = "SELECT seq, category_id, ordinal, attempts, reason FROM exhausted_slot WHERE branch_id=?"

        def read(connection: sqlite3.Connection) -> list[Exhausted]:
            return [
                Exhausted(seq, self._store.names[number], ordinal, attempts, reason)
                for seq, number, ordinal, attempts, reason in connection.execute(sql, (MAIN_BRANCH,))
            ]

        return await self._store.read(read)

    async def removed(self, most: int) -> list[RemovedText]:
        """What cases said that are gone, or say something else by now; so many at most."""
        return await self._store.read(
            lambda connection: list(itertools.islice(removed_texts(connection, self._store.names), most))
        )

    async def retire(self, slots: Mapping[str, Iterable[int]]) -> None:
        """Take slots without a case out of a session that is being made."""
        seq = self._store.next_seq()

        def write(connection: sqlite3.Connection) -> None:
            for name, ordinals in slots.items():
                retire(connection, self._store.ids[name], ordinals, seq)

        if slots:
            await self._store.write(write)

    async def reopen_exhausted(self, seq: int, act: NewAct | None) -> int:
        """Give every exhausted slot a fresh set of attempts. Returns how many there were. ``seq`` is the place of its line."""
        row = HistoryRow(seq=seq, kind="exhausted_reopened", data={}, created_at=self._store.clock.now())

        def reopen(connection: sqlite3.Connection) -> int:
            with recording(connection, act):
                write_history(connection, [row], self._store.ids)
                count = connection.execute("DELETE FROM exhausted_slot WHERE branch_id=?", (MAIN_BRANCH,)).rowcount
                connection.execute("UPDATE progress SET exhausted=0 WHERE branch_id=?", (MAIN_BRANCH,))
            return count

        return await self._store.write(reopen)
