"""The calls that a run has begun: who makes each, how it goes, and how it is ended before its time."""

from __future__ import annotations

import asyncio
import heapq
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import BatchStarted
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.call_log import CallLog, CallTrace
from dsbuilder_tui.generation.ledger import Batch


@dataclass(frozen=True, slots=True)
class CallInFlight:
    """A call that was begun, and that nobody has settled yet."""

    batch: Batch
    worker: int
    result: BatchOutcome


MakeCall = Callable[[CallTrace, BatchOutcome], Awaitable[None]]
CallEnded = Callable[[Batch, BatchOutcome], Awaitable[None]]


class CallsInFlight:
    """Runs each call as a task of its own. A call stays *unsettled* from its begin until ``settle``, also when it has ended.

    One that *waits* has been begun, but nobody works on it until it has ``arrived``: its answer may be hours away, or its
    turn is not yet come.
    """

    def __init__(
        self,
        log: CallLog,
        clock: Clock,
        *,
        changed: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """``changed`` is called whenever a call has ended, ``failed`` with what one has raised."""
        self._log, self._clock, self._changed, self._failed = log, clock, changed, failed
        self._tasks: dict[asyncio.Task[None], int] = {}  # call in flight → worker number; 0 while it waits
        self._waiting: set[int] = set()  # batches
        self._come: deque[int] = deque()  # those of them whose turn is come, in order
        self._numbered = 0  # workers that have a call
        self._task_of: dict[int, asyncio.Task[None]] = {}  # by batch number: calls that have not ended
        self._unsettled: dict[int, CallInFlight] = {}  # by batch number
        self._free_workers: list[int] = []
        self._cut_off: set[int] = set()  # batches whose call a person wants ended

    def __len__(self) -> int:
        """Calls that somebody works on."""
        return self._numbered

    @property
    def waiting(self) -> int:
        """Calls that nobody works on yet."""
        return len(self._waiting)

    @property
    def at_work(self) -> int:
        """Unsettled calls apart from those that wait."""
        return len(self._unsettled) - len(self._waiting)

    @property
    def unsettled(self) -> int:
        """Calls that have not been settled, those in flight among them."""
        return len(self._unsettled)

    @property
    def categories(self) -> set[str]:
        """The categories that calls are in flight for, apart from those that wait."""
        return {self._unsettled[number].batch.category.name for number in self._task_of if number not in self._waiting}

    def is_unsettled(self, batch: int) -> bool:
        """Whether a call has not been settled yet."""
        return batch in self._unsettled

    def roles(self) -> dict[str, set[CallRole]]:
        """In which roles there are unsettled calls that do not wait, by category."""
        found: dict[str, set[CallRole]] = {}
        for number, call in self._unsettled.items():
            if call.result.trace is not None and number not in self._waiting:
                found.setdefault(call.batch.category.name, set()).add(call.result.trace.role)
        return found

    def begin(self, batch: Batch, model: str, role: CallRole, make: MakeCall, ended: CallEnded) -> BatchStarted:
        """Start a call. ``ended`` is awaited behind it, also when a person has cut it off, unless it is dropped or fails."""
        worker = self._next_worker()
        trace = self._trace(batch, worker, model, role)
        self._log.begin(trace)
        self._start(batch, trace, make, ended)
        return _started(trace)

    def begin_waiting(
        self, batch: Batch, model: str, role: CallRole, make: MakeCall, ended: CallEnded, *, batched: bool
    ) -> None:
        """Start a call that waits; ``make`` says with ``arrived`` when its answer is there, or its turn is come. ``batched``
        when it is made in a batch job."""
        trace = self._trace(batch, 0, model, role)
        trace.batched = batched
        self._waiting.add(batch.number)
        self._start(batch, trace, make, ended)

    def arrived(self, batch: int) -> BatchStarted | None:
        """A call waits no longer. None when it did not wait, or nobody wants it any more."""
        call = self._unsettled.get(batch)
        if call is None or batch not in self._waiting or call.result.trace is None:
            return None
        self._waiting.discard(batch)
        trace = call.result.trace
        trace.worker, trace.started = self._next_worker(), self._clock.now()
        self._unsettled[batch] = replace(call, worker=trace.worker)
        self._tasks[self._task_of[batch]] = trace.worker
        self._log.begin(trace)
        return _started(trace)

    def turn_come(self, batch: int) -> None:
        """A call that waited is being made; it has ``arrived`` as soon as the one whose place it takes has ended."""
        if batch in self._waiting:
            self._come.append(batch)

    def next_come(self) -> BatchStarted | None:
        """The next call whose turn is come waits no longer; None when there is none."""
        while self._come:
            if (begun := self.arrived(self._come.popleft())) is not None:
                return begun
        return None

    def is_waiting(self, batch: int) -> bool:
        """Whether nobody works on a call yet."""
        return batch in self._waiting

    def leave_waiting(self) -> None:
        """Forget the calls that nobody works on yet."""
        for batch in tuple(self._waiting):
            self.leave(batch)

    def leave(self, batch: int) -> None:
        """Forget a call as if it had never been begun: nothing is recorded of it."""
        self._waiting.discard(batch)
        self._unsettled.pop(batch, None)
        if (task := self._task_of.get(batch)) is not None and task is not asyncio.current_task():
            task.cancel()

    def _next_worker(self) -> int:
        self._numbered += 1
        return heapq.heappop(self._free_workers) if self._free_workers else self._numbered

    def _trace(self, batch: Batch, worker: int, model: str, role: CallRole) -> CallTrace:
        ordinals = tuple(wanted.slot.ordinal for wanted in batch.slots)
        attempt = max((wanted.attempt for wanted in batch.slots), default=0)
        return CallTrace(
            batch=batch.number, worker=worker, category=batch.category.name, model=model, slots=ordinals, attempt=attempt,
            started=self._clock.now(), role=role,
        )  # fmt: skip

    def _start(self, batch: Batch, trace: CallTrace, make: MakeCall, ended: CallEnded) -> None:
        result = BatchOutcome(trace=trace)
        self._unsettled[batch.number] = CallInFlight(batch, trace.worker, result)
        task = asyncio.create_task(self._run(batch, trace, result, make, ended))
        self._tasks[task] = trace.worker
        self._task_of[batch.number] = task
        task.add_done_callback(self._ended)

    async def _run(
        self, batch: Batch, trace: CallTrace, result: BatchOutcome, make: MakeCall, ended: CallEnded
    ) -> None:
        try:
            await make(trace, result)
        except asyncio.CancelledError:
            if batch.number not in self._cut_off:
                raise
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()  # what a person has asked for is done; from here on it goes on as after any call
            result.outcome, result.detail = CallOutcome.CANCELLED, "cut off by a person"
        except Exception as error:
            result.outcome, result.detail = CallOutcome.FAILED, str(error)
            raise
        finally:
            del self._task_of[batch.number]
            cancelled = isinstance(sys.exception(), asyncio.CancelledError)
            if trace.worker:
                self._end_trace(result, CallOutcome.CANCELLED if cancelled else result.outcome)
        if batch.number in self._unsettled:  # else it was left
            await ended(batch, result)

    def _end_trace(self, result: BatchOutcome, outcome: CallOutcome) -> None:
        trace, usage = result.trace, result.usage
        if trace is not None and trace.ended is None:
            trace.prompt_tokens, trace.completion_tokens = usage.prompt_tokens, usage.completion_tokens
            trace.estimated = usage.estimated
            trace.detail = result.detail
            self._log.end(trace, self._clock.now(), outcome)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if worker := self._tasks.pop(task):
            heapq.heappush(self._free_workers, worker)
            self._numbered -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)
        self._changed()

    def get(self, batch: int) -> CallInFlight:
        """An unsettled call. Raises ``KeyError`` when there is none of that number."""
        return self._unsettled[batch]

    def settle(self, batch: int) -> CallInFlight:
        """What a call brought is taken in: it is forgotten. Raises ``KeyError`` when there is none of that number."""
        self._cut_off.discard(batch)
        return self._unsettled.pop(batch)

    def cancel_left(self) -> tuple[CallInFlight, ...]:
        """The calls that are unsettled after ``drop``, each marked as cancelled."""
        left = tuple(self._unsettled.values())
        for call in left:
            call.result.outcome = CallOutcome.CANCELLED
            self._end_trace(call.result, CallOutcome.CANCELLED)  # of a call that had not even begun
        return left

    def cut_off(self, batch: int) -> bool:
        """End a call because a person wants it; what it has delivered counts. False when it is not in flight."""
        if batch not in self._task_of or batch in self._waiting:
            return False
        if batch not in self._cut_off:
            self._cut_off.add(batch)
            # Not at once: a task that is cancelled before its first step never learns of it.
            asyncio.get_running_loop().call_soon(self._cut, batch)
        return True

    def _cut(self, batch: int) -> None:
        task = self._task_of.get(batch)
        if task is not None:
            task.cancel()

    def retry_now(self, batch: int) -> bool:
        """End the wait of a call before its next try. False when it is not waiting."""
        call = self._unsettled.get(batch)
        if call is None or call.result.hurry is None or call.result.hurry.is_set():
            return False
        call.result.hurry.set()
        return True

    async def drop(self) -> None:
        """Cut off all calls in flight."""
        dropped = list(self._tasks)
        for task in dropped:
            task.cancel()
        await asyncio.gather(*dropped, return_exceptions=True)


def _started(trace: CallTrace) -> BatchStarted:
    return BatchStarted(
        ts=trace.started, batch=trace.batch, worker=trace.worker, category=trace.category, slots=trace.slots,
        attempt=trace.attempt, role=trace.role,
    )  # fmt: skip
