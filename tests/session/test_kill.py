"""SIGKILL at any instant: what was announced is there, once; nothing is paid for twice but what was in flight."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.support.process import COMMAND, ROOT, command, events, fake_endpoint, rest, start

WORKERS, BATCH = 4, 5


def plan_file(folder: Path, first: int, second: int) -> Path:
    categories = [
        {"name": name, "count": count, "example_inputs": "Where is my order #12345?", "expectations": {"polite": True}}
        for name, count in (("orders", first), ("refunds", second))
    ]
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({"dataset_name": "killed", "categories": categories}))
    return path


def check_files(folder: Path, announced: list[str]) -> list[str]:
    """What a look into the file, without any of our code, says."""
    database = folder / "sessions" / "killed" / "session.db"
    if not database.exists():
        assert not announced
        return []
    plain = sqlite3.connect(database)
    assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rows = plain.execute(
        "SELECT c.name, a.ordinal FROM accepted_case a JOIN category c ON c.id = a.category_id ORDER BY a.seq"
    ).fetchall()
    plain.close()
    there = [f"{name}-{ordinal:05d}" for name, ordinal in rows]
    assert len(set(there)) == len(there), "a slot was filled twice"
    assert set(announced) <= set(there), "an announced case is gone"
    return there


def kill_and_resume(folder: Path, rng: random.Random, kills: int, rates: dict[str, float]) -> int:
    """Kill a run up to ``kills`` times, then let it end. Returns how often it was killed."""
    total = 240
    plan = plan_file(folder, 160, 80)
    done = 0
    settings = [
        "--checkpoint-dir",
        "sessions",
        "--batch-size",
        BATCH,
        "--max-workers",
        WORKERS,
        "--json",
        "--max-dataset-size",
        "1000",
    ]
    with fake_endpoint(latency=0.03, chunk=40, token_delay=0.002, rates=rates) as fake:
        announced: list[str] = []
        base = ["--base-url", fake.url, "--set", "request_timeout=5"]
        for _ in range(kills):
            begun = (folder / "sessions" / "killed" / "session.db").exists()
            what = ["resume"] if begun else ["run", plan]
            process = start(*what, *settings, *base, cwd=folder)
            if rng.random() < 0.15:  # anywhere in start-up
                time.sleep(rng.uniform(0.0, 0.7))
            else:  # some way into the work
                assert process.stdout
                heard = []
                for _ in range(rng.randint(1, 50)):
                    line = process.stdout.readline()
                    if not line:
                        break
                    heard.append(line)
                announced += [e["case_id"] for e in events("".join(heard)) if e["type"] == "case_accepted"]
                time.sleep(rng.uniform(0.0, 0.02))
            process.kill()
            out, err = rest(process)
            assert process.returncode in (-signal.SIGKILL, 0), err
            done += process.returncode != 0
            announced += [e["case_id"] for e in events(out) if e["type"] == "case_accepted"]
            there = check_files(folder, announced)
            if len(there) == total:
                break
        begun = (folder / "sessions" / "killed" / "session.db").exists()
        last = command(*(["resume"] if begun else ["run", plan]), *settings, *base, "--out", "out.jsonl", cwd=folder)
        assert last.returncode == 0, last.stderr
        announced += [e["case_id"] for e in events(last.stdout) if e["type"] == "case_accepted"]
        records = [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]
    assert len(records) == total
    assert Counter(record["tags"]["category"] for record in records) == {"orders": 160, "refunds": 80}
    assert len({record["inputs"]["query"] for record in records}) == total
    assert max(Counter(announced).values()) == 1, "a case was announced twice"
    assert set(announced) <= {record["tags"]["case_id"] for record in records}
    plain = sqlite3.connect(folder / "sessions" / "killed" / "session.db")
    remembered = plain.execute("SELECT sum(retries + 1) FROM worker_call").fetchone()[0]
    plain.close()
    # A call that a kill made worthless was in flight, or had ended in the instant before its cases were on disk.
    assert sum(fake.seen.values()) <= remembered + done * WORKERS * 2
    return done


def sweep(tmp_path: Path, seed: int, wanted: int) -> None:
    rng, done, number = random.Random(seed), 0, 0
    while done < wanted:
        folder = tmp_path / f"kills{number}"
        folder.mkdir()
        done += kill_and_resume(
            folder, rng, min(10, wanted - done), {"rate_limit": 0.1, "reset": 0.05} if number % 2 else {}
        )
        number += 1


def test_ten_kills(tmp_path: Path) -> None:
    sweep(tmp_path, 2026, 10)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_three_hundred_kills(tmp_path: Path) -> None:
    sweep(tmp_path, 7, 300)


def test_killed_offline_runs_end_as_if_nothing_had_happened(tmp_path: Path) -> None:
    rng = random.Random(11)
    outs = []
    for name, kills in (("whole", 0), ("killed", 4)):
        folder = tmp_path / name
        folder.mkdir()
        plan = plan_file(folder, 700, 500)
        settings = ["--checkpoint-dir", "sessions", "--json", "--max-dataset-size", "2000"]
        begun = False
        for _ in range(kills):
            process = start(*(["resume"] if begun else ["run", plan]), *settings, cwd=folder)
            assert process.stdout
            for _ in range(rng.randint(20, 300)):
                if not process.stdout.readline():
                    break
            os.kill(process.pid, signal.SIGKILL)
            rest(process)
            begun = (folder / "sessions" / "killed" / "session.db").exists()
        last = command(*(["resume"] if begun else ["run", plan]), *settings, "--out", "out.jsonl", cwd=folder)
        assert last.returncode == 0, last.stderr
        outs.append((folder / "out.jsonl").read_bytes())
    assert outs[0] == outs[1]


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """A real limit on the size of files stands for the disk: SQLite gets the same error from the system."""
    plan = plan_file(tmp_path, 1500, 500)
    settings = ["--checkpoint-dir", "sessions", "--max-dataset-size", "5000"]
    limited = subprocess.run(
        ["bash", "-c", 'ulimit -f 1000; exec "$@"', "-", *COMMAND, "run", plan, *settings, "--json"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert limited.returncode == 1, limited.stdout[-300:] + limited.stderr
    assert "Traceback" not in limited.stderr
    assert "Everything accepted so far is saved" in limited.stderr and "resume" in limited.stderr
    announced = [e["case_id"] for e in events(limited.stdout) if e["type"] == "case_accepted"]
    assert 0 < len(announced) < 2000
    assert set(announced) <= set(check_files(tmp_path, announced))
    done = command("resume", *settings, "--out", "out.jsonl", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 2000
