"""``dsbuilder judge``: verdicts on a file's rows and on a session's cases, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_judge import JudgeSays
from tests.support.process import command, fake_endpoint, start


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


def _dataset(folder: Path, count: int = 25) -> Path:
    path = folder / "cases.jsonl"
    records = [
        {
            "inputs": {"query": f"Where is order {n}?"}, "expectations": {"polite": True},
            "tags": {"case_id": f"c-{n}", "category": "a" if n % 2 else "b", "attributes": {"tone": "calm"}},
        }
        for n in range(1, count + 1)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def _env(fake: Any) -> dict[str, str]:
    return {"DSBUILDER_BASE_URL": fake.url, "OPENAI_API_KEY": "k", "DSBUILDER_MAX_RETRIES": "0"}


def _told(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_files_rows_are_judged_beside_it(here: Path) -> None:
    path = _dataset(here)
    before = path.read_bytes()
    with fake_endpoint() as fake:
        fake.judge.bad = lambda case: case["inputs"].get("query") in ("Where is order 3?", "Where is order 4?")
        done = command("judge", path, "--json", "--check", cwd=here, env=_env(fake))
        assert done.returncode == 3, done.stderr
        report = json.loads(done.stdout)
        assert (report["rows"], report["total"]["good"], report["total"]["bad"]) == (25, 23, 2)
        assert {name: c["bad"] for name, c in report["categories"].items()} == {"a": 1, "b": 1}
        verdicts = _told(here / "cases.jsonl.verdicts.jsonl")
        assert len(verdicts) == 25 and path.read_bytes() == before
        (third,) = [v for v in verdicts if v["id"] == "c-3"]
        assert third["verdict"]["finding"] == "bad" and third["verdict"]["failed"] == ["natural"]
        assert third["verdict"]["quote"] in "Where is order 3?"
        assert '"tone": "calm"' in fake.judge.bodies[0]["messages"][-1]["content"]
        calls = len(fake.judge.bodies)
        again = command("judge", path, cwd=here, env=_env(fake))
        assert again.returncode == 0 and "25 judged before" in again.stdout and len(fake.judge.bodies) == calls
        with path.open("a") as more:
            more.write(json.dumps({"inputs": "One more?"}) + "\n" + "no json\n")
        last = command("judge", path, cwd=here, env=_env(fake))
        assert last.returncode == 0 and "1 that hold no case" in last.stdout
        assert fake.judge.asked[-1] == "One more?" and len(fake.judge.bodies) == calls + 1


def test_a_kill_loses_no_verdict_and_pays_for_none_twice(here: Path) -> None:
    path, out = _dataset(here, 60), here / "cases.jsonl.verdicts.jsonl"
    with fake_endpoint() as fake:
        fake.judge.say = lambda cases, call: time.sleep(0.05)  # type: ignore[func-returns-value]
        process = start("judge", path, "--set", "max_workers=1", cwd=here, env=_env(fake))
        deadline = time.monotonic() + 60
        while not (out.exists() and out.read_bytes().count(b"\n") >= 20) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        with out.open("ab") as torn:
            torn.write(b'{"line":99,"id"')
        kept = out.read_bytes().count(b"\n")
        assert 20 <= kept < 60
        asked = len(fake.judge.asked)
        done = command("judge", path, "--set", "max_workers=1", cwd=here, env=_env(fake))
        assert done.returncode == 0, done.stderr
        assert len(_told(out)) == 60 and len({v["line"] for v in _told(out)}) == 60
        assert len(fake.judge.asked) - asked == 60 - kept


@pytest.mark.parametrize(
    ("kind", "code"), [("server_error", 4), ("unauthorized", 5), ("no_model", 5)]
)  # fmt: skip
def test_how_it_ends_when_the_judge_cannot_be_asked(here: Path, kind: str, code: int) -> None:
    path = _dataset(here)
    with fake_endpoint() as fake:
        fake.judge.kind = kind
        done = command("judge", path, cwd=here, env=_env(fake))
        assert done.returncode == code and "dsbuilder: " in done.stderr and "Traceback" not in done.stderr


def test_the_budget_ends_it_and_it_goes_on(here: Path) -> None:
    path = _dataset(here, 60)
    with fake_endpoint() as fake:
        prices = 'prices={"gpt-4o": {"input": 1000, "output": 1000}}'
        flags = ("--set", prices, "--set", "max_workers=1")
        done = command("judge", path, *flags, "--budget", "0.15", cwd=here, env=_env(fake))
        assert done.returncode == 4 and "budget is used up" in done.stdout, done.stdout + done.stderr
        assert 1 <= len(fake.judge.bodies) <= 3
        done = command("judge", path, *flags, cwd=here, env=_env(fake))
        assert done.returncode == 0 and set(Counter(fake.judge.asked).values()) == {1}


def test_what_cannot_be_judged_is_said(here: Path) -> None:
    path = _dataset(here)
    with fake_endpoint() as fake:
        fake.judge.say = lambda cases, call: JudgeSays("Fine, all of them.")
        done = command("judge", path, "--json", "--check", cwd=here, env=_env(fake))
        report = json.loads(done.stdout)
        assert done.returncode == 3 and (report["total"]["not_judged"], report["total"]["good"]) == (25, 0)
        assert command("judge", "nothing.jsonl", cwd=here, env=_env(fake)).returncode == 2
        assert command("judge", path, "--out", path, cwd=here, env=_env(fake)).returncode == 2
        other = here / "other.jsonl"
        other.write_text('{"query": 1}\n')
        assert command("judge", path, "--out", other, cwd=here, env=_env(fake)).returncode == 2
        assert other.read_text() == '{"query": 1}\n'
    assert command("judge", path, cwd=here).returncode == 2  # there is no model


def test_a_session_is_judged_where_it_is(here: Path) -> None:
    plan = here / "plan.yaml"
    plan.write_text(
        "dataset_name: shop\ncategories:\n- name: orders\n  count: 12\n  example_inputs: Where is it?\n"
        "- name: returns\n  count: 8\n  example_inputs: How do I return it?\n"
        "rubric: |\n  ## short\n  Is it short?\n"
    )
    with fake_endpoint() as fake:
        env = _env(fake)
        assert command("run", plan, "--plain", cwd=here, env=env).returncode == 0
        fake.judge.say = lambda cases, call: JudgeSays(
            json.dumps({"verdicts": [
                {"case": n, "reason": "it goes on and on", "quote": "", "short": "no" if n == 1 else "yes",
                 **dict.fromkeys(("on_topic", "natural", "attributes_shown", "expectation_right", "answerable",
                                  "leaks_nothing"), "yes")}
                for n in range(1, len(cases) + 1)
            ]})
        )  # fmt: skip
        done = command("judge", "shop", "--category", "orders", "--json", cwd=here, env=env)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["judged"]["orders"]["bad"] == 2 and "returns" not in report["judged"]
        assert report["cost"]["judge"]["models"][0]["model"] == "gpt-4o"
        assert command("judge", "shop", "--check", cwd=here, env=env).returncode == 3
        assert len(fake.judge.asked) == len(set(fake.judge.asked)) == 20
        shown = json.loads(command("show", "shop", "--json", "--cases", "20", cwd=here, env=env).stdout)
        assert shown["state"] == "complete" and shown["instances_created"] == 20
        assert shown["judged"]["returns"]["bad"] == 1
        found = Counter(case["tags"]["verdict"]["finding"] for case in shown["cases"])
        assert found == {"good": 17, "bad": 3}
        assert "% good" in command("show", "shop", cwd=here, env=env).stdout
        fake.judge.kind = "no_model"
        assert command("judge", "shop", cwd=here, env=env).returncode == 0  # nothing is left to be asked


@pytest.mark.timeout(600)  # Ray starts many processes, which takes long where much else is going on
def test_nodes_of_a_cluster_judge_a_file(here: Path) -> None:
    """The same verdicts as from this machine, and what is there is not asked for again; each row once."""
    pytest.importorskip("ray")
    path = _dataset(here, 30)
    with fake_endpoint() as fake:
        fake.judge.bad = lambda case: case["inputs"].get("query") in ("Where is order 3?", "Where is order 4?")
        assert command("judge", path, "--out", "alone.jsonl", cwd=here, env=_env(fake)).returncode == 0
        before = len(fake.judge.asked)
        first = (here / "alone.jsonl").read_text().splitlines(keepends=True)[:10]
        (here / "nodes.jsonl").write_text("".join(first))
        done = command("judge", path, "--out", "nodes.jsonl", "--runner", "ray", cwd=here, env=_env(fake))
        assert done.returncode == 0 and "10 judged before" in done.stdout, done.stdout + done.stderr
        asked = fake.judge.asked[before:]
        assert len(asked) == 20 and set(Counter(asked).values()) == {1}
        alone, nodes = ({told["line"]: told for told in _told(here / f"{n}.jsonl")} for n in ("alone", "nodes"))
        assert alone == nodes and len(alone) == 30
        assert "joined" in done.stderr


@pytest.mark.timeout(600)
def test_nodes_of_a_cluster_judge_a_session(here: Path) -> None:
    """Each case once, by nodes that are named; where nothing is left to judge no cluster is looked for."""
    pytest.importorskip("ray")
    plan = here / "plan.yaml"
    plan.write_text("dataset_name: shop\ncategories:\n- name: orders\n  count: 24\n  example_inputs: Where is it?\n")
    with fake_endpoint() as fake:
        env = _env(fake)
        assert command("run", plan, "--plain", cwd=here, env=env).returncode == 0
        nowhere = ("judge", "shop", "--runner", "ray", "--set", "ray_address=127.0.0.1:9")
        done = command(*nowhere, cwd=here, env=env)
        assert done.returncode == 4 and "cluster" in done.stderr and "Traceback" not in done.stderr
        assert not fake.judge.asked
        done = command("judge", "shop", "--runner", "ray", "--json", cwd=here, env=env)
        assert done.returncode == 0, done.stderr
        total = json.loads(done.stdout)["total"]
        assert (total["good"], total["bad"], total["not_judged"], total["cases"]) == (24, 0, 0, 24)
        assert len(fake.judge.asked) == len(set(fake.judge.asked)) == 24 and "joined" in done.stderr
        assert command(*nowhere, cwd=here, env=env).returncode == 0  # nothing is left to be asked
