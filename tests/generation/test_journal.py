"""Group commit: what was asked for by someone who is gone still ends, and is not lost."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.domain.case import Exhausted
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import StorageError
from dsbuilder_tui.domain.events import Notice
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.generation.journal import Journal
from dsbuilder_tui.store.session_store import SessionStore


@pytest.mark.parametrize("settled", [True, False])
async def test_a_write_that_fails_behind_a_caller_who_left(
    tmp_path: Path, make_plan: Callable[..., DatasetPlanInput], settled: bool
) -> None:
    """A worker asks for a flush and is cut off while the disk fails: nothing is printed, nothing is lost."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    clock, told = SystemClock(), list[object]()
    store = await SessionStore.create(tmp_path / "session.db", make_plan(10, 5), {"seed": 3}, clock)
    journal = Journal(store, clock, told.append, accepted=0, planned=15, interval=None)
    journal.exhaust(
        Exhausted(store.next_seq(), "category_1", 4, 6, "why"), Notice(ts=1.0, level=NoticeLevel.INFO, text="decided")
    )
    begun, busy = threading.Event(), threading.Event()  # the disk takes its time, so that the write waits behind
    reading = asyncio.create_task(store.connection.read(lambda _: (begun.set(), busy.wait())))
    closing = asyncio.create_task(store.close())  # what comes behind it is too late
    await asyncio.to_thread(begun.wait)
    caller = asyncio.create_task(journal.flush())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    busy.set()
    await asyncio.gather(reading, closing)
    if settled:
        await journal.settle()
    else:
        while asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.sleep(0)
    assert caller.cancelled() and not told
    with pytest.raises(StorageError, match="is closed"):
        await journal.flush()
    del caller
    gc.collect()
    assert not complaints
