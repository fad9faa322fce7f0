"""What the commands say about a session that has no plan yet."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.message import MessageRole
from tests.support.process import command


@pytest.fixture
def here(tmp_path: Path) -> Path:
    async def begin() -> None:
        async with await Session.begin("new", DatasetBuilderConfig(checkpoint_dir=tmp_path / "s")) as session:
            await session.chat.add(MessageRole.PERSON, "Parcels")

    asyncio.run(begin())
    return tmp_path


@pytest.mark.parametrize("words", [("show",), ("show", "--json"), ("resume",), ("export", "--out", "x.jsonl")])
def test_no_plan_is_told_in_words(here: Path, words: tuple[str, ...]) -> None:
    name, *more = words
    ended = command(name, "new", *more, "--checkpoint-dir", "s", cwd=here)
    assert ended.returncode == 2
    assert ended.stderr == ("dsbuilder: new has no plan yet. Open it with `dsbuilder studio new --checkpoint-dir s`.\n")
    assert not (here / "x.jsonl").exists()


def test_what_no_plan_comes_of_is_told_by_the_name_of_who_answered(tmp_path: Path) -> None:
    ended = command("run", "--prompt", "asdf qwer", "--provider", "offline", "--checkpoint-dir", "s", cwd=tmp_path)
    assert ended.returncode == 4 and "the built-in planner answered in words" in ended.stdout + ended.stderr
    assert "gpt" not in ended.stdout + ended.stderr


def test_the_list_says_so_too(here: Path) -> None:
    ended = command("sessions", "--checkpoint-dir", "s", cwd=here)
    assert ended.returncode == 0 and "no plan yet" in ended.stdout and "0/0" not in ended.stdout
    (row,) = json.loads(command("sessions", "--json", "--checkpoint-dir", "s", cwd=here).stdout)
    assert (row["id"], row["planned"], row["state"]) == ("new", 0, "new")
    assert command("replay", "new", "--plain", "--checkpoint-dir", "s", cwd=here).returncode == 0
    overview = command("--plain", "--checkpoint-dir", "s", cwd=here)
    assert overview.returncode == 0 and "resume" not in overview.stdout
