"""The speed tables. ``make bench`` runs them all; ``ARGS="requests tokens"`` only some. Asserts nothing.

The endpoint runs in a process of its own, so that CPU and memory are the client's alone. Each figure is the median of
``--repeat`` runs: on a shared machine believe ratios before milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Without the variable that keeps Python from writing compiled modules down: an installed package has them.
_LEFT_OUT = ("OPENAI_", "DSBUILDER_", "PYTHONDONTWRITEBYTECODE")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(_LEFT_OUT)} | {
    "PYTHONPATH": str(ROOT),
    "DSBUILDER_JUDGE": "off",
    "OPENBLAS_NUM_THREADS": "1",  # as the command does
}


@contextmanager
def endpoint(*flags: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.support.fake_openai", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def measure(repeat: int, *flags: str) -> dict[str, float]:
    runs = []
    for _ in range(repeat):
        command = [sys.executable, "-m", "tests.bench.client", *flags, "--spawned", str(time.time())]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        runs.append(json.loads(done.stdout))
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def table(title: str, head: list[str], rows: list[list[Any]]) -> None:
    cells = [head, *[[f"{c:.2f}" if isinstance(c, float) else str(c) for c in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)))
    sys.stdout.flush()


def requests(repeat: int) -> None:
    rows = []
    with endpoint("--latency", "0.2") as url:
        for workers, batch, cases in ((50, 1, 2000), (200, 1, 2000), (50, 20, 40_000)):
            m = measure(
                repeat, "build", "--url", url, "--workers", str(workers), "--batch", str(batch), "--cases", str(cases)
            )
            calls = cases // batch
            ideal = 0.2 * calls / workers
            rows.append(
                [workers, batch, calls, m["wall"], m["wall"] / ideal, 1000 * m["cpu"] / calls,
                 1000 * m["cpu"] / cases, m["rss_mb"], m["first_s"]]
            )  # fmt: skip
    table(
        "Requests against a local server with 200 ms latency",
        [
            "workers",
            "batch",
            "calls",
            "wall s",
            "wall/ideal",
            "CPU ms/call",
            "CPU ms/case",
            "RSS MB",
            "first request s",
        ],
        rows,
    )


def tokens(repeat: int) -> None:
    # A case of the fake endpoint is about 320 characters with 44 words: 80 chunks of 4.
    with endpoint("--latency", "0.2", "--chunk", "4", "--token-delay", "0.01", "--words", "48") as url:
        m = measure(
            repeat, "build", "--url", url, "--workers", "50", "--batch", "20", "--cases", "100000", "--seconds", "30",
            "--lateness",
        )  # fmt: skip
    table(
        "One token a chunk: 50 workers × 100 tokens/s for 30 s, batches of 20",
        ["accepted", "share of a core %", "lateness p99 ms", "RSS MB"],
        [[int(m["accepted"]), 100 * m["cpu"] / m["wall"], m["late_p99_ms"], m["rss_mb"]]],
    )


_WEATHER: dict[str, tuple[tuple[str, ...], int, int, float]] = {  # flags of the endpoint, workers, requests, ideal seconds
    "fair": ((), 50, 500, 2.0),
    "429 10 % (Retry-After 1 s), 500 5 %, malformed 2 %, hang 1 %": (
        ("--retry-after", "1", "--rates", '{"rate_limit": 0.1, "server_error": 0.05, "malformed": 0.02, "hang": 0.01}'),
        50, 500, 2.0,
    ),
    "429 10 %, by chance": (("--rates", '{"rate_limit": 0.1}'), 50, 2500, 10.0),
    "40 requests/s, not told": (("--per-second", "40", "--retry-after", "1"), 100, 1200, 30.0),
    "40 requests/s, not told, no Retry-After": (("--per-second", "40", "--retry-after", ""), 100, 1200, 30.0),
}  # fmt: skip


def weather(repeat: int) -> None:
    rows = []
    for name, (flags, workers, requests, ideal) in _WEATHER.items():
        with endpoint("--latency", "0.2", *flags) as url:
            m = measure(
                repeat, "build", "--url", url, "--workers", str(workers), "--batch", "1", "--cases", str(requests)
            )
        late = 100 * m["refused_late"] / max(1, m["calls"])
        rows.append(
            [name, workers, m["wall"], ideal, int(m["accepted"]), int(m["calls"]), int(m["refused"]), late]
        )  # fmt: skip
    table(
        "Weather: one case a request, 200 ms",
        ["endpoint", "workers", "wall s", "ideal s", "accepted", "tries", "of them 429", "429 after 10 s, % of all"],
        rows,
    )


def pressure(repeat: int) -> None:
    rows = []
    with endpoint("--words", "12") as url:
        for what, flags in (("nothing is compared", ["--alone"]), ("all three stages", [])):
            m = measure(
                1, "pressure", "--url", url, "--workers", "50", "--batch", "20", "--cases", "100000", "--slow", "0.5", *flags
            )  # fmt: skip
            rows.append([what, m["wall"], int(m["accepted"]), m["tenth_mb"], m["half_mb"], m["end_mb"]])
    table(
        "Backpressure: an endpoint without latency, half a second more for each commit, 100,000 cases",
        ["", "wall s", "accepted", "own MB at a tenth", "at half", "at the end"],
        rows,
    )


def offline(repeat: int) -> None:
    rows = []
    for cases in (500, 10_000, 40_000):
        m = measure(repeat, "build", "--workers", "8", "--batch", "20", "--cases", str(cases))
        rows.append([cases, m["wall"], m["cpu"], m["rss_mb"], int(m["accepted"])])
    table("Built-in writer", ["cases", "wall s", "CPU s", "RSS MB", "accepted"], rows)


def persist(repeat: int) -> None:
    rows = []
    for cases in (100_000, 1_000_000):
        m = measure(1 if cases > 100_000 else repeat, "persist", "--cases", str(cases), "--batch", "20")
        rows.append([cases, m["wall"], m["written_mb"], m["file_mb"], m["open_ms"]])
    table("Persisting, commits of 20", ["cases", "wall s", "written MB", "file MB", "open ms"], rows)


def main() -> None:
    known = {
        "requests": requests,
        "tokens": tokens,
        "weather": weather,
        "pressure": pressure,
        "offline": offline,
        "persist": persist,
    }
    parser = argparse.ArgumentParser()
    parser.add_argument("which", nargs="*", help=f"any of {', '.join(known)}; all when none is named")
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    for name in given.which or known:
        known[name](given.repeat)


if __name__ == "__main__":
    main()
