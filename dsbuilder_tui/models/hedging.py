"""Watching for calls that hang: asked a second time where that costs nothing, given up when they stay silent."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncGenerator, Callable
from typing import TypeAlias
from urllib.parse import urlsplit

from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency, Permit
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.protocol import StreamEnd, Thought, TransientError, WorkerModel, WorkerRequest
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.models.usual_silence import UsualSilence
from dsbuilder_tui.settings.schema import DatasetBuilderConfig, Hedging

Piece: TypeAlias = str | Thought | StreamEnd
Stream: TypeAlias = AsyncGenerator[Piece, None]

_LOOKS_EACH = 0.1  # seconds
_MOST_HEDGED, _FIRST_HEDGES = (
    0.1,
    2,
)  # share of the calls that are asked twice at most, and how many before there are calls


def hedges(config: DatasetBuilderConfig) -> bool:
    """Whether a silent call may be asked a second time: as the setting says, or where it costs nothing."""
    if config.hedging is not Hedging.AUTO:
        return config.hedging is Hedging.ON
    provider = provider_of(config)
    if not provider.has_endpoint:
        return False
    price = PriceTable(config.prices).price(config.worker_model)
    priced_at_nothing = price is not None and not price.input and not price.output
    return provider.is_free or priced_at_nothing or is_local(config.endpoint)


def is_local(url: str) -> bool:
    """Whether an address is on this machine or in its own network, where nobody is billed."""
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_private
    return "." not in host or host.endswith((".local", ".localhost", ".internal", ".lan"))


class StragglerWatch:
    """Reads answers and watches for silence, by what is usual at this endpoint (``UsualSilence``).

    One timer looks at all calls, ten times a second.
    """

    def __init__(
        self, model: WorkerModel, limit: AdaptiveConcurrency, longest_silence: float, *, hedging: bool
    ) -> None:
        """``longest_silence`` is in seconds."""
        self.model, self.limit, self.silence = model, limit, UsualSilence(longest_silence)
        self._hedging = hedging
        self._calls = self._hedged = 0
        self._open: set[WatchedCall] = set()
        self._timer: asyncio.TimerHandle | None = None

    def stream(self, request: WorkerRequest, permit: Permit, hedged: Callable[[float], None]) -> WatchedCall:
        """The model's stream, or that of a second call which began to answer before it; ``hedged`` is told, with the
        seconds of silence, when there is one.

        Its errors are those of the model's stream, and ``TransientError`` for one that stays silent for too long.
        """
        self._calls += 1
        call = WatchedCall(self, request, permit, hedged)
        self._open.add(call)
        if self._timer is None:
            self._look_later()
        return call

    def closed(self, call: WatchedCall) -> None:
        self._open.discard(call)

    def second_permit(self, first: Permit) -> Permit | None:
        """A place for a second call, if there is one to spare."""
        if not self._hedging or self._hedged >= _FIRST_HEDGES + _MOST_HEDGED * self._calls:
            return None
        permit = self.limit.try_acquire(first.size, waits_there=first.waits_there)
        self._hedged += permit is not None
        return permit

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LOOKS_EACH, self._look)

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for call in tuple(self._open):
            call.look(now)
        if self._open:
            self._look_later()


class WatchedCall:
    """One call as an asynchronous iterator of pieces, to be closed. A second call is a task of its own."""

    def __init__(
        self, watch: StragglerWatch, request: WorkerRequest, permit: Permit, hedged: Callable[[float], None]
    ) -> None:
        self._watch, self._request, self._permit, self._hedged = watch, request, permit, hedged
        self._time = asyncio.get_running_loop().time
        self._stream: Stream = watch.model.stream(request)  # type: ignore[assignment]
        self._begun = False
        self._waiting_since: float | None = None
        self._longest_gap = 0.0
        self._reader: asyncio.Task[object] | None = None
        self._cancels = 0  # of the reader, by others
        self._interrupted = False  # by this watch, and not by somebody else
        self._warned = False
        self._second: asyncio.Task[Piece | None] | None = None
        self._second_stream: Stream | None = None
        self._second_permit: Permit | None = None

    def __aiter__(self) -> WatchedCall:
        return self

    async def __anext__(self) -> Piece:
        reader = self._reader
        if reader is None:
            self._reader = reader = asyncio.current_task()
            self._cancels = reader.cancelling() if reader else 0
        began = self._waiting_since = self._time()
        self._warned = False
        try:
            piece = await anext(self._stream, None)
        except asyncio.CancelledError:
            piece = await self._after_interruption(began)
        finally:
            waited, self._waiting_since = self._time() - began, None
        if piece is None:
            raise StopAsyncIteration
        if self._begun:
            if waited > self._longest_gap:
                self._longest_gap = waited
        else:
            self._begun = True
            self._watch.silence.began(waited)
            self._watch.limit.let_in(self._permit)
            if self._second is not None:
                await self._drop_second()
        if isinstance(piece, StreamEnd):
            self._watch.silence.paused(self._longest_gap)
        return piece

    async def aclose(self) -> None:
        self._watch.closed(self)
        await self._drop_second()
        await self._stream.aclose()

    # -- watching

    def look(self, now: float) -> None:
        """See whether it has been silent for too long."""
        if self._waiting_since is None:  # nobody waits for it now
            return
        silence, silent = self._watch.silence, now - self._waiting_since
        if silent >= (silence.patience_within if self._begun else silence.patience_before):
            # Once more: when it is the reader that was slow, what has come already is read by then.
            if self._warned:
                self._interrupt()
            self._warned = True
        elif not self._begun and self._second is None and silent >= silence.doubt:
            self._ask_again(silent)

    def _interrupt(self) -> None:
        if self._reader is not None and self._waiting_since is not None and not self._interrupted:
            self._interrupted = True
            self._reader.cancel()

    async def _after_interruption(self, began: float) -> Piece | None:
        """What to go on with after the wait for the first stream was cut off."""
        if not self._interrupted:
            raise
        self._interrupted = False
        if self._reader is not None and self._reader.uncancel() > self._cancels:  # somebody else wants it to end, too
            raise
        second = self._second
        if second is not None and second.done() and not second.cancelled() and second.exception() is None:
            return await self._take_second()
        silent, usual = self._time() - began, self._watch.silence.usual(begun=self._begun)
        self._watch.silence.gave_up(silent, begun=self._begun)
        raise TransientError(
            FailureKind.TIMEOUT, f"the endpoint was silent for {silent:.1f} s; {usual:.1f} s are usual"
        ) from None

    # -- the second call

    def _ask_again(self, silent: float) -> None:
        permit = self._watch.second_permit(self._permit)
        if permit is None:
            return
        self._hedged(silent)
        self._second_permit = permit
        stream: Stream = self._watch.model.stream(self._request)  # type: ignore[assignment]
        self._second_stream, self._second = stream, asyncio.create_task(_first_piece(stream))
        self._second.add_done_callback(self._second_began)

    def _second_began(self, second: asyncio.Task[Piece | None]) -> None:
        if second.cancelled() or self._second is not second:
            return
        error = second.exception()
        if error is None and not self._begun:
            self._interrupt()
        elif error is not None and self._second_permit is not None and isinstance(error, TransientError):
            self._watch.limit.failed(self._second_permit, error)

    async def _take_second(self) -> Piece | None:
        """Go on with the second call in place of the first. Raises what it raises."""
        assert self._second is not None and self._second_stream is not None and self._second_permit is not None
        piece = await self._second
        first, self._stream = self._stream, self._second_stream
        self._watch.limit.let_in(self._second_permit)
        self._second, self._second_stream = None, None
        await first.aclose()
        return piece

    async def _drop_second(self) -> None:
        second, stream, permit = self._second, self._second_stream, self._second_permit
        self._second, self._second_stream, self._second_permit = None, None, None
        if second is not None and stream is not None:
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)
            await stream.aclose()
        if permit is not None:
            self._watch.limit.release(permit)


async def _first_piece(stream: Stream) -> Piece | None:
    return await anext(stream, None)
