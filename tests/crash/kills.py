"""A real process, killed at an instant; and what must be true of the folder afterwards."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import yaml

from tests.support.process import command, fake_endpoint, read_until, rest, start


def checkpoint_file(folder: Path, cases: int) -> Path:
    """A file that can be imported."""
    instances = [
        {
            "inputs": {"query": f"Question {number} about parcel {number * 7}"},
            "expectations": {},
            "tags": {"category": "c"},
        }
        for number in range(1, cases + 1)
    ]
    path = folder / "taken_checkpoint.json"
    plan = {"dataset_name": "taken", "categories": [{"name": "c", "count": cases}]}
    path.write_text(json.dumps({"dataset_name": "taken", "dataset_plan": plan, "created_instances": instances}))
    return path


def killed_import(folder: Path, source: Path, cases: int, rng: random.Random, longest: float) -> str:
    """Kill an import somewhere. Returns what is wrong afterwards, or nothing."""
    place = ("--checkpoint-dir", "sessions", "--max-dataset-size", cases)
    process = start("import", source, *place, cwd=folder)
    time.sleep(rng.uniform(0.2, longest))
    process.kill()
    rest(process)
    listed = json.loads(command("sessions", "--json", "--checkpoint-dir", "sessions", cwd=folder).stdout)
    if [listing for listing in listed if listing["accepted"] != cases]:
        return f"a session that is not whole: {listed}"
    return ""


def plan_file(folder: Path, cases: int) -> Path:
    path = folder / "plan.yaml"
    category = {"name": "orders", "count": cases, "example_inputs": "Where is my order #12345?"}
    path.write_text(yaml.safe_dump({"dataset_name": "ended", "categories": [category]}))
    return path


def killed_at_the_end(folder: Path, cases: int, rng: random.Random) -> str:
    """Kill a run when it says that it is finished, with an older file where the dataset is to go."""
    out = folder / "out.jsonl"
    out.write_text('{"an": "older file"}\n')
    with fake_endpoint(latency=0.0) as fake:
        run = ("--checkpoint-dir", "sessions", "--base-url", fake.url)
        process = start("run", plan_file(folder, cases), "--out", out, "--json", *run, cwd=folder)
        read_until(process, '"run_finished"')
        time.sleep(rng.uniform(0, 0.01))
        process.kill()
        rest(process)
        again = command("resume", "ended", *run, cwd=folder)
    if again.returncode or str(out) not in again.stdout:
        return f"resume: {again.returncode} {again.stdout} {again.stderr}"
    lines = out.read_text().splitlines()
    return "" if len(lines) == cases and "older" not in lines[0] else f"{len(lines)} lines: {lines[:1]}"


def killed_at_the_start(folder: Path, rng: random.Random) -> str:
    """Kill a run while it makes its session: the session that is there knows where the dataset is to go."""
    out = folder / "wanted.jsonl"
    with fake_endpoint(latency=0.2) as fake:
        run = ("--checkpoint-dir", "sessions", "--base-url", fake.url)
        process = start("run", plan_file(folder, 4), "--out", out, "--json", *run, cwd=folder)
        database = folder / "sessions" / "ended" / "session.db"
        while not database.exists() and process.poll() is None:
            time.sleep(0.0005)
        process.kill()
        rest(process)
        again = command("resume", "ended", *run, cwd=folder)
    return "" if again.returncode == 0 and out.exists() else f"{again.returncode} {again.stdout} {again.stderr}"
