"""Accepted cases: pages, searches, single slots, and what repairs them. Each read is short, so that commits come in between."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase, case_id
from dsbuilder_tui.domain.errors import SessionDamaged
from dsbuilder_tui.domain.history import SearchStep
from dsbuilder_tui.store.case_search import CaseQuery
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import CASE_COLUMNS, checksum, read_case
from dsbuilder_tui.store.rows import SlotFacts
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.soundness import CASES, TableDamage, damaged_session
from dsbuilder_tui.store.verdicts import set_verdicts_aside

PAGE = 500
_NO_LIMIT = 2**63 - 1
_WINDOW = 2000
_MOST_PARAMETERS = 500
# Up to here walking back over the rows is faster than sorting their places out of an index.
_WALK_BACK = 2000


class CaseTable:
    """Reads accepted cases, and sets damaged ones aside."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def pages(
        self, categories: Iterable[str], *, damaged: list[str] | None = None, upto: int | None = None
    ) -> AsyncIterator[list[AcceptedCase]]:
        """Accepted cases in slot order, a page at a time; memory stays flat whatever the size of the session.

        A case whose checksum does not match is appended to ``damaged`` (by its id) and left out; without that list
        ``SessionDamaged`` is raised; so it is at the end when not all are found. With ``upto`` only those
        come that came up to that place in the history, as they are now.
        """
        most, found, before = _NO_LIMIT if upto is None else upto, 0, await self._store.database.seal()
        names = list(categories)
        for name in names:
            number, last = self._store.ids.get(name), 0
            while number is not None:

                def read(connection: sqlite3.Connection, number: int = number, after: int = last) -> list[Any]:
                    return connection.execute(
                        f"SELECT {CASE_COLUMNS} FROM accepted_case "
                        "WHERE branch_id=? AND category_id=? AND ordinal>? AND seq<=? ORDER BY ordinal LIMIT ?",
                        (MAIN_BRANCH, number, after, most, PAGE),
                    ).fetchall()

                rows = await self._store.read(read)
                if not rows:
                    break
                last = rows[-1][2]
                page = [read_case(self._store.names, row) for row in rows]
                found += len(page)
                yield self.whole_ones(page, damaged)
        if upto is None and (await self._store.database.seal()).commits == before.commits:
            numbers = [self._store.ids[name] for name in names if name in self._store.ids]
            written = await self._store.read(lambda connection: sum(_filled(connection, number) for number in numbers))
            if found != written:
                self._note_missing(TableDamage(CASES, found, written), damaged)

    def whole_ones(self, page: Sequence[AcceptedCase], damaged: list[str] | None) -> list[AcceptedCase]:
        """A page without its damaged cases, which are noted in ``damaged``; without that they raise ``SessionDamaged``."""
        for bad in page:
            if bad.damaged:
                self._note_damaged(bad, damaged)
        return [case for case in page if not case.damaged]

    async def require_sound(self, damaged: list[str] | None = None) -> None:
        """Raises ``SessionDamaged`` when the rows of the cases are not what was written; reads them all.

        With ``damaged`` it is noted there, unless the cases that stand there already explain it.
        """
        for found in await self._store.database.damages([CASES]):
            if not damaged or found.there != found.written:
                self._note_missing(found, damaged)

    async def page(
        self, categories: Sequence[str], offset: int, limit: int, *, newest_first: bool
    ) -> list[AcceptedCase]:
        """Cases in slot order of these categories, or the newest first. Damaged ones are marked, not left out."""
        numbers = [self._store.ids[name] for name in categories if name in self._store.ids]

        def read(connection: sqlite3.Connection) -> list[AcceptedCase]:
            find = _newest if newest_first else _in_slot_order
            return self._fetch(connection, find(connection, numbers, max(0, offset), max(0, limit)))

        return await self._store.read(read)

    async def place(self, case: AcceptedCase, categories: Sequence[str], *, newest_first: bool) -> int | None:
        """How many cases come before this one in what ``page`` lists; None when its slot has no case any more."""
        numbers = [self._store.ids[name] for name in categories if name in self._store.ids]
        own = self._store.ids.get(case.category)

        def read(connection: sqlite3.Connection) -> int | None:
            slot = "FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal"
            found = connection.execute(f"SELECT seq {slot}=?", (MAIN_BRANCH, own, case.ordinal)).fetchone()
            if found is None or own not in numbers:
                return None
            if newest_first:
                marks = ",".join("?" * len(numbers))
                later = f"SELECT count(*) FROM accepted_case WHERE branch_id=? AND category_id IN ({marks}) AND seq>?"
                return int(connection.execute(later, (MAIN_BRANCH, *numbers, found[0])).fetchone()[0])
            before = sum(_filled(connection, number) for number in numbers[: numbers.index(own)])
            earlier = connection.execute(f"SELECT count(*) {slot}<?", (MAIN_BRANCH, own, case.ordinal)).fetchone()
            return before + int(earlier[0])

        return await self._store.read(read)

    async def by_seq(self, seqs: Sequence[int]) -> list[AcceptedCase]:
        """These cases in the order given; those that are not there are left out."""
        return await self._store.read(lambda connection: self._fetch(connection, seqs)) if seqs else []

    async def by_seq_or_withdrawn(self, seqs: Sequence[int]) -> dict[int, AcceptedCase]:
        """A few cases by their places in the history, accepted or withdrawn since; damaged ones are left out."""

        def read(connection: sqlite3.Connection) -> dict[int, AcceptedCase]:
            marks = ",".join("?" * len(seqs))
            rows = connection.execute(
                f"SELECT {CASE_COLUMNS} FROM accepted_case WHERE seq IN ({marks}) "
                f"UNION ALL SELECT {CASE_COLUMNS} FROM withdrawn_case WHERE seq IN ({marks})",
                (*seqs, *seqs),
            )
            return {case.seq: case for row in rows if not (case := read_case(self._store.names, row)).damaged}

        return await self._store.read(read) if seqs else {}

    async def search(self, categories: Sequence[str], query: CaseQuery) -> AsyncIterator[SearchStep]:
        """Look through the cases of these categories, a window of about 2,000 rows at a time."""
        numbers = [self._store.ids[name] for name in categories if name in self._store.ids]
        condition, values = query.condition()
        total = await self._store.read(lambda connection: sum(_filled(connection, number) for number in numbers))
        scanned = 0
        groups = [numbers] if query.newest_first else [[number] for number in numbers]
        window = _window_back if query.newest_first else _window
        for group in groups:
            edge: int | None = None
            while True:

                def read(
                    connection: sqlite3.Connection, group: list[int] = group, edge: int | None = edge
                ) -> tuple[int | None, int, list[int]]:
                    return window(connection, group, edge, condition, values)

                edge, count, seqs = await self._store.read(read)
                if edge is None:
                    break
                scanned += count
                yield SearchStep(seqs, scanned, max(total, scanned))

    async def slot_facts(self, category: str, ordinal: int) -> SlotFacts:
        """What there is about one slot, read in one go."""
        number = self._store.ids.get(category, 0)
        slot = (MAIN_BRANCH, number, ordinal)

        def read(connection: sqlite3.Connection) -> SlotFacts:
            row = connection.execute(
                f"SELECT {CASE_COLUMNS} FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal=?", slot
            ).fetchone()
            attempt = connection.execute(
                "SELECT max(attempt) FROM rejection WHERE branch_id=? AND category_id=? AND ordinal=?", slot
            ).fetchone()[0]
            exhausted = connection.execute(
                "SELECT 1 FROM exhausted_slot WHERE branch_id=? AND category_id=? AND ordinal=?", slot
            ).fetchone()
            case = None if row is None else read_case(self._store.names, row)
            return SlotFacts(case, attempt or 0, exhausted is not None)

        return await self._store.read(read)

    async def in_slots(self, slots: Collection[tuple[str, int]]) -> dict[tuple[str, int], AcceptedCase]:
        """The cases that fill these slots (category, ordinal); damaged ones are left out."""

        def read(connection: sqlite3.Connection) -> dict[tuple[str, int], AcceptedCase]:
            found = {}
            for category, ordinal in slots:
                row = connection.execute(
                    f"SELECT {CASE_COLUMNS} FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal=?",
                    (MAIN_BRANCH, self._store.ids.get(category, 0), ordinal),
                ).fetchone()
                if row is not None and not (case := read_case(self._store.names, row)).damaged:
                    found[category, ordinal] = case
            return found

        return await self._store.read(read)

    async def counts_at(self, seq: int) -> dict[str, int]:
        """Accepted cases of each category up to a place in the history. Reads an index, not the cases."""

        def read(connection: sqlite3.Connection) -> dict[str, int]:
            rows = connection.execute(
                "SELECT category_id, count(*) FROM accepted_case INDEXED BY accepted_slot "
                "WHERE branch_id=? AND seq<=? GROUP BY category_id",
                (MAIN_BRANCH, seq),
            )
            found = dict(rows.fetchall())
            return {name: found.get(number, 0) for name, number in self._store.ids.items()}

        return await self._store.read(read)

    async def structures(self, after: int, most: int) -> list[tuple[int, int, str]]:
        """The next accepted cases behind a place in the history, as (seq, structural hash, category)."""

        def read(connection: sqlite3.Connection) -> list[tuple[int, int, str]]:
            rows = connection.execute(
                # In the order of the key: over the index of slots, every page would sort all that is left.
                "SELECT seq, structure, category_id FROM accepted_case NOT INDEXED WHERE branch_id=? AND seq>? "
                "ORDER BY seq LIMIT ?",
                (MAIN_BRANCH, after, most),
            )
            return [(seq, structure or 0, self._store.names[number]) for seq, structure, number in rows]

        return await self._store.read(read)

    async def set_structures(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Note the structural hashes of accepted cases, as (hash, seq)."""
        await self._store.write(
            lambda connection: connection.executemany("UPDATE accepted_case SET structure=? WHERE seq=?", pairs)
        )

    async def set_damaged_aside(self) -> list[str]:
        """Move every case whose checksum does not match into ``damaged_case``, which opens its slot again.

        Raises ``SessionDamaged`` when cases are gone altogether.
        """

        def repair(connection: sqlite3.Connection) -> list[str]:
            bad: list[tuple[int, int, int]] = []
            for seq, number, ordinal, inputs, expectations, tags, crc in connection.execute(
                "SELECT seq, category_id, ordinal, inputs, expectations, tags, crc FROM accepted_case "
                "WHERE branch_id=?",
                (MAIN_BRANCH,),
            ):
                if checksum(number, ordinal, inputs, expectations, tags) != crc:
                    bad.append((seq, number, ordinal))
            for seq, number, _ in bad:
                connection.execute(
                    "INSERT OR REPLACE INTO damaged_case SELECT seq, branch_id, category_id, ordinal, structure, inputs, "
                    "expectations, tags, created_at, crc, ?, batch FROM accepted_case WHERE seq=?",
                    (self._store.clock.now(), seq),
                )
                connection.execute("DELETE FROM accepted_case WHERE seq=?", (seq,))
                set_verdicts_aside(connection, seq)
                connection.execute(
                    "UPDATE progress SET accepted=accepted-1 WHERE branch_id=? AND category_id=?",
                    (MAIN_BRANCH, number),
                )
            there = connection.execute("SELECT count(*) FROM accepted_case NOT INDEXED").fetchone()[0]
            if there != written - len(bad):
                raise damaged_session(self._store.path.parent.name, [TableDamage(CASES, there + len(bad), written)])
            return [case_id(self._store.names[number], ordinal) for _, number, ordinal in bad]

        written = (await self._store.database.seal()).sums[CASES].rows
        found = await self._store.write(repair)
        if found:
            await self._store.database.recount(CASES)
        return found

    def _note_damaged(self, case: AcceptedCase, damaged: list[str] | None) -> None:
        if damaged is None:
            raise SessionDamaged(
                f"The case {case.case_id} in {self._store.path} is damaged (its checksum does not match).",
                f"`dsbuilder resume {shlex.quote(self._store.path.parent.name)} --repair` sets damaged cases aside and writes "
                "them again; `dsbuilder export … --skip-damaged` leaves them out.",
            )
        damaged.append(case.case_id)

    def _note_missing(self, missing: TableDamage, damaged: list[str] | None) -> None:
        if damaged is None:
            raise damaged_session(self._store.path.parent.name, [missing])
        damaged.append(missing.words)

    def _fetch(self, connection: sqlite3.Connection, seqs: Sequence[int]) -> list[AcceptedCase]:
        found: dict[int, AcceptedCase] = {}
        for start in range(0, len(seqs), _MOST_PARAMETERS):
            part = seqs[start : start + _MOST_PARAMETERS]
            marks = ",".join("?" * len(part))
            for row in connection.execute(f"SELECT {CASE_COLUMNS} FROM accepted_case WHERE seq IN ({marks})", part):
                found[row[0]] = read_case(self._store.names, row)
        return [found[seq] for seq in seqs if seq in found]


def _filled(connection: sqlite3.Connection, number: int) -> int:
    row = connection.execute(
        "SELECT accepted FROM progress WHERE branch_id=? AND category_id=?", (MAIN_BRANCH, number)
    ).fetchone()
    return int(row[0]) if row else 0


def _in_slot_order(connection: sqlite3.Connection, numbers: Sequence[int], offset: int, limit: int) -> list[int]:
    """The index of the slots holds the places too, so that skipping to an offset reads no case."""
    seqs: list[int] = []
    for number in numbers:
        if len(seqs) >= limit:
            break
        there = _filled(connection, number)
        if offset >= there:
            offset -= there
            continue
        rows = connection.execute(
            "SELECT seq FROM accepted_case INDEXED BY accepted_slot WHERE branch_id=? AND category_id=? "
            "ORDER BY ordinal LIMIT ? OFFSET ?",
            (MAIN_BRANCH, number, limit - len(seqs), offset),
        )
        seqs += [seq for (seq,) in rows]
        offset = 0
    return seqs


def _newest(connection: sqlite3.Connection, numbers: Sequence[int], offset: int, limit: int) -> list[int]:
    marks = ",".join("?" * len(numbers))
    how = "NOT INDEXED" if offset + limit <= _WALK_BACK else "INDEXED BY accepted_slot"
    rows = connection.execute(
        f"SELECT seq FROM accepted_case {how} WHERE branch_id=? AND category_id IN ({marks}) "
        "ORDER BY seq DESC LIMIT ? OFFSET ?",
        (MAIN_BRANCH, *numbers, limit, offset),
    )
    return [seq for (seq,) in rows]


def _window(
    connection: sqlite3.Connection, group: Sequence[int], edge: int | None, condition: str, values: Sequence[str]
) -> tuple[int | None, int, list[int]]:
    """The next window of one category's cases: its last ordinal (None when there is none), its size, what was found."""
    first, slot = edge or 0, (MAIN_BRANCH, group[0])
    last, count = connection.execute(
        "SELECT max(ordinal), count(*) FROM (SELECT ordinal FROM accepted_case INDEXED BY accepted_slot "
        "WHERE branch_id=? AND category_id=? AND ordinal>? ORDER BY ordinal LIMIT ?)",
        (*slot, first, _WINDOW),
    ).fetchone()
    if last is None:
        return None, 0, []
    rows = connection.execute(
        "SELECT seq FROM accepted_case WHERE branch_id=? AND category_id=? AND ordinal>? AND ordinal<=? "
        f"AND ({condition}) ORDER BY ordinal",
        (*slot, first, last, *values),
    ).fetchall()
    return last, count, [seq for (seq,) in rows]


def _window_back(
    connection: sqlite3.Connection, group: Sequence[int], edge: int | None, condition: str, values: Sequence[str]
) -> tuple[int | None, int, list[int]]:
    """The same from the newest case back; the edge is a place in the history."""
    marks = ",".join("?" * len(group))
    before = 2**63 - 1 if edge is None else edge
    cases = f"FROM accepted_case NOT INDEXED WHERE branch_id=? AND category_id IN ({marks}) AND seq<?"
    first, count = connection.execute(
        f"SELECT min(seq), count(*) FROM (SELECT seq {cases} ORDER BY seq DESC LIMIT ?)",
        (MAIN_BRANCH, *group, before, _WINDOW),
    ).fetchone()
    if first is None:
        return None, 0, []
    rows = connection.execute(
        f"SELECT seq {cases} AND seq>=? AND ({condition}) ORDER BY seq DESC",
        (MAIN_BRANCH, *group, before, first, *values),
    ).fetchall()
    return first, count, [seq for (seq,) in rows]
