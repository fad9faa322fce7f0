"""Imports, creations and ends of runs are there as a whole, or not at all, whenever the process is killed."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.atomic_write import atomic_write
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import StorageError
from dsbuilder_tui.session.library import list_sessions
from tests.crash.kills import checkpoint_file, killed_at_the_end, killed_at_the_start, killed_import
from tests.support.process import command

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]
DEAD = 2**22 + 1  # no process has such a number


def test_a_killed_import_leaves_nothing_or_all_of_it(tmp_path: Path) -> None:
    source, rng = checkpoint_file(tmp_path, 3000), random.Random(2)
    for _ in range(4):
        assert killed_import(tmp_path, source, 3000, rng, 2.0) == ""
    done = command("import", source, "--checkpoint-dir", "sessions", "--max-dataset-size", 3000, cwd=tmp_path)
    assert "Imported 3000 of 3000" in done.stdout
    assert not [path for path in (tmp_path / "sessions").iterdir() if path.name.startswith(".new")]


def test_an_older_file_is_not_taken_for_the_dataset(tmp_path: Path) -> None:
    assert killed_at_the_end(tmp_path, 8, random.Random(1)) == ""


def test_where_the_dataset_goes_is_known_from_the_start(tmp_path: Path) -> None:
    assert killed_at_the_start(tmp_path, random.Random(1)) == ""


async def test_a_session_that_is_being_made_is_not_seen(make_plan: Plans, make_config: Configs) -> None:
    config = make_config()
    async with await Session.create(make_plan(4), config) as session:
        folder = session.folder
    shutil.copytree(folder, folder.with_name(f".new-{DEAD}-00aa11bb"))
    assert [listing.id for listing in await list_sessions(folder.parent, SystemClock())] == [folder.name]
    async with await Session.open(None, config) as session:
        assert session.folder == folder


async def test_an_import_that_fails_leaves_nothing(
    tmp_path: Path, make_plan: Plans, make_config: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, broken = make_config(), StorageError("The disk is full.")

    async def full(*args: object, **more: object) -> None:
        raise broken

    monkeypatch.setattr("dsbuilder_tui.session.files.SessionFiles.note_status", full)
    with pytest.raises(StorageError, match="The disk is full"):
        await Session.create(make_plan(4), config)
    monkeypatch.undo()
    async with await Session.create(make_plan(4), config) as session:
        assert not [path for path in session.folder.parent.iterdir() if path.name.startswith(".new")]


async def test_what_dead_processes_left_is_swept(tmp_path: Path, make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(4), make_config()) as session:
        folder, root = session.folder, session.folder.parent
    left = [
        root / f".new-{DEAD}-00aa11bb" / "session.db",
        folder / f".status.json.{DEAD}-00aa11bb.tmp",
        root / f".{folder.name}_checkpoint.json.{DEAD}-00aa11bb.tmp",
        tmp_path / f".out.jsonl.{DEAD}-00aa11bb.tmp",
    ]
    kept = [
        root / f".new-{os.getppid()}-00aa11bb" / "session.db",
        folder / f".status.json.{os.getppid()}-00aa11bb.tmp",
        folder / ".mine.tmp",
        tmp_path / f".other.jsonl.{DEAD}-00aa11bb.tmp",
    ]
    for path in (*left, *kept):
        path.parent.mkdir(exist_ok=True)
        path.write_text("half")
    async with await Session.open(folder) as session:
        await session.export(tmp_path / "out.jsonl")
    async with await Session.create(make_plan(4), make_config()):
        pass
    assert [path for path in left if path.exists()] == [] and all(path.exists() for path in kept)


async def test_a_changed_case_has_the_dataset_written_again(
    tmp_path: Path, make_plan: Plans, make_config: Configs
) -> None:
    out = tmp_path / "out.jsonl"
    async with await Session.create(make_plan(4), make_config(), out=out) as session:
        await session.run()
        assert not await session.dataset.is_written(out)
        assert await session.dataset.write() == 4 and await session.dataset.is_written(out)
        assert await session.dataset.difference() == ""
        (case, *_) = await session.cases.page(0, 1)
        await session.cases.edit(case.category, case.ordinal, {"query": "Something else altogether?"}, {})
        assert not await session.dataset.is_written(out)
        await session.dataset.write()
        with atomic_write(out) as file:
            file.write(b"{}\n")
        assert "is not what was written" in await session.dataset.difference()
        assert await session.dataset.is_written(out)  # a person's own changes are not overwritten
