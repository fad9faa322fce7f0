"""The outbox, drained into MLflow in batches, for as long as the session is open."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable
from typing import Protocol

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.tracking_state import TrackingState
from dsbuilder_tui.settings.tracking_uri import is_server
from dsbuilder_tui.store.outbox import OutboxBatch, OutboxDelete, OutboxTable
from dsbuilder_tui.tracking.case_record import DatasetRole, case_record, role_of
from dsbuilder_tui.tracking.mlflow_errors import TrackingFault, error_words, fault_of
from dsbuilder_tui.tracking.mlflow_process import mlflow_process
from dsbuilder_tui.tracking.mlflow_target import MlflowTarget, TrackedIds
from dsbuilder_tui.tracking.reconciliation import Reconciled
from dsbuilder_tui.tracking.remote_target import RemoteTarget
from dsbuilder_tui.tracking.trace_queue import TraceQueue
from dsbuilder_tui.tracking.tracked_run import TrackedRun

BATCH = 50
MOST_TRIES = 3  # of a case that MLflow does not take
MOST_UNCLEAR = 8  # of one with which MLflow fails for a reason that it does not tell, though it takes other things
_GATHER = 0.2  # seconds in which a batch fills
_FIGURES_PERIOD = 10.0  # seconds between figures of a run
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0
_PAGE = 250  # cases that are handed over at once to be compared
_ANNOUNCING = 1.0  # seconds between two announcements within a backlog: counting it costs as much as it is long


class TrackedSession(Protocol):
    """What the drain asks of a session."""

    async def describe(self, *, report: bool = False) -> TrackedRun:
        """The session as its run shows it now."""
        ...

    async def keep(self, ids: TrackedIds, *, finished: bool) -> None:
        """Remember what MLflow calls its things."""
        ...

    def is_settled(self) -> bool:
        """Whether no case is to be written any more."""
        ...

    def tell(self, state: TrackingState) -> None:
        """Announce how far it is."""
        ...

    def secret_forms(self) -> tuple[str, ...]:
        """What no trace may show."""
        ...

    async def tell_finished(self, found: Reconciled) -> None:
        """Announce that all is there."""
        ...


class OutboxDrain:
    """Sends what waits, oldest first, and goes on after every trouble. MLflow itself is imported, and waited for, in a process
    of its own; what has arrived is noted here."""

    def __init__(
        self,
        table: OutboxTable,
        uri: str,
        ids: TrackedIds,
        session: TrackedSession,
        now: Callable[[], float],
        traces: TraceQueue,
        *,
        finished: bool = False,
    ) -> None:
        """``uri`` may have a login, which ``ids`` must not; ``finished``: all was there and compared already."""
        self._table, self._uri, self._ids, self._session, self._now = table, uri, ids, session, now
        self._traces = traces
        self._target = RemoteTarget(mlflow_process(), uri, ids)
        self._wake, self._hurry, self._quiet = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connected = self._compared = self._changed = False
        self._finished = finished
        self._failures = self._waited_for = 0
        self._error = ""
        self._retry_at: float | None = None
        self._run: TrackedRun | None = None
        self._figures_at = self._announced_at = 0.0

    def start(self) -> None:
        """Begin, or go on. Call it on the event loop of the session."""
        if self._task is None:
            self._wake.set()
            self._task = asyncio.create_task(self._work())

    def wake(self) -> None:
        """There may be something to send."""
        self._quiet.clear()
        self._wake.set()

    def describe_again(self) -> None:
        """The session itself has changed, not only its cases: that is to be logged now."""
        self._changed, self._figures_at = True, 0.0
        self.wake()

    def compare_again(self) -> None:
        """Compare everything once more when no case is to be written any more."""
        self._compared = self._finished = False
        self.wake()

    async def state(self) -> TrackingState:
        counts = await self._table.counts()
        loop = asyncio.get_running_loop()
        return TrackingState(
            accepted=counts.accepted,
            waiting=counts.waiting,
            given_up=counts.given_up,
            behind_s=max(0.0, self._now() - counts.oldest) if counts.oldest is not None and counts.waiting else 0.0,
            error=self._error or counts.reason,
            retry_in_s=max(0.0, self._retry_at - loop.time()) if self._retry_at is not None else None,
            link=self.link,
            finished=self._finished,
            traces_waiting=len(self._traces),
            traces_lost=self._traces.lost,
        )

    @property
    def link(self) -> str:
        """Where the dataset can be looked at."""
        return dataset_link(self._uri, self._ids.experiment_id)

    async def settle(self, seconds: float | None, *, patient: bool = False) -> TrackingState:
        """Wait until all has arrived, so many seconds at most; a trouble ends the waiting unless it is ``patient``."""
        self.wake()
        self._changed = self._changed or self._connected  # what the run says is to be of now, too
        self._waited_for += 1
        self._hurry.set()
        waiting = asyncio.create_task(self._quiet.wait())
        deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
        try:
            while not waiting.done() and self._task is not None and not self._task.done():
                left = None if deadline is None else deadline - asyncio.get_running_loop().time()
                if (left is not None and left <= 0) or (self._error and self._failures > 1 and not patient):
                    break
                await asyncio.wait({waiting}, timeout=min(0.05, left or 0.05))
        finally:
            waiting.cancel()
            self._waited_for -= 1
        return await self.state()

    async def stop(self, seconds: float) -> None:
        """Send what can be sent in so many seconds; the rest waits in the session file."""
        if self._task is None:
            return
        if seconds > 0:
            await self.settle(seconds)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        self._target.end()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self._hurry.is_set():
                await asyncio.sleep(_GATHER)
            self._hurry.clear()
            try:
                await self._bring_up_to_date()
            except Exception as error:  # whatever it is, the cases are in the session file, and are tried again
                await self._note(error)
                continue
            self._failures, self._error, self._retry_at = 0, "", None
            await self._announce()
            if not self._wake.is_set():
                self._quiet.set()

    async def _bring_up_to_date(self) -> None:
        nothing = not (await self._table.batch(1)).ids and not self._changed and not self._traces
        if nothing and (self._finished or not self._session.is_settled()):
            return  # nothing to say: MLflow is not even imported
        if not self._connected:
            await self._connect()
        while (batch := await self._table.batch(BATCH)).ids:
            if self._finished:
                self._finished = False
                await self._target.call(MlflowTarget.reopen)
                await self._session.keep(self._ids, finished=False)
            await self._send(batch)
            await self._log_figures()
            await self._send_traces(BATCH)
            if asyncio.get_running_loop().time() >= self._announced_at + _ANNOUNCING:
                await self._announce()
        while self._traces:
            await self._send_traces(BATCH)
        if self._waited_for:
            self._figures_at = 0.0
        await self._log_figures()
        if self._session.is_settled() and not self._finished:
            await self._finish()

    async def _connect(self) -> bool:
        """Returns whether a dataset was gone, so that all cases are to be sent anew."""
        self._run = run = await self._session.describe()
        gone = await self._target.call(MlflowTarget.connect, run)
        self._connected = True
        if gone:  # a person has deleted it: all that is here is sent anew
            await self._table.begin(everything=True)
        await self._session.keep(self._ids, finished=False)
        await self._log_figures()  # before any record: what a lost session is rebuilt from
        return gone

    async def _log_figures(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._figures_at:
            return
        self._run = run = await self._session.describe()
        await self._target.call(MlflowTarget.log, run)
        self._changed = False
        self._figures_at = now + _FIGURES_PERIOD

    async def _send(self, batch: OutboxBatch) -> None:
        before = dict(self._ids.datasets)
        try:
            for role in {role_of(kind) for kind in [*(c.kind for c in batch.cases), *(d.kind for d in batch.deletes)]}:
                await self._send_to(role, batch.deletes, batch.cases)
        except Exception as error:
            if fault_of(error) not in (TrackingFault.REFUSED, TrackingFault.UNCERTAIN):
                raise
            await self._send_one_by_one(batch, error)
        else:
            await self._table.done(batch.ids)
        if self._ids.datasets != before:
            await self._session.keep(self._ids, finished=False)

    async def _send_traces(self, most: int) -> None:
        """Send the oldest calls; those that MLflow does not take are lost, one by one. Raises when it is not there."""
        if not (calls := self._traces.first(most)):
            return
        try:
            await self._target.call(MlflowTarget.log_calls, calls, self._session.secret_forms())
        except Exception as error:
            fault = fault_of(error)
            if fault not in (TrackingFault.REFUSED, TrackingFault.UNCERTAIN, TrackingFault.UNSUPPORTED):
                raise
            # A server of before there were traces of many spans takes none.
            if len(calls) == 1 or fault is TrackingFault.UNSUPPORTED:
                self._traces.lose(calls)
                return
            for _ in calls:
                await self._send_traces(1)
        else:
            self._traces.sent(calls)

    async def _send_to(self, role: DatasetRole, deletes: Iterable[OutboxDelete], cases: Iterable[AcceptedCase]) -> None:
        assert self._run is not None
        leaving = [one.inputs for one in deletes if role_of(one.kind) is role]
        line, session = await self._table.line(), self._ids.session
        records = [case_record(c, session, line.branch_of(c.seq)) for c in cases if role_of(c.kind) is role]
        apart = role is DatasetRole.SCENARIOS and self._run.scenarios_apart
        name = f"{self._run.dataset_name}_{role.value}" if apart else self._run.dataset_name
        await self._target.call(MlflowTarget.send, role, name, leaving, records)

    async def _send_one_by_one(self, batch: OutboxBatch, error: Exception) -> None:
        """One of them is not taken, and took the others with it: find it. What does nobody any good ends as given up.

        Raises ``error`` where nothing is taken for a reason that is not told, so that there is a wait before it is tried again.
        """
        most = MOST_TRIES
        for role in {role_of(one.kind) for one in batch.deletes}:
            await self._send_to(role, batch.deletes, ())
        refused: dict[int, Exception] = {}
        for case in batch.cases:
            try:
                await self._send_to(role_of(case.kind), (), [case])
            except Exception as its:
                if fault_of(its) not in (TrackingFault.REFUSED, TrackingFault.UNCERTAIN):
                    raise
                refused[case.seq] = its
        if refused and len(refused) == len(batch.cases):  # it takes nothing at all
            if await self._connect():
                return  # the dataset was gone, and everything is to be sent anew
            if all(fault_of(its) is TrackingFault.UNCERTAIN for its in refused.values()):
                most = MOST_UNCLEAR
        kept = {row for seq in refused for row in batch.sent_by.get(seq, ())}
        await self._table.done([row for row in batch.ids if row not in kept])
        again = False
        for seq, why in refused.items():
            rows, words = batch.sent_by.get(seq, ()), error_words(why, self._uri)
            if batch.tries.get(seq, 0) + 1 >= most:
                await self._table.give_up(rows, words)
            else:
                again = True
                await self._table.failed(rows, words)
        if again and most == MOST_UNCLEAR:
            raise error

    async def _finish(self) -> None:
        """Compare everything once after a run, mend what differs, and say that it is complete."""
        run = self._run = await self._session.describe(report=True)
        if not self._compared:
            found = await self._reconcile()
            self._compared = True
        else:
            found = None
        await self._target.call(MlflowTarget.finish, run)
        self._finished = True
        await self._session.keep(self._ids, finished=True)
        if found is not None:
            await self._session.tell_finished(found)

    async def _reconcile(self) -> Reconciled:
        await self._target.call(MlflowTarget.begin_comparison, await self._table.line())
        seq = 0
        while page := await self._table.cases_from(seq, _PAGE):
            await self._target.call(MlflowTarget.compare_cases, page)
            seq = page[-1].seq
        added = deleted = mended = of_others = 0
        for role in map(DatasetRole, tuple(self._ids.datasets)):
            differs = await self._target.call(MlflowTarget.compare, role)
            refused = await self._table.refused()
            places = [seq for seq in (*differs.missing, *differs.different) if seq not in refused]
            for start in range(0, len(places), BATCH):
                await self._send_to(role, (), await self._table.cases_at(places[start : start + BATCH]))
            added += len([seq for seq in differs.missing if seq not in refused])
            mended, deleted, of_others = (
                mended + len(differs.different), deleted + len(differs.delete), of_others + differs.of_others
            )  # fmt: skip
        cases, records = await self._target.call(MlflowTarget.end_comparison)
        return Reconciled(
            records=records, added=added, deleted=deleted, mended=mended, merged=cases - records, of_others=of_others,
        )  # fmt: skip

    async def _note(self, error: Exception) -> None:
        """Wait for better times, each time about twice as long."""
        self._connected = False  # whatever is known of it may be gone
        self._failures += 1
        self._error = error_words(error, self._uri)
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (self._failures - 1)) * random.uniform(0.5, 1.0)
        self._retry_at = asyncio.get_running_loop().time() + wait
        await self._announce()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):  # not `wait_for`: before Python 3.12 it can lose a cancellation
                await self._hurry.wait()
        self._retry_at = None
        self._wake.set()

    async def _announce(self) -> None:
        self._announced_at = asyncio.get_running_loop().time()
        self._session.tell(await self.state())


def dataset_link(uri: str, experiment_id: str) -> str:
    """The address of an experiment's datasets in MLflow's pages; for a database the command that opens those."""
    if not is_server(uri):
        return "dsbuilder mlflow ui"
    place = f"experiments/{experiment_id}/datasets" if experiment_id else "experiments"
    return f"{uri}/#/{place}"
