"""How many calls an endpoint gets at once, and how fast one after another."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.adaptive_rate import AdaptiveRate, SentRequest, Stop
from dsbuilder_tui.models.advertised_limits import AdvertisedLimits
from dsbuilder_tui.models.circuit_breaker import CircuitBreaker
from dsbuilder_tui.models.protocol import TransientError
from dsbuilder_tui.models.rate_limit import RequestPace, TokenAllowance, TokenForecast, pace_of

_ROOM = 1.5  # calls in flight, as a multiple of what the rate keeps busy
_SPARE = 2
_TOLD_CHANGE = 0.25  # share by which the limit must differ from what was told last
_ENOUGH = 5  # calls that were let in, to tell a rate from them
_CERTAIN = 3  # failures in a row that are no chance
_PATIENCE = 30.0  # seconds of an outage for each retry that a call may have; and at first
_UNEVEN = 4.0  # ways take now more, now less time: so many times as many calls are on them as on the average


@dataclass(frozen=True, slots=True)
class CallSize:
    """What is known of a call's tokens before it is made: the characters of its request, and the cases it asks for."""

    characters: int = 0
    cases: int = 1


@dataclass(eq=False, slots=True, kw_only=True)
class Permit:
    """The right to make one call. ``sent`` is when it was given, in monotonic seconds."""

    sent: float
    size: CallSize
    tokens: int
    request: SentRequest
    tries_circuit: bool
    waits_there: bool
    let_in: bool = False


@dataclass(eq=False, slots=True)
class _Waiter:
    ready: asyncio.Future[Permit]
    size: CallSize
    hurried: bool
    waits_there: bool


