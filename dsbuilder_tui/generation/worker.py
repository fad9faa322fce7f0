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
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.generation.answer_reader import QUOTED, AnswerHabits, AnswerReader, Delivery
from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.generation.case_scanner import RunawayOutput
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.token_estimate import TokenEstimate
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency, CallSize, Permit
from dsbuilder_tui.models.hedging import StragglerWatch, Stream, WatchedCall
from dsbuilder_tui.models.protocol import (
    CallRefused,
    RequestTooLarge,
    StreamEnd,
    Thought,
    TransientError,
    WorkerModel,
    WorkerRequest,
)
from dsbuilder_tui.models.retry import backoff

_LONGEST_DOUBT = 0.5  # seconds; an answer that has come by then is seen as a whole
_PACED_ATTEMPT = 3
_MOST_PATIENCE = 0.5  # seconds that the end of a stream gets when every slot has its case

Deliver = Callable[[Candidate], Awaitable[None]]


@dataclass(slots=True)
class BatchOutcome:
    """How a worker call ended, and what came in it. ``written`` and ``thought`` are characters."""

    outcome: CallOutcome = CallOutcome.OK
    retries: int = 0
    failures: int = 0  # of these tries, those that failed though the endpoint lets calls in
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    detail: str = ""
    refused: FailureKind | None = None  # in which way the endpoint turned the request away
    delivered: set[int] = field(default_factory=set)  # indexes into the batch's slots
    found: int = 0  # cases that were in the answer, surplus included
    quote: str = ""  # the beginning of the answer
    written: int = 0
    thought: int = 0
    only_thoughts: bool = False
    cut: bool = False  # the answer had reached its limit, or was endless
    max_tokens: int = 0  # that the answer could take
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
        *,
        startup_timeout: float = 0.0,
        watch: StragglerWatch | None = None,
        on_hedge: Callable[[Batch, float], None] = lambda *_: None,
    ) -> None:
        """``on_retry`` is told of each try again, with the seconds until then and its number; ``on_hedge`` of each call
        that is asked a second time because it was silent for so many seconds. Without a ``watch`` none is. A server that
        loads its model is waited for up to ``startup_timeout`` seconds.
        """
        self._model, self._limit, self._clock, self._rng = model, limit, clock, rng
        self._max_retries, self._on_retry = max_retries, on_retry
        self._watch, self._on_hedge = watch, on_hedge
        self._habits = AnswerHabits(trusted=model.ordered)
        self._tokens = TokenEstimate()
        self._startup_timeout = startup_timeout
        self._loading_since: float | None = None  # monotonic seconds

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
                    if error.kind is FailureKind.BAD_ANSWER:  # the model has been at work
                        self._limit.let_in(permit)
                    else:
                        self._limit.failed(permit, error)
                    wait = self._judge_failure(batch, result, error)
                except (RequestTooLarge, CallRefused):
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
        except CallRefused as error:
            result.outcome, result.detail = CallOutcome.REFUSED, error.detail[:QUOTED]
            result.refused = error.kind
        finally:
            result.seconds = self._clock.monotonic() - started

    def _judge_failure(self, batch: Batch, result: BatchOutcome, error: TransientError) -> float | None:
        """Seconds to wait before another try, or None when the batch ends here."""
        # That the endpoint takes no more now, or lets nobody in, is no fault of this call.
        loading = self._max_retries > 0 and self._still_loading(error)
        innocent = loading or error.kind is FailureKind.RATE_LIMIT or (self._limit.is_out and self._max_retries > 0)
        result.failures += not innocent
        result.detail = error.detail[:QUOTED]
        gave_up = not loading and self._limit.gave_up(self._max_retries)
        if result.delivered or result.failures > self._max_retries or gave_up:
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

    def _still_loading(self, error: TransientError) -> bool:
        """Whether the server loads its model, and has not done so for longer than it may."""
        if error.kind is not FailureKind.LOADING:
            return False
        now = self._clock.monotonic()
        if self._loading_since is None:
            self._loading_since = now
        return now - self._loading_since < self._startup_timeout

    async def _call(
        self,
        batch: Batch,
        request: WorkerRequest,
        deliver: Deliver,
        result: BatchOutcome,
        permit: Permit,
    ) -> None:
        fields, several = request.plan.input_fields, request.candidates > 1
        reader = AnswerReader(len(batch.slots), fields, several=several, habits=self._habits)
        end: StreamEnd | None = None
        runaway = False
        slow = asyncio.create_task(self._believe(batch, deliver, result, reader)) if not self._habits.trusted else None
        result.detail, result.quote, result.max_tokens = "", "", request.max_tokens
        if result.trace is not None:
            result.trace.try_again()
        try:
            end = await self._read(batch, request, deliver, result, reader, permit)
        except RunawayOutput:
            runaway = True
        except (TransientError, asyncio.CancelledError):
            await self._hand_over(batch, reader.finish(ended=False), deliver, result)
            raise
        finally:
            if slow is not None and not reader.believed:
                slow.cancel()
            elif slow is not None:
                await slow  # what it hands over has not to wait long
            result.usage += self._used(request, reader, end)
            result.written, result.thought, result.quote = reader.written, reader.thought, reader.quote
            result.only_thoughts = reader.only_thoughts
        reason = end.finish_reason if end else None
        result.cut = cut = runaway or reason == "length"
        await self._hand_over(batch, reader.finish(ended=not cut), deliver, result)
        result.found = reader.found
        _judge_answer(result, reader, end, runaway=runaway, cut=cut, missing=len(batch.slots) - len(result.delivered))

    async def _read(
        self,
        batch: Batch,
        request: WorkerRequest,
        deliver: Deliver,
        result: BatchOutcome,
        reader: AnswerReader,
        permit: Permit,
    ) -> StreamEnd | None:
        """Read the stream as far as it is worth it. Returns its end, None when it was closed before."""
        end, trace, loop = None, result.trace, asyncio.get_running_loop()
        try:
            async with (
                asyncio.timeout(None) as patience,
                aclosing(self._stream(batch, request, result, permit)) as stream,
            ):
                async for piece in stream:
                    self._limit.let_in(permit)
                    if isinstance(piece, StreamEnd):
                        end = piece
                        continue
                    if trace is not None and trace.first_text is None:
                        trace.first_text = self._clock.now() - trace.started
                    if isinstance(piece, Thought):
                        reader.think(piece.text)
                        if trace is not None:
                            trace.thought(piece.text)
                        continue
                    if trace is not None:
                        trace.heard(piece)
                    ready = reader.feed(piece)
                    if ready:
                        await self._hand_over(batch, ready, deliver, result)
                    if reader.over:
                        return end
                    if reader.full and patience.when() is None:
                        # The end of a stream tells what it cost, and leaves the connection for the next call.
                        patience.reschedule(loop.time() + _MOST_PATIENCE)
        except TimeoutError:
            if not patience.expired():
                raise
        return end

    def _stream(
        self, batch: Batch, request: WorkerRequest, result: BatchOutcome, permit: Permit
    ) -> Stream | WatchedCall:
        if self._watch is None:
            return self._model.stream(request)  # type: ignore[return-value]

        def hedged(silent: float) -> None:
            result.usage += self._tokens.usage(prompt=len(request.system) + len(request.prompt), answer=0)
            self._on_hedge(batch, silent)

        return self._watch.stream(request, permit, hedged)

    async def _believe(self, batch: Batch, deliver: Deliver, result: BatchOutcome, reader: AnswerReader) -> None:
        """Hold cases of a model that is not known yet back for a moment only, if there is no other reason to."""
        while not reader.may_believe:
            await asyncio.sleep(_LONGEST_DOUBT / 2)
        await asyncio.sleep(_LONGEST_DOUBT)
        if reader.may_believe:
            await self._hand_over(batch, reader.believe(), deliver, result)

    async def _hand_over(self, batch: Batch, ready: list[Delivery], deliver: Deliver, result: BatchOutcome) -> None:
        for index, raw in ready:
            if index in result.delivered:
                continue  # by an earlier try
            wanted = batch.slots[index]
            await deliver(Candidate(wanted.slot, wanted.attempt, raw, batch.number, self._model.name))
            # Only now: a call that is cut off in the wait for a place in the queue has not delivered it.
            result.delivered.add(index)
            if result.trace is not None:
                result.trace.arrivals.append(self._clock.now())

    def _used(self, request: WorkerRequest, reader: AnswerReader, end: StreamEnd | None) -> Usage:
        """The tokens of a call, estimated where the endpoint said nothing and something had come."""
        prompt, answer = len(request.system) + len(request.prompt), reader.written + reader.thought
        if end is not None and (end.usage.known or self._model.ordered):
            self._tokens.learn(end.usage, prompt=prompt, answer=answer)
            return end.usage
        if not answer and end is None:
            return Usage()
        return Usage() if self._model.ordered else self._tokens.usage(prompt=prompt, answer=answer)


