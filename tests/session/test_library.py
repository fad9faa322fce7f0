"""The library of sessions works off the event loop, and to the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.session import library
from dsbuilder_tui.store import catalog

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


async def made(make_plan: Plans, make_config: Configs) -> Path:
    async with await Session.create(make_plan(4), make_config()) as session:
        return session.folder


async def test_files_are_moved_in_a_thread(
    make_plan: Plans, make_config: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, int] = {}

    def noting(name: str) -> None:
        real = getattr(catalog, name)

        def act(*given: Any) -> Path:
            threads[name] = threading.get_ident()
            moved: Path = real(*given)
            return moved

        monkeypatch.setattr(catalog, name, act)

    for name in ("rename_session", "trash_session", "restore_session"):
        noting(name)
    folder = await made(make_plan, make_config)
    renamed = await library.rename_session(folder, "another")
    trashed = await library.trash_session(renamed, SystemClock())
    assert not renamed.exists() and trashed.is_dir()
    assert await library.restore_session(trashed, folder.parent) == renamed
    assert len(threads) == 3 and threading.get_ident() not in threads.values()


async def test_a_rename_that_nobody_waits_for_any_more_is_done_to_its_end(
    make_plan: Plans, make_config: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, begun, go_on = await made(make_plan, make_config), threading.Event(), threading.Event()
    real = catalog.rename_session

    def slow(*given: Any) -> Path:
        begun.set()
        go_on.wait(10)
        return real(*given)

    monkeypatch.setattr(catalog, "rename_session", slow)
    task = asyncio.create_task(library.rename_session(folder, "another"))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert folder.with_name("another").is_dir() and not folder.exists()


async def test_the_dataset_goes_into_the_sessions_folder_unless_another_place_was_asked_for(
    make_plan: Plans, make_config: Configs, tmp_path: Path
) -> None:
    async with await Session.create(make_plan(4), make_config()) as session:
        assert session.dataset.path == session.folder / f"{session.id}.jsonl"
    async with await Session.create(make_plan(4), make_config(), out=tmp_path / "mine.csv") as session:
        assert session.dataset.path == tmp_path / "mine.csv"
