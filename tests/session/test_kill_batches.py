"""SIGKILL at each step of a batch job: none is lost, none is made twice, and nothing collected is asked for again."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.session.test_kill import check_files
from tests.support.fake_batches import FakeBatches
from tests.support.fake_openai import FakeOpenAI
from tests.support.process import command, fake_endpoint, start

_COUNT = 40
_SETTINGS = (
    "--checkpoint-dir", "sessions", "--batch-size", 5, "--batch-api", "--json", "--set", "judge=off", "--set", "batch_poll=0.01",
)  # fmt: skip
_STEPS = [
    ("upload", "before"), ("upload", "after"), ("create", "before"), ("create", "after"), ("look", "after"),
    ("content", "before"), ("content", "after"),
]  # fmt: skip


def _plan(folder: Path) -> Path:
    category = {
        "name": "refunds", "count": _COUNT, "example_inputs": "Where is my order #12345?", "expectations": {"polite": True},
    }  # fmt: skip
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({"dataset_name": "killed", "categories": [category]}))
    return path


def _killed_at(step: tuple[str, str], fake: FakeOpenAI, folder: Path, *arguments: object) -> None:
    """Run until a step, and kill the process there."""
    assert fake.batches is not None
    process: subprocess.Popen[str] | None = None
    killed = False

    def watch(operation: str, moment: str) -> bool:
        nonlocal killed
        if (operation, moment) == step and process is not None and not killed:
            killed = True
            os.kill(process.pid, signal.SIGKILL)
            return True
        return False

    fake.batches.watch = watch
    env = {"DSBUILDER_BASE_URL": fake.url, "OPENAI_API_KEY": "k"}
    process = start(*arguments, *_SETTINGS, cwd=folder, env=env)
    process.communicate(timeout=100)
    fake.batches.watch = lambda operation, moment: False
    assert killed and process.returncode == -signal.SIGKILL, step


def _check(folder: Path, fake: FakeOpenAI) -> None:
    """Finish, and look at what there is without any of our code."""
    env = {"DSBUILDER_BASE_URL": fake.url, "OPENAI_API_KEY": "k"}
    done = command("resume", *_SETTINGS, cwd=folder, env=env)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    batches = fake.batches
    assert batches is not None
    asked = [request["custom_id"] for batch in batches.batches.values() for request in batch.requests]
    assert len(asked) == len(set(asked)), "no call is in two jobs"
    assert set(batches.paid.values()) == {1}
    assert len(asked) == _COUNT // 5, "nothing that was paid for was paid for again"
    plain = sqlite3.connect(folder / "sessions" / "killed" / "session.db")
    assert plain.execute("SELECT count(*), count(DISTINCT ordinal) FROM accepted_case").fetchone() == (_COUNT, _COUNT)
    assert plain.execute("SELECT count(*), count(DISTINCT batch) FROM worker_call").fetchone() == (
        len(asked),
        len(asked),
    )
    states = [state for (state,) in plain.execute("SELECT state FROM batch_job")]
    assert states.count("collected") == len(batches.batches) and set(states) <= {"collected", "dropped"}
    assert plain.execute("SELECT count(*) FROM batch_request").fetchone() == (0,)
    plain.close()
    rows = (folder / "sessions" / "killed" / "killed.jsonl").read_text().splitlines()
    assert len({json.dumps(json.loads(row)["inputs"]) for row in rows}) == _COUNT
    assert len(check_files(folder, [])) == _COUNT


def test_a_job_that_was_just_made_is_found_again_and_half_collected_ones_are_collected(tmp_path: Path) -> None:
    with fake_endpoint(batches=FakeBatches()) as fake:
        _killed_at(("create", "after"), fake, tmp_path, "run", _plan(tmp_path))
        assert fake.batches is not None and len(fake.batches.batches) == 1
        _killed_at(("content", "after"), fake, tmp_path, "resume")
        _check(tmp_path, fake)


def test_an_interrupt_keeps_jobs_and_says_how_to_cancel_them(tmp_path: Path) -> None:
    """The next run has the provider stop, where one says so, and collects what was done."""
    with fake_endpoint(batches=FakeBatches(held=True, steps=2)) as fake:
        assert fake.batches is not None
        env = {"DSBUILDER_BASE_URL": fake.url, "OPENAI_API_KEY": "k"}
        process = start("run", _plan(tmp_path), *_SETTINGS, cwd=tmp_path, env=env)
        assert process.stdout is not None
        for line in process.stdout:
            if '"batch_job_changed"' in line and '"next_look":' in line and '"next_look":null' not in line:
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 4, errors
        assert "1 batch job waiting since" in errors and "the provider works on" in errors
        assert "To cancel: dsbuilder resume killed --checkpoint-dir sessions --cancel-batches" in errors, errors
        assert fake.batches.batches["batch_1"].status == "validating" and not fake.batches.seen["cancel"]
        fake.batches.held = False
        done = command("resume", *_SETTINGS, "--cancel-batches", cwd=tmp_path, env=env)
        assert done.returncode == 4 and fake.batches.batches["batch_1"].status == "cancelled", done.stderr
        _check_counts(tmp_path, fake, command("resume", *_SETTINGS, cwd=tmp_path, env=env))


def _check_counts(folder: Path, fake: FakeOpenAI, done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert fake.batches is not None and set(fake.batches.paid.values()) == {1}
    rows = (folder / "sessions" / "killed" / "killed.jsonl").read_text().splitlines()
    assert len({json.dumps(json.loads(row)["inputs"]) for row in rows}) == len(rows) == _COUNT


@pytest.mark.slow
def test_kills_at_each_step(tmp_path: Path) -> None:
    with fake_endpoint(batches=FakeBatches(steps=3)) as fake:
        arguments: tuple[object, ...] = ("run", _plan(tmp_path))
        for step in _STEPS:
            _killed_at(step, fake, tmp_path, *arguments)
            arguments = ("resume",)
        _check(tmp_path, fake)


@pytest.mark.slow
@pytest.mark.parametrize("cases", [1, 7, 19, 33])
def test_kills_in_the_middle_of_collecting(tmp_path: Path, cases: int) -> None:
    with fake_endpoint(batches=FakeBatches()) as fake:
        env = {"DSBUILDER_BASE_URL": fake.url, "OPENAI_API_KEY": "k"}
        process = start("run", _plan(tmp_path), *_SETTINGS, cwd=tmp_path, env=env)
        assert process.stdout is not None
        accepted = 0
        for line in process.stdout:
            accepted += json.loads(line)["type"] == "case_accepted"
            if accepted >= cases:
                break
        process.kill()
        process.communicate()
        _check(tmp_path, fake)
