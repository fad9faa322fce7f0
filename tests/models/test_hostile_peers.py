"""Whole runs against endpoints that never come to an end: memory stays small, and Ctrl+C is answered."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.process import fake_endpoint, read_until, rest, start

PLAN = {
    "dataset_name": "peers",
    "categories": [{"name": "a", "count": 100, "example_inputs": ["Where is my order?"], "description": "orders"}],
}
MOST_MEMORY = 300  # MB at their highest
MOST_WORK = 6.0  # seconds of processor time between Ctrl+C and the end; an idle machine shows them as such
WORKERS = [
    "flood_line", "flood_json", "flood_space", "flood_data_lines", "flood_thoughts", "flood_packed", "flood_error",
    "flood_packed_error", "trickle_thoughts", "trickle_comments", "trickle_empty",
]  # fmt: skip
EMBEDDINGS = ["flood_line", "flood_json", "flood_packed", "flood_error", "trickle_comments"]
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


def _interrupted(process: subprocess.Popen[str], lasts: float) -> tuple[int, str]:
    """Let it work for so many seconds of the processor, or until it waits; then Ctrl+C. Its highest memory and its words."""
    begun = read_until(process, "Workers: m")
    highest, until = 0, time.monotonic() + 4
    while process.poll() is None and _work(process) < lasts and time.monotonic() < until:
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
                pytest.fail(f"Ctrl+C is not answered; {taken:.1f} s of work since then; {begun}{rest(process)}")
            time.sleep(0.05)
    return highest, begun + "".join(rest(process))


def _ended_in_words(process: subprocess.Popen[str], said: str) -> None:
    # A signal that comes when all is said and the interpreter ends, ends it by itself.
    by_itself = process.returncode == -signal.SIGINT and "Everything accepted is saved" in said
    assert process.returncode in (1, 4, 5) or by_itself, said
    assert "Traceback" not in said and "unexpected error" not in said, said


@pytest.mark.parametrize("kind", _each_night(WORKERS, {"flood_packed", "flood_thoughts"}))
def test_workers(tmp_path: Path, kind: str) -> None:
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(PLAN))
    with fake_endpoint(rates={kind: 1.0}) as fake:
        process = start(
            "run", "plan.yaml", "--base-url", fake.url, "--worker-model", "m", "--plain", "--max-workers", "8",
            cwd=tmp_path, env=KEY,
        )  # fmt: skip
        highest, said = _interrupted(process, 6.0)
    _ended_in_words(process, said)
    assert highest <= MOST_MEMORY, said


@pytest.mark.parametrize("kind", _each_night(EMBEDDINGS, set()))
def test_embeddings(tmp_path: Path, kind: str) -> None:
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(PLAN))
    with fake_endpoint(embedding_script=[kind] * 1000) as fake:
        process = start(
            "run", "plan.yaml", "--base-url", fake.url, "--worker-model", "m", "--plain", "--set", "embedding_model=e5",
            cwd=tmp_path, env=KEY,
        )  # fmt: skip
        highest, said = _interrupted(process, 6.0)
    _ended_in_words(process, said)
    assert highest <= MOST_MEMORY, said
