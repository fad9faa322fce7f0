"""Processes that begin with everything imported: forked from a server that has done so once for a worker of the tests.

Importing the agents SDK costs two seconds of CPU, a fork some milliseconds. Each is a process of its own, with a pid, its
own standard streams, environment and folder, and can be killed like any other. What is about imports, hash seeds or how a
process starts needs a fresh interpreter instead.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MODULES = (
    "dsbuilder_tui.cli.main",
    "dsbuilder_tui.agent.turn",
    "dsbuilder_tui.generation.pipeline",
    "tests.support.talk_driver",
    "tests.crash.fault_scenarios",
    "tests.crash.kill_scenarios",
)
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([*_MODULES, "tests.support.preloaded"])


def run_command(arguments: list[str], cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """``dsbuilder …`` to its end."""
    return _run(command, arguments, cwd, env)


def run_talk_driver(arguments: list[str], cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """``python -m tests.support.talk_driver …`` to its end."""
    return _run(_talk, arguments, cwd, env)


def _run(work: Any, arguments: list[str], cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        process = Forked(work, arguments, cwd, env, Path(folder))
        return subprocess.CompletedProcess(arguments, process.wait(), process.out, process.err)


class Forked:
    """A process that has begun with everything imported. What it says goes to files in ``said``, and is read from there."""

    def __init__(
        self, work: Callable[[list[str]], None], arguments: list[str], cwd: Path, env: dict[str, str], said: Path
    ) -> None:
        """``work`` is given the arguments; it is what the process does (a function of a module, or a picklable object)."""
        self._arguments, self._out, self._err = arguments, said / "out", said / "err"
        self._process = _context.Process(
            target=_begin, args=(work, arguments, str(cwd), env, str(self._out), str(self._err))
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def out(self) -> str:
        return self._read(self._out)

    @property
    def err(self) -> str:
        return self._read(self._err)

    @property
    def running(self) -> bool:
        return self._process.exitcode is None

    def kill(self) -> None:
        self._process.kill()

    def wait(self, seconds: float = 120) -> int:
        """The exit code; minus the signal's number when one has ended it."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
            raise subprocess.TimeoutExpired(self._arguments, seconds, self.out.encode(), self.err.encode())
        return self._process.exitcode

    @staticmethod
    def _read(path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:  # it has not begun
            return ""


def _begin(work: Any, arguments: list[str], cwd: str, env: dict[str, str], out: str, err: str) -> None:
    for path, number, flags in (
        (os.devnull, 0, os.O_RDONLY),
        (out, 1, os.O_WRONLY | os.O_CREAT),
        (err, 2, os.O_WRONLY | os.O_CREAT),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the process's life
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    assert threading.active_count() == 1, "a thread of the server would not live on in a fork"
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    work(arguments)


def command(arguments: list[str]) -> None:
    """``dsbuilder …``, as what this process does."""
    from dsbuilder_tui.cli.main import main

    sys.argv = ["dsbuilder", *arguments]
    sys.exit(main(arguments))


def _talk(arguments: list[str]) -> None:
    from tests.support.talk_driver import main

    asyncio.run(main(*arguments))
