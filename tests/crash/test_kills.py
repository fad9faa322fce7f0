"""Imports, creations and ends of runs are there as a whole, or not at all, whenever the process is killed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.atomic_write import atomic_write
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import StorageError
from dsbuilder_tui.session.library import list_sessions
from tests.crash.fault_scenarios import FAULTS, without_mounts
from tests.crash.ground import Ground, Tally, look
from tests.crash.kill_scenarios import KILLS

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]
DEAD = 2**22 + 1  # no process has such a number


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(tmp_path_factory.mktemp("ground"), cases=30, most=1)


# What is covered elsewhere, or takes long, is left to the sweeps.
LONG = (
    "anywhere in a run",
    "checkpoint",
    "index rebuild",
    "no memory left",
    "files that may not grow",
    "files deleted",
)


def _marked(names: Iterable[str]) -> list[Any]:
    return [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in names]


@pytest.mark.parametrize("instant", _marked(KILLS))
def test_a_kill_at_each_instant(ground: Ground, instant: str) -> None:
    """What was announced is there, an end is a whole dataset, and it is the one that it would have been."""
    tally, rng = Tally(), random.Random(instant)
    for _ in range(8):
        KILLS[instant][1](ground, rng, tally)
        if tally.killed:
            break
    assert tally.killed and not tally.wrong, tally.wrong


@pytest.mark.parametrize("fault", _marked(FAULTS))
def test_a_fault_stops_with_a_sentence_and_does_no_harm(ground: Ground, fault: str) -> None:
    if fault not in without_mounts(FAULTS):
        pytest.skip("nothing may be mounted here")
    tally = Tally()
    FAULTS[fault](ground, random.Random(fault), tally)
    assert tally.done and not tally.wrong, tally.wrong


def test_a_scenario_finds_what_is_wrong(ground: Ground) -> None:
    """Harm of each kind is noticed: a case less, and another one."""
    for harm in (
        "DELETE FROM accepted_case WHERE ordinal=2",
        "UPDATE accepted_case SET inputs=replace(inputs, 'e', 'E')",
    ):
        tally = Tally()
        with ground.folder() as folder:
            with contextlib.closing(sqlite3.connect(ground.copy(folder) / "session.db")) as plain:
                plain.execute(harm)
                plain.commit()
            look(folder, ["orders-00002"], tally)
        assert any(what.startswith("doctor:") for what in tally.wrong)


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
