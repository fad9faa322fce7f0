"""What the app costs: frames, keys, CPU against the same run without it, memory, starting. ``make bench-studio``.

The app runs in a process of its own on a pseudo-terminal of 120×36; this process is its terminal, types, and measures how
long a typed character takes to come back. Engine, store and gate are the real ones; only the endpoint is a stand-in that
writes 1,000 new cases and 200 repeats a second.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import pty
import random
import resource
import select
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[2]
ACCEPTED, REPEATED = 1000, 200  # a second
WORKERS, BATCH = 8, 20
_ECHO = "ßøåæþðłđ"  # nothing else on the screen holds these
_WORDS = [f"{a}{b}" for a in ("ka", "lo", "mi", "ne", "ru", "sa", "ti", "vo", "we", "zu") for b in ("bar", "den", "fil", "gon", "hep", "jut", "lim", "mos", "nar", "pol")]  # fmt: skip


class Flood:
    """A model that never waits to think: ``ACCEPTED`` new cases and ``REPEATED`` repeats a second, all workers together."""

    name, provider, ordered = "flood", "openai", False

    def __init__(self) -> None:
        self._random, self._number = random.Random(1), 0

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
            words = [self._random.choice(_WORDS) for _ in range(9)]
            text = " ".join(words)
            if self._number % 6 == 0:
                text = f"bar den fil gon hep {self._number}"  # masked, all of these are one
            yield (", " if number > 1 else "") + orjson.dumps({"slot": number, "inputs": {"query": text}}).decode()
            due += pause
            await asyncio.sleep(max(0.0, due - loop.time()))
        yield "]}"
        yield StreamEnd("stop", Usage(300, 900, known=True))


def _plan(count: int) -> Any:
    from dsbuilder_tui import DatasetCategory, DatasetPlanInput

    names = ("order_status", "refunds", "product_info", "small_talk", "complaints")
    share = count // len(names)
    return DatasetPlanInput(
        dataset_name="flood",
        categories=[DatasetCategory(name=name, count=share, example_inputs="Where is it?") for name in names],
    )


def _config(folder: str) -> Any:
    from dsbuilder_tui import DatasetBuilderConfig

    return DatasetBuilderConfig(
        judge="off",
        checkpoint_dir=folder, max_dataset_size=10_000_000, max_workers=WORKERS, batch_size=BATCH, max_attempts=100,
        base_url="http://127.0.0.1:9/v1", checkpoint_interval=500,
    )  # fmt: skip


def _memory() -> float:
    """Resident memory in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class FrameMeter:
    """CPU, memory, lateness of the event loop over a stretch of a run. CPU is that of its first half: nobody types then."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.marks: list[tuple[float, float, float, int]] = []

    async def tick(self, accepted: Any, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end, next_mark = loop.time() + seconds, 0.0
        while (now := loop.time()) < end:
            if now >= next_mark:
                self.marks.append((time.perf_counter(), _cpu(), _memory(), accepted()))
                next_mark = now + 1
            await asyncio.sleep(0.01)
            self.late.append(loop.time() - now - 0.01)
        self.marks.append((time.perf_counter(), _cpu(), _memory(), accepted()))

    def report(self) -> dict[str, float]:
        marks = self.marks[3:]  # the start is not the run
        (t0, c0, m0, n0), (t1, _, m1, n1) = marks[0], marks[-1]
        half, used, _, _ = marks[len(marks) // 2]
        return {
            "rate": (n1 - n0) / (t1 - t0), "cpu": (used - c0) / (half - t0), "growth": (m1 - m0) / max(1, n1 - n0) * 100_000,
            "late50": statistics.median(self.late) * 1000, "late99": _at(self.late, 0.99) * 1000, "rss": m1,
        }  # fmt: skip


def _at(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


async def _headless(folder: str, seconds: float) -> dict[str, float]:
    from dsbuilder_tui import Session

    meter, count = FrameMeter(), 0
    async with await Session.create(_plan(200_000), _config(folder)) as session:

        def listen(event: Any) -> None:
            nonlocal count
            count += event.type == "case_accepted"

        session.subscribe(listen)
        run = asyncio.create_task(session.run(Flood()))
        await meter.tick(lambda: count, seconds)
        session.request_pause()
        session.drop_in_flight()
        await run
    return meter.report()


async def _in_app(folder: str, seconds: float, out: str) -> None:
    """The app's process: starts the run by itself, measures, leaves."""
    from textual.screen import Screen

    from dsbuilder_tui.tui.app import StudioApp
    from dsbuilder_tui.tui.studio.screen import StudioScreen

    frames: list[float] = []
    spent = [0.0]
    flush, update = StudioScreen.flush, Screen._compositor_refresh

    def timed_flush(self: Any) -> None:
        began = time.perf_counter()
        flush(self)
        spent[0] = time.perf_counter() - began

    def timed_update(self: Any) -> None:
        began = time.perf_counter()
        update(self)
        if spent[0]:
            frames.append(spent[0] + time.perf_counter() - began)
            spent[0] = 0.0

    StudioScreen.flush, Screen._compositor_refresh = timed_flush, timed_update  # type: ignore[method-assign]
    app = StudioApp(
        {"checkpoint_dir": folder, "max_workers": WORKERS, "batch_size": BATCH, "max_attempts": 100, "base_url": "http://127.0.0.1:9/v1",
         "checkpoint_interval": 500},
        make_model=lambda config: Flood(),
    )  # fmt: skip
    meter = FrameMeter()

    async def drive() -> None:
        await app.create_session(_plan(200_000), max_dataset_size=10_000_000)
        live = app.live
        assert live is not None
        live.start()
        assert isinstance(app.screen, StudioScreen)
        app.screen.to_prompt()
        asyncio.get_running_loop().call_later(seconds / 2 + 1.5, Path(out + ".ready").touch)
        await meter.tick(lambda: live.view.accepted, seconds)
        live.session.request_pause()
        live.session.drop_in_flight()
        await live.wait()
        Path(out + ".idle").touch()
        report = {
            **meter.report(),
            "flush50": statistics.median(frames) * 1000,
            "flush99": _at(frames, 0.99) * 1000,
            "frames": len(frames),
        }
        await asyncio.sleep(2)
        cpu, began = _cpu(), time.perf_counter()
        await asyncio.sleep(8)
        report["idle"] = (_cpu() - cpu) / (time.perf_counter() - began)
        Path(out).write_text(json.dumps(report))
        app.exit(0)

    app.call_later(lambda: app.run_worker(drive(), exit_on_error=True))
    await app.run_async()
    if app.crash:
        raise app.crash
    await app.close_session()


