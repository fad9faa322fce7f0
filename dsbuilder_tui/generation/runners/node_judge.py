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
from dsbuilder_tui.generation.runners import runner_kind
from dsbuilder_tui.generation.runners.node_call import Piece, handed_on
from dsbuilder_tui.generation.runners.node_pool import NodePool
from dsbuilder_tui.generation.runners.ray_runner import node_pool
from dsbuilder_tui.models.protocol import TextModel, TextRequest
from dsbuilder_tui.settings.runner_names import RAY
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


class NodeJudge:
    """A ``TextModel`` like the one that it stands for, which a node is asked."""

    def __init__(self, model: TextModel, pool: NodePool) -> None:
        self._model, self._pool = model, pool
        self.name = model.name

    async def stream(self, request: TextRequest) -> AsyncGenerator[Piece, None]:
        """The whole answer, as soon as the node has it. Raises as the model, and ``EndpointUnavailable`` without nodes."""
        answer = await self._pool.judge(replace(request, schema=orjson.dumps(request.schema)))
        for piece in handed_on(answer, self._model):
            yield piece

    async def close(self) -> None:
        """Nothing: its processes end with the pool."""


@contextlib.asynccontextmanager
async def judge_on_nodes(
    model: TextModel, config: DatasetBuilderConfig, tell: Callable[[Event], None]
) -> AsyncIterator[TextModel]:
    """The judge's model as the nodes ask it, for as long as the block lasts; ``tell`` hears of nodes that come and go.

    Raises ``InputError`` for another runner, or one that cannot work, and as ``RayCluster.join`` and ``NodePool.open``.
    """
    if config.runner != RAY:
        raise InputError(f"The runner {config.runner} does not judge the rows of a file.", f"Choose local or {RAY}.")
    runner_kind(config)
    cluster = await RayCluster.join(config.ray_address)
    try:
        plan = DatasetPlanInput.undecided("dataset")  # a judge is told all in its request
        pool = node_pool(cluster, plan, config, ordered=False, clock=SystemClock(), tell=tell)
        try:
            await pool.open()
            yield NodeJudge(model, pool)
        finally:
            await pool.close()
    finally:
        await cluster.leave()
