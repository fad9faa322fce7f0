"""A process on a node of a cluster: it makes the calls that the driver gives it, and knows nothing of the run."""

from __future__ import annotations

import pickle
from contextlib import aclosing
from dataclasses import dataclass
from importlib.metadata import version

from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.runners.node_call import NodeAnswer, NodeRequest, heard
from dsbuilder_tui.models.endpoint_probe import ProbeFinding, probe_endpoint
from dsbuilder_tui.models.protocol import TellsLimits, WorkerModel
from dsbuilder_tui.models.providers import provider_of
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

    async def prepare(self, settings: bytes, plan: DatasetPlanInput) -> NodeReady:
        """``settings`` are a pickled configuration, keys among it: they stand in this process's memory and nowhere else."""
        try:
            self._config, self._plan = pickle.loads(settings), plan
        except Exception as error:  # of another version, whatever it stumbles over
            return NodeReady(own_version(), f"it cannot read what it is sent ({type(error).__name__})")
        return NodeReady(own_version())

    async def call(self, model: str, request: NodeRequest) -> NodeAnswer:
        """Make one call to the model of that name."""
        assert self._plan is not None
        try:
            made = self._model(model)
        except DsbuilderError as unusable:  # an address or a key that cannot be used
            return NodeAnswer((), unusable.with_traceback(None))
        before = made.limits.last if isinstance(made, TellsLimits) else None
        async with aclosing(made.stream(request.with_plan(self._plan))) as stream:  # type: ignore[type-var]
            pieces, error = await heard(stream)
        after = made.limits.last if isinstance(made, TellsLimits) else None
        return NodeAnswer(pieces, error, after if after is not before else None)

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