def _on_terminal(command: list[str], env: dict[str, str]) -> tuple[int, subprocess.Popen[bytes]]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color", **env},
        start_new_session=True,
    )
    os.close(slave)
    return master, process


def _watch(master: int, process: subprocess.Popen[bytes], out: Path) -> tuple[list[float], int]:
    """Be the terminal: read everything, type a rare letter ten times a second, time its coming back."""
    latencies: list[float] = []
    waiting: tuple[bytes, float] | None = None
    heard, total, turn, next_key = b"", 0, 0, time.perf_counter() + 3
    while process.poll() is None:
        ready, _, _ = select.select([master], [], [], 0.005)
        if ready:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            total += len(piece)
            heard = (heard + piece)[-65536:]
            if waiting and waiting[0] in heard:
                latencies.append(time.perf_counter() - waiting[1])
                waiting = None
                os.write(master, b"\x7f")
        now = time.perf_counter()
        if waiting and now - waiting[1] > 3:
            waiting = None
        busy = Path(f"{out}.ready").exists() and not Path(f"{out}.idle").exists()
        if waiting is None and now >= next_key and busy:
            letter = _ECHO[turn % len(_ECHO)].encode()
            turn, heard = turn + 1, b""
            os.write(master, letter)
            waiting, next_key = (letter, now), now + 0.1
    return latencies, total


def _first_frame() -> tuple[float, float]:
    """Seconds from start to the first words of the app, and for ``--version``; the median of five."""
    frames, versions = [], []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as home:
            began = time.perf_counter()
            master, process = _on_terminal(
                [sys.executable, "-m", "dsbuilder_tui"], {"HOME": home, "PYTHONPATH": str(ROOT)}
            )
            heard = b""
            while b"evaluation dataset" not in heard:
                heard += os.read(master, 65536)
            frames.append(time.perf_counter() - began)
            process.kill()
            process.wait()
            os.close(master)
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "dsbuilder_tui", "--version"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True
        )
        versions.append(time.perf_counter() - began)
    return statistics.median(frames), statistics.median(versions)


async def _large(folder: str) -> None:
    """A session of 100,000 cases, written straight into the store."""
    from dsbuilder_tui import Session
    from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint
    from dsbuilder_tui.store.rows import Changes

    async with await Session.create(_plan(120_000), _config(folder)) as session:
        store, now = session._files.store, time.time()
        for chunk in range(100):
            cases = [
                AcceptedCase(
                    seq=store.next_seq(),
                    category=name,
                    ordinal=chunk * 200 + place + 1,
                    inputs={"query": f"{name} question {chunk * 200 + place} about {_WORDS[place % 100]} " * 6},
                    expectations={"polite": True},
                    tags={"attributes": {"tone": "polite"}, "model": "m"},
                    created_at=now,
                    structure=None,
                )
                for name in ("order_status", "refunds", "product_info", "small_talk", "complaints")
                for place in range(200)
            ]
            point = Checkpoint(
                id=store.next_checkpoint(),
                seq=store.seq,
                reason="interval",
                accepted=chunk * 1000,
                planned=120_000,
                created_at=now,
            )
            await store.commit(Changes(accepted=cases, checkpoints=[point]))


