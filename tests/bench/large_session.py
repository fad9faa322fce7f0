"""A session of 100,000 cases in the app: opening it, its list, a search in it, going to a place of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from tests.bench.flood import CATEGORIES, SETTINGS, WORDS, plan_of

if TYPE_CHECKING:
    from textual.pilot import Pilot
    from textual.screen import Screen

    from dsbuilder_tui.tui.app import StudioApp

_CASES, _COMMIT = 100_000, 1000
_LATE_AIM = "aim ≤ 0.05 s"
# What is typed to go somewhere, and what the preview of it says: a number, an id, words of the newest cases, of none.
_GONE_TO = (
    ("#19999", "question 19998"), ("refunds-20000", "question 19999"), ("zupol 19999", "question 19999"), ("zuzu", ""),
)  # fmt: skip

Row = tuple[str, float, str]


async def write_large(folder: str) -> None:
    """Write the session straight into the store."""
    from dsbuilder_tui import DatasetBuilderConfig, Session
    from dsbuilder_tui.domain.case import AcceptedCase, Checkpoint
    from dsbuilder_tui.store.rows import Changes

    config = DatasetBuilderConfig(checkpoint_dir=folder, max_dataset_size=10_000_000, **SETTINGS)
    async with await Session.create(plan_of(120_000), config) as session:
        store, now = session._files.store, time.time()
        share = _COMMIT // len(CATEGORIES)
        for chunk in range(_CASES // _COMMIT):
            cases = [
                AcceptedCase(
                    seq=store.next_seq(),
                    category=name,
                    ordinal=chunk * share + place + 1,
                    inputs={"query": f"{name} question {chunk * share + place} about {WORDS[place % 100]} " * 6},
                    expectations={"polite": True},
                    tags={"attributes": {"tone": "polite"}, "model": "m"},
                    created_at=now,
                    structure=None,
                )
                for name in CATEGORIES
                for place in range(share)
            ]
            point = Checkpoint(
                id=store.next_checkpoint(),
                seq=store.seq,
                reason="interval",
                accepted=(chunk + 1) * _COMMIT,
                planned=120_000,
                created_at=now,
            )
            await store.commit(Changes(accepted=cases, checkpoints=[point]))


async def look_at_large(folder: str) -> list[Row]:
    """What was done, the seconds that it took, and the aim."""
    from dsbuilder_tui.tui.app import StudioApp
    from dsbuilder_tui.tui.cases.screen import CasesScreen

    app = StudioApp({"checkpoint_dir": folder, "max_dataset_size": 10_000_000})
    rows: list[Row] = []
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.5)
        async with _timed(rows, "open", "aim ≤ 0.3 s"):
            await app.open_session("flood")
            await pilot.pause()
        async with _timed(rows, "cases"):
            await pilot.press("f2")
            screen = app.screen
            assert isinstance(screen, CasesScreen)
            await _until(lambda: screen.rows.item(0) is not None)
        async with _timed(rows, "last case"):
            await pilot.press("end")
            await _until(lambda: screen.chosen is not None)
        for words in ("refunds 19999", "zupol"):
            async with _timed(rows, f"search for “{words}”, to its end", late=True):
                screen.query_one("#search").value = words  # type: ignore[attr-defined]
                await pilot.pause()
                await _until(lambda: _at_rest(screen, "search") and screen._hits is not None and len(screen._hits) > 0)
        await pilot.press("escape", "escape")
        await _go_to(pilot, rows)
        await app.close_session()
    return rows


async def _go_to(pilot: Pilot[None], rows: list[Row]) -> None:
    from dsbuilder_tui.tui.app import StudioApp

    app = pilot.app
    assert isinstance(app, StudioApp)
    for typed, said in _GONE_TO:
        await _go_to_one(pilot, app, typed, said, rows)


async def _go_to_one(pilot: Pilot[None], app: StudioApp, typed: str, said: str, rows: list[Row]) -> None:
    from dsbuilder_tui.tui.goto.screen import GotoScreen
    from dsbuilder_tui.tui.widgets.line_view import LineView

    async with _timed(rows, "goto, opened"):
        app.navigator.ask("", ":")
        await _until(lambda: isinstance(app.screen, GotoScreen) and app.screen._settled.is_set())
    screen = app.screen
    assert isinstance(screen, GotoScreen)
    aside = screen.query_one("#preview", LineView)
    await pilot.press(*typed[:-1])
    what = f"goto “{typed}”, last key to {'its preview' if said else 'its end'}"
    async with _timed(rows, what, late=True):
        app.simulate_key(typed[-1])
        await _until(lambda: screen.typed == typed)
        if said:
            await _until(lambda: any(said in span[0] for line in aside._lines for span in line))
        else:
            await _until(lambda: _at_rest(screen, "look"))
    await pilot.press("escape")


def _at_rest(screen: Screen[Any], group: str) -> bool:
    return not any(worker.group == group and not worker.is_finished for worker in screen.workers)


async def _until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def _timed(rows: list[Row], name: str, aim: str = "", *, late: bool = False) -> AsyncIterator[None]:
    """Add what the body took, and with ``late`` the longest that anything else had to wait meanwhile."""
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - began - 0.005)

    ticker = asyncio.create_task(tick()) if late else None
    began = time.perf_counter()
    yield
    rows.append((name, time.perf_counter() - began, aim))
    if ticker is not None:
        ticker.cancel()
        rows.append(("    the loop late meanwhile, at most", longest, _LATE_AIM))
