"""The log of acts that can be undone: written in the transaction of each act, read from its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import orjson

from dsbuilder_tui.domain.undo import (
    ActFacts,
    ActKind,
    Actor,
    ActOutdated,
    ActState,
    RecordedAct,
    read_facts,
)
from dsbuilder_tui.store.act_rows import Return, Returning, watched_rows
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.travelled_tables import HEAD_BRANCH

MOST_KEPT = 1_000  # acts that can be undone
_COLUMNS = "id, step, kind, actor, state, facts, branch, created_at"
_ENDED = (ActState.UNDONE, ActState.DROPPED)


@dataclass(slots=True)
class ActStep:
    """What is undone at once: its number is that of its first act, and None before there is one."""

    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAct:
    """An act that is being done. ``seq`` and ``last_seq`` are the places of its first and its last line in the history."""

    kind: ActKind
    facts: ActFacts
    actor: Actor
    step: ActStep
    seq: int
    last_seq: int
    created_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ActReturn:
    """An act that is being undone, or done again. With ``rows`` what it changed in the tables is put back."""

    id: int
    redo: bool
    rows: bool = True

    @property
    def state(self) -> ActState:
        """In which it is afterwards."""
        return ActState.DONE if self.redo else ActState.UNDONE


def without_rows(act: RecordedAct, *, redo: bool) -> ActReturn:
    """The return of an act that changed no rows of cases."""
    return ActReturn(id=act.id, redo=redo, rows=False)


class UndoTable:
    """Reads acts, and notes what becomes of them."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def newest(self, most: int, states: Collection[ActState] = tuple(ActState)) -> list[RecordedAct]:
        """The newest acts in these states, the newest first."""
        return await self._store.read(lambda connection: _acts(connection, states, most, "DESC"))

    async def next(self, *, redo: bool) -> list[RecordedAct]:
        """The acts of the step that is undone, or redone, next: in the order in which they are. Empty when there is none."""
        state, which = (ActState.UNDONE, "min") if redo else (ActState.DONE, "max")

        def read(connection: sqlite3.Connection) -> list[RecordedAct]:
            (step,) = connection.execute(f"SELECT {which}(step) FROM act WHERE state=?", (state,)).fetchone()
            if step is None:
                return []
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM act WHERE step=? AND state=? ORDER BY id {'ASC' if redo else 'DESC'}",
                (step, state),
            )
            return [_act(row) for row in rows]

        return await self._store.read(read)

    async def returning(self, back: ActReturn) -> Return:
        """What is to be put back. Raises ``ActOutdated``."""
        names = dict(self._store.names)
        return await self._store.read(lambda connection: _return(connection, back, names))

    async def finish(self, back: ActReturn) -> None:
        """The act has been undone, or redone, by other means."""
        await self._store.write(lambda connection: put_back(connection, back, {}))

    async def record(self, act: NewAct) -> None:
        """Note an act that was done outside of the session file."""

        await self._store.write(lambda connection: note_act(connection, act))

    async def outdate(self, acts: Iterable[RecordedAct]) -> None:
        """These acts cannot be undone any more."""
        rows = [(ActState.OUTDATED, act.id) for act in acts]
        await self._store.write(lambda connection: connection.executemany("UPDATE act SET state=? WHERE id=?", rows))


@contextmanager
def recording(connection: sqlite3.Connection, act: NewAct | None, *, rows: bool = True) -> Iterator[None]:
    """Note an act with the rows that are changed inside of this; the caller holds the transaction. What was undone before can
    not be redone then."""
    if act is None:
        yield
        return
    dropped = "SELECT id FROM act WHERE state=?"
    connection.execute(f"DELETE FROM act_row WHERE act_id IN ({dropped})", (ActState.UNDONE,))
    connection.execute("UPDATE act SET state=? WHERE state=?", (ActState.DROPPED, ActState.UNDONE))
    (number,) = connection.execute("SELECT ifnull(max(id), 0) + 1 FROM act").fetchone()
    step = number if act.step.number is None else act.step.number
    connection.execute(
        f"INSERT INTO act SELECT ?,?,?,?,?,?,?,?, (SELECT name FROM branch WHERE id={HEAD_BRANCH}), ?",
        (
            number,
            step,
            act.seq,
            act.last_seq,
            act.kind,
            act.actor,
            ActState.DONE,
            act.facts.model_dump_json(),
            act.created_at,
        ),
    )
    _forget_oldest(connection, number)
    if rows:
        with watched_rows(connection, number):
            yield
    else:
        yield
    act.step.number = step


def note_act(connection: sqlite3.Connection, act: NewAct | ActReturn | None) -> None:
    """Note an act that changes no rows of cases, or that one is undone; the caller holds the transaction."""
    if isinstance(act, ActReturn):
        put_back(connection, act, {})
    else:
        with recording(connection, act, rows=False):
            pass


def put_back(
    connection: sqlite3.Connection, back: ActReturn, names: Mapping[int, str], room: Mapping[int, int] | None = None
) -> bool:
    """Undo an act, or do it again; the caller holds the transaction. ``room`` has the counts of categories where those of the
    plan change with it. Returns whether the slots are those of then; if not, they stay as they are. Raises ``ActOutdated``."""
    exact = True
    if back.rows:
        returning = Returning(connection, names, _room(connection) if room is None else room)
        rows = returning.of_act(back.id, redo=back.redo)
        exact = room is None or returning.fits(rows)
        returning.carry_out(rows if exact else rows.without_slots())
    wanted = ActState.UNDONE if back.redo else ActState.DONE
    changed = connection.execute(
        "UPDATE act SET state=? WHERE id=? AND state=?", (back.state, back.id, wanted)
    ).rowcount
    if changed != 1:
        raise ActOutdated("That has been undone already." if not back.redo else "That has been redone already.")
    return exact


def _return(connection: sqlite3.Connection, back: ActReturn, names: Mapping[int, str]) -> Return:
    return Returning(connection, names, _room(connection)).of_act(back.id, redo=back.redo)


def _room(connection: sqlite3.Connection) -> dict[int, int]:
    """The count of each category of the plan, by its number."""
    (plan,) = connection.execute("SELECT plan FROM plan_revision ORDER BY revision DESC LIMIT 1").fetchone()
    ids = dict(connection.execute("SELECT name, id FROM category").fetchall())
    categories = orjson.loads(plan).get("categories") or ()
    return {ids[category["name"]]: int(category["count"]) for category in categories if category["name"] in ids}


def _forget_oldest(connection: sqlite3.Connection, newest: int) -> None:
    last = newest - MOST_KEPT
    if last > 0:
        connection.execute("DELETE FROM act_row WHERE act_id<=?", (last,))
        marks = ",".join("?" * len(_ENDED))  # those say which lines of the history do not count
        connection.execute(f"DELETE FROM act WHERE id<=? AND state NOT IN ({marks})", (last, *_ENDED))


def _acts(connection: sqlite3.Connection, states: Collection[ActState], most: int, order: str) -> list[RecordedAct]:
    marks = ",".join("?" * len(states))
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM act WHERE state IN ({marks}) ORDER BY id {order} LIMIT ?", (*states, most)
    )
    return [_act(row) for row in rows]


def _act(row: tuple[int, int, str, str, str, str, str, float]) -> RecordedAct:
    number, step, kind, actor, state, facts, branch, created_at = row
    return RecordedAct(
        id=number, step=step, kind=ActKind(kind), actor=Actor(actor), state=ActState(state), facts=read_facts(facts),
        branch=branch, created_at=created_at,
    )  # fmt: skip
