"""What the app does beside a run: libraries are loaded ahead, searches are shown at a person's pace, nothing grows."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.store.rows import Changes
from dsbuilder_tui.tui.colours import Palette
from dsbuilder_tui.tui.studio.preparation import loaded_for_good
from tests.support.studio import Answers, StandingClock, begin, built, studio

Plans = Callable[..., DatasetPlanInput]


class Prepared(Answers):
    """Counts how often an answer was prepared for."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    async def prepare(self) -> None:
        assert not gc.isenabled()
        self.times += 1


async def test_a_run_loads_what_an_answer_needs_before_somebody_asks(make_plan: Plans) -> None:
    talk = Prepared()
    async with studio(responder=talk) as user:
        await begin(user, make_plan(30))
        assert not talk.times  # nobody has typed, nothing runs
        user.live.start()
        await user.until(lambda: talk.times == 1 and gc.isenabled())
        await user.until(lambda: user.live.view.accepted == 30)
        user.app.screen.to_prompt()
        await user.press("h", "o", "w")
        await user.sees("how")
        assert talk.times == 1


async def test_a_person_who_types_is_prepared_for_too(make_plan: Plans) -> None:
    await built(make_plan(2))
    talk = Prepared()
    async with studio(responder=talk, open_first="support") as user:
        await user.at("StudioScreen", "prompt")
        await user.press("slash")
        await user.sees("/")
        assert not talk.times  # a command needs no answer
        await user.press("backspace", "w", "h", "y")
        await user.until(lambda: talk.times == 1 and gc.isenabled())


async def test_what_is_loaded_is_not_looked_at_by_the_collector_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loaded_for_a_test.py").write_text("KEPT = [[] for _ in range(1000)]\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    async def load() -> None:
        importlib.import_module("loaded_for_a_test")

    async def fail() -> None:
        raise OSError("no module")

    before = gc.get_freeze_count()
    try:
        await loaded_for_good(load)
        frozen = gc.get_freeze_count()
        assert frozen >= before + 1000 and gc.isenabled()
        await loaded_for_good(load)  # it is there: nothing more is kept from the collector
        assert gc.get_freeze_count() <= frozen
        with pytest.raises(OSError, match="no module"):
            await loaded_for_good(fail)
        assert gc.isenabled()
    finally:
        sys.modules.pop("loaded_for_a_test", None)


def test_links_that_come_and_go_are_not_kept() -> None:
    palette = Palette("dark")
    for number in range(10_000):
        action = f"screen.visit('case:{number}')"
        assert palette.style("muted+link", action).meta == {"@click": action}
    assert len(palette._made) <= 2_000
    assert palette.style("muted") == Palette("dark").style("muted")


async def test_a_search_shows_all_that_it_finds_however_fast_it_comes(make_plan: Plans) -> None:
    """Over several stretches of the file, on a clock on which no time passes between them."""
    count = 6_500
    config = load_config(max_dataset_size=10_000)
    async with await Session.create(make_plan(count), config) as session:
        store = session._files.store
        cases = [
            AcceptedCase(
                seq=store.next_seq(),
                category="category_1",
                ordinal=number,
                inputs={"query": f"{'rare' if number % 500 == 0 else 'usual'} question {number}"},
                expectations={},
                tags={},
                created_at=1.0,
                structure=None,
            )
            for number in range(1, count + 1)
        ]
        await store.commit(Changes(accepted=cases))
    async with studio(open_first="support", flags={"max_dataset_size": 10_000}, clock=StandingClock()) as user:
        await user.at("StudioScreen", "prompt")
        await user.press("f2")
        await user.until(lambda: user.place == "CasesScreen" and user.one("#cases").count == count)
        rows, before = user.one("#cases"), user.one("#cases")._edition
        user.app.screen.query_one("#search", Input).value = "rare"
        await user.sees("13 cases · all categories")
        await user.until(lambda: rows.count == 13 and rows.chosen is not None)
        assert rows._edition - before == 2  # as the first stretch was read, and as the last was
        user.app.screen.query_one("#search", Input).value = "nothing says this"
        await user.sees("Nothing found.")
        assert rows.count == 0
