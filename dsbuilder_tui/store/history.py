"""A session's history: lines of what happened, and stretches of all tables to tell it again."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

import orjson

from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint, Rejection, Usage
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.history import HistoryEntry
from dsbuilder_tui.domain.message import Message
from dsbuilder_tui.store.chat import MESSAGE_COLUMNS, read_message
from dsbuilder_tui.store.checkpoints import CHECKPOINT_COLUMNS, CHECKPOINTS, checkpoint_from
from dsbuilder_tui.store.commit import history_row, write_history
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.rejections import REJECTION_COLUMNS, rejection_from
from dsbuilder_tui.store.row_format import CASE_COLUMNS, read_case
from dsbuilder_tui.store.rows import AgentCall, HistoryRow, RecordedVerdict, WorkerCall
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.standing_lines import STANDING_LINE
from dsbuilder_tui.store.verdicts import VERDICT_COLUMNS, verdict_from
from dsbuilder_tui.store.worker_calls import CALL_COLUMNS, call_from

_CASE_TABLES = ("accepted_case", "withdrawn_case", "damaged_case")


@dataclass(slots=True)
class Stretch:
    """All that happened between two places in the history, table by table."""

    cases: list[AcceptedCase] = field(default_factory=list)  # as they were accepted, also those that are gone now
    replacing: set[int] = field(default_factory=set)  # places of cases that a person put where another one was
    rejections: list[tuple[Rejection, int | None]] = field(default_factory=list)  # with the tries of an exhausted slot
    calls: list[WorkerCall] = field(default_factory=list)
    agent_calls: list[AgentCall] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    verdicts: list[RecordedVerdict] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)


class HistoryTable:
    """Writes lines of history and reads stretches of it."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def remember(self, kind: str, **data: Any) -> None:
        """Write one line into the session's history."""
        row = HistoryRow(seq=self._store.next_seq(), kind=kind, data=data, created_at=self._store.clock.now())
        await self._store.write(lambda connection: write_history(connection, [row], self._store.ids))

    async def record(self, *events: Event) -> None:
        """Write events into the session's history, so that they can be told again."""
        rows = [history_row(self._store.next_seq(), event) for event in events]
        if rows:
            await self._store.write(lambda connection: write_history(connection, rows, self._store.ids))

    async def of_case(self, category: str, ordinal: int) -> list[HistoryEntry]:
        """What was done to the case of one slot, oldest first."""
        number = self._store.ids.get(category, 0)

        def read(connection: sqlite3.Connection) -> list[HistoryEntry]:
            rows = connection.execute(
                "SELECT seq, kind, data, created_at FROM history WHERE category_id=? AND ordinal=? ORDER BY seq",
                (number, ordinal),
            )
            return [HistoryEntry(seq, kind, orjson.loads(data), at) for seq, kind, data, at in rows]

        return await self._store.read(read)

    async def newest(self, count: int) -> list[HistoryEntry]:
        """The last lines of the history, oldest first."""

        def read(connection: sqlite3.Connection) -> list[HistoryEntry]:
            rows = connection.execute(
                "SELECT seq, kind, data, created_at FROM history ORDER BY seq DESC LIMIT ?", (count,)
            ).fetchall()
            return [HistoryEntry(seq, kind, orjson.loads(data), at) for seq, kind, data, at in reversed(rows)]

        return await self._store.read(read)

    async def edited_since(self, kind: str, since: float) -> set[int]:
        """The cases to which lines of a kind belong that are newer than a time in seconds, by their places."""

        def read(connection: sqlite3.Connection) -> set[int]:
            rows = connection.execute(
                f"SELECT data FROM history WHERE kind=? AND created_at>? AND {STANDING_LINE}", (kind, since)
            )
            return {seq for (data,) in rows if isinstance(seq := orjson.loads(data).get("seq"), int)}

        return await self._store.read(read)

    async def stretch(self, first: int, last: int) -> Stretch:
        """What happened from place ``first`` to place ``last``, both included, each list in order."""
        return await self._store.read(lambda connection: self._stretch(connection, first, last))

    def _stretch(self, connection: sqlite3.Connection, first: int, last: int) -> Stretch:
        found, ends, names = Stretch(), (first, last), self._store.names
        within = "seq BETWEEN ? AND ?"
        for table in _CASE_TABLES:
            for row in connection.execute(f"SELECT {CASE_COLUMNS} FROM {table} WHERE {within}", ends):
                found.cases.append(_as_accepted(connection, row[1], read_case(names, row)))
        rows = connection.execute("SELECT replaced_by FROM withdrawn_case WHERE replaced_by BETWEEN ? AND ?", ends)
        found.replacing = {seq for (seq,) in rows}
        for *row, tries in connection.execute(
            f"SELECT {REJECTION_COLUMNS}, gave_up FROM rejection WHERE {within}", ends
        ):
            found.rejections.append((rejection_from(names, row), tries))
        for row in connection.execute(f"SELECT {CALL_COLUMNS} FROM worker_call WHERE {within}", ends):
            found.calls.append(call_from(names, row))
        for seq, purpose, model, prompt, cached, completion, seconds, at in connection.execute(
            "SELECT seq, purpose, model, prompt_tokens, cached_tokens, completion_tokens, seconds, created_at "
            f"FROM agent_call WHERE {within}",
            ends,
        ):
            usage = Usage(prompt, completion, known=bool(prompt or completion), cached_tokens=cached)
            found.agent_calls.append(
                AgentCall(seq=seq, purpose=purpose, model=model, usage=usage, seconds=seconds, created_at=at)
            )
        for row in connection.execute(
            f"SELECT {CHECKPOINT_COLUMNS} FROM {CHECKPOINTS} WHERE c.{within} ORDER BY c.id", ends
        ):
            found.checkpoints.append(checkpoint_from(row))
        for row in connection.execute(f"SELECT {VERDICT_COLUMNS} FROM verdict WHERE {within}", ends):
            found.verdicts.append(verdict_from(names, row))
        for row in connection.execute(f"SELECT {MESSAGE_COLUMNS} FROM message WHERE {within}", ends):
            found.messages.append(read_message(row))
        for seq, kind, data, at, number, ordinal in connection.execute(
            f"SELECT seq, kind, data, created_at, category_id, ordinal FROM history WHERE branch_id=? AND {within}",
            (MAIN_BRANCH, *ends),
        ):
            found.history.append(
                HistoryRow(
                    seq=seq,
                    kind=kind,
                    data=orjson.loads(data),
                    created_at=at,
                    category=names.get(number),
                    ordinal=ordinal,
                )
            )
        return found


def _as_accepted(connection: sqlite3.Connection, number: int, case: AcceptedCase) -> AcceptedCase:
    """The case with the inputs it had before a person edited it."""
    if not case.tags.get("edited"):
        return case
    for (text,) in connection.execute(
        "SELECT data FROM history WHERE category_id=? AND ordinal=? AND kind='case_edited' ORDER BY seq",
        (number, case.ordinal),
    ):
        data: dict[str, Any] = orjson.loads(text)
        if data.get("seq") == case.seq:
            before = data["before"]
            return AcceptedCase(
                seq=case.seq,
                category=case.category,
                ordinal=case.ordinal,
                inputs=before["inputs"],
                expectations=before["expectations"],
                tags=case.tags,
                created_at=case.created_at,
                structure=case.structure,
                batch=case.batch,
            )
    return case
