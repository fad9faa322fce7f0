"""What the app costs: frames, keys, CPU against the same run without it, memory, starting. ``make bench-studio``.

The app runs in a process of its own on a pseudo-terminal of 120×36; this process is its terminal, types, and measures how
long a typed character takes to come back. Engine, store and gate are the real ones; only the endpoint is a stand-in that
writes 1,000 new cases and 200 repeats a second, and for the memory as many as are taken. Both runs are set up as the command
sets its process up.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Any

from dsbuilder_tui.cli.process_tuning import tune_process
from tests.bench.flood import GROWN, SETTINGS, Flood, RunMeter, at, cpu, plan_of
from tests.bench.large_session import look_at_large, write_large

ROOT = Path(__file__).resolve().parents[2]
_PLANNED = 200_000
_ECHO = "ßøåæþðłđ"  # nothing else on the screen holds these
_FRAME_AIM, _KEY_AIM, _MEMORY_AIM = 33, 50, 20  # ms, ms, MB a 100,000 cases beyond the engine


async def _headless(folder: str, seconds: float, out: Path) -> None:
    """The engine's process: the run without the app."""
    from dsbuilder_tui import DatasetBuilderConfig, Session
    from dsbuilder_tui.domain.events import CaseAccepted, Event

    meter, model, count = RunMeter(), Flood(), 0
    config = DatasetBuilderConfig(checkpoint_dir=Path(folder), max_dataset_size=10_000_000, **SETTINGS)
    async with await Session.create(plan_of(_PLANNED), config) as session:

        def listen(event: Event) -> None:
            nonlocal count
            count += isinstance(event, CaseAccepted)

        session.subscribe(listen)
        run = asyncio.create_task(session.run(model))
        await meter.tick(lambda: count, seconds)
        model.hurried = True
        await meter.grow(lambda: count)
        session.request_pause()
        session.drop_in_flight()
        await run
    out.write_text(json.dumps(meter.report()))


async def _in_app(folder: str, seconds: float, out: Path) -> None:
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
    meter, model = RunMeter(), Flood()
    app = StudioApp({"checkpoint_dir": folder, **SETTINGS}, make_model=lambda config: model)

    async def drive() -> None:
        await app.create_session(plan_of(_PLANNED), max_dataset_size=10_000_000)
        live = app.live
        assert live is not None
        live.start()
        assert isinstance(app.screen, StudioScreen)
        app.screen.to_prompt()
        asyncio.get_running_loop().call_later(seconds / 2 + 1.5, Path(f"{out}.ready").touch)
        await meter.tick(lambda: live.view.accepted, seconds)
        Path(f"{out}.idle").touch()
        measured = {
            "flush50": statistics.median(frames) * 1000,
            "flush99": at(frames, 0.99) * 1000,
        }
        model.hurried = True
        await meter.grow(lambda: live.view.accepted)
        live.session.request_pause()
        live.session.drop_in_flight()
        await live.wait()
        await asyncio.sleep(2)
        used, began = cpu(), time.perf_counter()
        await asyncio.sleep(8)
        idle = (cpu() - used) / (time.perf_counter() - began)
        out.write_text(json.dumps({**meter.report(), **measured, "idle": idle}))
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


def _run(role: str, folder: str, seconds: float, out: Path) -> list[str]:
    """How one of the two processes is started."""
    return [sys.executable, "-m", "tests.bench.studio", "--seconds", str(seconds), "--role", role, folder, str(out)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--role", nargs=3, metavar=("ROLE", "FOLDER", "OUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    tune_process()
    if arguments.role:
        role, home, out = arguments.role
        asyncio.run((_in_app if role == "app" else _headless)(home, arguments.seconds, Path(out)))
        return
    with tempfile.TemporaryDirectory(prefix="dsbuilder-bench-") as folder:
        out = Path(folder) / "headless.json"
        subprocess.run(_run("headless", f"{folder}/plain", arguments.seconds, out), cwd=ROOT, check=True)
        plain = json.loads(out.read_text())
        out = Path(folder) / "app.json"
        environment = {"PYTHONPATH": str(ROOT), "HOME": folder}
        master, process = _on_terminal(_run("app", f"{folder}/app", arguments.seconds, out), environment)
        latencies, written = _watch(master, process, out)
        if not out.exists():
            sys.exit(f"the app ended early ({process.wait()})")
        app = json.loads(out.read_text())
        asyncio.run(write_large(f"{folder}/large"))
        large = asyncio.run(look_at_large(f"{folder}/large"))
    frame, version = _first_frame()
    grown = f"memory growth per 100,000 cases ({GROWN[0]:,} to {GROWN[1]:,})"
    ratio = app["cpu_case"] / plain["cpu_case"]
    rows = [
        ("accepted cases a second", f"{plain['rate']:.0f} headless", f"{app['rate']:.0f} in the app", ""),
        ("CPU of one core", f"{plain['cpu']:.0%}", f"{app['cpu']:.0%}", ""),
        ("CPU of an accepted case", f"{plain['cpu_case'] * 1e6:.0f} µs", f"{app['cpu_case'] * 1e6:.0f} µs", f"×{ratio:.2f} (aim ≤ 1.30)"),
        ("event loop late, median / p99", f"{plain['late50']:.1f} / {plain['late99']:.1f} ms", f"{app['late50']:.1f} / {app['late99']:.1f} ms", ""),
        ("frame (flush and drawing), median / p99", "", f"{app['flush50']:.1f} / {app['flush99']:.1f} ms", f"aim p99 ≤ {_FRAME_AIM} ms"),
        ("key to screen, median / p99", "", f"{statistics.median(latencies) * 1000:.0f} / {at(latencies, 0.99) * 1000:.0f} ms ({len(latencies)})", f"aim p99 ≤ {_KEY_AIM} ms"),
        (grown, f"{plain['growth']:.1f} MB", f"{app['growth']:.1f} MB", f"{app['growth'] - plain['growth']:+.1f} MB (aim ≤ {_MEMORY_AIM} MB)"),
        (f"memory at {GROWN[1]:,} cases", f"{plain['memory']:.0f} MB", f"{app['memory']:.0f} MB", ""),
        ("idle CPU", "", f"{app['idle']:.2%}", "aim ≤ 1 %"),
        ("written to the terminal", "", f"{written / arguments.seconds / 1024:.0f} KB/s", ""),
        ("first frame", "", f"{frame:.2f} s", "aim ≤ 1 s"),
        ("--version", "", f"{version:.2f} s", "aim ≤ 0.3 s"),
        *((name if name.startswith(" ") else f"100,000 cases: {name}", "", f"{seconds:.3f} s", aim) for name, seconds, aim in large),
    ]  # fmt: skip
    for name, left, right, aim in rows:
        print(f"{name:<60}{left:<16}{right:<24}{aim}".rstrip())


if __name__ == "__main__":
    main()
