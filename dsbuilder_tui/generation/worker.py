"""One worker: a fresh context, one batch, cases handed over as each closes in the stream."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import Candidate, Usage
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.generation.case_scanner import CaseScanner, RunawayOutput
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency, CallSize, Permit
from dsbuilder_tui.models.protocol import (
    ContentRefused,
    RequestTooLarge,
    StreamEnd,
    TransientError,
    WorkerModel,
    WorkerRequest,
)
from dsbuilder_tui.models.retry import backoff

_SHOWN = 200
_PACED_ATTEMPT = 3

Deliver = Callable[[Candidate], Awaitable[None]]


@dataclass(slots=True)
class BatchOutcome:
    """How a worker call ended."""

    outcome: CallOutcome = CallOutcome.OK
    retries: int = 0
    failures: int = 0  # of these tries, those that failed though the endpoint lets calls in
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    detail: str = ""
    delivered: set[int] = field(default_factory=set)  # indexes into the batch's slots
    trace: CallTrace | None = None  # for whoever watches
    hurry: asyncio.Event | None = None  # there is one while the call waits to be made again; set it to end the wait


class Worker:
    """Runs batches against a model, with retries under the endpoint's adaptive limit."""

    def __init__(
        self,
        model: WorkerModel,
        limit: AdaptiveConcurrency,
        clock: Clock,
        rng: random.Random,
        max_retries: int,
        on_retry: Callable[[Batch, TransientError, float, int], None],
    ) -> None:
        self._model, self._limit, self._clock, self._rng = model, limit, clock, rng
        self._max_retries, self._on_retry = max_retries, on_retry

    async def execute(
        self,
        batch: Batch,
        request: WorkerRequest,
        deliver: Deliver,
        result: BatchOutcome,
    ) -> None:
        """Fill a batch as far as the model does. Raises ``EndpointRefused`` when only a person can help."""
        started = self._clock.monotonic()
        try:
            size = CallSize(len(request.system) + len(request.prompt), len(batch.slots))
            hurried = False
            while True:
                permit = await self._limit.acquire(size, again=result.retries > 0, hurried=hurried)
                try:
                    await self._call(batch, request, deliver, result, permit)
                    self._limit.succeeded(permit, result.usage)
                    return
                except TransientError as error:
                    self._limit.failed(permit, error)
                    wait = self._judge_failure(batch, result, error)
                except (RequestTooLarge, ContentRefused):
                    self._limit.let_in(permit)
                    raise
                finally:
                    self._limit.release(permit)
                if wait is None:
                    return
                with self._limit.rest():
                    hurried = await _wait(wait, result)
        except RequestTooLarge as error:
            result.outcome, result.detail = CallOutcome.TOO_LARGE, str(error)
        except ContentRefused as error:
            result.outcome, result.detail = CallOutcome.REFUSED, str(error)[:_SHOWN]
        finally:
            result.seconds = self._clock.monotonic() - started

    def _judge_failure(self, batch: Batch, result: BatchOutcome, error: TransientError) -> float | None:
        """Seconds to wait before another try, or None when the batch ends here."""
        # That the endpoint takes no more now, or lets nobody in, is no fault of this call.
        innocent = error.kind is FailureKind.RATE_LIMIT or (self._limit.is_out and self._max_retries > 0)
        result.failures += not innocent
        result.detail = error.detail[:_SHOWN]
        if result.delivered or result.failures > self._max_retries or self._limit.gave_up(self._max_retries):
            # Cases that came in before the break count; the rest of the batch is leased again.
            result.outcome = CallOutcome.FAILED
            return None
        result.retries += 1
        # Where the pace sees to it that the endpoint is not overrun, a call need not wait longer and longer.
        attempt = min(result.retries, _PACED_ATTEMPT) if innocent else result.failures
        wait = backoff(attempt, error.retry_after, self._rng)
        result.hurry = asyncio.Event()  # before anybody is told of the wait
        self._on_retry(batch, error, wait, result.retries)
        return wait

    async def _call(
        self,
        batch: Batch,
        request: WorkerRequest,
        deliver: Deliver,
        result: BatchOutcome,
        permit: Permit,
    ) -> None:
        scanner, end, surplus, said = CaseScanner(), None, 0, ""
        result.detail = ""
        trace = result.trace
        if trace is not None:
            trace.try_again()
        try:
            async with aclosing(self._model.stream(request)) as stream:  # type: ignore[type-var]
                async for piece in stream:
                    self._limit.let_in(permit)
                    if isinstance(piece, StreamEnd):
                        end = piece
                        continue
                    if trace is not None:
                        if trace.first_text is None:
                            trace.first_text = self._clock.now() - trace.started
                        trace.heard(piece)
                    if len(said) < _SHOWN:
                        said += piece[:_SHOWN]
                    for raw in scanner.feed(piece):
                        index = _slot_index(raw, result.delivered, len(batch.slots))
                        if index is None:
                            surplus += 1
                            continue
                        wanted = batch.slots[index]
                        await deliver(Candidate(wanted.slot, wanted.attempt, raw, batch.number, self._model.name))
                        # Only now: a call that is cut off in the wait for a place in the queue has not delivered it.
                        result.delivered.add(index)
                        if trace is not None:
                            trace.arrivals.append(self._clock.now())
                    if surplus > len(batch.slots) + 10:
                        break
        except RunawayOutput:
            result.outcome, result.detail = CallOutcome.TRUNCATED, "the model wrote on and on without closing a case"
            return
        if surplus:
            result.detail = f"{surplus} more cases than asked for were ignored"
        if end is not None:
            result.usage = end.usage
        missing = len(batch.slots) - len(result.delivered)
        if not missing:
            return
        reason = end.finish_reason if end else None
        if reason == "content_filter" or (end and end.refusal):
            result.outcome = CallOutcome.REFUSED
            result.detail = " ".join((end.refusal if end else "").split())[:_SHOWN] or "stopped by the content filter"
        elif reason == "length" or scanner.unfinished:
            result.outcome, result.detail = CallOutcome.TRUNCATED, "the answer was cut off"
        elif result.delivered:
            result.detail = f"the model wrote {missing} cases fewer than asked for"
        elif said.strip():
            result.outcome, result.detail = CallOutcome.REFUSED, " ".join(said.split())[:_SHOWN]
        else:
            result.outcome, result.detail = CallOutcome.EMPTY, "the answer was empty"


async def _wait(seconds: float, result: BatchOutcome) -> bool:
    """Wait before another try. Returns whether somebody cut the wait short."""
    assert result.hurry is not None
    try:
        async with asyncio.timeout(seconds):
            await result.hurry.wait()
    except TimeoutError:
        return False
    finally:
        result.hurry = None
    return True


def _slot_index(raw: object, taken: set[int], size: int) -> int | None:
    """Which slot of the batch a case is for: the one it names, else the first that has none; None if all have one."""
    named = raw.get("slot") if isinstance(raw, dict) else None
    if isinstance(named, str) and named.isdecimal():
        named = int(named)
    if isinstance(named, int) and not isinstance(named, bool) and 1 <= named <= size and named - 1 not in taken:
        return named - 1
    return next((index for index in range(size) if index not in taken), None)
