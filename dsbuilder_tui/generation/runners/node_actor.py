"""A process on a node of a cluster: it makes the calls that the driver gives it, and knows nothing of the run."""

from __future__ import annotations

import asyncio
import pickle
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from importlib.metadata import version

import orjson

from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.runners.call_turns import CallTurns
from dsbuilder_tui.generation.runners.node_call import NodeAnswer, NodeRequest, Piece, heard
from dsbuilder_tui.models.endpoint_probe import ProbeFinding, probe_endpoint
from dsbuilder_tui.models.protocol import TellsLimits, TextModel, TextRequest, WorkerModel
from dsbuilder_tui.models.providers import made_judge, provider_of
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


@dataclass(frozen=True, slots=True)
class NodeReady:
    """What a node says when it has its settings: its version, or why it cannot work."""

    version: str
    problem: str = ""


def own_version() -> str:
    """The version of dsbuilder here; a node must have the driver's."""
    return version("dsbuilder-tui")


class CallActor:
    """One process on a node, with the models of its calls. Ray makes it, and runs its methods in one event loop."""

    def __init__(self) -> None:
        self._config: DatasetBuilderConfig | None = None
        self._plan: DatasetPlanInput | None = None
        self._models: dict[str, WorkerModel] = {}
        self._judge: TextModel | None = None
        self._turns = CallTurns()

    async def prepare(self, settings: bytes, plan: DatasetPlanInput | None) -> NodeReady:
        """``settings`` are a pickled configuration, keys among it: they stand in this process's memory and nowhere else."""
        try:
            self._config, self._plan = pickle.loads(settings), plan
        except Exception as error:  # of another version, whatever it stumbles over
            return NodeReady(own_version(), f"it cannot read what it is sent ({type(error).__name__})")
        return NodeReady(own_version())

    async def call(self, model: str, request: NodeRequest, at_once: int) -> NodeAnswer:
        """Make one call to the model of that name, as one of so many ``at_once``; 0 is as many as there are."""
        assert self._plan is not None
        came, begun = time.monotonic(), asyncio.get_running_loop().create_future()
        turn = self._turns.take(at_once, lambda come: None if begun.done() else begun.set_result(come))
        try:
            if not await begun:
                return NodeAnswer((), begun=False)
            began = time.monotonic()
            answer = await self._call(model, request, self._plan)
            return replace(answer, waited=began - came, made=time.monotonic() - began)
        finally:
            self._turns.end(turn)

    async def give_back(self) -> None:
        """Answer the calls whose turn is not yet come: they are not made."""
        self._turns.turn_away()

    async def _call(self, model: str, request: NodeRequest, plan: DatasetPlanInput) -> NodeAnswer:
        try:
            made = self._model(model)
        except DsbuilderError as unusable:  # an address or a key that cannot be used
            return NodeAnswer((), unusable.with_traceback(None))
        return await _answer(made, made.stream(request.with_plan(plan)))

    async def judge(self, request: TextRequest) -> NodeAnswer:
        """Ask the judge's model; the request's schema is JSON."""
        assert self._config is not None
        try:
            if self._judge is None:
                self._judge = made_judge(self._config)
        except DsbuilderError as unusable:
            return NodeAnswer((), unusable.with_traceback(None))
        return await _answer(self._judge, self._judge.stream(replace(request, schema=orjson.Fragment(request.schema))))

    async def probe(self) -> list[ProbeFinding]:
        """What a call from this node finds of its endpoint; nothing where there is none."""
        assert self._config is not None
        if not provider_of(self._config).has_endpoint:
            return []
        return [finding async for finding in probe_endpoint(self._config)]

    def _model(self, name: str) -> WorkerModel:
        if name not in self._models:
            assert self._config is not None
            config = self._config.model_copy(update={"worker_model": name})
            # Whether keys may go there was asked where the person is: not here.
            self._models[name] = provider_of(config).make(config, SystemClock())
        return self._models[name]


async def _answer(model: WorkerModel | TextModel, stream: AsyncIterator[Piece]) -> NodeAnswer:
    """All that a model says, and what it has learned of its endpoint's limits by that."""
    before = model.limits.last if isinstance(model, TellsLimits) else None
    async with aclosing(stream):  # type: ignore[type-var]
        pieces, error = await heard(stream)
    after = model.limits.last if isinstance(model, TellsLimits) else None
    return NodeAnswer(pieces=pieces, error=error, advertised=after if after is not before else None)
