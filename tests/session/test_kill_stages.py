"""SIGKILL at each stage of writing: what a stage has finished is there, and is not paid for again."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.session.test_kill import check_files
from tests.support.fake_openai import FakeOpenAI
from tests.support.process import command, events, fake_endpoint, rest, start
from tests.support.staged_runs import FULL, asked

_SETTINGS = (
    "--checkpoint-dir", "sessions", "--batch-size", 5, "--max-workers", 3, "--json", "--set", "judge=off",
)  # fmt: skip
_COUNT = 40


def _plan_file(folder: Path) -> Path:
    category = {
        "name": "refunds", "count": _COUNT, "example_inputs": "Where is my order #12345?",
        "expectations": {"polite": True}, "pipeline": FULL,
    }  # fmt: skip
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({"dataset_name": "killed", "categories": [category]}))
    return path


def _staged(folder: Path) -> dict[int, tuple[list[str], str]]:
    """Slot → its finished stages and its text, looked up without any of our code."""
    database = folder / "sessions" / "killed" / "session.db"
    if not database.exists():
        return {}
    plain = sqlite3.connect(database)
    assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rows = plain.execute("SELECT ordinal, trail, body FROM staged_case").fetchall()
    filled = {ordinal for (ordinal,) in plain.execute("SELECT ordinal FROM accepted_case")}
    plain.close()
    assert not filled & {ordinal for ordinal, *_ in rows}, "a slot that has its case is still between two stages"
    return {
        ordinal: ([one["stage"] for one in json.loads(trail)], json.loads(body)["inputs"]["query"])
        for ordinal, trail, body in rows
    }


def _asked(fake: FakeOpenAI, stage: str) -> list[str]:
    return fake.judge.asked if stage == "critique" else asked(fake, stage)


def _in_flight(heard: list[dict[str, Any]]) -> Counter[str]:
    """Cases of calls that had begun, and of whose end nothing was told, by role."""
    begun = {event["batch"]: event for event in heard if event["type"] == "batch_started"}
    for event in heard:
        if event["type"] == "batch_finished":
            begun.pop(event["batch"], None)
    found: Counter[str] = Counter()
    for event in begun.values():
        found[event.get("role", "worker")] += len(event["slots"])
    return found


@pytest.mark.parametrize("stage", ["worker", "evolve", "critique", "revise"])
def test_kills_at_each_stage(tmp_path: Path, stage: str) -> None:
    plan, rng, kills = _plan_file(tmp_path), random.Random(stage), 0
    with fake_endpoint(latency=0.03, chunk=40, token_delay=0.001) as fake:
        fake.judge.bad = lambda case: True
        env = {"DSBUILDER_BASE_URL": fake.url, "OPENAI_API_KEY": "k"}
        worthless: Counter[str] = Counter()
        announced: list[str] = []
        waiting: list[tuple[str, str]] = []
        for _ in range(3):
            begun = (tmp_path / "sessions" / "killed" / "session.db").exists()
            process = start(*(["resume"] if begun else ["run", plan]), *_SETTINGS, cwd=tmp_path, env=env)
            assert process.stdout
            heard, wanted = "", rng.randint(1, 3)
            while wanted and (line := process.stdout.readline()):
                heard += line
                event = json.loads(line)
                wanted -= event["type"] == "batch_started" and event.get("role", "worker") == stage
            time.sleep(rng.uniform(0.0, 0.1))
            process.kill()
            heard += rest(process)[0]
            told = events(heard)
            kills += process.returncode != 0
            worthless += _in_flight(told)
            announced += [event["case_id"] for event in told if event["type"] == "case_accepted"]
            check_files(tmp_path, announced)
            following = {"draft": "evolve", "evolve": "critique", "critique": "revise"}
            waiting += [
                (following[done[-1]], text) for done, text in _staged(tmp_path).values() if done[-1] in following
            ]
        done = command("resume", *_SETTINGS, "--out", "out.jsonl", cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
        assert kills
        records = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert len(records) == len({record["inputs"]["query"] for record in records}) == _COUNT
        announced += [event["case_id"] for event in events(done.stdout) if event["type"] == "case_accepted"]
        assert max(Counter(announced).values()) == 1
        for record in records:
            assert [one["stage"] for one in record["tags"]["stages"]] == ["draft", "evolve", "critique", "revise"]
        for name, text in waiting:
            assert text in _asked(fake, name), f"what was finished was not gone on with at {name}"
        for name in ("evolve", "critique", "revise"):
            again = sum(count - 1 for count in Counter(_asked(fake, name)).values())
            assert again <= worthless[name], f"a case was paid for twice at {name}"
        assert not _staged(tmp_path)
        calls = sqlite3.connect(tmp_path / "sessions" / "killed" / "session.db")
        roles = {role for (role,) in calls.execute("SELECT DISTINCT role FROM worker_call")}
        calls.close()
        assert roles == {"worker", "evolve", "critique", "revise"}
