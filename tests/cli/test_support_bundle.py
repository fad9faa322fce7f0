"""What a bug report needs: shown, then written, and no secret in it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pexpect
import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.settings.locations import crash_log_file, user_config_file
from tests.cli.test_config_command import environment
from tests.models.test_redaction import ENCODINGS
from tests.support.process import command

KEY = "sk-canary-Zk3/p+q=r"
PLAN = "dataset_name: shop\ncategories:\n  - {name: orders, count: 3, example_inputs: 'Where is the canary 12345?'}\n"
LOG = "Traceback (most recent call last)\nRuntimeError: no {}\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN)
    (tmp_path / "dsbuilder.toml").write_text("batch_size = 7\n[extra_headers]\nX-Team = 'canary-team'\n")
    (tmp_path / ".env").write_text("DSBUILDER_MAX_WORKERS=3\n")
    user_config_file().parent.mkdir(parents=True, exist_ok=True)
    user_config_file().write_text("embedding_base_url = 'https://me:canary-word@gateway.example/v1'\nseed = 9\n")
    crash_log_file().parent.mkdir(parents=True, exist_ok=True)
    crash_log_file().write_text("".join(LOG.format(each(KEY)) for each in ENCODINGS.values()) + "\x1b[2J")
    assert command("run", "plan.yaml", "--provider", "offline", cwd=tmp_path).returncode == 0
    return tmp_path


def test_it_holds_what_is_needed_and_no_secret(here: Path) -> None:
    env = {"OPENAI_API_KEY": KEY, "GITHUB_TOKEN": "ghp-canary-github", "HTTPS_PROXY": "http://me:canary-proxy@proxy:1"}
    crash_log_file().write_text(crash_log_file().read_text() + "ghp-canary-github canary-word canary-team canary-proxy")
    done = command("doctor", "--bundle", "--provider", "offline", cwd=here, env=env)
    text = (here / "dsbuilder-report.md").read_text()
    assert done.returncode == 0 and done.stdout.strip() == text.strip(), done.stderr
    assert (here / "dsbuilder-report.md").stat().st_mode & 0o777 == 0o600
    for words in (
        "Python 3.", "SQLite", "aiohttp ", "user file (~", "  seed = 9", "project file (dsbuilder.toml):", "  batch_size = 7",
        "  max_workers = 3", "environment:", "  api_key = set", "flag:", "  provider = offline", "extra_headers = set",
        "https://gateway.example/v1", "HTTPS_PROXY", 'dataset_name: "shop"', "instances_created: 3", "session.db",
        "run_finished", "RuntimeError", "[hidden]",
    ):  # fmt: skip
        assert words in text, words
    assert "canary" not in text and "\x1b" not in text and KEY.encode().hex() not in text
    assert json.dumps(str(Path.home()))[1:-1] not in text


def test_without_a_session_a_log_or_a_readable_one_it_says_so(tmp_path: Path) -> None:
    done = command("doctor", "--bundle", "a.md", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.count("none") >= 2
    folder = tmp_path / "s" / "broken"
    folder.mkdir(parents=True)
    (folder / "session.db").write_text("no database")
    done = command("doctor", "--bundle", "b.md", "--checkpoint-dir", "s", cwd=tmp_path)
    assert done.returncode == 0 and "could not be read" in done.stdout and "Traceback" not in done.stderr
    again = command("doctor", "--bundle", "b.md", cwd=tmp_path)
    assert again.returncode == 2 and "exists already" in again.stderr and not again.stdout


def test_on_a_terminal_nothing_is_written_before_a_yes(tmp_path: Path) -> None:
    for answer, written in (("", False), ("y", True)):
        child = pexpect.spawn(
            sys.executable, ["-m", "dsbuilder_tui", "doctor", "--bundle", "r.md"], encoding="utf-8", timeout=60,
            env=environment(), cwd=str(tmp_path), dimensions=(60, 200),
        )  # fmt: skip
        child.expect(r"Write it\? \[y/N\]")
        assert "Versions" in (child.before or "") and not (tmp_path / "r.md").exists()
        child.sendline(answer)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0 and (tmp_path / "r.md").exists() is written


def test_it_is_of_the_session_that_is_named(here: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.replace("shop", "other").replace("3,", "2,"))
    assert command("run", "plan.yaml", "--provider", "offline", "--seed", "77", cwd=tmp_path).returncode == 0
    newest = command("doctor", "--bundle", "a.md", cwd=here)
    named = command("doctor", "shop", "--bundle", "b.md", cwd=here)
    assert newest.returncode == named.returncode == 0
    assert 'dataset_name: "other"' in newest.stdout and 'dataset_name: "shop"' in named.stdout
    assert "  seed = 77" in newest.stdout.partition("session:")[2] and "  seed = 77" not in named.stdout
    assert (here / "b.md").read_text().strip() == named.stdout.strip()
    for words in (["nobody", "--bundle", "c.md"], ["shop", "--bundle", "c.md", "--repair"], ["--with-texts"]):
        done = command("doctor", *words, cwd=here)
        assert done.returncode == 2 and not (here / "c.md").exists() and "Traceback" not in done.stderr, words


def test_texts_are_in_it_only_when_they_are_asked_for(tmp_path: Path) -> None:
    said = command("run", "--prompt", "12 cases for a zebra farm", "--checkpoint-dir", "s", cwd=tmp_path)
    assert said.returncode == 4, said.stderr
    plain = command("doctor", "--bundle", "a.md", "--checkpoint-dir", "s", cwd=tmp_path).stdout
    texts = command("doctor", "--bundle", "b.md", "--with-texts", "--checkpoint-dir", "s", cwd=tmp_path).stdout
    assert "for a zebra farm" not in plain and "person: 12 cases for a zebra farm" in texts


async def test_a_session_that_is_open_elsewhere_or_damaged_is_told_of(here: Path) -> None:
    config = DatasetBuilderConfig()
    async with await Session.open("shop", config) as session:
        file = session.folder / "session.db"
        done = await asyncio.to_thread(command, "doctor", "shop", "--bundle", "a.md", cwd=here)
        assert done.returncode == 0 and "dataset_name: shop" in done.stdout and "accepted: 3" in done.stdout
    file.write_bytes(file.read_bytes()[:4096] + b"\0" * 40_000)
    done = await asyncio.to_thread(command, "doctor", "shop", "--bundle", "b.md", cwd=here)
    assert done.returncode == 0 and "could not be read" in done.stdout and "Traceback" not in done.stderr
    assert "damaged" in done.stdout
