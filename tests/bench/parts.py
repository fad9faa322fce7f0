"""Where the processor time of a run goes, part by part: ``python -m tests.bench.parts``. Asserts nothing.

Three tables: the floor, which is what a bare loop of aiohttp takes to send the requests of a run and read their answers; the
threads of a run; and the event loop's thread by where its functions stand, with the number of their calls. That number
does not hang on how busy a machine is. The endpoint runs in a process of its own, and so does each measurement.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import pstats
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from dsbuilder_tui.cli.process_tuning import tune_process
from tests.bench.bench import ENVIRONMENT, ROOT, endpoint, table
from tests.bench.client import plan_of

_THREADS = {"MainThread": "event loop", "likeness": "comparing", "session-store": "session file"}
_OTHER_THREADS = "other threads"
_FIRST, _LAST, _ALL = "all, until the first request", "all, until the last case", "all, until the run has ended"
_LIBRARIES = ("aiohttp", "yarl", "multidict", "aiosignal", "frozenlist", "propcache")


def _parsed(args: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("all", *_MEASURES), default="all")
    parser.add_argument("--url", default="")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    return parser.parse_args(args)


async def _floor(given: argparse.Namespace, *, parse: bool) -> dict[str, float]:
    """The requests of a run, sent by so many loops that do nothing else; with ``parse`` every event of a stream is read as JSON."""
    import aiohttp
    import orjson

    slots = "\n".join(f"{n}. tone: polite; length: short; persona: student" for n in range(1, given.batch + 1))
    body = orjson.dumps(
        {
            "model": "m",
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": [
                {"role": "system", "content": "You write test cases. " * 60},
                {"role": "user", "content": f"Category: questions\n\nSlots ({given.batch}):\n{slots}"},
            ],
        }
    )
    left = given.cases // given.batch
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def loop() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                async with http.post(f"{given.url}/chat/completions", data=body) as response:
                    async for chunk in response.content.iter_any():
                        if not parse:
                            continue
                        for event in chunk.split(b"\n\n"):
                            if event.startswith(b"data: {"):
                                orjson.loads(event[6:])

        before = time.process_time()
        await asyncio.gather(*(loop() for _ in range(given.workers)))
    return {"cpu": time.process_time() - before}


def _thread_times() -> Counter[str]:
    """Seconds of processor time of each thread that is alive, by what it is for."""
    times: Counter[str] = Counter()
    for thread in threading.enumerate():
        if thread.ident is not None:
            name = next((part for start, part in _THREADS.items() if thread.name.startswith(start)), _OTHER_THREADS)
            times[name] += time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    return times


async def _run(given: argparse.Namespace, *, profiled: bool) -> dict[str, float]:
    from dsbuilder_tui import DatasetBuilderConfig, Session

    shares: Counter[str] = Counter()
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory() as folder:
        config = DatasetBuilderConfig(
            judge="off", checkpoint_dir=Path(folder), max_dataset_size=10**7, max_workers=given.workers,
            batch_size=given.batch, provider="openai", base_url=given.url,
        )  # fmt: skip
        async with await Session.create(plan_of(given.cases), config) as session:
            before, began = _thread_times(), time.process_time()

            def watch(event: Any) -> None:
                if event.type == "batch_started" and event.batch == 1:
                    shares[_FIRST] = time.process_time() - began  # type: ignore[assignment]
                if event.type == "case_accepted" and event.accepted == event.planned:
                    shares.update(_thread_times() - before)
                    shares[_LAST] = time.process_time() - began  # type: ignore[assignment]

            session.subscribe(watch)
            if profiled:
                profile.enable()
            await session.run()
            profile.disable()
            shares[_ALL] = time.process_time() - began  # type: ignore[assignment]
    return _by_part(profile) if profiled else dict(shares)


def _by_part(profile: cProfile.Profile) -> dict[str, float]:
    """Seconds, and as ``calls of …`` numbers of calls, by where functions stand. What is written in C counts for its callers."""
    found: Counter[str] = Counter()
    for (file, _, name), (_, calls, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        sources = [(file, calls, own)] if file != "~" else [(f, part[1], part[2]) for (f, *_), part in callers.items()]
        if "poll" in name or "select.kqueue" in name:
            continue  # the time in which nothing was to be done
        for source, number, seconds in sources:
            part = _part_of(source)
            found[part] += seconds  # type: ignore[assignment]
            found[f"calls of {part}"] += number
    return dict(found)


def _part_of(file: str) -> str:
    path = Path(file).parts
    if "dsbuilder_tui" in path:
        inside = path[len(path) - path[::-1].index("dsbuilder_tui") :]
        return inside[0] if len(inside) > 1 else "dsbuilder_tui"
    if any(name in path for name in _LIBRARIES):
        return "aiohttp"
    if "asyncio" in path or path[-1:] == ("selectors.py",):
        return "asyncio"
    return "Python and other libraries, imports in the main"


_MEASURES = {
    "bytes": lambda given: _floor(given, parse=False),
    "events": lambda given: _floor(given, parse=True),
    "threads": lambda given: _run(given, profiled=False),
    "rooms": lambda given: _run(given, profiled=True),
}


def _measured(what: str, url: str, given: argparse.Namespace) -> dict[str, float]:
    """The median of some runs, each in a process of its own."""
    command = [
        sys.executable, "-m", "tests.bench.parts", what, "--url", url, "--cases", str(given.cases),
        "--workers", str(given.workers), "--batch", str(given.batch),
    ]  # fmt: skip
    runs = []
    for _ in range(given.repeat if what != "rooms" else 1):
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        runs.append(json.loads(done.stdout))
    return {name: statistics.median(run.get(name, 0.0) for run in runs) for name in runs[0]}


def main() -> None:
    given = _parsed()
    if given.what != "all":
        tune_process()  # as the command does
        print(json.dumps(asyncio.run(_MEASURES[given.what](given))))
        return
    calls = given.cases // given.batch
    size = f"{given.workers} workers, batches of {given.batch}, {calls:,} calls"
    with endpoint("--latency", "0.2") as url:
        read, parsed = (_measured(what, url, given)["cpu"] for what in ("bytes", "events"))
        table(
            f"The floor: a bare loop of aiohttp, {size}",
            ["what it does", "CPU ms/call", "CPU ms/case"],
            [
                [what, 1000 * cpu / calls, 1000 * cpu / given.cases]
                for what, cpu in (("reads the bytes", read), ("and parses each event", parsed))
            ],
        )
        threads = _measured("threads", url, given)
        table(
            f"The threads of a run, {size}",
            ["part", "CPU s", "CPU ms/call", "CPU ms/case"],
            [
                [name, threads[name], 1000 * threads[name] / calls, 1000 * threads[name] / given.cases]
                for name in (*_THREADS.values(), _OTHER_THREADS, _FIRST, _LAST, _ALL)
            ],
        )
        rooms = _measured("rooms", url, given)
    parts = {name: cpu for name, cpu in rooms.items() if not name.startswith("calls of ")}
    table(
        f"The event loop's thread, {size}, under a profiler that makes Python look dearer than C",
        ["part", "share %", "Python and C calls a case"],
        [
            [name, 100 * cpu / sum(parts.values()), rooms[f"calls of {name}"] / given.cases]
            for name, cpu in sorted(parts.items(), key=lambda item: -item[1])
        ],
    )


if __name__ == "__main__":
    main()
