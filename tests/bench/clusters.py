"""What a cluster brings and costs, on this machine: ``python tests/bench/clusters.py``. Asserts nothing.

A head without CPUs and two nodes of one CPU, on loopback; the endpoint is a process of its own that answers each call after
100 ms. Ideal are calls divided by workers, times 100 ms: of the whole run from its first case to its last, and of what lies
between a tenth and nine tenths of it. ``cores`` is the processor time of all that takes part, endpoint and nodes among it, for
each second: where it comes near to what the machine has, that is what limits.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import pytest

from dsbuilder_tui.domain.events import BatchStarted, CaseAccepted, Event
from dsbuilder_tui.domain.node_events import NodeLost
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from tests.bench.bench import endpoint, table
from tests.bench.cluster_plan import plan_of
from tests.support.far_nodes import move_nodes_away
from tests.support.ray_cluster import LoopbackCluster, loopback_cluster

LATENCY = 0.1


class Times:
    """When cases came, and what became of nodes, in monotonic seconds."""

    def __init__(self) -> None:
        self.accepted: list[float] = []
        self.announced: Counter[str] = Counter()
        self.begun = 0
        self.lost: list[tuple[float, int]] = []
        self.cores = 0.0

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

    def steady_rate(self) -> float:
        """Cases a second between a tenth and nine tenths of them."""
        low, high = len(self.accepted) // 10, len(self.accepted) * 9 // 10
        return (high - low) / (self.accepted[high] - self.accepted[low])

    def longest_gap(self, since: float) -> float:
        times = [since, *(at for at in self.accepted if at > since)]
        return max((after - before for before, after in pairwise(times)), default=0.0)


def processor_seconds() -> float:
    """What this process and all that it has begun have used of processors; of those that live."""
    used, begun_by = dict[int, float](), dict[int, int]()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        used[int(folder.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        begun_by[int(folder.name)] = int(fields[1])

    def is_own(process: int) -> bool:
        while process not in (0, os.getpid()):
            process = begun_by.get(process, 0)
        return process != 0

    return sum(seconds for process, seconds in used.items() if is_own(process))


async def build(
    url: str, cases: int, workers: int, *, cluster: LoopbackCluster | None = None, kill_at: int = 0
) -> tuple[Times, float, float]:
    """The times, the seconds until the first case, and when a node was killed."""
    times, killed = Times(), 0.0
    used: list[tuple[float, float]] = []  # of processors, and when: while all that takes part still lives
    with tempfile.TemporaryDirectory() as folder:
        config = DatasetBuilderConfig(
            checkpoint_dir=Path(folder), max_dataset_size=10**7, base_url=url, batch_size=1, max_workers=workers, judge="off",
            hedging="off", enable_diversity_check=False, runner="ray" if cluster else "local",
            ray_address=cluster.address if cluster else "local",
        )  # fmt: skip

        def follow(event: Event) -> None:
            nonlocal killed
            times.hear(event)
            if isinstance(event, CaseAccepted) and len(times.accepted) in (cases // 10, cases * 9 // 10):
                used.append((processor_seconds(), time.monotonic()))
            if cluster is not None and kill_at and len(times.accepted) == kill_at and not killed:
                killed = time.monotonic()
                cluster.cut_off("b")

        began = time.monotonic()
        async with await Session.create(plan_of(cases), config) as session:
            session.subscribe(follow)
            await session.run()
    times.cores = (used[1][0] - used[0][0]) / (used[1][1] - used[0][1])
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


PACE = ["runner", "workers", "calls", "twice", "first s", "wall s", "calls/s", "of ideal", "10-90 %", "cores"]


async def pace(url: str, name: str, cases: int, number: int, cluster: LoopbackCluster | None) -> list[object]:
    """A row: how fast so many calls at once come, against none that lose time between one and the next."""
    count = max(number * 20, cases)
    times, first, _ = await build(url, count, number, cluster=cluster)
    assert len(times.announced) == count
    ideal = number / LATENCY
    twice = max(times.announced.values()) - 1
    whole = count / (times.span + LATENCY)
    return [
        name,
        number,
        count,
        twice,
        first,
        times.span,
        whole,
        whole / ideal,
        times.steady_rate() / ideal,
        times.cores,
    ]


async def all_tables(cluster: LoopbackCluster, url: str, cases: int, workers: list[int], delay: float) -> None:
    rows = []
    for number in workers:
        for name, where in (("local", None), ("ray", cluster)):
            rows.append(await pace(url, name, cases, number, where))
    table(f"Calls of {LATENCY * 1000:.0f} ms", PACE, rows)

    rows = []
    for far in (0.01, delay):
        with pytest.MonkeyPatch.context() as patch:
            move_nodes_away(patch, far)
            rows.append(await pace(url, f"{far * 1000:.0f} ms", cases, workers[0], cluster))
    table("Nodes that are far away, by what a message takes each way", PACE, rows)

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
        f"An endpoint behind a network with {delay * 1000:.0f} ms more each way",
        ["cases", "accepted", "twice", "wall s", "calls/s"],
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, help="at least; 9600 with 16 workers are a minute")
    parser.add_argument("--workers", type=int, nargs="+", default=[16, 64, 200])
    parser.add_argument("--delay", type=float, default=0.05, help="seconds, each way")
    arguments = parser.parse_args()
    with endpoint("--latency", str(LATENCY)) as url, loopback_cluster("a", "b") as cluster:
        asyncio.run(all_tables(cluster, url, arguments.cases, arguments.workers, arguments.delay))


if __name__ == "__main__":
    main()
