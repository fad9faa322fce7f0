"""The making of one call: a place under the endpoint's limit, tries again, and when to stop trying."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.generation.answer_reader import QUOTED
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency, CallSize, Permit
from dsbuilder_tui.models.protocol import CallRefused, RequestTooLarge, TransientError
from dsbuilder_tui.models.retry import backoff

_PACED_ATTEMPT = 3

T = TypeVar("T")


class CallRetries:
    """Makes calls under an endpoint's adaptive limit, and makes them again when they fail in passing."""

    def __init__(
        self,
        limit: AdaptiveConcurrency,
        clock: Clock,
        rng: random.Random,
        max_retries: int,
        on_retry: Callable[[Batch, TransientError, float, int], None],
        *,
        startup_timeout: float = 0.0,
        waits_there: bool = False,
    ) -> None:
        """``on_retry`` is told of each try again, with the seconds until then and its number. A server that loads its
        model is waited for up to ``startup_timeout`` seconds. ``waits_there`` where what makes a call lets it wait for its turn.
        """
        self._limit, self._clock, self._rng = limit, clock, rng
        self._max_retries, self._on_retry = max_retries, on_retry
        self._startup_timeout, self._waits_there = startup_timeout, waits_there
        self._loading_since: float | None = None  # monotonic seconds

    async def call(
        self, batch: Batch, size: CallSize, result: BatchOutcome, make: Callable[[Permit], Awaitable[T]]
    ) -> T | None:
        """What ``make`` returns; None when it could not be made, and why stands in ``result``.

        Raises ``EndpointRefused`` when only a person can help.
        """
        started, hurried = self._clock.monotonic(), False
        try:
            while True:
                permit = await self._limit.acquire(
                    size, again=result.retries > 0, hurried=hurried, waits_there=self._waits_there
                )
                try:
                    made = await make(permit)
                    self._limit.succeeded(permit, result.usage)
                    return made
                except TransientError as error:
                    if error.kind is FailureKind.BAD_ANSWER:  # the model has been at work
                        self._limit.let_in(permit)
                    else:
                        self._limit.failed(permit, error)
                    wait = self._wait_after(batch, result, error)
                except (RequestTooLarge, CallRefused):
                    self._limit.let_in(permit)
                    raise
                finally:
                    self._limit.release(permit)
                if wait is None:
                    return None
                with self._limit.rest():
                    hurried = await _wait(wait, result)
        except RequestTooLarge as error:
            result.outcome, result.detail = CallOutcome.TOO_LARGE, str(error)
        except CallRefused as error:
            result.outcome, result.detail = CallOutcome.REFUSED, error.detail[:QUOTED]
            result.refused = error.kind
        finally:
            result.seconds = self._clock.monotonic() - started
        return None

    def _wait_after(self, batch: Batch, result: BatchOutcome, error: TransientError) -> float | None:
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
