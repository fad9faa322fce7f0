"""The runner of a provider's Batch API: calls are made in its own time, within a day, for less."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.runner_place import RunnerPlace
from dsbuilder_tui.generation.batch_answers import AnsweredModel
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.runners import Runner, RunnerContext, RunnerKind
from dsbuilder_tui.generation.runners.local import LocalRunnerPool
from dsbuilder_tui.generation.worker import Deliver, Worker
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency
from dsbuilder_tui.models.protocol import BatchableModel, TransientError, WorkerModel, WorkerRequest
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

if TYPE_CHECKING:
    from dsbuilder_tui.generation.batch_rounds import BatchRounds


class BatchApiRunnerPool:
    """Drafts go out in ``rounds``; what else writes, in the stages behind a draft, is called ``live``."""

    def __init__(self, context: RunnerContext) -> None:
        from dsbuilder_tui.generation.batch_rounds import BatchRounds

        if not isinstance(context.writer, BatchableModel):
            raise _no_batches(context.writer.provider)
        self._context, self._runners = context, dict[str, Runner]()
        self.live, self.rounds = LocalRunnerPool(context), BatchRounds(context)

    async def open(self) -> None:
        """See that the endpoint has a Batch API. Raises ``InputError``, or as a call does."""
        assert isinstance(self._context.writer, BatchableModel)
        await require_batch_api(self._context.writer)

    def runner_of(self, model: WorkerModel) -> Runner:
        if model.name not in self._runners:
            if not isinstance(model, BatchableModel):
                raise _no_batches(model.provider)
            self._runners[model.name] = BatchApiRunner(model, model.provider, self.rounds, self._context)
        return self._runners[model.name]

    def pause(self) -> None:
        self.rounds.pause()

    def places(self) -> tuple[RunnerPlace, ...]:
        return ()

    async def close(self) -> None:
        await self.rounds.close()


class BatchApiRunner:
    """Executes calls of one model: each waits for its answer, which is then read like any other."""

    def __init__(self, model: BatchableModel, provider: str, rounds: BatchRounds, context: RunnerContext) -> None:
        self._model, self._rounds, self._context = model, rounds, context
        self._answered = AnsweredModel(model, provider)
        # What is read here was answered long ago: no endpoint's pace holds it back, and nothing is asked again.
        limit = AdaptiveConcurrency(context.config.workers, context.clock, lambda limit, reason: None)
        self._worker = Worker(self._answered, limit, context.clock, random.Random(), 0, lambda *_: None)

    async def execute(self, batch: Batch, request: WorkerRequest, deliver: Deliver, result: BatchOutcome) -> None:
        """Raises ``CallReleased`` when the call was not made, or is collected another time."""
        answer = await self._rounds.ask(batch, request, self._model)
        try:
            if (begun := self._context.calls.arrived(batch.number)) is not None:
                self._context.tell(begun)
            self._answered.give(request, answer)
            await self._worker.execute(batch, request, deliver, result)
        finally:
            self._rounds.taken()


async def require_batch_api(model: WorkerModel) -> None:
    """Raises ``InputError`` where a model's endpoint has no Batch API. That it cannot be reached now is no reason."""
    if not isinstance(model, BatchableModel):
        raise _no_batches(model.provider)
    try:
        await model.batch_client().require()
    except TransientError:
        return  # sending tries it again, and says so


def _no_batches(provider: str) -> InputError:
    return InputError(
        f"The provider {provider!r} has no Batch API.",
        "Leave --batch-api out, or name an endpoint that has one with --base-url.",
    )


def _check(config: DatasetBuilderConfig) -> None:
    if not provider_of(config).has_endpoint:
        raise _no_batches(config.resolved_provider)


RUNNER = RunnerKind(label="the provider's Batch API", make=BatchApiRunnerPool, check=_check)