def _judge_answer(
    result: BatchOutcome, reader: AnswerReader, end: StreamEnd | None, *, runaway: bool, cut: bool, missing: int
) -> None:
    """Say how a call ended, and why it brought fewer cases than asked for."""
    if reader.surplus:
        result.detail = (
            f"{counted(reader.surplus, 'more case')} than asked for {'was' if reader.surplus == 1 else 'were'} ignored"
        )
    if reader.from_thoughts:
        result.detail = "the cases stood where the model thinks"
    if not missing:
        return
    refusal = end.refusal if end else ""
    if refusal or (end and end.finish_reason == "content_filter"):
        result.outcome = CallOutcome.REFUSED
        result.detail = " ".join(refusal.split())[:QUOTED] or "stopped by the content filter"
    elif runaway:
        result.outcome, result.detail = CallOutcome.TRUNCATED, "the model wrote on and on without closing a case"
    elif cut or reader.unfinished:
        thinking = cut and (reader.only_thoughts or not reader.written)
        result.outcome = CallOutcome.TRUNCATED
        result.detail = f"the answer was cut off{' while the model was thinking' if thinking else ''}"
    elif result.delivered:
        result.detail = f"the model wrote {counted(missing, 'case')} fewer than asked for"
    elif reader.found:
        result.outcome, result.detail = (
            CallOutcome.UNUSABLE,
            f"no case was for a slot that was asked for: {reader.quote}",
        )
    elif "{" in reader.quote:
        result.outcome, result.detail = CallOutcome.UNUSABLE, f"no case was found in: {reader.quote}"
    elif reader.quote:
        result.outcome, result.detail = CallOutcome.REFUSED, reader.quote
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
