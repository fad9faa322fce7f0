"""A large round of a Batch API: ``python tests/bench/batches.py --requests 50000``. Asserts nothing.

One case a request, so that a round has as many requests as it can. The provider is a process of its own, which answers at its
second look; what is measured is this process: seconds, processor time and memory while the round is filled, sent and
collected.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from dsbuilder_tui.cli.process_tuning import tune_process
from dsbuilder_tui.domain.batch_job import BatchJobState
from dsbuilder_tui.domain.events import BatchJobChanged, CaseAccepted, Event
from dsbuilder_tui.generation import batch_input
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from tests.bench.bench import endpoint, table
from tests.bench.cluster_plan import plan_of

MEGABYTE = 2**20


def own_mb() -> float:
    """Memory of this process that is no file's, in megabytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0.0


class Marks:
    """When a round's steps were reached, in seconds from its begin, and the memory then."""

    def __init__(self) -> None:
        self.began, self.jobs, self.cases = time.monotonic(), set[int](), 0
        self.rows: list[list[Any]] = []
        self.sent = self.over = False
        self.most_mb = 0.0

    def mark(self, words: str) -> None:
        self.rows.append([words, time.monotonic() - self.began, time.process_time(), own_mb()])

    def hear(self, event: Event) -> None:
        if isinstance(event, BatchJobChanged):
            self.jobs.add(event.job)
            if event.state is BatchJobState.ASKED and not self.sent:
                self.sent = True
                self.mark("the first file is with the provider")
            elif event.state is BatchJobState.ENDED and not self.over:
                self.over = True
                self.mark("the first job is over")
        elif isinstance(event, CaseAccepted):
            self.cases += 1

    async def watch(self) -> None:
        while True:
            self.most_mb = max(self.most_mb, own_mb())
            await asyncio.sleep(0.1)


async def one_round(url: str, requests: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = DatasetBuilderConfig(
            checkpoint_dir=Path(folder), max_dataset_size=10**7, base_url=url, batch_size=1, judge="off", runner="batch-api",
            batch_poll=1.0, enable_diversity_check=False, request_timeout=600,
        )  # fmt: skip
        async with await Session.create(plan_of(requests), config) as session:
            marks = Marks()
            session.subscribe(marks.hear)
            marks.mark("it begins")
            watcher = asyncio.create_task(marks.watch())
            await session.run()
            watcher.cancel()
            marks.mark("all is collected")
    table(
        f"{requests:,} requests, {len(marks.jobs)} jobs, {marks.cases:,} cases; {marks.most_mb:.0f} MB at most",
        ["until", "wall s", "CPU s", "MB"], marks.rows,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, nargs="+", default=[5_000, 50_000])
    parser.add_argument("--lines", type=int, default=batch_input.MOST_REQUESTS, help="that a file may have")
    parser.add_argument(
        "--megabytes", type=float, default=batch_input.MOST_BYTES / MEGABYTE, help="that a file may have"
    )
    arguments = parser.parse_args()
    tune_process()  # as the command does
    batch_input.MOST_REQUESTS, batch_input.MOST_BYTES = arguments.lines, int(arguments.megabytes * MEGABYTE)
    for requests in arguments.requests:
        with endpoint("--batches") as url:
            asyncio.run(one_round(url, requests))


if __name__ == "__main__":
    main()
