"""Whole runs against endpoints that never come to an end: memory stays small, and Ctrl+C is answered."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.fake_agent import Flood
from tests.support.fake_floods import FLOODS
from tests.support.fake_judge import FakeJudge
from tests.support.fake_openai import FakeOpenAI
from tests.support.process import fake_endpoint, rest, start

PLAN = {
    "dataset_name": "peers",
    "categories": [{"name": "a", "count": 100, "example_inputs": ["Where is my order?"], "description": "orders"}],
}
MOST_MEMORY = 300  # MB at their highest
MOST_WORK = 6.0  # seconds of processor time between Ctrl+C and the end; an idle machine shows them as such
CHAT = list(FLOODS)
PLAIN = [kind for kind in FLOODS if kind not in ("flood_words", "flood_calls", "flood_thoughts", "trickle_thoughts")]
KEY = {"DSBUILDER_API_KEY": "k"}
_TICKS = os.sysconf("SC_CLK_TCK")


def _each_night(kinds: list[str], always: set[str]) -> list[Any]:
    return [kind if kind in always else pytest.param(kind, marks=pytest.mark.slow) for kind in kinds]


def _highest(process: subprocess.Popen[str]) -> int:
    """The most memory that a process ever had, in MB; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _work(process: subprocess.Popen[str]) -> float:
    """The processor time that a process, or a zombie of one, has taken, in seconds."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _interrupted(process: subprocess.Popen[str], asked: Callable[[], object], lasts: float = 3.0) -> tuple[int, str]:
    """Once the peer is ``asked``, let the process work for so many seconds of the processor, or until it waits or ends;
    then Ctrl+C. Its highest memory and its words."""
    highest, until = 0, time.monotonic() + 120
    while process.poll() is None and not asked() and time.monotonic() < until:
        time.sleep(0.02)
    assert asked(), rest(process)
    before, until = _work(process), time.monotonic() + 4
    while process.poll() is None and _work(process) - before < lasts and time.monotonic() < until:
        highest = max(highest, _highest(process))
        time.sleep(0.05)
    if process.poll() is None:
        before = _work(process)
        process.send_signal(signal.SIGINT)
        taken = 0.0
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            highest = max(highest, _highest(process))
            taken = _work(process) - before
            if taken > MOST_WORK or time.monotonic() > until + 60:
                process.kill()
                pytest.fail(f"Ctrl+C is not answered; {taken:.1f} s of work since then; {rest(process)}")
            time.sleep(0.05)
    return highest, "".join(rest(process))


def _ended_in_words(process: subprocess.Popen[str], said: str) -> None:
    # A signal that comes when all is said and the interpreter ends, ends it by itself.
    by_itself = process.returncode == -signal.SIGINT and said.strip()
    # A judge that does not judge holds up no case: how many were not judged is said.
    not_judged = process.returncode == 0 and "100 not judged" in said
    assert process.returncode in (1, 3, 4, 5) or by_itself or not_judged, said
    assert "Traceback" not in said and "unexpected error" not in said, said


def _holds_out(process: subprocess.Popen[str], asked: Callable[[], object]) -> None:
    highest, said = _interrupted(process, asked)
    _ended_in_words(process, said)
    assert highest <= MOST_MEMORY, (highest, said)


def _start(*words: str, folder: Path) -> subprocess.Popen[str]:
    """A process that hears Ctrl+C, also where the tests run in the background and do not."""
    return start(*words, cwd=folder, env=KEY, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def _run(folder: Path, fake: FakeOpenAI, *more: str) -> subprocess.Popen[str]:
    (folder / "plan.yaml").write_text(yaml.safe_dump(PLAN))
    endpoint = ("--base-url", fake.url, "--model", "m", "--worker-model", "m")
    return _start("run", "plan.yaml", *endpoint, "--plain", *more, folder=folder)


@pytest.mark.parametrize("kind", _each_night(CHAT, {"flood_packed", "flood_thoughts"}))
def test_workers(tmp_path: Path, kind: str) -> None:
    with fake_endpoint(rates={kind: 1.0}) as fake:
        _holds_out(_run(tmp_path, fake, "--max-workers", "8"), lambda: fake.seen[kind])


@pytest.mark.parametrize("kind", _each_night(["flood_line", "flood_lists", "flood_json", "flood_words"], set()))
def test_many_workers(tmp_path: Path, kind: str) -> None:
    """What all calls hold at once is bounded, not only what each does."""
    with fake_endpoint(rates={kind: 1.0}) as fake:
        process = _run(tmp_path, fake, "--max-workers", "64", "--batch-size", "1", "--set", "max_attempts=1")
        _holds_out(process, lambda: fake.seen[kind] > 16)


@pytest.mark.parametrize("kind", _each_night(CHAT, set()))
def test_the_main_agent(tmp_path: Path, kind: str) -> None:
    with fake_endpoint(agent_script=[Flood(kind)] * 1000) as fake:
        process = _start(
            "run", "--prompt", "30 cases for a bakery", "--base-url", fake.url, "--model", "m", "--yes",
            folder=tmp_path,
        )  # fmt: skip
        _holds_out(process, lambda: fake.seen["agent"])


@pytest.mark.parametrize("kind", _each_night(CHAT, set()))
def test_the_judge(tmp_path: Path, kind: str) -> None:
    with fake_endpoint(judge=FakeJudge(kind=kind)) as fake:
        _holds_out(_run(tmp_path, fake, "--set", "judge=all", "--max-workers", "8"), lambda: fake.judge.bodies)


@pytest.mark.parametrize("kind", _each_night(CHAT, set()))
def test_the_judge_of_a_file(tmp_path: Path, kind: str) -> None:
    rows = [{"inputs": {"query": f"Where is parcel {number}?"}, "expectations": {}} for number in range(200)]
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with fake_endpoint(judge=FakeJudge(kind=kind)) as fake:
        process = _start("judge", "rows.jsonl", "--base-url", fake.url, "--judge-model", "m", folder=tmp_path)
        _holds_out(process, lambda: fake.judge.bodies)


@pytest.mark.parametrize("kind", _each_night(PLAIN, set()))
def test_embeddings(tmp_path: Path, kind: str) -> None:
    with fake_endpoint(embedding_script=[kind] * 1000) as fake:
        _holds_out(_run(tmp_path, fake, "--set", "embedding_model=e5"), lambda: fake.embedding_bodies)


@pytest.mark.parametrize("kind", _each_night(PLAIN, {"flood_json"}))
def test_a_list_of_models(tmp_path: Path, kind: str) -> None:
    with fake_endpoint(models_kind=kind) as fake:
        process = _start("doctor", "--base-url", fake.url, "--model", "m", "--worker-model", "m", folder=tmp_path)
        _holds_out(process, lambda: fake.paths)
