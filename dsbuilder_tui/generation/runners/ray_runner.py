"""The runner of a Ray cluster: the nodes make the calls, and everything else stays here.

Retries, pace, budget and what an answer is worth are the same code as on this machine: what is put in its place is the model,
whose stream is a call that a node makes.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import replace

from dsbuilder_tui.clusters.ray_cluster import LOCAL_CLUSTER, ClusterNode, RayCluster, cluster_words, require_ray
from dsbuilder_tui.domain.call_outcome import CallOutcome
from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.errors import ConfigError, DsbuilderError, EndpointUnavailable, InputError
from dsbuilder_tui.domain.events import Event, Notice
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.runner_place import PlaceState, RunnerPlace
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.call_starter import CallReleased
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.runners import Runner, RunnerContext, RunnerKind
from dsbuilder_tui.generation.runners.node_call import CallNotBegun, NodeRequest, Piece, handed_on
from dsbuilder_tui.generation.runners.node_pool import NodePool, pickled_settings
from dsbuilder_tui.generation.worker import Deliver, Worker
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency
from dsbuilder_tui.models.endpoint_probe import ProbeFinding
from dsbuilder_tui.models.hedging import StragglerWatch, hedges
from dsbuilder_tui.models.protocol import WorkerModel, WorkerRequest
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.settings.key_trust import KeyUse, require_trust
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_CALLS_EACH = 100  # that one process of a node makes at once; more of them keep its one CPU busier than it is
_MOST_CALLS = 2000  # in flight at once, so that none waits for another in a process


class NodeModel:
    """A model whose calls are made on nodes: a ``WorkerModel`` like the one that it stands for."""

    def __init__(self, model: WorkerModel, pool: NodePool) -> None:
        self._model, self._pool = model, pool
        self.name, self.provider, self.ordered = model.name, model.provider, model.ordered
        self._followed: dict[int, FollowedCall] = {}  # by the identity of their requests

    @contextlib.contextmanager
    def following(self, request: WorkerRequest, call: FollowedCall) -> Iterator[None]:
        """Tell ``call`` how it goes with a request meanwhile."""
        self._followed[id(request)] = call
        try:
            yield
        finally:
            del self._followed[id(request)]

    def check(self, plan: DatasetPlanInput) -> list[tuple[NoticeLevel, str]]:
        return self._model.check(plan)

    async def stream(self, request: WorkerRequest) -> AsyncGenerator[Piece, None]:
        """The whole answer, as soon as the node has it.

        Raises as the model, ``EndpointUnavailable`` without nodes, and ``CallNotBegun``.
        """
        call = self._followed[id(request)]
        if not call.is_wanted:
            raise CallNotBegun
        answer = await self._pool.ask(self.name, NodeRequest.of(request), call.begun)
        if answer.begun:
            call.arrived()
        for piece in handed_on(answer, self._model):
            yield piece

    async def close(self) -> None:
        """Nothing: its processes end with the pool."""


class FollowedCall:
    """One call of a run, which hears how far it is."""

    def __init__(self, batch: Batch, context: RunnerContext, pausing: asyncio.Event) -> None:
        self._number, self._context, self._pausing = batch.number, context, pausing
        self._has_begun = False

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has heard of it yet."""
        return self._context.calls.is_waiting(self._number)

    @property
    def is_wanted(self) -> bool:
        """Whether it is to be made: not where it had not begun when the run began to pause."""
        return self._has_begun or not self._pausing.is_set()

    def begun(self) -> None:
        self._has_begun = True
        self._context.calls.turn_come(self._number)
        self._context.wake()

    def arrived(self) -> None:
        if (begun := self._context.calls.arrived(self._number)) is not None:
            self._context.tell(begun)


class NodeRunner:
    """Executes calls of one model on nodes."""

    def __init__(self, model: NodeModel, worker: Worker, context: RunnerContext, pausing: asyncio.Event) -> None:
        self._model, self._worker, self._context, self._pausing = model, worker, context, pausing

    async def execute(self, batch: Batch, request: WorkerRequest, deliver: Deliver, result: BatchOutcome) -> None:
        """Raises ``CallReleased`` when the call is given back, and nobody has heard of it."""
        call = FollowedCall(batch, self._context, self._pausing)
        try:
            with self._model.following(request, call):
                await self._worker.execute(batch, request, deliver, result)
        except CallNotBegun:
            if call.is_waiting:
                raise CallReleased from None
            result.outcome, result.detail = (
                CallOutcome.CANCELLED,
                "its turn was not yet come when the run began to pause",
            )


