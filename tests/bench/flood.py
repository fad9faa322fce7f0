"""The load of the app's bench: an endpoint that never waits to think, the plan it fills, and what is measured meanwhile."""

from __future__ import annotations

import asyncio
import random
import resource
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from dsbuilder_tui import DatasetPlanInput

ACCEPTED, REPEATED = 1000, 200  # a second
WORKERS, BATCH = 8, 20
GROWN = (20_000, 60_000)  # accepted cases between which the growth of the memory is measured
CATEGORIES = ("order_status", "refunds", "product_info", "small_talk", "complaints")
WORDS = [f"{a}{b}" for a in ("ka", "lo", "mi", "ne", "ru", "sa", "ti", "vo", "we", "zu") for b in ("bar", "den", "fil", "gon", "hep", "jut", "lim", "mos", "nar", "pol")]  # fmt: skip
# What a run is measured with, with the app and without it.
SETTINGS: dict[str, Any] = {
    "judge": "off", "max_workers": WORKERS, "batch_size": BATCH, "max_attempts": 100, "base_url": "http://127.0.0.1:9/v1",
    "checkpoint_interval": 500,
}  # fmt: skip


class Flood:
    """A model that writes ``ACCEPTED`` new cases and ``REPEATED`` repeats a second, all workers together.

    Once ``hurried`` it writes as fast as they are taken.
    """

    name, provider, ordered = "flood", "openai", False

    def __init__(self) -> None:
        self._random, self._number = random.Random(1), 0
        self.hurried = False

    def check(self, plan: Any) -> list[tuple[str, str]]:
        return []

    async def close(self) -> None:
        return None

    async def stream(self, request: Any) -> AsyncIterator[Any]:
        from dsbuilder_tui.domain.case import Usage
        from dsbuilder_tui.models.protocol import StreamEnd

        loop = asyncio.get_running_loop()
        pause, due = WORKERS / (ACCEPTED + REPEATED), loop.time()
        yield '{"cases": ['
        for number in range(1, len(request.slots) + 1):
            self._number += 1
            words = [self._random.choice(WORDS) for _ in range(9)]
            text = " ".join(words)
            if self._number % 6 == 0:
                text = f"bar den fil gon hep {self._number}"  # masked, all of these are one
            yield (", " if number > 1 else "") + orjson.dumps({"slot": number, "inputs": {"query": text}}).decode()
            due += pause
            await asyncio.sleep(0 if self.hurried else max(0.0, due - loop.time()))
        yield "]}"
        yield StreamEnd("stop", Usage(300, 900, known=True))


def plan_of(count: int) -> DatasetPlanInput:
    """So many cases in five categories."""
    from dsbuilder_tui import DatasetCategory, DatasetPlanInput

    share = count // len(CATEGORIES)
    categories = [DatasetCategory(name=name, count=share, example_inputs="Where is it?") for name in CATEGORIES]
    return DatasetPlanInput(dataset_name="flood", categories=categories)


def own_memory() -> float:
    """Megabytes that are the process's own: files that it has mapped are the system's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu() -> float:
    """Seconds of processor time of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def at(values: Sequence[float], share: float) -> float:
    """The value below which so large a share of the others is."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class RunMeter:
    """CPU, memory, lateness of the event loop over a stretch of a run. CPU is that of its first half: nobody types then."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._marks: list[tuple[float, float, int]] = []
        self._memory: list[tuple[int, float]] = []

    async def tick(self, accepted: Callable[[], int], seconds: float) -> None:
        """Measure for so long."""
        loop = asyncio.get_running_loop()
        end, next_mark = loop.time() + seconds, 0.0
        while (now := loop.time()) < end:
            if now >= next_mark:
                self._marks.append((time.perf_counter(), cpu(), accepted()))
                next_mark = now + 1
            await asyncio.sleep(0.01)
            self.late.append(loop.time() - now - 0.01)
        self._marks.append((time.perf_counter(), cpu(), accepted()))

    async def grow(self, accepted: Callable[[], int]) -> None:
        """Measure the memory until there are ``GROWN`` cases."""
        while (count := accepted()) < GROWN[1]:
            if count >= GROWN[0]:
                self._memory.append((count, own_memory()))
            await asyncio.sleep(0.25)

    def report(self) -> dict[str, float]:
        marks = self._marks[3:]  # the start is not the run
        (t0, c0, n0), (t1, _, n1), (half, used, n) = marks[0], marks[-1], marks[len(marks) // 2]
        return {
            "rate": (n1 - n0) / (t1 - t0), "cpu": (used - c0) / (half - t0), "cpu_case": (used - c0) / max(1, n - n0),
            "growth": statistics.linear_regression(*zip(*self._memory, strict=True)).slope * 100_000,
            "memory": self._memory[-1][1],
            "late50": statistics.median(self.late) * 1000, "late99": at(self.late, 0.99) * 1000,
        }  # fmt: skip
