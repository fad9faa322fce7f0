"""The runner of this machine: calls are made in the event loop of the run."""

from __future__ import annotations

import random

from dsbuilder_tui.domain.runner_place import RunnerPlace
from dsbuilder_tui.generation.runners import Runner, RunnerContext, RunnerKind
from dsbuilder_tui.generation.worker import Worker
from dsbuilder_tui.models.hedging import StragglerWatch, hedges
from dsbuilder_tui.models.protocol import WorkerModel
from dsbuilder_tui.models.providers import provider_of


class LocalRunnerPool:
    """One worker for each model, which calls it from here."""

    def __init__(self, context: RunnerContext) -> None:
        self._context = context
        self._runners: dict[str, Runner] = {}  # by model

    async def open(self) -> None:
        """Nothing: the event loop is there."""

    def runner_of(self, model: WorkerModel) -> Runner:
        if model.name not in self._runners:
            context, watch = self._context, None
            config = context.config
            if model is context.writer and provider_of(config).has_endpoint:
                watch = StragglerWatch(model, context.limit, config.request_timeout, hedging=hedges(config))
            self._runners[model.name] = Worker(
                model, context.limit, context.clock, random.Random(), config.max_retries, context.on_retry,
                startup_timeout=config.startup_timeout, watch=watch, on_hedge=context.on_hedge,
            )  # fmt: skip
        return self._runners[model.name]

    def pause(self) -> None:
        """Nothing: each call begins at once."""

    def places(self) -> tuple[RunnerPlace, ...]:
        return ()

    async def close(self) -> None:
        """Nothing: a worker holds nothing open."""


RUNNER = RunnerKind(label="this machine", make=LocalRunnerPool)
