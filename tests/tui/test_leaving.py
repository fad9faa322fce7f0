"""A screen that is left while it still reads."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.calls import SessionCalls
from dsbuilder_tui.session.cases import SessionCases
from dsbuilder_tui.session.checkpoints import SessionCheckpoints
from dsbuilder_tui.session.rejections import SessionRejections
from dsbuilder_tui.store.plan_file import load_example
from dsbuilder_tui.tui.app import StudioApp
from dsbuilder_tui.tui.studio.screen import StudioScreen

_READS: tuple[tuple[type[Any], str], ...] = (
    (SessionCheckpoints, "all"),
    (SessionRejections, "page"),
    (SessionRejections, "count"),
    (SessionCalls, "count"),
    (SessionCalls, "page"),
    (SessionCases, "page"),
    (SessionCases, "history"),
    (SessionCases, "counts_at"),
    (SessionRejections, "context"),
)


@pytest.mark.parametrize("key", ["f2", "f4", "f5", "f6"])
async def test_what_comes_too_late_is_let_go(tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = DatasetBuilderConfig(checkpoint_dir=tmp_path / "s", max_dataset_size=1000)
    async with await Session.create(load_example("travel_assistant"), config) as session:
        await session.run()
    gate, held = asyncio.Event(), 0

    def slow(part: type[Any], name: str) -> None:
        before = getattr(part, name)

        async def read(self: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal held
            held += 1
            await gate.wait()
            return await before(self, *args, **kwargs)

        monkeypatch.setattr(part, name, read)

    app = StudioApp({"checkpoint_dir": tmp_path / "s"}, open_first=session.id)
    async with app.run_test(size=(120, 36)) as pilot:
        while not isinstance(app.screen, StudioScreen):
            await pilot.pause()
        await pilot.pause()
        for part, name in _READS:
            slow(part, name)
        await pilot.press(key)
        while not held:
            await pilot.pause()
        screen = app.screen
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is not screen
        gate.set()
        await pilot.pause()
        await pilot.pause()
        assert app.is_running and app._exception is None
