"""Group commit: what the gate decides is written together, and announced only when it is on disk."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from dsbuilder_tui.domain.branch import CheckpointCause
from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint, Exhausted, Rejection
from dsbuilder_tui.domain.case_pair import TAG
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import CheckpointSaved, Event, Notice
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.store.commit import history_row
from dsbuilder_tui.store.rows import (
    CaseLikeness,
    CaseVerdict,
    Changes,
    SlotUnstaged,
    StagedCase,
    WorkerAnswer,
    WorkerCall,
)
from dsbuilder_tui.store.session_store import SessionStore

# How long a decision may wait for company. The promise is 100 ms from decision to disk.
_LINGER = 0.07
# Decisions in waiting from which on no new batch is leased: a slow disk must slow the workers, not fill the memory.
MOST_PENDING = 2000
_TRIMS = 16  # times that the response journal is looked at while it takes in as much as it may hold


class Journal:
    """Collects decisions and commits them about every 70 ms, in order. ``emit`` gets their events afterwards."""

    def __init__(
        self,
        store: SessionStore,
        clock: Clock,
        emit: Callable[[Event], None],
        *,
        accepted: int,
        planned: int,
        interval: int | None,
        most_answers: int = 0,
    ) -> None:
        """``most_answers`` is how many bytes the response journal may take, compressed."""
        self._store, self._clock, self._emit = store, clock, emit
        self._changes, self._events = Changes(), list[Event]()
        self._closed: list[tuple[Changes, list[Event]]] = []  # what is written before that, each in a commit of its own
        self._interval, self._most_answers, self._untrimmed = interval, most_answers, 0
        self._staged: set[tuple[str, int]] = set()  # slots by category and ordinal
        self._due: int | None = None  # the place in the history that a checkpoint at the interval is to cover
        self._work = asyncio.Event()
        self._commit = asyncio.Lock()
        self._flushes: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        self.accepted, self.planned = accepted, planned

    @property
    def congested(self) -> bool:
        # Each decision has one event, and a note is a line of history alone. Asked for every call, so not `len` of all rows.
        return len(self._events) + len(self._changes.history) >= MOST_PENDING

    def accept(self, case: AcceptedCase, event: Event, likeness: CaseLikeness | None = None) -> None:
        self._write_due()
        self._leave_points_alone(TAG in case.tags)  # its original says so from now on
        self._changes.accepted.append(case)
        self.unstage(case.category, case.ordinal)
        if likeness is not None:
            self._changes.likeness.append(likeness)
        self.accepted += 1
        self._add(event)
        if self._interval and self.accepted % self._interval == 0:
            self._due = case.seq  # not yet: a verdict that the case came with is of it too

    def stage(self, staged: StagedCase) -> None:
        """A stage of writing has finished with a case; it is kept until the slot is decided about."""
        self._staged.add((staged.category, staged.ordinal))
        self._changes.staged.append(staged)
        self._work.set()

    def unstage(self, category: str, ordinal: int) -> None:
        """What was staged for a slot, if anything, is wanted no more."""
        if (category, ordinal) in self._staged:
            self._staged.discard((category, ordinal))
            self._changes.staged.append(SlotUnstaged(category, ordinal))
            self._work.set()

    def take_staged(self, slots: Iterable[tuple[str, int]]) -> None:
        """These slots have something staged, as the session file says."""
        self._staged.update(slots)

    def reject(self, rejection: Rejection, event: Event) -> None:
        self._write_due()
        self._changes.rejected.append(rejection)
        self.unstage(rejection.category, rejection.ordinal)  # in one commit, so that it is not decided twice
        self._add(event)

    def exhaust(self, exhausted: Exhausted, event: Event) -> None:
        self._write_due()
        self._changes.exhausted.append(exhausted)
        self._add(event)

    def call(self, call: WorkerCall, event: Event, answer: WorkerAnswer | None = None) -> None:
        """A worker call has ended; ``answer`` is what the model said, when that is to be kept."""
        self._write_due()
        self._changes.calls.append(call)
        if answer is not None:
            self._changes.answers.append(answer)
            self._untrimmed += len(answer.text)
        self._add(event)

    def judge(self, verdict: CaseVerdict, event: Event) -> None:
        """There is a verdict on a case that was let in."""
        own = self._due == verdict.case_seq
        if own:
            self._due = verdict.seq
        else:
            self._write_due()
            self._leave_points_alone(True)
        self._changes.verdicts.append(verdict)
        self._add(event)
        if own:
            self._write_due()

    def decide(self, changes: Changes, event: Event, accepted: int) -> None:
        """A person's decision; ``accepted`` is by how many cases it changes their number."""
        self._write_due()
        self._leave_points_alone(True)
        if changes.act is not None:  # what can be undone is told by its transaction: nothing else is in it
            self._close()
        self._changes += changes
        self.accepted += accepted
        self._add(event)
        if changes.act is not None:
            self._close()
        if accepted > 0 and self._interval and self.accepted % self._interval == 0:
            self.checkpoint(CheckpointCause.INTERVAL)

    def notice(self, text: str) -> None:
        """Announce something a person should know, and have it remembered."""
        event = Notice(ts=self._clock.now(), level=NoticeLevel.INFO, text=text)
        self._emit(event)
        self.note(event)

    def note(self, event: Event) -> None:
        """Have an event that was announced already remembered with the next commit."""
        self._changes.history.append(history_row(self._store.next_seq(), event))
        self._work.set()

    def checkpoint(self, cause: CheckpointCause, *, name: str = "", note: str = "") -> Checkpoint:
        """Have a checkpoint written of everything that is decided."""
        self._write_due()
        return self._point(cause, self._store.seq, name, note)

    def _write_due(self) -> None:
        """The checkpoint at the interval is written behind what belongs to its last case."""
        seq, self._due = self._due, None
        if seq is not None:
            self._point(CheckpointCause.INTERVAL, seq)

    def _point(self, cause: CheckpointCause, seq: int, name: str = "", note: str = "") -> Checkpoint:
        now = self._clock.now()
        point = Checkpoint(
            id=self._store.next_checkpoint(),
            seq=seq,
            reason=cause.value,
            accepted=self.accepted,
            planned=self.planned,
            created_at=now,
            name=name,
            note=note,
        )
        self._changes.checkpoints.append(point)
        self._add(
            CheckpointSaved(
                ts=now,
                checkpoint=point.id,
                seq=point.seq,
                reason=cause.value,
                accepted=point.accepted,
                planned=self.planned,
            )
        )
        return point

    def _leave_points_alone(self, changing: bool) -> None:
        """A checkpoint is what its transaction leaves: what is ``changing`` rows that it covers comes in the next one."""
        if changing and self._changes.checkpoints:
            self._close()

    def _close(self) -> None:
        """What comes now is written in the next transaction."""
        self._closed.append((self._changes, self._events))
        self._changes, self._events = Changes(), []

    def _add(self, event: Event) -> None:
        self._events.append(event)
        self._work.set()

    async def flush(self) -> None:
        """Write everything decided so far; on disk and announced when this returns."""
        # Half a flush must not be left behind: what is being written would be taken for not written.
        flush = asyncio.ensure_future(self._flush())
        self._flushes.add(flush)
        flush.add_done_callback(self._flushed)
        await asyncio.shield(flush)

    async def settle(self) -> None:
        """Wait for every flush that was asked for, also by a caller who has been cut off meanwhile."""
        await asyncio.gather(*self._flushes, return_exceptions=True)

    def _flushed(self, flush: asyncio.Task[None]) -> None:
        self._flushes.discard(flush)
        if not flush.cancelled():
            flush.exception()  # seen: whoever asked may be gone, and the next flush tries it again and raises

    async def _flush(self) -> None:
        async with self._commit:
            self._write_due()
            self._close()
            self._work.clear()
            while self._closed:
                changes, events = self._closed[0]
                if changes or events:
                    try:
                        await self._store.commit(changes)
                    except BaseException:
                        self._work.set()  # nothing of it was written, so nothing after it may be: it stays the first
                        raise
                del self._closed[0]
                for event in events:
                    self._emit(event)
            if self._untrimmed * _TRIMS > self._most_answers and self._untrimmed:
                self._untrimmed = 0
                await self._store.responses.trim(self._most_answers)

    async def run(self) -> None:
        """Commit until ``stop``. Raises what the store raises; nothing is announced that was not written."""
        while not self._stopped.is_set():
            await self._work.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LINGER):
                    await self._stopped.wait()
            await self.flush()

    def stop(self) -> None:
        self._stopped.set()
        self._work.set()
