"""Runners of batches. They execute at least once and in any order; the pipeline alone decides what counts.

Each is one row of a registry; plug-ins add rows with ``dsbuilder.runners``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.pause_cause import Pause
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.runner_place import RunnerPlace
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.worker import Deliver
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency
from dsbuilder_tui.models.protocol import TransientError, WorkerModel, WorkerRequest
from dsbuilder_tui.settings.runner_names import RUNNERS
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.session_store import SessionStore

if TYPE_CHECKING:
    from dsbuilder_tui.generation.batch_rounds import BatchRounds
    from dsbuilder_tui.generation.budget import Budget
    from dsbuilder_tui.generation.calls_in_flight import CallsInFlight
    from dsbuilder_tui.generation.gate import Gate
    from dsbuilder_tui.generation.prompts import Prompter
    from dsbuilder_tui.models.endpoint_probe import ProbeFinding


class Runner(Protocol):
    """Executes one batch and hands over its candidates as they come."""

    async def execute(
        self,
        batch: Batch,
        request: WorkerRequest,
        deliver: Deliver,
        result: BatchOutcome,
    ) -> None:
        """``result`` is filled on the way, so that it tells the truth also when the call is cut off."""


@runtime_checkable
class RunnersInRounds(Protocol):
    """Runners that make calls together, in rounds; ``live`` are those of calls that must not wait for one."""

    rounds: BatchRounds
    live: RunnerPool


class RunnerPool(Protocol):
    """The runners of one run: opened before its first call, closed behind its last, however it ends."""

    async def open(self) -> None:
        """Make ready for calls. Cancelled when the run is to pause before that.

        Raises ``InputError`` where a person has to change something first.
        """

    def runner_of(self, model: WorkerModel) -> Runner:
        """The one that executes calls of a model that writes; the same for the same name."""
        ...

    def pause(self) -> None:
        """The run begins nothing more: what waits here and has not begun is given back (``CallReleased``)."""

    def places(self) -> tuple[RunnerPlace, ...]:
        """Where calls are made, for whoever watches; none where that is this process."""
        ...

    async def close(self) -> None:
        """Let go of everything. Called once, also where ``open`` was cut off or has raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerContext:
    """What a run gives to its runners.

    Attributes:
        writer: the workers' model, made in this process; it stays the caller's to close.
        limit: how many calls may be in flight, and at which pace: shared with all calls of the run.
        tell: announces an event and has it remembered.
        on_retry: is told of each try again, with the seconds until then and its number.
        on_hedge: is told of each call that is asked a second time after so many seconds of silence.
        waits: whether the run waits for what takes hours.
        prompter, gate, calls, budget: those of the run.
        emit: announces an event that nobody needs to remember.
        pause, fail, wake: what the run can be told.
    """

    plan: DatasetPlanInput
    config: DatasetBuilderConfig
    writer: WorkerModel
    store: SessionStore
    limit: AdaptiveConcurrency
    clock: Clock
    tell: Callable[[Event], None]
    on_retry: Callable[[Batch, TransientError, float, int], None]
    on_hedge: Callable[[Batch, float], None]
    waits: bool
    prompter: Prompter
    gate: Gate
    calls: CallsInFlight
    budget: Budget
    emit: Callable[[Event], None]
    pause: Callable[[Pause], None]
    fail: Callable[[BaseException], None]
    wake: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerKind:
    """A row of the registry. Its module must be light to import.

    Attributes:
        label: what makes the calls, as it stands in a sentence.
        make: the runners of a run.
        check: raises ``InputError`` where a configuration, or what is installed, does not let it work.
        probe: tries it, place by place, for the doctor.
    """

    label: str
    make: Callable[[RunnerContext], RunnerPool]
    check: Callable[[DatasetBuilderConfig], None] = lambda config: None
    probe: Callable[[DatasetBuilderConfig], AsyncIterator[ProbeFinding]] | None = None


def runner_kind(config: DatasetBuilderConfig) -> RunnerKind:
    """The runner that a configuration asks for, having seen that it can work.

    Raises ``ConfigError`` for one that is not registered, ``PlugInBroken`` for one that cannot be loaded, ``InputError``
    where it cannot work.
    """
    kind = cast(RunnerKind, RUNNERS.load(config.runner))
    kind.check(config)
    return kind


async def open_unless(unwanted: asyncio.Event, pool: RunnerPool) -> None:
    """Have runners made ready, but do not wait for it once that is unwanted. Raises as ``RunnerPool.open``."""
    opening, ended = asyncio.ensure_future(pool.open()), asyncio.ensure_future(unwanted.wait())
    try:
        await asyncio.wait({opening, ended}, return_when=asyncio.FIRST_COMPLETED)
        if opening.done():
            opening.result()
    finally:
        for task in (opening, ended):
            task.cancel()
        await asyncio.gather(opening, ended, return_exceptions=True)
