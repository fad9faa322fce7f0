"""Sessions that lie where nothing can be written: shown, exported, replayed, listed and examined all the same."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import SessionInUse, StorageError
from dsbuilder_tui.store.lock import SessionLock
from tests.crash.conftest import CASES
from tests.crash.damage import DATABASE, LOG, NAME, Made, put_back, told
from tests.support.read_only import read_only

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_closed_session_can_be_used(tmp_path: Path, made: Made) -> None:
    sessions, out = tmp_path / "sessions", tmp_path / "out.jsonl"
    put_back(made(False), sessions)
    place = ("--checkpoint-dir", str(sessions))
    before = _files(sessions)
    with read_only(sessions):
        assert f"{CASES}/{CASES}" in told("sessions", *place).out
        end = told("show", NAME, *place)
        assert end.code == 0 and "How different the cases are" in end.out and not end.err, end
        assert told("export", NAME, "--out", str(out), *place).code == 0
        assert out.read_bytes() == made(False).with_name("reference.jsonl").read_bytes()
        end = told("replay", NAME, "--plain", *place)
        assert end.code == 0 and f"{CASES} accepted" in end.out, end
        end = told("doctor", NAME, *place)
        assert end.code == 0 and "every byte is what was closed" in end.out, end
        end = told("export", NAME, "--out", str(sessions / "out.jsonl"), *place)
        assert end.code == 1 and "could not be written" in end.err, end
    assert _files(sessions) == before


def test_a_session_that_was_not_closed_can_be_used(tmp_path: Path, made: Made) -> None:
    sessions = tmp_path / "sessions"
    folder = put_back(made(True), sessions)
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as plain:  # as after a kill; its log is applied
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (folder / LOG).unlink(missing_ok=True)
    place = ("--checkpoint-dir", str(sessions))
    with read_only(sessions):
        end = told("show", NAME, "--json", *place)
        assert end.code == 0 and json.loads(end.out)["instances_created"] == CASES, end


def test_a_paused_session_says_why_it_does_not_go_on(make_plan: Plans, make_config: Configs) -> None:
    async def make() -> Path:
        async with await Session.create(make_plan(6), make_config()) as session:
            return session.folder

    folder = asyncio.run(make())
    place = ("--checkpoint-dir", str(folder.parent))
    with read_only(folder.parent):
        end = told("resume", folder.name, "--plain", "--provider", "offline", *place)
        assert end.code == 1 and "cannot be written" in end.err and "Copy its folder" in end.err, end


@pytest.mark.parametrize("command", ["show", "export", "replay", "resume", "doctor"])
def test_a_log_that_cannot_be_applied_is_said(tmp_path: Path, made: Made, command: str) -> None:
    sessions = tmp_path / "sessions"
    put_back(made(True), sessions)
    more = {"export": ("--out", str(tmp_path / "x.jsonl")), "replay": ("--plain",), "resume": ("--plain",)}
    with read_only(sessions):
        end = told(command, NAME, *more.get(command, ()), "--checkpoint-dir", str(sessions))
        assert end.code == 1 and "its log session.db-wal holds" in end.err and "open the copy" in end.err, end
        assert "cannot be written" not in end.err and "unexpected" not in end.err, end


def test_without_fingerprints(tmp_path: Path, made: Made) -> None:
    """They are not made again where nothing can be written; what needs none is shown."""
    sessions = tmp_path / "sessions"
    folder = put_back(made(False), sessions)
    for path in folder.glob("fingerprints*"):
        path.unlink()
    with read_only(sessions):
        end = told("show", NAME, "--checkpoint-dir", str(sessions))
        assert end.code == 0 and f"{CASES} of {CASES}" in end.out and "unexpected" not in end.err, end


def test_an_older_session_says_where_to_open_it(tmp_path: Path, made: Made) -> None:
    sessions = tmp_path / "sessions"
    folder = put_back(made(False), sessions)
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as plain:
        plain.executescript(
            "PRAGMA journal_mode=DELETE; DROP TABLE seal; PRAGMA user_version=6; PRAGMA journal_mode=WAL"
        )
    with read_only(sessions):
        end = told("show", NAME, "--checkpoint-dir", str(sessions))
        assert end.code == 1 and "older dsbuilder" in end.err and "open the copy" in end.err, end


async def test_what_cannot_be_changed_says_so_and_readers_share(
    tmp_path: Path, make_plan: Plans, make_config: Configs
) -> None:
    async with await Session.create(make_plan(6), make_config()) as session:
        await session.run()
        folder = session.folder
    with read_only(folder):
        async with await Session.open(folder) as session, await Session.open(folder) as other:
            assert await session.export(tmp_path / "out.jsonl") == await other.export(tmp_path / "other.jsonl") == 6
            (case, *_) = await session.cases.page(0, 1)
            for act in (
                lambda: session.cases.edit(case.category, case.ordinal, {"query": "Something else?"}, {}),
                lambda: session.checkpoints.save("now"),
                lambda: session.rename("another"),
            ):
                with pytest.raises(StorageError, match="cannot be (written|moved)"):
                    await act()
            assert await session.cases.page(0, 10) and session.folder == folder


def test_a_file_that_cannot_be_written_in_a_folder_that_can(tmp_path: Path, made: Made) -> None:
    folder = put_back(made(False), tmp_path)
    with read_only(folder / DATABASE):
        end = told("show", NAME, "--checkpoint-dir", str(tmp_path))
        assert end.code == 0 and f"{CASES} of {CASES}" in end.out and not end.err, end
        end = told("export", NAME, "--out", str(tmp_path / "x.jsonl"), "--checkpoint-dir", str(tmp_path))
        assert end.code == 0, end
    assert not (folder / LOG).exists()


async def test_whoever_writes_keeps_readers_out(make_plan: Plans, make_config: Configs) -> None:
    """The same folder, mounted twice: one of them is to be read."""
    async with await Session.create(make_plan(6), make_config()) as session:
        with read_only(session.folder), pytest.raises(SessionInUse, match="in use by process"):
            await Session.open(session.folder)
        lock = SessionLock(session.folder)
        with pytest.raises(SessionInUse):
            lock.acquire(0)
