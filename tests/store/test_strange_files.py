"""A session's folder from elsewhere: links, pipes and code in the places of its files are named, not followed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.diversity.mmap_array import MappedArray
from dsbuilder_tui.domain.errors import DsbuilderError, SessionDamaged, StorageError
from dsbuilder_tui.domain.message import MessageRole
from dsbuilder_tui.store.catalog import sweep
from dsbuilder_tui.store.commit_mark import CommitMark, Mark
from tests.support.process import command

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]

FILES = [
    "session.db", "session.db-wal", "session.mark", "session.lock", "session.owner", "session.db-shm", "status.json",
    "fingerprints.rows", "fingerprints.tokens", "fingerprints.json",
]  # fmt: skip


@pytest.fixture
async def folder(make_plan: Plans, make_config: Configs) -> Path:
    async with await Session.create(make_plan(6), make_config()) as session:
        session.request_pause()
        await session.run()
        return session.folder


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "device"])
async def test_nothing_is_written_or_waited_for_through_it(
    folder: Path, make_config: Configs, tmp_path: Path, name: str, kind: str
) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    file = folder / name
    if name == "session.db" and kind == "link":
        shutil.copy(file, mine)
    before = mine.read_bytes()
    file.unlink(missing_ok=True)
    match kind:
        case "link":
            file.symlink_to(mine)
        case "dangling link":
            file.symlink_to(tmp_path / "nothing")
        case "pipe":
            os.mkfifo(file)
        case "device":
            file.symlink_to("/dev/zero")
    with pytest.raises(DsbuilderError):
        async with await Session.open(folder, make_config()) as session:
            await session.run()
    for words in [["show"], ["doctor", folder.name]] if kind == "pipe" else []:
        done = command(*words, "--checkpoint-dir", str(folder.parent), cwd=tmp_path)
        assert done.returncode in (1, 2) and "Traceback" not in done.stderr, (words, done.stderr)
    assert mine.read_bytes() == before and not (tmp_path / "nothing").exists()


def test_nor_where_the_link_comes_after_the_look(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_bytes(b"m" * 4096)
    for name in ("session.mark", "fingerprints.rows"):
        (tmp_path / name).symlink_to(mine)
    with pytest.raises(OSError):
        CommitMark(tmp_path / "session.db").write(Mark(1, 1))
    with pytest.raises(StorageError):
        MappedArray("u4", tmp_path / "fingerprints.rows")
    assert mine.read_bytes() == b"m" * 4096


def test_a_note_without_end_is_read_to_its_limit(folder: Path, tmp_path: Path) -> None:
    for name in ("status.json", "session.mark", "session.owner"):
        with (folder / name).open("wb") as file:
            file.truncate(200 * 1024**3)  # a hole
    done = command("sessions", "--checkpoint-dir", str(folder.parent), cwd=tmp_path)
    assert done.returncode == 0 and folder.name in done.stdout


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n)"
CODE = {
    "a view in place of a table": f"DROP TABLE meta; CREATE VIEW meta AS {ENDLESS} SELECT 'settings' key, '{{}}' value FROM n",
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON history BEGIN DELETE FROM accepted_case; END",
    "a view beside": f"CREATE VIEW v AS {ENDLESS} SELECT x FROM n",
    "a virtual table": "CREATE VIRTUAL TABLE t USING fts5(x)",
}


@pytest.mark.parametrize("code", CODE.values(), ids=CODE)
async def test_no_code_of_a_database_is_carried_out(
    folder: Path, make_config: Configs, tmp_path: Path, code: str
) -> None:
    with closing(sqlite3.connect(folder / "session.db", isolation_level=None)) as database:
        database.executescript(code)
    (folder / "session.mark").unlink()
    with pytest.raises(SessionDamaged, match="a view, a trigger or a virtual table"):
        await Session.open(folder, make_config())
    for words in (["show"], ["export", "--out", "x.jsonl"], ["sessions"], ["doctor", folder.name, "--repair"]):
        done = command(*words, "--checkpoint-dir", str(folder.parent), cwd=tmp_path)
        assert "Traceback" not in done.stderr and done.returncode == (0 if words == ["sessions"] else 1), done.stderr


async def test_a_command_that_is_shown_can_be_copied_whatever_the_folder_is_called(
    make_plan: Plans, make_config: Configs, tmp_path: Path
) -> None:
    async with await Session.create(make_plan(3), make_config()) as session:
        folder = session.folder
    (renamed := folder.with_name("a; touch ran #")).parent.mkdir(exist_ok=True)
    folder.rename(renamed)
    said = ""
    for words in (["resume", str(renamed), "--provider", "offline"], ["show"], ["studio", "--plain"], ["doctor", renamed.name],
                  ["export", "--out", "/dev/null"], ["resume", str(renamed)]):  # fmt: skip
        done = command(*words, "--checkpoint-dir", str(renamed.parent), cwd=tmp_path)
        said += done.stdout + done.stderr
    with closing(sqlite3.connect(renamed / "session.db")) as database:
        database.execute("UPDATE accepted_case SET inputs='{}'")
        database.commit()
    for words in (["show"], ["resume"], ["export", "--out", "x.jsonl"], ["doctor", renamed.name]):
        done = command(*words, "--checkpoint-dir", str(renamed.parent), cwd=tmp_path)
        said += done.stdout + done.stderr
    commands = [line for line in said.splitlines() if "dsbuilder " in line and "; touch" in line]
    assert commands and all("'a; touch ran #'" in line for line in commands), commands


def test_a_link_that_looks_like_a_half_made_session_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / ".new-4194304-abcdef").symlink_to(tmp_path / "mine")
    sweep(tmp_path / "root")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]


ODD = [None, "x\0", [1], -1, True, {"path": "/dev/zero", "cases": 1}]
DISPENSABLE = ["out", "promised", "dataset", "draft", "agent_summary", "target", "seals", "own_words"]


@pytest.mark.parametrize("name", ["state", "seed", "created_at", "settings", "provider", "worker_model", *DISPENSABLE])
async def test_values_of_another_kind_are_damage_or_as_good_as_not_there(
    folder: Path, make_config: Configs, name: str
) -> None:
    for value in ODD:
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy)
        async with await Session.open(copy, make_config()) as session:
            await session._files.store.meta.set(**{name: value})
        try:
            async with await Session.open(copy, make_config()) as session:
                await session.settings.set("batch_size", 3)
                await session.chat.add(MessageRole.PERSON, "Hello")
                assert (await session.run()).accepted == 6
                await session.dataset.write()
                assert not await session.dataset.difference() and session.chat.draft is not None
                assert isinstance(session.agent_memory.target, dict) and session.dataset.owed is None
        except SessionDamaged as damaged:
            assert name not in DISPENSABLE and f"meta: {name}" in damaged.problem, value
            assert command("sessions", "--checkpoint-dir", str(folder.parent), cwd=folder.parent).returncode == 0
        shutil.rmtree(copy)
        folder.with_name("copy_checkpoint.json").unlink(missing_ok=True)
