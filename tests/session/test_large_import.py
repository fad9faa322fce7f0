"""An import is whole or it is not there, whatever becomes of it on the way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.session.library import list_sessions
from dsbuilder_tui.session.row_files import extend_rows
from dsbuilder_tui.store.imports.import_format import ImportedCase, ImportedDataset

Configs = Callable[..., DatasetBuilderConfig]


def rows(path: Path, count: int) -> Path:
    path.write_text("".join(json.dumps({"query": f"Where is parcel {n}?", "id": n}) + "\n" for n in range(count)))
    return path


class Failing(list[ImportedCase]):
    """Cases of which the reading fails on the way."""

    def __iter__(self) -> Iterator[ImportedCase]:
        yield from self[: len(self) * 2 // 3]
        raise InputError("The disk is gone.", "Put it back.")


def failing(dataset: ImportedDataset) -> ImportedDataset:
    return replace(dataset, cases=Failing(dataset.cases))


async def test_one_that_fails_on_the_way_leaves_no_session(make_config: Configs, tmp_path: Path) -> None:
    config, dataset = make_config(), extend_rows(rows(tmp_path / "old.jsonl", 3000), 10)
    with pytest.raises(InputError, match="disk is gone"):
        await Session.create(dataset.plan, config, imported=failing(dataset))
    assert not await list_sessions(config.checkpoint_root, SystemClock())
    async with await Session.create(dataset.plan, config, imported=dataset) as session:
        assert (await session.summary()).instances_created == 3000


async def test_in_an_open_session_nothing_of_it_is_there(make_config: Configs, tmp_path: Path) -> None:
    config, dataset = make_config(max_dataset_size=5000), extend_rows(rows(tmp_path / "old.jsonl", 3000), 10)
    async with await Session.create(dataset.plan, config) as session:
        broken = failing(dataset)
        with pytest.raises(DsbuilderError):
            await session._files.take_in(broken)
        summary = await session.summary()
        assert (summary.instances_created, summary.imported["cases"]) == (0, {})
        await session.plans.take_in(dataset)
        assert (await session.summary()).instances_created == 3000


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_one_that_is_killed_leaves_no_session(tmp_path: Path) -> None:
    root, file = tmp_path / "sessions", rows(tmp_path / "old.jsonl", 30_000)
    command = [sys.executable, "-m", "dsbuilder_tui", "import", str(file), "--checkpoint-dir", str(root)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not any(found.stat().st_size > 500_000 for found in root.glob("*/*-wal")):
            time.sleep(0.005)
        killed = process.poll() is None
        process.kill()
    assert killed and process.returncode == -signal.SIGKILL, "it was done before its log had half a megabyte"
    assert any(root.iterdir()) and not asyncio.run(list_sessions(root, SystemClock()))
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0 and "Imported 30,000 of 30,000 cases" in done.stdout, done.stderr
    assert [listing.accepted for listing in asyncio.run(list_sessions(root, SystemClock()))] == [30_000]
    assert len([found for found in root.iterdir() if found.is_dir()]) == 1, "what the killed one left is swept"


# Fills an open session from a file, and is gone right after its n-th commit.
KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.session.row_files import extend_rows
from dsbuilder_tui.store.connection import StoreConnection

async def main(root, file, commits):
    write, done = StoreConnection.write, 0

    async def counted(self, act):
        nonlocal done
        answer = await write(self, act)
        done += 1
        if done == commits:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    dataset = extend_rows(Path(file), 10)
    async with await Session.open(None, DatasetBuilderConfig(checkpoint_dir=root, max_dataset_size=50)) as session:
        StoreConnection.write = counted
        await session.plans.take_in(dataset)
        os._exit(0)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
async def test_after_a_kill_between_any_two_commits_the_cases_are_there_with_what_is_known_of_them(
    tmp_path: Path,
) -> None:
    file = rows(tmp_path / "old.jsonl", 100)
    told = set()
    for commits in range(1, 9):
        config = DatasetBuilderConfig(checkpoint_dir=tmp_path / str(commits), max_dataset_size=50)
        async with await Session.create(
            extend_rows(file, 10).plan, config.model_copy(update={"max_dataset_size": 200})
        ):
            pass
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(config.checkpoint_dir), str(file), str(commits)], check=False
        )
        async with await Session.open(None, config) as session:
            summary = await session.summary()
            there = summary.instances_created
            assert there in (0, 100) and sum(summary.imported["cases"].values()) == there
            assert summary.state == ("paused" if there else "new")
            assert [point.reason for point in await session.checkpoints.all()].count("import") == (1 if there else 0)
            told.add(there)
            if there:  # and they are none of those that the limit counts
                await session.plans.revise(session.plan.model_copy(update={"total_instances": 110}))
        if done.returncode == 0:
            break
    else:
        pytest.fail("it makes more commits than were tried")
    assert 100 in told
