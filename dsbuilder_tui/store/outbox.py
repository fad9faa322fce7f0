"""Cases that wait to be logged to MLflow: written in the transaction that changes them, read in batches."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from dsbuilder_tui.domain.branch import HeadLine
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.case_kind import CaseKind
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.head_move import owner_of, segment_path, start_of
from dsbuilder_tui.store.outbox_triggers import KIND, LOGGED, OutboxAct
from dsbuilder_tui.store.row_format import CASE_COLUMNS, read_case
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.travelled_tables import HEAD_SEGMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxDelete:
    """A record to be deleted: the kind of its case, and the inputs that it has."""

    kind: CaseKind
    inputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class OutboxBatch:
    """The oldest rows: their numbers, what leaves, and the cases to be sent as they are now.

    ``sent_by`` maps the place of a case to the rows that it stands for, ``tries`` to how often those failed.
    """

    ids: tuple[int, ...] = ()
    deletes: tuple[OutboxDelete, ...] = ()
    cases: tuple[AcceptedCase, ...] = ()
    sent_by: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    tries: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """``waiting`` and ``given_up`` count cases that have not arrived; ``oldest`` is when the first of the rows was written."""

    accepted: int = 0
    waiting: int = 0
    given_up: int = 0
    oldest: float | None = None
    reason: str = ""  # of the last that was given up


class OutboxTable:
    """Reads the outbox, and notes what became of its rows."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def line(self) -> HeadLine:
        """Which case came on which branch."""

        def read(connection: sqlite3.Connection) -> HeadLine:
            (head,) = connection.execute(f"SELECT {HEAD_SEGMENT}").fetchone()
            names = dict(connection.execute("SELECT id, name FROM branch").fetchall())
            path = segment_path(connection, head)
            owners = [owner_of(connection, segment) for segment in path]
            return HeadLine([start_of(connection, segment) for segment in path], [names[owner] for owner in owners])

        return await self._store.read(read)

    async def begin(self, *, everything: bool) -> None:
        """Have cases noted from now on; with ``everything`` also all that are there, once each."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, 'true')", (LOGGED,))
            if everything:
                connection.execute("DELETE FROM tracking_outbox")
                connection.execute(
                    "INSERT INTO tracking_outbox (act, case_seq, kind, inputs, created_at) "
                    f"SELECT ?, seq, {KIND.format('accepted_case')}, '', ? FROM accepted_case ORDER BY seq",
                    (OutboxAct.UPSERT, self._store.clock.now()),
                )

        await self._store.write(write)

    async def end(self) -> None:
        """Note no more cases."""
        await self._store.write(
            lambda connection: connection.execute("INSERT OR REPLACE INTO meta VALUES (?, 'false')", (LOGGED,))
        )

    async def batch(self, size: int) -> OutboxBatch:
        """The oldest rows that are tried, at most so many."""

        def read(connection: sqlite3.Connection) -> OutboxBatch:
            rows = connection.execute(
                "SELECT id, act, case_seq, kind, inputs, tries FROM tracking_outbox WHERE given_up=0 ORDER BY id LIMIT ?",
                (size,),
            ).fetchall()
            if not rows:
                return OutboxBatch()
            leaving = {(kind, inputs) for _, act, _, kind, inputs, _ in rows if act == OutboxAct.DELETE}
            sent: dict[int, list[int]] = {}
            for number, act, seq, *_ in rows:
                if act == OutboxAct.UPSERT:
                    sent.setdefault(seq, []).append(number)
            # A record that leaves may be that of another case, too, which has the same inputs.
            texts = tuple({inputs for _, inputs in leaving})
            places = "SELECT seq FROM accepted_case WHERE inputs IN (" + ",".join("?" * len(texts)) + ")"
            for (seq,) in connection.execute(places, texts) if texts else ():
                sent.setdefault(seq, [])
            cases = _cases(connection, self._store.names, sent)
            failed: dict[int, int] = {}
            for _, _, seq, _, _, tries in rows:
                failed[seq] = max(tries, failed.get(seq, 0))
            return OutboxBatch(
                ids=tuple(row[0] for row in rows),
                deletes=tuple(
                    OutboxDelete(kind=_kind(kind), inputs=found)
                    for kind, inputs in sorted(leaving)
                    if (found := _inputs(inputs)) is not None
                ),
                cases=cases,
                sent_by={case.seq: tuple(sent[case.seq]) for case in cases},
                tries=failed,
            )

        return await self._store.read(read)

    async def done(self, ids: Collection[int]) -> None:
        """These rows have had their effect."""
        await self._store.write(
            lambda connection: connection.executemany("DELETE FROM tracking_outbox WHERE id=?", [(i,) for i in ids])
        )

    async def failed(self, ids: Collection[int], error: str) -> None:
        """These rows were tried once more, in vain."""
        await self._store.write(
            lambda connection: connection.executemany(
                "UPDATE tracking_outbox SET tries=tries+1, error=? WHERE id=?", [(error, i) for i in ids]
            )
        )

    async def give_up(self, ids: Collection[int], error: str) -> None:
        """These rows are not tried any more."""
        await self._store.write(
            lambda connection: connection.executemany(
                "UPDATE tracking_outbox SET given_up=1, tries=tries+1, error=? WHERE id=?", [(error, i) for i in ids]
            )
        )

    async def try_again(self) -> None:
        """Take up again what was given up."""
        await self._store.write(
            lambda connection: connection.execute("UPDATE tracking_outbox SET given_up=0, tries=0 WHERE given_up=1")
        )

    async def refused(self) -> set[int]:
        """The places of cases that were given up."""
        sql = "SELECT case_seq FROM tracking_outbox WHERE given_up=1"
        return await self._store.read(lambda connection: {seq for (seq,) in connection.execute(sql)})

    async def counts(self) -> OutboxCounts:
        """How many cases have not arrived. Costs as much as there is to be sent."""

        def read(connection: sqlite3.Connection) -> OutboxCounts:
            (accepted,) = connection.execute(
                "SELECT coalesce(sum(accepted), 0) FROM progress WHERE branch_id=?", (MAIN_BRANCH,)
            ).fetchone()
            (oldest,) = connection.execute("SELECT min(created_at) FROM tracking_outbox WHERE given_up=0").fetchone()
            waiting = dict(
                connection.execute(
                    "SELECT given_up, count(DISTINCT case_seq) FROM tracking_outbox WHERE act=? GROUP BY given_up",
                    (OutboxAct.UPSERT,),
                )
            )
            reason = connection.execute(
                "SELECT error FROM tracking_outbox WHERE given_up=1 ORDER BY id DESC LIMIT 1"
            ).fetchone()
            return OutboxCounts(
                accepted=accepted, waiting=waiting.get(0, 0), given_up=waiting.get(1, 0), oldest=oldest,
                reason=reason[0] if reason is not None else "",
            )  # fmt: skip

        return await self._store.read(read)

    async def cases_from(self, seq: int, size: int) -> list[AcceptedCase]:
        """Accepted cases behind a place in the history, oldest first."""

        def read(connection: sqlite3.Connection) -> list[AcceptedCase]:
            rows = connection.execute(
                f"SELECT {CASE_COLUMNS} FROM accepted_case WHERE seq>? ORDER BY seq LIMIT ?", (seq, size)
            )
            return [read_case(self._store.names, row) for row in rows]

        return await self._store.read(read)

    async def cases_at(self, places: Iterable[int]) -> tuple[AcceptedCase, ...]:
        """The cases of these places that are there."""
        wanted = tuple(places)
        return await self._store.read(lambda connection: _cases(connection, self._store.names, wanted))


def _cases(connection: sqlite3.Connection, names: Mapping[int, str], places: Iterable[int]) -> tuple[AcceptedCase, ...]:
    found = []
    for seq in places:
        row = connection.execute(f"SELECT {CASE_COLUMNS} FROM accepted_case WHERE seq=?", (seq,)).fetchone()
        if row is not None and not (case := read_case(names, row)).damaged:
            found.append(case)
    return tuple(found)


def _kind(name: str) -> CaseKind:
    try:
        return CaseKind(name)
    except ValueError:
        return CaseKind.SINGLE


def _inputs(text: str) -> dict[str, Any] | None:
    """The inputs of a record that leaves; None where a damaged case had none that can be read."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
