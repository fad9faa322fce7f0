"""The main agent from the command line: a request in words, the plan, the yes, the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dsbuilder_tui.cli.headless_conversation import name_of_request
from dsbuilder_tui.domain.approval import approval_request, is_of_the_run
from tests.support import fake_agent as model
from tests.support.process import command, fake_endpoint
from tests.support.talking import SUPPORT

REQUEST = "12 cases for a customer service bot: half order status, the rest refunds and product info"


def test_the_plan_is_printed_and_waits_for_a_yes(tmp_path: Path) -> None:
    ended = command("run", "--prompt", REQUEST, "--checkpoint-dir", "s", "--out", "data.jsonl", cwd=tmp_path)
    assert ended.returncode == 4, ended.stderr
    for words in (
        "Plan revision 1: customer_service_bot, 12 cases in 3 categories", "+ order_status", "built-in planner",
        "To agree and go on:  dsbuilder resume customer-service-bot --checkpoint-dir s --yes",
        "To change it:        dsbuilder resume customer-service-bot --checkpoint-dir s --prompt",
    ):  # fmt: skip
        assert words in ended.stdout
    assert not (tmp_path / "data.jsonl").exists()
    again = command("resume", "--checkpoint-dir", "s", cwd=tmp_path)
    assert again.returncode == 4 and "12 cases in 3 categories" in again.stdout, "asked again, nothing run"
    changed = command(
        "resume", "--prompt", "make refunds 5 and add 2 complaints", "--checkpoint-dir", "s", cwd=tmp_path
    )
    assert changed.returncode == 4 and "16 cases in 4 categories" in changed.stdout
    done = command("resume", "--yes", "--checkpoint-dir", "s", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Complete: 16 cases" in done.stdout and (tmp_path / "s" / "customer_service_bot").is_dir()
    rows = [json.loads(line) for line in (tmp_path / "data.jsonl").read_text().splitlines()]
    counts = {
        c: sum(row["tags"]["category"] == c for row in rows)
        for c in ("order_status", "refunds", "product_info", "complaints")
    }
    assert counts == {"order_status": 6, "refunds": 5, "product_info": 3, "complaints": 2}


def test_with_a_yes_it_plans_and_runs_in_one_go(tmp_path: Path) -> None:
    ended = command("run", "--prompt", REQUEST, "--yes", "--checkpoint-dir", "s", "--plain", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    plan, run = ended.stdout.index("Plan revision 1"), ended.stdout.index("Building customer_service_bot")
    assert plan < run and "Complete: 12 cases" in ended.stdout


def test_a_yes_does_not_raise_the_limit(tmp_path: Path) -> None:
    ended = command("run", "--prompt", REQUEST.replace("12", "500"), "--yes", "--checkpoint-dir", "s", cwd=tmp_path)
    assert ended.returncode == 2 and "more than max_dataset_size allows (100)" in ended.stderr
    assert "--yes --max-dataset-size 500" in ended.stderr
    raised = command("resume", "--yes", "--max-dataset-size", "500", "--checkpoint-dir", "s", cwd=tmp_path)
    assert raised.returncode == 0 and "Complete: 500 cases" in raised.stdout


def test_as_json_lines(tmp_path: Path) -> None:
    ended = command("run", "--prompt", REQUEST, "--yes", "--json", "--checkpoint-dir", "s", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    types = [json.loads(line)["type"] for line in ended.stdout.splitlines()]
    assert types[0] == "message_added" and types[-1] in ("run_finished", "export_written")
    assert {"approval_asked", "approval_decided", "plan_revised", "run_started", "case_accepted"} <= set(types)
    assert types.index("approval_asked") < types.index("plan_revised") < types.index("run_started")
    asked = command("run", "--prompt", REQUEST, "--json", "--checkpoint-dir", "s", cwd=tmp_path)
    assert asked.returncode == 4 and "--yes" in asked.stderr
    assert all(json.loads(line) for line in asked.stdout.splitlines())


@pytest.mark.parametrize("words", ["hello", "what can you do?", "¿¿¿", "; rm -rf /"])
def test_what_is_no_request_is_answered_and_nothing_runs(tmp_path: Path, words: str) -> None:
    ended = command("run", "--prompt", words, "--yes", "--checkpoint-dir", "s", cwd=tmp_path)
    assert ended.returncode == 4 and "To answer:" in ended.stdout and "Building" not in ended.stdout


def test_bad_use_is_told_in_words(tmp_path: Path) -> None:
    for given, said in (
        (["run", "--prompt", "  "], "--prompt is empty"),
        (["run", "--example", "customer_service", "--yes"], "--yes answers the main agent"),
        (["run", "--prompt", "x", "--example", "customer_service"], "not allowed with"),
    ):
        ended = command(*given, cwd=tmp_path)
        assert ended.returncode == 2 and said in ended.stderr and "Traceback" not in ended.stderr


def test_an_endpoint_that_refuses_ends_with_its_code(tmp_path: Path) -> None:
    ended = command(
        "run", "--prompt", REQUEST, "--base-url", "http://127.0.0.1:9/v1", "--set", "max_retries=0", "--checkpoint-dir", "s",
        cwd=tmp_path,
    )  # fmt: skip
    assert ended.returncode == 4 and "The connection to http://127.0.0.1:9/v1 failed" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_session_is_named_after_what_is_asked_for() -> None:
    assert name_of_request(REQUEST) == "customer-service-bot"
    assert name_of_request("200 for refunds, please") == "refunds"
    assert name_of_request("!!! 12 ###") == "untitled" and name_of_request("../../x y\x1b[2J") == "untitled"


CASES = "12 cases for a shop, from what ./bot.py says, into ./mine.jsonl"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("export_dataset", {"path": "../elsewhere.jsonl"}),
        ("export_dataset", {"path": "there.jsonl"}),
        ("export_dataset", {"path": "unnamed.jsonl"}),
        ("describe_target", {"path": "secrets"}),
        ("describe_target", {"path": "."}),
        ("describe_target", {"path": "~"}),
        ("adjust_category", {"worker_model": "gpt-99-dear"}),
        ("load_from_checkpoint", {"path": "other"}),
    ],
)
def test_a_yes_is_one_to_the_plan_and_the_run_alone(tmp_path: Path, tool: str, arguments: dict[str, str]) -> None:
    here = tmp_path / "here"
    (here / "secrets").mkdir(parents=True)
    (here / "there.jsonl").write_text("mine")
    (here / "bot.py").write_text("PROMPT = 'You are a shop.'\n")
    begun = command("run", "--prompt", REQUEST, "--yes", "--checkpoint-dir", "s", cwd=here)
    assert begun.returncode == 0
    session = next(folder for folder in (here / "s").iterdir() if folder.is_dir())
    with fake_endpoint() as server:
        env = {"OPENAI_API_KEY": "sk-1", "DSBUILDER_BASE_URL": server.url}
        server.agent_script[:] = [model.calls((tool, arguments)), model.says("Done.")]
        words = ("--yes", "--prompt", "Go on.", "--checkpoint-dir", "s")
        ended = command("resume", session.name, *words, cwd=here, env=env)
        assert ended.returncode == 4 and "--yes agrees to the plan and the run alone" in ended.stdout, ended.stderr
        assert f"dsbuilder studio {session.name}" in ended.stdout and len(server.agent_bodies) == 1
        again = command("resume", session.name, "--yes", "--checkpoint-dir", "s", cwd=here, env=env)
        assert again.returncode == 4 and len(server.agent_bodies) == 1
    assert (here / "there.jsonl").read_text() == "mine"
    assert not [name for name in ("unnamed.jsonl", "../elsewhere.jsonl") if (here / name).exists()]


def test_what_the_person_named_needs_no_further_yes(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text("PROMPT = 'You are a shop.'\n")
    with fake_endpoint() as server:
        env = {"OPENAI_API_KEY": "sk-1", "DSBUILDER_BASE_URL": server.url}
        server.agent_script[:] = [
            model.calls(("describe_target", {"path": "./bot.py"})), model.calls(("propose_plan", SUPPORT)),
            model.calls(("start_generation", {})), model.says("Go."),
        ]  # fmt: skip
        ended = command("run", "--prompt", CASES, "--yes", "--checkpoint-dir", "s", cwd=tmp_path, env=env)
        assert ended.returncode == 0 and "Complete: 12 cases" in ended.stdout, ended.stderr
        server.agent_script[:] = [model.calls(("export_dataset", {"path": "./mine.jsonl"})), model.says("Done.")]
        ended = command("resume", "--prompt", CASES, "--yes", "--checkpoint-dir", "s", cwd=tmp_path, env=env)
        assert ended.returncode == 0 and len((tmp_path / "mine.jsonl").read_text().splitlines()) == 12, ended.stderr


def test_a_question_of_another_version_is_not_agreed_to() -> None:
    for subject in ({}, {"subject": "rocket"}, {"subject": None}, {"subject": "writing"}):
        request = approval_request({"kind": "question", "text": "Fly?", **subject})
        assert not is_of_the_run(request) and request.text == "Fly?"
    assert is_of_the_run(approval_request({"text": "Write 9 cases?", "subject": "run"}))
