"""SIGKILL while a judge reads: a verdict that was announced is there, once, and its case is not asked about again."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path

import pytest

from tests.session.test_kill import check_files, plan_file
from tests.support.process import command, events, fake_endpoint, rest, start

_ARGUMENTS = (
    "--checkpoint-dir",
    "sessions",
    "--batch-size",
    5,
    "--max-workers",
    4,
    "--json",
    "--max-dataset-size",
    1000,
)


def _judged(folder: Path) -> dict[str, str]:
    """Case id → text of every case on which a verdict stands, looked up without any of our code."""
    database = folder / "sessions" / "killed" / "session.db"
    if not database.exists():
        return {}
    plain = sqlite3.connect(database)
    rows = plain.execute(
        "SELECT c.name, a.ordinal, a.inputs, a.tags FROM verdict v JOIN accepted_case a ON a.seq = v.case_seq "
        "JOIN category c ON c.id = a.category_id WHERE v.standing = 1"
    ).fetchall()
    plain.close()
    assert all("verdict" in json.loads(tags) for *_, tags in rows)
    found = {f"{name}-{ordinal:05d}": json.loads(inputs)["query"] for name, ordinal, inputs, _ in rows}
    assert len(found) == len(rows), "a case has two verdicts"
    return found


@pytest.mark.parametrize("mode", [pytest.param("sample", marks=pytest.mark.slow), "all"])
def test_kills_while_the_judge_reads(tmp_path: Path, mode: str) -> None:
    plan, rng = plan_file(tmp_path, 50, 30), random.Random(5)
    settings = [*_ARGUMENTS, "--set", f"judge={mode}", "--set", "judge_share=1"]
    with fake_endpoint(latency=0.02, chunk=40, token_delay=0.001) as fake:
        fake.judge.bad = lambda case: mode == "all" and len(case["inputs"]["query"]) % 11 == 0
        env = {"DSBUILDER_BASE_URL": fake.url, "OPENAI_API_KEY": "k"}
        announced: list[str] = []
        for _ in range(4):
            begun = (tmp_path / "sessions" / "killed" / "session.db").exists()
            known = set(_judged(tmp_path).values())
            asked = len(fake.judge.asked)
            process = start(*(["resume"] if begun else ["run", plan]), *settings, cwd=tmp_path, env=env)
            assert process.stdout
            heard, wanted = "", rng.randint(1, 25)
            while heard.count("case_judged") < wanted and (line := process.stdout.readline()):
                heard += line
            process.kill()
            heard += rest(process)[0]
            told = [event["case_id"] for event in events(heard) if event["type"] == "case_judged"]
            announced += told
            check_files(tmp_path, [])
            assert set(announced) <= set(_judged(tmp_path)), "an announced verdict is gone"
            assert len(set(told)) == len(told)
            assert not known & set(fake.judge.asked[asked:]), "a case was judged again"
        known, asked = set(_judged(tmp_path).values()), len(fake.judge.asked)
        done = command("resume", *settings, cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
        judged = _judged(tmp_path)
        assert len(judged) == 80 and set(announced) <= set(judged)
        assert not known & set(fake.judge.asked[asked:])
        state = json.loads(
            command("show", "killed", "--checkpoint-dir", "sessions", "--json", cwd=tmp_path, env=env).stdout
        )
        assert state["instances_created"] == 80
        assert sum(counts["good"] for counts in state["judged"].values()) == 80
        plain = sqlite3.connect(tmp_path / "sessions" / "killed" / "session.db")
        assert plain.execute("SELECT count(*), count(DISTINCT case_seq) FROM verdict").fetchone() == (80, 80)
        plain.close()
