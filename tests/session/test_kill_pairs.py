"""SIGKILL while pairs are written: each partner belongs to its own case, once, and nothing is lost or left hanging."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path

import pytest
import yaml

from tests.session.test_kill import check_files
from tests.support.pair_worker import PairWorker
from tests.support.process import command, events, fake_endpoint, rest, start

_ARGUMENTS = (
    "--checkpoint-dir", "sessions", "--batch-size", 5, "--max-workers", 4, "--json", "--max-dataset-size", 1000,
)  # fmt: skip


def _plan(folder: Path) -> Path:
    categories = [
        {
            "name": name, "count": count, "example_inputs": "Where is my order?", "expectations": {"decision": "grant"},
            "write": ["guidelines"], "contrast": "10 %", "same": "10 %",
        }
        for name, count in (("orders", 90), ("refunds", 60))
    ]  # fmt: skip
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({"dataset_name": "killed", "categories": categories}))
    return path


def _pairs(folder: Path) -> dict[str, tuple[str, str]]:
    """Partner → (original, kind), looked up without any of our code; both sides say the same."""
    database = folder / "sessions" / "killed" / "session.db"
    if not database.exists():
        return {}
    plain = sqlite3.connect(database)
    rows = plain.execute(
        "SELECT c.name, a.ordinal, a.tags FROM accepted_case a JOIN category c ON c.id = a.category_id"
    ).fetchall()
    plain.close()
    tags = {f"{name}-{ordinal:05d}": json.loads(text).get("pair") for name, ordinal, text in rows}
    paired = {case: tag for case, tag in tags.items() if tag}
    for case, tag in paired.items():
        assert paired[tag["other"]]["other"] == case and paired[tag["other"]]["id"] == tag["id"]
        assert {tag["side"], paired[tag["other"]]["side"]} == {"original", "partner"}
    return {case: (tag["other"], tag["kind"]) for case, tag in paired.items() if tag["side"] == "partner"}


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_kills_while_pairs_are_written(tmp_path: Path, seed: int) -> None:
    plan, rng = _plan(tmp_path), random.Random(seed)
    with fake_endpoint(reply_for=PairWorker()) as fake:
        base = [*_ARGUMENTS, "--base-url", fake.url]
        announced: list[str] = []
        known: dict[str, tuple[str, str]] = {}
        for _ in range(5):
            begun = (tmp_path / "sessions" / "killed" / "session.db").exists()
            process = start(*(["resume"] if begun else ["run", plan]), *base, cwd=tmp_path)
            assert process.stdout
            heard, wanted = "", rng.randint(1, 45)
            while heard.count("case_accepted") < wanted and (line := process.stdout.readline()):
                heard += line
            process.kill()
            heard += rest(process)[0]
            announced += [event["case_id"] for event in events(heard) if event["type"] == "case_accepted"]
            check_files(tmp_path, announced)
            now = _pairs(tmp_path)
            assert known.items() <= now.items(), "a pair was written anew"
            known = now
        done = command("resume", *base, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert len(check_files(tmp_path, announced)) == 150
        pairs = _pairs(tmp_path)
        assert known.items() <= pairs.items()
        kinds = [(case.split("-")[0], kind) for case, (_, kind) in pairs.items()]
        assert {one: kinds.count(one) for one in set(kinds)} == {
            ("orders", "contrast"): 9, ("orders", "same"): 9, ("refunds", "contrast"): 6, ("refunds", "same"): 6,
        }  # fmt: skip
        assert command("doctor", "killed", "--checkpoint-dir", "sessions", cwd=tmp_path).returncode == 0
