"""The judge's model on the nodes of a Ray cluster: the calls are made there, and everything else stays here."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace

import orjson

from dsbuilder_tui.clusters.ray_cluster import RayCluster
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.runner_place import RunnerPlace
from dsbuilder_tui.generation.runners import runner_kind
from dsbuilder_tui.generation.runners.node_call import Piece, handed_on
from dsbuilder_tui.generation.runners.node_pool import NodePool
from dsbuilder_tui.generation.runners.ray_runner import node_pool
from dsbuilder_tui.models.protocol import TextModel, TextRequest
from dsbuilder_tui.settings.runner_names import RAY
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


class NodeJudge:
    """A ``TextModel`` like the one that it stands for, which the nodes ask from ``open`` to ``close``."""

    def __init__(self, model: TextModel, config: DatasetBuilderConfig, tell: Callable[[Event], None]) -> None:
        """``model`` stays the caller's to close; ``tell`` hears of nodes that come and go.

        Raises ``InputError`` for another runner, or one that cannot work.
        """
        if config.runner != RAY:
            raise InputError(f"The runner {config.runner} makes no calls of a judge.", f"Choose local or {RAY}.")
        runner_kind(config)
        self._model, self._config, self._tell = model, config, tell
        self._closing = contextlib.AsyncExitStack()
        self._pool: NodePool | None = None
        self.name = model.name

    async def open(self) -> None:
        """Raises as ``RayCluster.join`` and ``NodePool.open``."""
        async with contextlib.AsyncExitStack() as closing:
            cluster = await RayCluster.join(self._config.ray_address)
            closing.push_async_callback(cluster.leave)
            plan = DatasetPlanInput.undecided("dataset")  # a judge is told all in its request
            pool = node_pool(cluster, plan, self._config, ordered=False, clock=SystemClock(), tell=self._tell)
            closing.push_async_callback(pool.close)
            await pool.open()
            self._closing, self._pool = closing.pop_all(), pool

    async def stream(self, request: TextRequest) -> AsyncGenerator[Piece, None]:
        """The whole answer, as soon as the node has it. Raises as the model, and ``EndpointUnavailable`` without nodes."""
        assert self._pool is not None, "it is open"
        answer = await self._pool.judge(replace(request, schema=orjson.dumps(request.schema)))
        for piece in handed_on(answer, self._model):
            yield piece

    def places(self) -> tuple[RunnerPlace, ...]:
        """The nodes."""
        return () if self._pool is None else self._pool.places()

    async def close(self) -> None:
        """Ends its processes, and leaves the cluster."""
        await self._closing.aclose()


@contextlib.asynccontextmanager
async def judge_on_nodes(
    model: TextModel, config: DatasetBuilderConfig, tell: Callable[[Event], None]
) -> AsyncIterator[TextModel]:
    """A ``NodeJudge`` that is open for as long as the block lasts. Raises as it does."""
    judge = NodeJudge(model, config, tell)
    try:
        await judge.open()
        yield judge
    finally:
        await judge.close()
