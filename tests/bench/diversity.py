"""What it costs to know whether a text is new: ``python -m tests.bench.diversity [accepted …]`` (default 10,000 100,000).

CPU seconds are those of the whole process, all threads. Run it on a quiet machine, and more than once.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.diversity.answer import Question
from dsbuilder_tui.diversity.compared_text import structure_hash
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.static_embedding import built_in_embedder
from dsbuilder_tui.diversity.thresholds import Rules
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.generation.duplicate_check import CaseText, DuplicateCheck
from dsbuilder_tui.store.rows import Changes

_JUDGED = 4000


def texts(seed: int) -> Iterator[str]:
    """Sentences of 8 to 25 words out of 4,000, the common ones more often."""
    from tests.support.fake_contents import word

    rng = random.Random(seed)
    while True:
        count = rng.randint(8, 25)
        yield " ".join(word(31 + 7 * min(3999, int(rng.paretovariate(0.35)))) for _ in range(count)) + "?"


def memory(kind: str) -> int:
    """Bytes of this process: ``RssAnon``, or of files (``RssFile``)."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(lines[kind].split()[0]) * 1024


def judging(accepted: int) -> None:
    comparer, rules = Comparer(built_in_embedder()), Rules()
    source = texts(1)

    def some(count: int) -> list[Question]:
        return [Question("all", next(source), {}, rules) for _ in range(count)]

    comparer.admit(some(3000))  # the index library, and what else comes once
    before, held, began = memory("RssAnon"), len(comparer), time.process_time()
    while len(comparer) < accepted:
        comparer.admit(some(min(5000, accepted - len(comparer))))
    filled = time.process_time() - began
    a_case = (memory("RssAnon") - before) / max(1, len(comparer) - held)
    questions = some(_JUDGED)
    rates = []
    for first in range(0, _JUDGED, 1000):
        began = time.process_time()
        for place in range(first, first + 1000, 32):
            comparer.judge(questions[place : min(place + 32, first + 1000)])
        rates.append(1000 / (time.process_time() - began))
    rates.sort()
    rate = (rates[1] + rates[2]) / 2
    print(
        f"{accepted:>10,} accepted: {rate:>6,.0f} cases a CPU-second judged, {accepted / filled:>6,.0f} taken in; "
        f"{a_case:,.0f} bytes a case beyond the mapped file"
    )
    comparer.file.close()


class Ticker:
    """How late the event loop is, every millisecond."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def run(self) -> None:
        while True:
            due = time.perf_counter() + 0.001
            await asyncio.sleep(0.001)
            self.late.append(time.perf_counter() - due)

    def p99(self) -> float:
        return sorted(self.late)[int(len(self.late) * 0.99)] * 1000 if self.late else 0.0


async def resuming(accepted: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plan = parse_plan(
            {"dataset_name": "bench", "categories": [{"name": "all", "count": accepted, "example_inputs": "Hello?"}]}
        )
        config = DatasetBuilderConfig(checkpoint_dir=Path(folder), max_dataset_size=accepted)
        source = texts(1)
        async with await Session.create(plan, config) as session:
            store = session._files.store
            for first in range(1, accepted + 1, 5000):
                inputs = [{"query": next(source)} for _ in range(min(5000, accepted + 1 - first))]
                cases = [
                    AcceptedCase(
                        seq=store.next_seq(),
                        category="all",
                        ordinal=first + n,
                        inputs=given,
                        expectations={},
                        tags={},
                        created_at=1.0,
                        structure=structure_hash(given),
                    )
                    for n, given in enumerate(inputs)
                ]
                await store.commit(Changes(accepted=cases))
            for label in ("made from the cases", "read from the file"):
                ticker = Ticker()
                ticking = asyncio.create_task(ticker.run())
                duplicates = DuplicateCheck(plan, config, store)
                began = time.perf_counter()
                await duplicates.load(await store.slots.ledger_rows())
                seconds = time.perf_counter() - began
                print(
                    f"{accepted:>10,} accepted: {label} in {seconds:.2f} s; event loop late by {ticker.p99():.1f} ms (p99)"
                )
                if label.startswith("read"):
                    ticker.late.clear()
                    began = time.perf_counter()
                    for _ in range(100):
                        await duplicates.judge([[CaseText("all", {"query": next(source)}, {})] for _ in range(32)])
                    seconds = time.perf_counter() - began
                    print(f"{'':>10} 3,200 judged in {seconds:.2f} s; event loop late by {ticker.p99():.1f} ms (p99)")
                ticking.cancel()
                await duplicates.close()


def main() -> None:
    for accepted in [int(argument) for argument in sys.argv[1:]] or [10_000, 100_000]:
        judging(accepted)
        if accepted <= 100_000:
            asyncio.run(resuming(accepted))


if __name__ == "__main__":
    main()
