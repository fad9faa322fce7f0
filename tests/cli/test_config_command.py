"""``dsbuilder config``: set, unset and trust; the question before a key leaves; unknown variables of the environment."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import pexpect
import pytest

from dsbuilder_tui.cli.main import main
from dsbuilder_tui.domain.errors import ExitCode
from dsbuilder_tui.settings.locations import trusted_addresses_file, user_config_file
from tests.support.fake_openai import FakeOpenAI
from tests.support.process import ROOT, fake_endpoint

PLAN = """\
dataset_name: support
categories:
  - {name: orders, description: Questions about orders, count: 2, example_inputs: "Where is my order #12345?"}
"""


def test_a_setting_goes_into_the_users_file_unless_said_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "set", "batch_size", "7"]) == 0
    assert main(["config", "set", "max-workers", "3", "--user"]) == 0
    assert main(["config", "set", "seed", "5", "--project"]) == 0
    assert tomllib.loads(user_config_file().read_text()) == {"batch_size": 7, "max_workers": 3}
    assert tomllib.loads(Path("dsbuilder.toml").read_text()) == {"seed": 5}
    assert f"batch_size = 7 is in {user_config_file()}." in capsys.readouterr().out
    assert main(["config", "--json"]) == 0
    settings = json.loads(capsys.readouterr().out)["settings"]
    assert settings["batch_size"] == {"value": 7, "source": str(user_config_file())}
    assert settings["seed"] == {"value": 5, "source": "dsbuilder.toml"}
    assert main(["config", "unset", "seed", "--project"]) == main(["config", "unset", "batch_size"]) == 0
    assert Path("dsbuilder.toml").read_text() == "" and tomllib.loads(user_config_file().read_text()) == {
        "max_workers": 3
    }


def test_it_says_who_wins(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBUILDER_SEED", "9")
    assert main(["config", "set", "seed", "7"]) == 0
    assert "In this folder environment (DSBUILDER_SEED) says 9, and wins." in capsys.readouterr().out
    assert main(["config", "set", "model", "mine"]) == 0
    assert "and wins" not in capsys.readouterr().out


def test_a_budget_of_the_users_is_lifted_for_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "set", "budget", "5"]) == main(["config", "set", "budget", "off", "--project"]) == 0
    assert tomllib.loads(Path("dsbuilder.toml").read_text()) == {"budget": "off"}
    capsys.readouterr()
    assert main(["config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["budget"] == {"value": None, "source": "dsbuilder.toml"}


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        (["set", "batch_size", "0"], ["batch_size: '0'", "at least 1", "Nothing was saved"]),
        (["set", "batchsize", "3"], ["'batchsize'", "Did you mean batch_size?"]),
        (["unset", "batchsize"], ["'batchsize'", "Did you mean batch_size?"]),
        (["set", "api_key", "sk-canary"], ["can be read by every user", "OPENAI_API_KEY"]),
        (["set", "embedding-api-key", "sk-canary"], ["can be read by every user", "DSBUILDER_EMBEDDING_API_KEY"]),
    ],
)
def test_what_cannot_be_set(given: list[str], parts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", *given]) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert all(part in said for part in parts) and "canary" not in said
    assert not user_config_file().exists()


def test_an_unknown_variable_of_the_environment_is_a_warning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSBUILDER_BATCHSIZE", "5")
    assert main(["config", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["settings"]["batch_size"]["value"] == 20
    assert shown.err.count("DSBUILDER_BATCHSIZE") == 1 and "Did you mean batch_size?" in shown.err
    Path(".env").write_text("DSBUILDER_BATCHSIZE=5\n")
    assert main(["config", "--json"]) == ExitCode.BAD_INPUT


# Keys


@pytest.fixture
def led_away(monkeypatch: pytest.MonkeyPatch) -> FakeOpenAI:
    """An endpoint that a file of the folder names, and a key that it did not bring."""
    with fake_endpoint() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
        Path("dsbuilder.toml").write_text(f"base_url = '{server.url}'\n")
        Path("plan.yaml").write_text(PLAN)
        yield server


@pytest.mark.parametrize(
    "command",
    [
        ["run", "plan.yaml", "--plain"],
        ["run", "--prompt", "2 cases for a support bot", "--yes"],
        ["doctor"],
        ["dedup", "cases.jsonl", "--set", "embedding_model=e5"],
    ],
)
def test_headless_it_is_refused_with_the_command_that_allows_it(
    led_away: FakeOpenAI, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("cases.jsonl").write_text('{"inputs": {"query": "a"}}\n{"inputs": {"query": "b"}}\n')
    assert main(command) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert led_away.url in said and f"cd {Path.cwd()} && dsbuilder config trust" in said
    assert not led_away.bodies and "sk-mine" not in said


def test_the_command_allows_it(led_away: FakeOpenAI, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "trust"]) == 0
    assert f"Keys may be sent to {led_away.url} in {Path.cwd()}" in capsys.readouterr().out
    assert trusted_addresses_file().stat().st_mode & 0o777 == 0o600
    assert main(["run", "plan.yaml", "--plain"]) == 0 and led_away.bodies
    assert main(["config", "trust"]) == 0
    assert "name no address" in capsys.readouterr().out


def test_an_address_that_the_person_types_is_allowed(led_away: FakeOpenAI) -> None:
    Path("dsbuilder.toml").unlink()
    assert main(["config", "set", "base_url", led_away.url, "--project"]) == 0
    assert main(["run", "plan.yaml", "--plain"]) == 0 and led_away.bodies


def test_on_a_terminal_it_is_asked_once(led_away: FakeOpenAI) -> None:
    def run() -> pexpect.spawn[str]:
        arguments = ["-m", "dsbuilder_tui", "run", "plan.yaml", "--plain"]
        return pexpect.spawn(
            sys.executable, arguments, encoding="utf-8", timeout=60, env=environment(), dimensions=(40, 200)
        )

    child = run()
    child.expect(r"\[y/N\]")
    child.sendline("")
    child.expect("dsbuilder config trust")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == ExitCode.BAD_INPUT and not led_away.bodies
    child = run()
    child.expect(r"\[y/N\]")
    child.sendline("y")
    child.expect("Complete: 2 cases")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0 and led_away.bodies
    child = run()
    assert child.expect([r"\[y/N\]", "Complete: 2 cases"]) == 1
    child.expect(pexpect.EOF)


def environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
