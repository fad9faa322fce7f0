"""Faults of what a process lives on: disks, files, the clock, descriptors, memory."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.crash.damage import DATABASE, NAME
from tests.crash.faults import ClockSteps, Fault, Limit
from tests.crash.ground import Ended, Ground, Scenario, Tally, do, finish, killed_somewhere, look, settings
from tests.support.warm_process import Forked


def run_with(faults: Callable[[random.Random], Sequence[Fault]]) -> Callable[[Ground, random.Random, Tally], None]:
    """A run with faults ends in a sentence or with its dataset; without them it goes on as if nothing had happened."""

    def scenario(ground: Ground, rng: random.Random, tally: Tally) -> None:
        with ground.folder() as folder:
            given = (*settings(ground), "--out", "out.jsonl", "--json")
            end = do(folder, "run", ground.plan, *given, faults=faults(rng))
            _after_a_fault(ground, folder, end, tally)

    return scenario


def fail_in_the_middle(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """From some instant on the disk takes nothing more."""
    lines = rng.randint(1, 200)

    def meanwhile(process: Forked) -> None:
        while process.running and process.out.count("\n") < lines:
            time.sleep(0.002)
        if process.running:
            size = rng.choice((120_000, 200_000))  # more than what is said takes
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    with ground.folder() as folder:
        given = (*settings(ground), "--out", "out.jsonl", "--json")
        end = do(folder, "run", ground.plan, *given, meanwhile=meanwhile)
        _after_a_fault(ground, folder, end, tally)


def delete_in_the_middle(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """The database, its log or the folder is deleted while it runs: the run ends with an error, or had ended."""
    lines = rng.randint(1, 150)

    def meanwhile(process: Forked) -> None:
        while process.running and process.out.count("\n") < lines:
            time.sleep(0.002)
        session = folder / "s" / NAME
        match rng.randrange(3):
            case 0:
                shutil.rmtree(session, ignore_errors=True)
            case 1:
                (session / DATABASE).unlink(missing_ok=True)
            case _:
                (session / f"{DATABASE}-wal").unlink(missing_ok=True)

    with ground.folder() as folder:
        given = (*settings(ground), "--out", "out.jsonl", "--json")
        end = do(folder, "run", ground.plan, *given, meanwhile=meanwhile)
        tally.done += 1
        tally.killed += end.code != 0
        ended = '"run_finished"' in end.out
        tally.require(end.code != 0 or ended, "exit 0 into nothing")
        tally.require("unexpected" not in end.err and "Traceback" not in end.err, "not foreseen:", end.err)


def fill_a_disk(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """A small disk that is full; with more room it goes on."""
    with ground.folder() as folder, _mounted(folder / "disk", rng.randint(150, 1500)) as disk:
        given = (*settings(ground), "--out", "out.jsonl", "--json")
        end = do(disk, "run", ground.plan, *given)
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        _after_a_fault(ground, disk, end, tally)


def make_a_disk_read_only(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """Killed, and then mounted to be read: it says so; mounted to be written it goes on."""
    with ground.folder() as folder, _mounted(folder / "disk", 64_000) as disk:
        given = (*settings(ground), "--out", folder / "out.jsonl", "--json")
        end = do(disk, "run", ground.plan, *given, meanwhile=killed_somewhere(rng))
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        place = ("--checkpoint-dir", "s")
        for command in (
            ("sessions", *place),
            ("show", NAME, *place),
            ("export", NAME, "--out", folder / "x.jsonl", *place),
            ("resume", NAME, *given),
        ):
            told_ = do(disk, *command)
            tally.require("unexpected" not in told_.err and "Traceback" not in told_.err, command[0], told_.err)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        tally.done += 1
        tally.killed += 1
        look(disk, end.announced, tally)
        begun = (disk / "s" / NAME / DATABASE).exists()
        last = do(disk, *(["resume", NAME] if begun else ["run", ground.plan]), *given)
        tally.require(
            last.code == 0 and (folder / "out.jsonl").read_bytes() == ground.reference, "at the end:", last.err
        )


def turn_a_disk_read_only(ground: Ground, rng: random.Random, tally: Tally) -> None:
    """A disk fails under a running process, and its system makes it read-only; mended, the run goes on."""
    lines = rng.randint(1, 200)

    def meanwhile(process: Forked) -> None:
        while process.running and process.out.count("\n") < lines:
            time.sleep(0.002)
        subprocess.run(["mount", "-o", "remount,abort", disk], check=True)

    with ground.folder() as folder:
        image, disk = folder / "image", folder / "disk"
        with image.open("wb") as file:
            file.truncate(32 * 2**20)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        given = (*settings(ground), "--out", "out.jsonl", "--json")
        with _mounted_as(disk, "-o", "loop", image):
            end = do(disk, "run", ground.plan, *given, meanwhile=meanwhile)
        subprocess.run(["e2fsck", "-fy", image], check=False, capture_output=True)
        with _mounted_as(disk, "-o", "loop", image):
            _after_a_fault(ground, disk, end, tally)


@contextmanager
def _mounted(place: Path, kilobytes: int) -> Iterator[Path]:
    with _mounted_as(place, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs"):
        yield place


@contextmanager
def _mounted_as(place: Path, *what: str | Path) -> Iterator[None]:
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", *what, place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def _after_a_fault(ground: Ground, folder: Path, end: Ended, tally: Tally) -> None:
    tally.done += 1
    tally.killed += end.code != 0
    # A library that is given no memory may abort: that is as a kill.
    tally.require(end.code >= 0 or end.code == -signal.SIGABRT, "a signal:", end.code, end.err)
    tally.require("unexpected" not in end.err and "Traceback" not in end.err, "not foreseen:", end.err)
    tally.require(end.code == 0 or end.err.strip() != "", "no sentence; exit", end.code)
    look(folder, end.announced, tally)
    finish(ground, folder, tally, "--out", "out.jsonl")


FAULTS: dict[str, Scenario] = {
    "full disk": fill_a_disk,
    "files that may not grow": run_with(lambda rng: [Limit(resource.RLIMIT_FSIZE, rng.choice((120_000, 200_000, 300_000)))]),
    "disk fails in the middle": fail_in_the_middle,
    "read-only remount": make_a_disk_read_only,
    "read-only under a run": turn_a_disk_read_only,
    "clock steps": run_with(lambda rng: [ClockSteps(rng.randrange(1000), 48)]),
    "no descriptors left": run_with(lambda rng: [Limit(resource.RLIMIT_NOFILE, rng.randint(1, 30))]),
    "no memory left": run_with(lambda rng: [Limit(resource.RLIMIT_AS, rng.randint(1, 250) * 1_000_000)]),
    "files deleted": delete_in_the_middle,
}  # fmt: skip
_MOUNTS = ("full disk", "read-only remount", "read-only under a run")


def without_mounts(scenarios: dict[str, Scenario]) -> dict[str, Scenario]:
    """The scenarios that can be had here: without the right to mount a disk some of them cannot."""
    if os.geteuid() == 0:
        with tempfile.TemporaryDirectory() as name:
            if not subprocess.run(["mount", "-t", "tmpfs", "tmpfs", name], capture_output=True, check=False).returncode:
                subprocess.run(["umount", name], check=True)
                return scenarios
    return {name: scenario for name, scenario in scenarios.items() if name not in _MOUNTS}
