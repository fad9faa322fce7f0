"""One worker: a fresh context, one batch, cases handed over as each closes in the stream."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.case import Candidate, Usage
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.generation.answer_reader import QUOTED, AnswerHabits, AnswerReader, Delivery
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.call_retries import CallRetries
from dsbuilder_tui.generation.case_scanner import RunawayOutput
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.token_estimate import TokenEstimate
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency, CallSize, Permit
from dsbuilder_tui.models.hedging import StragglerWatch, Stream, WatchedCall
from dsbuilder_tui.models.protocol import (
    StreamEnd,
    Thought,
    TransientError,
    WorkerModel,
    WorkerRequest,
)

_LONGEST_DOUBT = 0.5  # seconds; an answer that has come by then is seen as a whole
_MOST_PATIENCE = 0.5  # seconds that the end of a stream gets when every slot has its case

Deliver = Callable[[Candidate], Awaitable[None]]


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
        waits_there: bool = False,
    ) -> None:
        """``on_retry`` is told of each try again, with the seconds until then and its number; ``on_hedge`` of each call
        that is asked a second time because it was silent for so many seconds. Without a ``watch`` none is. A server that
        loads its model is waited for up to ``startup_timeout`` seconds. ``waits_there`` where the model lets a call wait for
        its turn.
        """
        self._model, self._limit, self._clock = model, limit, clock
        self._retries = CallRetries(
            limit, clock, rng, max_retries, on_retry, startup_timeout=startup_timeout, waits_there=waits_there
        )
        self._watch, self._on_hedge = watch, on_hedge
        self._habits = AnswerHabits(trusted=model.ordered)
        self._tokens = TokenEstimate()

    async def execute(
        self,
        batch: Batch,
        request: WorkerRequest,
        deliver: Deliver,
        result: BatchOutcome,
    ) -> None:
        """Fill a batch as far as the model does. Raises ``EndpointRefused`` when only a person can help."""
        size = CallSize(len(request.system) + len(request.prompt), len(batch.slots))
        await self._retries.call(
            batch, size, result, lambda permit: self._call(batch, request, deliver, result, permit)
        )

    async def _call(
        self,
        batch: Batch,
        request: WorkerRequest,
        deliver: Deliver,
        result: BatchOutcome,
        permit: Permit,
    ) -> None:
        earlier = frozenset(result.delivered)
        fields, several = request.plan.fields_of(request.category), request.candidates > 1
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
            result.drafts |= reader.drafts - earlier
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
        result.drafts |= reader.drafts - earlier
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
                    if trace is not None:
                        trace.receive(piece, self._clock.now())
                    if isinstance(piece, Thought):
                        reader.think(piece.text)
                        continue
                    ready = reader.feed(piece)
                    if ready:
                        await self._hand_over(batch, ready, deliver, result)
                    if reader.over:
                        return end
                    if reader.doubted:
                        patience.reschedule(None)
                    elif reader.full and patience.when() is None:
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
