"""What a cluster brings and costs, on this machine: ``python tests/bench/clusters.py``. Asserts nothing.

A head without CPUs and two nodes of one CPU, on loopback; the endpoint is a process of its own that answers each call after
100 ms. Ideal are calls divided by workers, times the time that one call takes on this machine alone, without any other beside
it. On a machine that does other work too, believe the ratio of both runners before either.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from dsbuilder_tui.domain.events import BatchStarted, CaseAccepted, Event
from dsbuilder_tui.domain.node_events import NodeLost
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from tests.bench.bench import endpoint, table
from tests.bench.cluster_plan import plan_of
from tests.support.ray_cluster import LoopbackCluster, loopback_cluster

LATENCY = 0.1


class Times:
    """When cases came, and what became of nodes, in monotonic seconds."""

    def __init__(self) -> None:
        self.accepted: list[float] = []
        self.announced: Counter[str] = Counter()
        self.begun = 0
        self.lost: list[tuple[float, int]] = []

    def hear(self, event: Event) -> None:
        if isinstance(event, CaseAccepted):
            self.accepted.append(time.monotonic())
            self.announced[event.case_id] += 1
        elif isinstance(event, BatchStarted):
            self.begun += 1
        elif isinstance(event, NodeLost):
            self.lost.append((time.monotonic(), event.calls))

    @property
    def span(self) -> float:
        """From the first case to the last: what starting took is told apart."""
        return self.accepted[-1] - self.accepted[0]

    def longest_gap(self, since: float) -> float:
        times = [since, *(at for at in self.accepted if at > since)]
        return max((after - before for before, after in pairwise(times)), default=0.0)


async def build(
    url: str, cases: int, workers: int, *, cluster: LoopbackCluster | None = None, kill_at: int = 0
) -> tuple[Times, float, float]:
    """The times, the seconds until the first case, and when a node was killed."""
    times, killed = Times(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        config = DatasetBuilderConfig(
            checkpoint_dir=Path(folder), max_dataset_size=10**7, base_url=url, batch_size=1, max_workers=workers, judge="off",
            hedging="off", enable_diversity_check=False, runner="ray" if cluster else "local",
            ray_address=cluster.address if cluster else "local",
        )  # fmt: skip

        def follow(event: Event) -> None:
            nonlocal killed
            times.hear(event)
            if cluster is not None and kill_at and len(times.accepted) == kill_at and not killed:
                killed = time.monotonic()
                cluster.cut_off("b")

        began = time.monotonic()
        async with await Session.create(plan_of(cases), config) as session:
            session.subscribe(follow)
            await session.run()
    return times, times.accepted[0] - began, killed


@asynccontextmanager
async def slow_network(url: str, delay: float) -> AsyncIterator[str]:
    """The same endpoint behind a network on which everything takes so many seconds more, each way."""
    host, port = url.removeprefix("http://").partition("/")[0].split(":")

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await asyncio.sleep(delay)
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(forward(reader, back), forward(there, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def all_tables(cluster: LoopbackCluster, url: str, cases: int, workers: list[int], delay: float) -> None:
    alone, _, _ = await build(url, 20, 1)
    one_call = alone.span / (len(alone.accepted) - 1)
    rows = []
    for number in workers:
        count = max(number * 20, cases)
        ideal = count / number * one_call
        for name, where in (("local", None), ("ray", cluster)):
            times, first, _ = await build(url, count, number, cluster=where)
            rows.append([name, number, count, first, times.span, count / times.span, ideal / times.span])
    head = ["runner", "workers", "calls", "first s", "wall s", "calls/s", "of ideal"]
    table(f"Calls of {LATENCY * 1000:.0f} ms ({one_call * 1000:.0f} ms alone)", head, rows)

    number, count = workers[0], max(workers[0] * 60, cases)
    times, _, killed = await build(url, count, number, cluster=cluster, kill_at=count // 3)
    seen, given_again = times.lost[0] if times.lost else (killed, 0)
    rows = [[
        count, len(times.announced), max(times.announced.values()) - 1, times.longest_gap(killed), seen - killed, given_again,
        times.begun - count,
    ]]  # fmt: skip
    head = ["cases", "accepted", "twice", "gap s", "seen after s", "given again", "calls more"]
    table("A node is killed when a third is there", head, rows)

    cluster.add("b2")
    async with slow_network(url, delay) as far:
        times, _, _ = await build(far, cases, number, cluster=cluster)
    rows = [[cases, len(times.announced), max(times.announced.values()) - 1, times.span, cases / times.span]]
    table(
        f"A network with {delay * 1000:.0f} ms more each way", ["cases", "accepted", "twice", "wall s", "calls/s"], rows
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=[16, 64, 200])
    parser.add_argument("--delay", type=float, default=0.05, help="seconds, each way")
    arguments = parser.parse_args()
    with endpoint("--latency", str(LATENCY)) as url, loopback_cluster("a", "b") as cluster:
        asyncio.run(all_tables(cluster, url, arguments.cases, arguments.workers, arguments.delay))


if __name__ == "__main__":
    main()