class RayRunnerPool:
    """Joins a cluster for a run, and has its nodes make the calls of the models that write."""

    def __init__(self, context: RunnerContext) -> None:
        self._context = context
        self._cluster: RayCluster | None = None
        self._pool: NodePool | None = None
        self._runners: dict[str, Runner] = {}  # by model
        self._pausing = asyncio.Event()

    async def open(self) -> None:
        context = self._context
        address = context.config.ray_address
        text = (
            "Ray is started on this machine, which takes some seconds."
            if address == LOCAL_CLUSTER
            else f"The Ray cluster {cluster_words(address)} is joined."
        )
        context.tell(Notice(ts=context.clock.now(), level=NoticeLevel.INFO, text=text))
        self._cluster = await RayCluster.join(context.config.ray_address)
        self._pool = node_pool(
            self._cluster, context.plan, context.config, ordered=context.writer.ordered, clock=context.clock,
            tell=context.tell, limit=context.limit,
        )  # fmt: skip
        await self._pool.open()

    def runner_of(self, model: WorkerModel) -> Runner:
        assert self._pool is not None
        if model.name not in self._runners:
            context, watch = self._context, None
            config, there = context.config, NodeModel(model, self._pool)
            if model is context.writer and provider_of(config).has_endpoint:
                # Of a call on a node nothing is heard before its end: its silence is as long as it is.
                watch = StragglerWatch(there, context.limit, config.call_timeout, hedging=hedges(config))
            worker = Worker(
                there, context.limit, context.clock, random.Random(), config.max_retries, context.on_retry,
                startup_timeout=config.startup_timeout, watch=watch, on_hedge=context.on_hedge, waits_there=True,
            )  # fmt: skip
            self._runners[model.name] = NodeRunner(there, worker, context, self._pausing)
        return self._runners[model.name]

    def pause(self) -> None:
        self._pausing.set()
        if self._pool is not None:
            self._pool.give_back()

    def places(self) -> tuple[RunnerPlace, ...]:
        return () if self._pool is None else self._pool.places()

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
        if self._cluster is not None:
            await self._cluster.leave()


def node_pool(
    cluster: RayCluster,
    plan: DatasetPlanInput | None,
    config: DatasetBuilderConfig,
    *,
    ordered: bool,
    clock: Clock,
    tell: Callable[[Event], None],
    limit: AdaptiveConcurrency | None = None,
) -> NodePool:
    """The nodes of a cluster, ready to be opened; ``ordered`` when no endpoint is called from them, ``limit`` that of a run.

    Raises ``ConfigError`` where a key may not go to one's endpoint.
    """
    by_resource = {resource: pickled_settings(_at(config, url)) for resource, url in config.ray_endpoints.items()}
    everywhere = pickled_settings(config)

    def settings_of(node: ClusterNode) -> tuple[bytes, bool]:
        own = next((by_resource[name] for name in by_resource if name in node.resources), None)
        return (everywhere, False) if own is None else (own, True)

    # The built-in writer keeps a CPU busy by one call; calls to an endpoint wait most of the time.
    each = 1 if ordered else _CALLS_EACH
    return NodePool(
        cluster, plan, settings_of, processes=math.ceil(config.workers / each), calls=_MOST_CALLS,
        patience=config.startup_timeout, clock=clock, tell=tell, limit=None if ordered else limit,
    )  # fmt: skip


def _at(config: DatasetBuilderConfig, url: str) -> DatasetBuilderConfig:
    there = config.model_copy(update={"base_url": url})
    require_trust(there, KeyUse.CHAT)
    return there


def _check(config: DatasetBuilderConfig) -> None:
    for name in ("ray_address", "ray_endpoints"):
        if (source := config.foreign_source_of(name)) is not None:
            raise ConfigError(
                f"{source.place} sets {name}: prompts and keys would go there.",
                f"If you mean it, say so yourself: --set {name}=…, or `dsbuilder config set {name} …`.",
            )
    require_ray()


async def _probe(config: DatasetBuilderConfig) -> AsyncIterator[ProbeFinding]:
    """Join the cluster, and have each of its nodes try what its calls need."""
    cluster = pool = None
    try:
        try:
            cluster = await RayCluster.join(config.ray_address)
            pool = node_pool(cluster, None, config, ordered=False, clock=SystemClock(), tell=lambda event: None)
            await pool.open()
        except DsbuilderError as error:
            yield ProbeFinding("ray", problem=error)
            return
        await pool.settled()
        yield ProbeFinding("ray", f"the cluster {cluster.where} has {counted(len(pool.places()), 'node')} for calls")
        for place in pool.places():
            if place.state is PlaceState.UNFIT:
                yield ProbeFinding(place.name, problem=InputError(f"It cannot work: {place.detail}."))
        for name, findings in await pool.probe():
            if findings is None:
                yield ProbeFinding(name, problem=EndpointUnavailable("It was lost while it was tried."))
            elif not findings:
                yield ProbeFinding(name, "answers; the built-in writer needs nothing else there")
            else:
                for finding in findings:
                    yield replace(finding, name=f"{name}, {finding.name}")
    finally:
        if pool is not None:
            await pool.close()
        if cluster is not None:
            await cluster.leave()


RUNNER = RunnerKind(label="a Ray cluster", make=RayRunnerPool, check=_check, probe=_probe)
