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
from pathlib import Path
from typing import Any

_MODULES = (
    "dsbuilder_tui.cli.main",
    "dsbuilder_tui.agent.turn",
    "dsbuilder_tui.generation.pipeline",
    "tests.support.talk_driver",
)
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([*_MODULES, "tests.support.preloaded"])


def run_command(arguments: list[str], cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """``dsbuilder …`` to its end."""
    return _run(_command, arguments, cwd, env)


def run_talk_driver(arguments: list[str], cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """``python -m tests.support.talk_driver …`` to its end."""
    return _run(_talk, arguments, cwd, env)


def _run(work: Any, arguments: list[str], cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = _context.Process(target=_begin, args=(work, arguments, str(cwd), env, str(out), str(err)))
        process.start()
        process.join(120)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, 120, out.read_bytes(), err.read_bytes())
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in (out, err)]
        return subprocess.CompletedProcess(arguments, process.exitcode, *texts)


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


def _command(arguments: list[str]) -> None:
    from dsbuilder_tui.cli.main import main

    sys.argv = ["dsbuilder", *arguments]
    sys.exit(main(arguments))


def _talk(arguments: list[str]) -> None:
    from tests.support.talk_driver import main

    asyncio.run(main(*arguments))
