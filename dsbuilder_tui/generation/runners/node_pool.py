"""The nodes of a cluster as places for calls: which there are, how much each does, and which are lost."""

from __future__ import annotations

import asyncio
import contextlib
import math
import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dsbuilder_tui.clusters.ray_cluster import ClusterNode, RayCluster
from dsbuilder_tui.clusters.ray_thread import answer_of
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import DsbuilderError, EndpointUnavailable, InputError
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.node_events import NodeJoined, NodeLost
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.runner_place import PlaceState, RunnerPlace
from dsbuilder_tui.generation.runners.call_turns import CallTurns
from dsbuilder_tui.generation.runners.node_actor import CallActor, NodeReady, own_version
from dsbuilder_tui.generation.runners.node_call import NodeAnswer, NodeRequest
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency
from dsbuilder_tui.models.endpoint_probe import ProbeFinding
from dsbuilder_tui.models.protocol import TextRequest, TransientError

_LOOKS_EACH = 0.5  # seconds between looks at which nodes there are
_MOST_DEATHS = 3  # processes that one call may outlive before it counts as failed
_FIRST_REST, _LONGEST_REST = 1.0, 30.0  # seconds without calls for a node whose own endpoint fails
_OF_THE_PLACE = (
    FailureKind.CONNECTION,
    FailureKind.LOADING,
    FailureKind.MEMORY,
)  # what another node's endpoint may not have
_NEWS = 0.05  # share that one call has in what is known of the way to the nodes
_UNFIT_EACH = 10.0  # seconds until a node that could not begin to work is tried again


@dataclass(eq=False, slots=True)
class NodeProcess:
    """One actor on a node. ``handle`` is Ray's."""

    handle: Any
    calls: int = 0
    ready: bool = False
    turns: CallTurns = field(default_factory=CallTurns)
    task: asyncio.Task[None] | None = None


@dataclass(eq=False, slots=True)
class NodePlace:
    """One node, with its processes. ``settings`` are the pickled configuration that holds there."""

    node: ClusterNode
    settings: bytes
    own_endpoint: bool
    processes: list[NodeProcess] = field(default_factory=list)
    announced: bool = False
    lost: bool = False
    problem: str = ""
    tried_at: float = -math.inf  # when processes were begun last, monotonic
    done: int = 0
    given_again: int = 0
    failures: int = 0  # of its own endpoint, in a row
    rests_until: float = 0.0

    @property
    def calls(self) -> int:
        return sum(process.calls for process in self.processes)

    @property
    def waiting(self) -> int:
        """Those of its calls whose turn is not yet come."""
        return sum(process.turns.waiting for process in self.processes)

    def shown(self, now: float) -> RunnerPlace:
        if self.lost:
            state = PlaceState.LOST
        elif any(process.ready for process in self.processes):
            state = PlaceState.RESTING if self.rests_until > now else PlaceState.WORKING
        else:
            state = PlaceState.UNFIT if self.problem else PlaceState.STARTING
        waiting = 0 if self.lost else self.waiting
        return RunnerPlace(
            name=self.node.name, state=state, calls=0 if self.lost else self.calls - waiting, waiting=waiting, done=self.done,
            given_again=self.given_again, detail=self.problem,
        )  # fmt: skip


