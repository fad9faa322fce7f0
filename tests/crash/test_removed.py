"""Files that are taken away, replaced, cut short or changed while a session uses them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.diversity.fingerprint_file import NAMES
from dsbuilder_tui.diversity.fingerprints import row_type
from dsbuilder_tui.diversity.mmap_array import MappedArray
from dsbuilder_tui.domain.errors import StorageError
from dsbuilder_tui.domain.events import CaseAccepted, Event
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


def _remove(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copyfile(path, copy)
    copy.replace(path)


def _take_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


@pytest.mark.parametrize("act", [_remove, _replace, _take_folder])
@pytest.mark.parametrize("name", ["session.db", "session.db-wal"])
async def test_a_run_stops_when_its_files_are_gone(
    make_plan: Plans, make_config: Configs, act: Callable[[Path], None], name: str
) -> None:
    async with FakeOpenAI(latency=0.02) as fake:
        config = make_config(provider="openai", base_url=fake.url, batch_size=2, max_workers=2)
        session = await Session.create(make_plan(90), config)
        announced: list[Event] = []
        gone: list[int] = []

        def listen(event: Event) -> None:
            if isinstance(event, CaseAccepted):
                announced.append(event)
                if len(announced) == 10:
                    act(session.folder / name)
                    gone.append(0)
                if gone:
                    gone[0] += 1

        session.subscribe(listen)
        with pytest.raises(StorageError, match=r"was (removed|replaced) while it was in use"):
            await session.run()
        assert len(announced) < 30
        await session.aclose()
        if act is _take_folder:
            assert not session.folder.exists()


def test_an_array_whose_file_was_cut_short_says_so(tmp_path: Path) -> None:
    array = MappedArray(np.uint32, tmp_path / "rows")
    array.add(np.arange(100_000, dtype=np.uint32))
    os.truncate(tmp_path / "rows", 4096)
    for act in (lambda: array.rows, lambda: array.cut(5), lambda: array.add(np.arange(3, dtype=np.uint32))):
        with pytest.raises(StorageError, match="cut short by another program"):
            act()
    array.close()


async def test_fingerprints_that_are_cut_short_end_the_run_and_are_made_again(
    make_plan: Plans, make_config: Configs
) -> None:
    async with FakeOpenAI(latency=0.02) as fake:
        config = make_config(provider="openai", base_url=fake.url, batch_size=2, max_workers=2)
        async with await Session.create(make_plan(40), config) as session:
            count = 0

            def listen(event: Event) -> None:
                nonlocal count
                count += isinstance(event, CaseAccepted)
                if count == 10:
                    os.truncate(session.folder / NAMES[1], 0)

            session.subscribe(listen)
            with pytest.raises(StorageError, match="cut short by another program"):
                await session.run()
            assert (await session.run()).accepted == 40


def _not_a_number(rows: np.ndarray, row: int) -> None:
    rows["vector"][row][3] = np.nan


def _negated(rows: np.ndarray, row: int) -> None:
    rows["vector"][row] = -rows["vector"][row]


def _of_another(rows: np.ndarray, row: int) -> None:
    rows["vector"][row] = rows["vector"][row - 1]


def _whole_of_another(rows: np.ndarray, row: int) -> None:
    seq = rows["seq"][row]
    rows[row] = rows[row - 1]
    rows["seq"][row] = seq


def _swapped(rows: np.ndarray, row: int) -> None:
    rows["seq"][[row, row - 1]] = rows["seq"][[row - 1, row]]


@pytest.mark.parametrize("change", [_not_a_number, _negated, _of_another, _whole_of_another, _swapped])
async def test_a_fingerprint_that_is_wrong_is_made_again(
    make_plan: Plans, make_config: Configs, change: Callable[[np.ndarray, int], None]
) -> None:
    async with await Session.create(make_plan(12), make_config()) as session:
        await session.run()
        folder = session.folder
        page = await session.diversity.fingerprints()
        assert page is not None and len(page.seqs) == 12
    kind = row_type(page.vectors.shape[1])
    rows = np.fromfile(folder / NAMES[1], kind)
    change(rows, 5)
    rows.tofile(folder / NAMES[1])
    async with await Session.open(folder) as session:
        again = await session.diversity.fingerprints()
        assert again is not None and again.seqs.tolist() == page.seqs.tolist()
        assert np.array_equal(again.vectors, page.vectors)
