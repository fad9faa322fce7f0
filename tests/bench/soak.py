"""Mixed weather for minutes: ``make soak`` (ARGS="--minutes 2" for a short one). Memory and latency have to stay flat.

An endpoint in a process of its own is slow, busy, broken and silent by turns, has a limit that it does not tell, and is
stopped for a while in the middle. Each line is a stretch of the run; the verdict compares its last third with its second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_RATES = {
    "rate_limit": 0.05, "server_error": 0.03, "hang": 0.002, "hang_mid": 0.002, "reset": 0.01, "malformed": 0.01,
    "few": 0.03, "truncated": 0.01, "error_mid": 0.01, "refusal": 0.005, "empty": 0.005, "prose": 0.02,
}  # fmt: skip
_WORKERS, _BATCH, _PER_SECOND, _LATENCY = 32, 5, 30.0, 0.3
_STRETCHES = 12
_OUTAGE = 0.04  # share of the time in which the endpoint is stopped
_MOST_BYTES_A_CASE = 2500  # of memory that is the process's own: what was accepted is known by its prints
_MOST_SLOWER = 1.5  # median of a call, at the end against the middle


@dataclass
class Stretch:
    """A part of the run. ``mb`` is memory of the process's own, at its end; ``late`` seconds by which the loop was late."""

    seconds: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    retries: int = 0
    hedged: int = 0
    accepted: int = 0
    mb: float = 0.0

    def row(self, number: int) -> str:
        ranked = sorted(self.seconds) or [0.0]
        late = sorted(self.late) or [0.0]
        return (
            f"{number:>8} {self.accepted:>9} {len(self.seconds):>6} {statistics.median(ranked):>8.2f} "
            f"{ranked[int(0.95 * (len(ranked) - 1))]:>8.2f} {self.retries:>8} {self.hedged:>7} "
            f"{1000 * late[int(0.99 * (len(late) - 1))]:>9.0f} {self.mb:>7.1f}"
        )


def own_memory() -> float:
    """Megabytes that are the process's own, without mapped files."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0.0


async def soak(minutes: float, url: str, server: subprocess.Popen[str]) -> list[Stretch]:
    from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session

    categories = [
        DatasetCategory(name=f"category_{n}", description="Order status", count=50_000, example_inputs="Where is it?")
        for n in range(4)
    ]
    stretches = [Stretch()]

    def watch(event: Any) -> None:
        now = stretches[-1]
        now.accepted += event.type == "case_accepted"
        now.retries += event.type == "retry_scheduled"
        now.hedged += event.type == "call_hedged"
        if event.type == "batch_finished":
            now.seconds.append(event.seconds)

    async def lateness() -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 0.02
            await asyncio.sleep(0.02)
            stretches[-1].late.append(loop.time() - due)

    with tempfile.TemporaryDirectory() as folder:
        config = DatasetBuilderConfig(
            judge="off",
            checkpoint_dir=Path(folder), max_dataset_size=10**6, max_workers=_WORKERS, batch_size=_BATCH,
            provider="openai", base_url=url, worker_model="fake", drain_timeout=1,
        )  # fmt: skip
        plan = DatasetPlanInput(dataset_name="soak", categories=categories)
        async with await Session.create(plan, config) as session:
            session.subscribe(watch)
            running, late = asyncio.create_task(session.run()), asyncio.create_task(lateness())
            length = 60 * minutes / _STRETCHES
            print(f"{'stretch':>8} {'accepted':>9} {'calls':>6} {'median s':>8} {'95 % s':>8} {'retries':>8} {'hedged':>7} "
                  f"{'late ms':>9} {'own MB':>7}")  # fmt: skip
            for number in range(1, _STRETCHES + 1):
                if number == _STRETCHES // 4:
                    server.send_signal(signal.SIGSTOP)
                    await asyncio.sleep(_OUTAGE * 60 * minutes)
                    server.send_signal(signal.SIGCONT)
                    await asyncio.sleep(max(0.0, length - _OUTAGE * 60 * minutes))
                else:
                    await asyncio.sleep(length)
                stretches[-1].mb = own_memory()
                print(stretches[-1].row(number), flush=True)
                stretches.append(Stretch())
                if running.done():
                    break
            session.request_pause()
            session.drop_in_flight()
            result = await running
            late.cancel()
            cases = [case async for case in session.cases.all()]
            assert len(cases) == result.accepted == len({case.inputs["query"] for case in cases})
    return stretches[:-1]


def verdict(stretches: list[Stretch]) -> list[str]:
    """What was not flat."""
    third = len(stretches) // 3
    middle, last = stretches[third : 2 * third], stretches[2 * third :]
    cases = sum(stretch.accepted for stretch in last)
    grown = (last[-1].mb - middle[-1].mb) * 2**20 / max(1, cases)
    before, after = (statistics.median([s for one in part for s in one.seconds] or [0.0]) for part in (middle, last))
    print(
        f"memory: {grown:,.0f} bytes a case; a call: {before:.2f} s in the middle, {after:.2f} s at the end; {cases} cases at the end"
    )
    wrong = []
    if grown > _MOST_BYTES_A_CASE:
        wrong.append("memory grows")
    if after > _MOST_SLOWER * before:
        wrong.append("calls become slower")
    if not cases:
        wrong.append("nothing was written at the end")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "DSBUILDER_"))}
    command = [
        sys.executable, "-m", "tests.support.fake_openai", "--latency", str(_LATENCY), "--per-second", str(_PER_SECOND),
        "--rates", json.dumps(_RATES), "--retry-after", "1",
    ]  # fmt: skip
    began = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment | {"PYTHONPATH": str(ROOT)}
    ) as server:
        assert server.stdout
        try:
            stretches = asyncio.run(soak(given.minutes, server.stdout.readline().strip(), server))
        finally:
            server.send_signal(signal.SIGCONT)
            server.terminate()
    wrong = verdict(stretches)
    print(f"{'; '.join(wrong) or 'flat'} after {time.monotonic() - began:.0f} s")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