class AdaptiveConcurrency:
    """Gives out places for calls: at most so many in flight, at the rate that the endpoint takes and the settings allow.

    The rate is learned (``AdaptiveRate``); while it is known, so many calls are in flight as keep it up. A call that was
    refused waits by itself; only when nothing at all is let in do the others wait too (``CircuitBreaker``).
    """

    def __init__(
        self,
        most: int,
        clock: Clock,
        changed: Callable[[int, str], None],
        *,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        advertised: AdvertisedLimits | None = None,
    ) -> None:
        """``changed`` is told of the number of calls at once, with the reason, whenever it changes by much. ``advertised`` is
        what the endpoint's answers say of its limits, for one that is asked over HTTP.
        """
        self._most, self._clock, self._changed = most, clock, changed
        self._rate, self._pace = AdaptiveRate(), RequestPace()
        self._circuit = CircuitBreaker(most)
        self._asked_pace = pace_of(requests_per_minute)
        self._is_paced = bool(requests_per_minute or tokens_per_minute)
        self._tokens = TokenAllowance(tokens_per_minute) if tokens_per_minute else None
        self._forecast = TokenForecast()
        self._advertised = advertised or AdvertisedLimits()
        self._active, self._told, self._trying = 0, most, False
        self.resting = 0  # calls that failed and wait, without a place, to be made again
        # Seconds that a call is on its way to where it is made, and back, for each second that it is made.
        self.way_share = 0.0
        self._here = 0  # calls that have a place, or wait for one, and would wait nowhere else
        self._seconds_a_call = 0.0
        self._stopped_by_limit = False
        self._waiters: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._sent, self._turned_away, self._counted_from = 0, 0, clock.monotonic()

    @property
    def limit(self) -> int:
        """Calls in flight at most."""
        if math.isinf(self._rate.per_second) or not self._seconds_a_call:
            return self._most
        return min(self._most, math.ceil(_ROOM * self._rate.per_second * self._seconds_a_call) + _SPARE)

    @property
    def ahead(self) -> int:
        """Calls that may be given out beyond ``limit``: as many as are on their way there or back, where ``way_share`` is set.

        Whoever sets that sees to it that no more than ``limit`` are in flight: the others wait where they are made, so that
        the next one begins when another ends. None where a pace is kept to, or calls are made that wait nowhere.
        """
        if not self.way_share or self._is_paced or self._here or self.is_out or not math.isinf(self._rate.per_second):
            return 0
        return min(self.limit, int(self.limit * _UNEVEN * self.way_share + 0.5))

    def most_begun(self, ahead: int = 0) -> int:
        """Calls that need be begun and not dealt with, with so many of them ``ahead``; those included that wait to be made
        again: for as long as the endpoint asks them to, others go on."""
        return 2 * (self.limit + ahead) + min(self.resting, 2 * self._most)

    def gave_up(self, retries: int) -> bool:
        """Whether the endpoint has let nothing in for so long that a run should end: half a minute for each retry that
        a call may have, or half a minute in all when it never did.
        """
        patience = _PATIENCE * (retries if self._circuit.ever_closed else min(retries, 1))
        return self.is_out and self._circuit.outage(self._clock.monotonic()) >= patience

    @property
    def is_out(self) -> bool:
        """Whether the endpoint lets nothing in."""
        return self._circuit.open

    @contextmanager
    def rest(self) -> Iterator[None]:
        """The time in which a call waits to be made again."""
        self.resting += 1
        try:
            yield
        finally:
            self.resting -= 1

    async def acquire(
        self, size: CallSize, *, again: bool = False, hurried: bool = False, waits_there: bool = False
    ) -> Permit:
        """Wait for a place, and for the rate.

        A call that is made ``again`` comes before new ones; a ``hurried`` one waits for nothing but a place. One that
        ``waits_there`` is made where it can wait for its turn: it may be one of those ``ahead``.
        """
        waiter = _Waiter(asyncio.get_running_loop().create_future(), size, hurried, waits_there)
        self._here += not waits_there
        if again or hurried:
            self._waiters.appendleft(waiter)
        else:
            self._waiters.append(waiter)
        self._give_out()
        if waiter.ready.done():
            return waiter.ready.result()
        try:
            return await waiter.ready
        except asyncio.CancelledError:
            if waiter.ready.done() and not waiter.ready.cancelled():
                self.release(waiter.ready.result())
                raise
            self._here -= not waits_there
            if waiter in self._waiters:  # unless it was passed over since
                self._waiters.remove(waiter)
                self._give_out()
            raise

    def try_acquire(self, size: CallSize, *, waits_there: bool = False) -> Permit | None:
        """A place, if there is one at once and nobody waits for it."""
        now = self._clock.monotonic()
        if self._waiters or self._active >= self._places(waits_there) or self._delay(now) > 0:
            return None
        self._here += not waits_there
        return self._permit(size, now, waits_there)

    def let_in(self, permit: Permit) -> None:
        """Note that the endpoint begins to answer a call."""
        if permit.let_in:
            return
        permit.let_in = True
        now = self._clock.monotonic()
        stop = Stop(self._circuit.outage(now), self._circuit.unknown(now))
        by_limit = self._stopped_by_limit and self._circuit.failures >= _CERTAIN
        if self._circuit.succeeded(permit.sent, now):
            self._go_on(stop, by_limit, now)
        self._rate.admitted(permit.request, now)
        self._follow(now, "the endpoint answers again")

    def succeeded(self, permit: Permit, usage: Usage) -> None:
        """Note the end of a call that went well, and what it used."""
        self.let_in(permit)
        took = self._clock.monotonic() - permit.sent
        self._seconds_a_call = took if not self._seconds_a_call else 0.9 * self._seconds_a_call + 0.1 * took
        if not usage.known:
            return
        self._forecast.learn(usage.completion_tokens, permit.size.cases)
        if self._tokens is not None:
            self._tokens.take(usage.prompt_tokens + usage.completion_tokens - permit.tokens, self._clock.monotonic())

    def failed(self, permit: Permit, error: TransientError) -> None:
        """Note that a call failed in passing."""
        now = self._clock.monotonic()
        limited = error.kind is FailureKind.RATE_LIMIT
        if limited and not self._circuit.open:
            self._rate.refused(permit.request, now)
        else:
            self._rate.failed(permit.request)
        if permit.let_in:  # it broke off in the middle: the endpoint is there
            return
        self._turned_away += 1
        asked = error.retry_after if limited else None
        if self._circuit.failed(permit.sent, now, asked, self._rate.last_unrefused(now)):
            self._stopped_by_limit = limited
        self._follow(now, "rate-limited by the endpoint")

    def release(self, permit: Permit) -> None:
        """Give a place back."""
        self._active -= 1
        self._here -= not permit.waits_there
        if permit.tries_circuit:
            self._trying = False
        if self._waiters:
            self._give_out()

    def _follow(self, now: float, reason: str) -> None:
        self._pace.change(self._rate.per_second, now)
        limit = self.limit
        if abs(limit - self._told) > _TOLD_CHANGE * self._told or (limit == self._most != self._told):
            self._told = limit
            self._changed(limit, reason)
        if self._waiters:
            self._give_out()

    def _go_on(self, stop: Stop, by_limit: bool, now: float) -> None:
        """Go on after a stop. What was taken from one such stop to the next is what is taken on the whole."""
        let_in, seconds = self._sent - self._turned_away, now - self._counted_from
        if by_limit and let_in >= _ENOUGH:
            self._rate.go_on_after_limit(let_in, seconds, stop, now)
            self._sent, self._turned_away, self._counted_from = 0, 0, now
        else:
            self._rate.go_on(now)

    def _delay(self, now: float) -> float:
        """Seconds until the next call may begin, as far as places are free; infinite while another tries the endpoint."""
        delay = max(self._pace.delay(now), self._asked_pace.delay(now), self._advertised.delay(now))
        if self._tokens is not None:
            delay = max(delay, self._tokens.delay(now))
        if self._circuit.open:
            delay = math.inf if self._trying else max(delay, self._circuit.next_try - now)
        return delay

    def _places(self, waits_there: bool) -> int:
        return self.limit + self.ahead if waits_there else self.limit

    def _permit(self, size: CallSize, now: float, waits_there: bool) -> Permit:
        self._active += 1
        self._sent += 1
        self._pace.take(now)
        self._asked_pace.take(now)
        tokens = self._forecast.expected(size.characters, size.cases)
        self._advertised.take(tokens, now)
        if self._tokens is not None:
            self._tokens.take(tokens, now)
        tries, self._trying = self._circuit.open, self._trying or self._circuit.open
        return Permit(
            sent=now,
            size=size,
            tokens=tokens,
            request=self._rate.sent(now),
            tries_circuit=tries,
            waits_there=waits_there,
        )

    def _give_out(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiters:
            waiter = self._waiters[0]
            if waiter.ready.done():  # cancelled in the wait
                self._waiters.popleft()
                continue
            if self._active >= self._places(waiter.waits_there):
                return
            now = self._clock.monotonic()
            delay = 0.0 if waiter.hurried else self._delay(now)
            if delay > 0:
                if delay < math.inf:
                    self._timer = asyncio.get_running_loop().call_later(delay, self._give_out)
                return
            self._waiters.popleft()
            waiter.ready.set_result(self._permit(waiter.size, now, waiter.waits_there))