class NodePool:
    """Gives calls to nodes, the least busy first, and gives those of a lost node to others. Nodes come and go meanwhile."""

    def __init__(
        self,
        cluster: RayCluster,
        plan: DatasetPlanInput | None,
        settings_of: Callable[[ClusterNode], tuple[bytes, bool]],
        *,
        processes: int,
        calls: int,
        patience: float,
        clock: Clock,
        tell: Callable[[Event], None],
        limit: AdaptiveConcurrency | None = None,
    ) -> None:
        """``settings_of`` gives a node's pickled configuration, and whether its endpoint is its own. On each node there are
        so many ``processes`` at most, with so many ``calls`` each. Without any node a call waits ``patience`` seconds;
        without a plan none can be made, and nodes are tried alone. A ``limit`` is told of the way to the nodes, which keep it.
        """
        self._cluster, self._plan, self._settings_of = cluster, plan, settings_of
        self._most, self._calls_each, self._patience = processes, calls, patience
        self._clock, self._tell, self._limit = clock, tell, limit
        self._pausing = False
        self._places: dict[str, NodePlace] = {}  # by node id
        self._changed = asyncio.Event()
        self._gone: DsbuilderError | None = None  # why no call can be made any more
        self._watch: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to watch, and wait for a node that works. Raises ``EndpointUnavailable`` or ``InputError`` when none does."""
        self._watch = asyncio.create_task(self._keep_watch())
        await self._working()

    async def close(self) -> None:
        """End all processes on the nodes."""
        tasks = [self._watch, *(process.task for place in self._places.values() for process in place.processes)]
        for task in filter(None, tasks):
            task.cancel()
        await asyncio.gather(*filter(None, tasks), return_exceptions=True)
        await self._cluster.end([process.handle for place in self._places.values() for process in place.processes])

    def places(self) -> tuple[RunnerPlace, ...]:
        now = self._clock.monotonic()
        return tuple(place.shown(now) for place in self._places.values())

    def give_back(self) -> None:
        """Have calls answered at once whose turn is not yet come, from now on."""
        self._pausing = True
        for process in (process for place in self._ready_places() for process in place.processes if process.ready):
            process.handle.give_back.remote()

    async def ask(self, model: str, request: NodeRequest, begun: Callable[[], None]) -> NodeAnswer:
        """Have a call made somewhere, and made again elsewhere where that is lost. Cancelled, it is ended there too.

        ``begun`` is called when its turn is come, on each node anew. Raises ``TransientError`` for a call that outlived no
        process, ``EndpointUnavailable`` without any node.
        """
        return await self._answer(lambda at_once, actor: actor.call.remote(model, request, at_once), begun)

    async def judge(self, request: TextRequest) -> NodeAnswer:
        """As ``ask``, a question to the judge's model; the request's schema is JSON."""
        return await self._answer(lambda at_once, actor: actor.judge.remote(request), lambda: None)

    async def _answer(self, give: Callable[[int, Any], Any], begun: Callable[[], None]) -> NodeAnswer:
        deaths = 0
        while True:
            place, process, at_once = await self._least_busy()
            sent = self._clock.monotonic()
            turn = process.turns.take(at_once, lambda come: begun() if come else None)
            try:
                answer: NodeAnswer | None = await self._made(place, process, partial(give, at_once))
            finally:
                process.turns.end(turn)
            if answer is None:
                if self._pausing and not turn.come:
                    return NodeAnswer((), begun=False)
                deaths += 1
                place.given_again += 1
                if deaths >= _MOST_DEATHS:
                    raise TransientError(FailureKind.SERVER, f"{deaths} processes ended while they made this call")
                continue
            if not answer.begun:
                return answer
            place.done += 1
            self._learn_way(answer, self._clock.monotonic() - sent)
            if not self._sends_on(place, answer):
                return answer

    async def probe(self) -> list[tuple[str, list[ProbeFinding] | None]]:
        """What a try of each node that works finds; None for one that is lost meanwhile."""
        found: list[tuple[str, list[ProbeFinding] | None]] = []
        for place in tuple(self._places.values()):
            ready = [process for process in place.processes if process.ready]
            if ready and not place.lost:
                found.append((place.node.name, await self._made(place, ready[0], lambda actor: actor.probe.remote())))
        return found

    async def settled(self) -> None:
        """Wait until each node that is there works, or cannot."""
        while any(place.shown(0.0).state is PlaceState.STARTING for place in self._places.values()):
            self._changed.clear()
            await self._changed.wait()

    async def _made(self, place: NodePlace, process: NodeProcess, give: Callable[[Any], Any]) -> Any:
        """What an actor returns; None when it, or its node, was lost."""
        import ray
        from ray.exceptions import ObjectLostError, RayActorError, WorkerCrashedError

        process.calls += 1
        reference = give(process.handle)
        try:
            return await self._unless_gone(reference)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                ray.cancel(reference)
            raise
        except (RayActorError, ObjectLostError, WorkerCrashedError):
            process.ready = False
            return None
        finally:
            process.calls -= 1

    async def _unless_gone(self, reference: Any) -> Any:
        if self._gone is not None:
            raise self._gone
        return await answer_of(reference)

    def _learn_way(self, answer: NodeAnswer, seconds: float) -> None:
        """Take in for how long an answer was on its way: of so many ``seconds``, what the node has not spent on it."""
        if self._limit is None or answer.error is not None or answer.made <= 0.0:
            return
        share = max(0.0, seconds - answer.waited - answer.made) / answer.made
        self._limit.way_share += _NEWS * (min(1.0, share) - self._limit.way_share)

    def _sends_on(self, place: NodePlace, answer: NodeAnswer) -> bool:
        """Whether a call goes to another node, since this one's own endpoint cannot take it; it then rests for a while."""
        error = answer.error
        if not place.own_endpoint or not isinstance(error, TransientError) or error.kind not in _OF_THE_PLACE:
            place.failures = 0
            return False
        now = self._clock.monotonic()
        if place.rests_until <= now:
            place.failures += 1
            place.rests_until = now + min(_LONGEST_REST, _FIRST_REST * 2 ** (place.failures - 1))
        place.problem = error.detail
        return not answer.pieces and any(other.rests_until <= now for other in self._ready_places())

    def _ready_places(self) -> list[NodePlace]:
        return [
            place for place in self._places.values() if not place.lost and any(each.ready for each in place.processes)
        ]

    async def _least_busy(self) -> tuple[NodePlace, NodeProcess, int]:
        """Where the next call is made, and as one of how many at once; 0 where nothing limits them."""
        places, now = await self._working(), self._clock.monotonic()
        places = [place for place in places if place.rests_until <= now] or [
            min(places, key=lambda place: place.rests_until)
        ]
        each = [(place, process) for place in places for process in place.processes if process.ready]
        at = min(range(len(each)), key=lambda at: each[at][1].calls)
        return (*each[at], self._share(at, len(each)))

    def _share(self, at: int, processes: int) -> int:
        """How many of the limit's calls the process at a place makes at once."""
        if self._limit is None or self._pausing:  # from a pause on only what has begun is made again
            return 0
        whole, rest = divmod(self._limit.limit, processes)
        return max(1, whole + (at < rest))

    async def _working(self) -> list[NodePlace]:
        """The places that work, of which there is one at least. Raises when there is none for too long."""
        try:
            async with asyncio.timeout(self._patience):
                while not (places := self._ready_places()):
                    if self._gone is not None:
                        raise self._gone
                    self._require_hope()
                    self._changed.clear()
                    await self._changed.wait()
                return places
        except TimeoutError:
            seconds = f"{self._patience:g} s"
            raise EndpointUnavailable(
                f"No node of the Ray cluster {self._cluster.where} could take a call for {seconds}.",
                "A node needs a CPU that nothing else has taken. Add one, then resume.",
            ) from None

    def _require_hope(self) -> None:
        """Raises ``InputError`` where every node is there and cannot work."""
        living = [place for place in self._places.values() if not place.lost]
        problems = {place.problem for place in living}
        if living and "" not in problems and not any(place.announced for place in living):
            raise InputError(
                f"The node {living[0].node.name} of the Ray cluster cannot work: {living[0].problem}.",
                f"Install dsbuilder-tui {own_version()} on every node.",
            )

    # -- which nodes there are

    async def _keep_watch(self) -> None:
        try:
            while True:
                self._compare(await self._cluster.nodes())
                await asyncio.sleep(_LOOKS_EACH)
        except DsbuilderError as error:
            self._gone = error
            for process in (process for place in self._places.values() for process in place.processes):
                process.ready = False
            self._changed.set()

    def _compare(self, nodes: Iterable[ClusterNode]) -> None:
        living = {node.id: node for node in nodes}
        for node in living.values():
            if node.id not in self._places:
                settings, own = self._settings_of(node)
                self._places[node.id] = NodePlace(node=node, settings=settings, own_endpoint=own)
        now = self._clock.monotonic()
        for identifier, place in self._places.items():
            if identifier in living:
                self._staff(place, now)
            elif not place.lost:
                self._lose(place)

    def _staff(self, place: NodePlace, now: float) -> None:
        """Begin the processes that a node should have and has not."""
        place.processes = [
            process for process in place.processes if process.ready or process.calls or not _has_ended(process)
        ]
        wanted = max(1, min(int(place.node.cpus), self._most))
        if len(place.processes) >= wanted or now - place.tried_at < _LOOKS_EACH:
            return
        if place.problem and not place.announced and now - place.tried_at < _UNFIT_EACH:
            return
        place.tried_at = now
        while len(place.processes) < wanted:
            process = NodeProcess(self._actor(place))
            process.task = asyncio.create_task(self._begin(place, process))
            place.processes.append(process)

    def _actor(self, place: NodePlace) -> Any:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        # What is lost is given again here, where it is known what has come: nothing is tried again by Ray.
        return (
            ray.remote(CallActor)
            .options(
                num_cpus=1, max_restarts=0, max_task_retries=0, max_concurrency=self._calls_each, enable_task_events=False,
                scheduling_strategy=NodeAffinitySchedulingStrategy(place.node.id, soft=False),
            )
            .remote()
        )  # fmt: skip

    async def _begin(self, place: NodePlace, process: NodeProcess) -> None:
        """Wait for a process to take its settings; from then on it gets calls."""
        from ray.exceptions import RayError

        try:
            ready: NodeReady = await answer_of(process.handle.prepare.remote(place.settings, self._plan))
            problem = ready.problem
            if ready.version != own_version():
                problem = f"it has dsbuilder-tui {ready.version}, and this is {own_version()}"
        except RayError as error:
            # A module that is not there ends an actor before it begins; a node that is lost does so, too.
            missing = "No module named" in str(error)
            problem = "dsbuilder-tui cannot be imported there" if missing else "its process ended at once"
        place.problem = problem
        if not problem:
            process.ready = True
            if not place.announced:
                place.announced = True
                joined = NodeJoined(
                    ts=self._clock.now(), node=place.node.name, cpus=place.node.cpus, nodes=len(self._ready_places())
                )
                self._tell(joined)
        self._changed.set()

    def _lose(self, place: NodePlace) -> None:
        place.lost = True
        for process in place.processes:
            process.ready = False
            if process.task is not None:
                process.task.cancel()
        if place.announced:
            left, again = len(self._ready_places()), place.given_again + place.calls
            self._tell(NodeLost(ts=self._clock.now(), node=place.node.name, calls=again, nodes=left))
        self._changed.set()


def _has_ended(process: NodeProcess) -> bool:
    return process.task is not None and process.task.done()


def pickled_settings(config: object) -> bytes:
    """A configuration as a node gets it: in one message to its process, small enough to go past the object store.

    Raises ``InputError`` for one that is not.
    """
    settings = pickle.dumps(config)
    if len(settings) > _MOST_SETTINGS:
        raise InputError("The settings are too large for the nodes of a cluster.", "Shorten extra_headers or prices.")
    return settings


_MOST_SETTINGS = 64 * 1024  # bytes; what is larger than 100 KiB is put into Ray's object store