async def _opening(folder: str) -> dict[str, float]:
    """Opening the large session in a running app, then its list of cases, a jump to the end, a search."""
    from dsbuilder_tui.tui.app import StudioApp
    from dsbuilder_tui.tui.cases.screen import CasesScreen

    app, times = StudioApp({"checkpoint_dir": folder, "max_dataset_size": 10_000_000}), {}
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.5)
        began = time.perf_counter()
        await app.open_session("flood")
        await pilot.pause()
        times["open"] = time.perf_counter() - began
        began = time.perf_counter()
        await pilot.press("f2")
        screen = app.screen
        assert isinstance(screen, CasesScreen)
        while screen.rows.item(0) is None:
            await pilot.pause(0.005)
        times["cases"] = time.perf_counter() - began
        began = time.perf_counter()
        await pilot.press("end")
        while screen.chosen is None:
            await pilot.pause(0.005)
        times["last case"] = time.perf_counter() - began
        meter = FrameMeter()
        ticker = asyncio.create_task(meter.tick(lambda: 0, 60))
        began = time.perf_counter()
        screen.query_one("#search").value = "refunds 19999"  # type: ignore[attr-defined]
        while screen._hits is None or screen._progress or not len(screen._hits):
            await asyncio.sleep(0.005)
        times["search, to its end"] = time.perf_counter() - began
        ticker.cancel()
        times["loop late p99 while it searches"] = _at(meter.late, 0.99)
        await app.close_session()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--in-app", nargs=2, metavar=("FOLDER", "OUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if arguments.in_app:
        asyncio.run(_in_app(arguments.in_app[0], arguments.seconds, arguments.in_app[1]))
        return
    with tempfile.TemporaryDirectory(prefix="dsbuilder-bench-") as folder:
        plain = asyncio.run(_headless(f"{folder}/plain", arguments.seconds))
        out = Path(folder) / "report.json"
        command = [
            sys.executable,
            str(Path(__file__)),
            "--seconds",
            str(arguments.seconds),
            "--in-app",
            f"{folder}/app",
            str(out),
        ]
        master, process = _on_terminal(command, {"PYTHONPATH": str(ROOT), "HOME": folder})
        latencies, written = _watch(master, process, out)
        if not out.exists():
            sys.exit(f"the app ended early ({process.wait()})")
        app = json.loads(out.read_text())
        asyncio.run(_large(f"{folder}/large"))
        opening = asyncio.run(_opening(f"{folder}/large"))
        shutil.rmtree(f"{folder}/large")
    frame, version = _first_frame()
    rows = [
        ("accepted cases a second", f"{plain['rate']:.0f} headless", f"{app['rate']:.0f} in the app", ""),
        ("CPU of one core", f"{plain['cpu']:.0%}", f"{app['cpu']:.0%}", f"×{app['cpu'] / plain['cpu']:.2f} (aim ≤ 1.30)"),
        ("event loop late, median / p99", f"{plain['late50']:.1f} / {plain['late99']:.1f} ms", f"{app['late50']:.1f} / {app['late99']:.1f} ms", ""),
        ("frame (flush and drawing), median / p99", "", f"{app['flush50']:.1f} / {app['flush99']:.1f} ms", "aim p99 ≤ 33 ms"),
        ("key to screen, median / p99", "", f"{statistics.median(latencies) * 1000:.0f} / {_at(latencies, 0.99) * 1000:.0f} ms ({len(latencies)})", "aim p99 ≤ 50 ms"),
        ("memory growth per 100,000 cases", f"{plain['growth']:.1f} MB", f"{app['growth']:.1f} MB", "aim ≤ 20 MB"),
        ("idle CPU", "", f"{app['idle']:.2%}", "aim ≤ 1 %"),
        ("written to the terminal", "", f"{written / arguments.seconds / 1024:.0f} KB/s", ""),
        ("first frame", "", f"{frame:.2f} s", "aim ≤ 1 s"),
        ("--version", "", f"{version:.2f} s", "aim ≤ 0.3 s"),
        *((f"100,000 cases: {name}", "", f"{seconds:.3f} s", "aim ≤ 0.3 s" if name == "open" else "") for name, seconds in opening.items()),
    ]  # fmt: skip
    for name, left, right, aim in rows:
        print(f"{name:<44}{left:<22}{right:<28}{aim}")


if __name__ == "__main__":
    main()
