"""Batch jobs, and the worker calls that each was made for: written before and behind each step that costs."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import orjson

from dsbuilder_tui.domain.batch_job import BatchJob, BatchJobState
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.travelled_tables import HEAD_BRANCH

_COLUMNS = (
    "id, of_branch, round, model, state, requests, created_at, remote_id, file_id, status, done, failed, cancelled, trouble, "
    "options, endpoint, token"
)
_OPEN = tuple(state.value for state in BatchJobState if state.is_open)


@dataclass(frozen=True, slots=True)
class RequestedSlot:
    """A slot as a request asked for it; ``made_for`` is a digest of what it asked for then."""

    ordinal: int
    attempt: int
    made_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """One worker call of a job. ``batch`` is its number in the session, ``slots`` in the order of its prompt."""

    batch: int
    category: str
    slots: tuple[RequestedSlot, ...]
    max_tokens: int
    candidates: int


class BatchJobTable:
    """Keeps batch jobs. Each write is on disk when it returns."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def add(
        self, round_number: int, model: str, options: Collection[str], endpoint: str, requests: Sequence[BatchRequest]
    ) -> BatchJob:
        """Write down a job that is about to be sent, with its calls, for the branch that is worked on."""
        now, ids = self._store.clock.now(), self._store.ids

        def write(connection: sqlite3.Connection) -> BatchJob:
            cursor = connection.execute(
                f"INSERT INTO batch_job (of_branch, round, model, state, requests, created_at, options, endpoint, token) "
                f"VALUES ({HEAD_BRANCH}, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    round_number,
                    model,
                    BatchJobState.PREPARED,
                    len(requests),
                    now,
                    " ".join(sorted(options)),
                    endpoint,
                    uuid4().hex,
                ),
            )
            number = int(cursor.lastrowid or 0)
            connection.executemany(
                "INSERT INTO batch_request (batch, job_id, category_id, slots, max_tokens, candidates) VALUES (?,?,?,?,?,?)",
                [
                    (
                        one.batch, number, ids[one.category],
                        orjson.dumps([[slot.ordinal, slot.attempt, slot.made_for] for slot in one.slots]).decode(),
                        one.max_tokens, one.candidates,
                    )
                    for one in requests
                ],
            )  # fmt: skip
            row = connection.execute(f"SELECT {_COLUMNS} FROM batch_job WHERE id=?", (number,)).fetchone()
            return _job(row)

        return await self._store.write(write)

    async def update(self, job: BatchJob) -> None:
        """Write how a job stands. The calls of one that is over are let go."""
        values = (
            job.state, job.remote_id, job.file_id, job.status, job.done, job.failed, job.cancelled, job.trouble, job.number,
        )  # fmt: skip

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE batch_job SET state=?, remote_id=?, file_id=?, status=?, done=?, failed=?, cancelled=?, trouble=? "
                "WHERE id=?",
                values,
            )
            if not job.state.is_open:
                connection.execute("DELETE FROM batch_request WHERE job_id=?", (job.number,))

        await self._store.write(write)

    async def open(self, *, everywhere: bool = False) -> list[BatchJob]:
        """Jobs of which something may still come, the oldest first: those of the branch that is worked on, or of all."""
        marks = ",".join("?" * len(_OPEN))
        here = "" if everywhere else f" AND of_branch={HEAD_BRANCH}"
        sql = f"SELECT {_COLUMNS} FROM batch_job WHERE state IN ({marks}){here} ORDER BY id"
        return await self._store.read(lambda connection: [_job(row) for row in connection.execute(sql, _OPEN)])

    async def close_ended(self) -> None:
        """Close the jobs that are over and of which every call is remembered."""
        for job in await self.open():
            if job.state is BatchJobState.ENDED and not await self.uncollected(job.number):
                await self.update(replace(job, state=BatchJobState.COLLECTED))

    async def page(self, limit: int) -> list[BatchJob]:
        """The newest jobs of all branches, the newest first."""
        sql = f"SELECT {_COLUMNS} FROM batch_job ORDER BY id DESC LIMIT ?"
        return await self._store.read(lambda connection: [_job(row) for row in connection.execute(sql, (limit,))])

    async def rounds(self) -> int:
        """The number of the last round."""
        sql = "SELECT coalesce(max(round), 0) FROM batch_job"
        return await self._store.read(lambda connection: int(connection.execute(sql).fetchone()[0]))

    async def uncollected(self, job: int) -> list[BatchRequest]:
        """The calls of a job whose end is not remembered yet."""

        def read(connection: sqlite3.Connection) -> list[BatchRequest]:
            rows = connection.execute(
                "SELECT batch, category_id, slots, max_tokens, candidates FROM batch_request WHERE job_id=? AND batch NOT IN "
                "(SELECT batch FROM worker_call WHERE role=? AND batch>=(SELECT min(batch) FROM batch_request WHERE job_id=?)) "
                "ORDER BY batch",
                (job, CallRole.WORKER, job),
            )
            return [
                BatchRequest(
                    batch=batch, category=self._store.names[number],
                    slots=tuple(RequestedSlot(*slot) for slot in orjson.loads(slots)), max_tokens=most, candidates=several,
                )
                for batch, number, slots, most, several in rows
            ]  # fmt: skip

        return await self._store.read(read)


def _job(row: Sequence[Any]) -> BatchJob:
    number, branch, round_number, model, state, requests, created, *rest = row
    remote, file, status, done, failed, cancelled, trouble, options, endpoint, token = rest
    return BatchJob(
        number=number, branch=branch, round=round_number, model=model, state=BatchJobState(state), requests=requests,
        created_at=created, remote_id=remote, file_id=file, status=status, done=done, failed=failed,
        cancelled=bool(cancelled), trouble=trouble, options=tuple(options.split()), endpoint=endpoint, token=token,
    )  # fmt: skip
