"""The real command in a real process, and a fake endpoint that outlives it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.fake_openai import FakeOpenAI
from tests.support.warm_process import run_command

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "dsbuilder_tui")


def start(*arguments: object, cwd: Path, **more: Any) -> subprocess.Popen[str]:
    """Start ``dsbuilder …`` with pipes; the environment is the test's own, which is clean."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more.pop("env", {})}
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd, env=env, text=True, encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL, **more,
    )  # fmt: skip


def command(*arguments: object, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run ``dsbuilder …`` to its end: in a fork of a process that has everything imported.

    With more than an environment, or with one that an interpreter reads when it starts, in a fresh one.
    """
    if not set(more) - {"env"} and not any(name.startswith(("PYTHON", "LC_", "LANG")) for name in more.get("env", {})):
        env = {**os.environ, "PYTHONPATH": str(ROOT), **more.get("env", {})}
        return run_command([str(argument) for argument in arguments], cwd, env)
    process = start(*arguments, cwd=cwd, **more)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def printed_with_hash_seeds(code: str, *seeds: str, **env: str) -> set[str]:
    """What a program of one line prints in fresh interpreters that hash differently: one text when it does not matter."""
    return {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT,
            env={"PYTHONHASHSEED": seed, **env},
        ).stdout
        for seed in seeds
    }  # fmt: skip


def events(out: str) -> list[dict[str, Any]]:
    """The whole JSON lines of an output that may have been cut off in its last line."""
    found = []
    for line in out.splitlines(keepends=True):
        if line.endswith("\n"):
            found.append(json.loads(line))
    return found


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """The process's output up to the line that holds ``text``; fails with its errors when it ends before."""
    assert process.stdout and process.stderr
    heard = ""
    while text not in heard:
        line = process.stdout.readline()
        assert line, f"ended before {text!r}: {heard[-500:]} {process.stderr.read()}"
        heard += line
    return heard


def rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process still says until it ends. (``communicate`` would lose what ``readline`` has buffered.)"""
    assert process.stdout and process.stderr
    out, err = process.stdout.read(), process.stderr.read()
    process.wait(60)
    process.stdout.close()
    process.stderr.close()
    return out, err


@contextmanager
def fake_endpoint(**settings: Any) -> Iterator[FakeOpenAI]:
    """A fake endpoint on a thread of its own, for tests that wait for processes."""
    server, loop, ready = FakeOpenAI(**settings), asyncio.new_event_loop(), threading.Event()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        server.url = loop.run_until_complete(server.start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(server.stop())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
