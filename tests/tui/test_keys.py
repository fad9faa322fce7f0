"""Every key that Help lists is pressed in its place. Here those of Home; the registry is complete; clicks do the same."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.tui.help.screen import help_keys
from dsbuilder_tui.tui.home.screen import Welcome
from dsbuilder_tui.tui.widgets.chrome import KeyBar, Tabs
from tests.support.fake_openai import FakeOpenAI
from tests.support.studio import COVERED, NARROW, Desk, begin, built, covers, studio

Plans = Callable[..., DatasetPlanInput]


def test_every_key_of_help_has_a_test_and_none_is_tested_that_help_does_not_list() -> None:
    for module in (
        "test_talk",
        "test_case_form",
        "test_coverage",
        "test_keys_studio",
        "test_keys_screens",
        "test_keys_rejected",
        "test_keys_flags",
        "test_map",
        "test_review",
        "test_newest_cases",
        "test_checkpoints",
        "test_goto",
        "test_links",
        "test_watching",
        "test_undo",
    ):
        importlib.import_module(f"tests.tui.{module}")
    listed = {(place, key) for place, rows in help_keys() for keys, _, _ in rows for key in keys.split(",")}
    assert listed == COVERED


def names(desk: Desk) -> list[str]:
    return [listing.id for listing in desk.app.screen._shown]  # type: ignore[attr-defined]


async def with_sessions(desk: Desk, *expected: str) -> None:
    await desk.until(lambda: set(names(desk)) == set(expected))


@covers("Home", "f", "e", "c", "f1")
async def test_home_opens_what_its_keys_say() -> None:
    async with studio() as desk:
        for key, place, words in (
            ("f", "NewSession", "Categories, one a line"),
            ("e", "Examples", "customer_service"),
            ("c", "SettingsScreen", "max_dataset_size"),
            ("f1", "HelpScreen", "nothing accepted is lost"),
        ):
            await desk.press(key)
            await desk.at(place)
            await desk.sees(words)
            await desk.press("escape")
            await desk.at("HomeScreen", "session-list")


@covers("Home", "slash", "ctrl+r")
async def test_home_filters_and_reads_again(make_plan: Plans) -> None:
    await built(make_plan(2, name="alpha"))
    async with studio() as desk:
        await with_sessions(desk, "alpha")
        await built(make_plan(2, name="beta"))
        await desk.press("ctrl+r")
        await with_sessions(desk, "alpha", "beta")
        await desk.press("slash")
        await desk.at("HomeScreen", "filter")
        await desk.write("alp")
        await with_sessions(desk, "alpha")
        await desk.press("escape")
        await with_sessions(desk, "alpha", "beta")
        assert desk.focus == "session-list" and not desk.one("#filter").display


@covers("Home", "r", "x")
async def test_home_renames_and_exports(make_plan: Plans) -> None:
    await built(make_plan(3, name="before"))
    async with studio() as desk:
        await with_sessions(desk, "before")
        await desk.press("r")
        await desk.at("Ask", "line")
        assert desk.one("#line", Input).value == "before"
        await desk.press("ctrl+u")
        await desk.write("after\n")
        await with_sessions(desk, "after")
        assert not (desk.app.config.checkpoint_root / "before").exists()
        await desk.press("x")
        await desk.at("Ask", "line")
        await desk.press("enter")
        await desk.until(lambda: "Wrote 3 cases" in desk.told)
        assert len(Path("after.jsonl").read_text(encoding="utf-8").splitlines()) == 3


@covers("Home", "delete", "backspace", "u")
async def test_home_deletes_and_fetches_back(make_plan: Plans) -> None:
    for name in ("one", "two"):
        await built(make_plan(2, name=name))
    async with studio() as desk:
        await with_sessions(desk, "one", "two")
        for key, left in (("delete", 1), ("backspace", 0)):
            await desk.press(key)
            await desk.at("QuestionDialog", "answers")
            await desk.press("enter")
            await desk.until(lambda left=left: len(names(desk)) == left)
        assert len(list((desk.app.config.checkpoint_root / ".trash").iterdir())) >= 2
        for back in (1, 2):
            await desk.press("u")
            await desk.until(lambda back=back: len(names(desk)) == back)
        await with_sessions(desk, "one", "two")
        await desk.press("u")
        await desk.pilot.pause()
        assert sorted(names(desk)) == ["one", "two"]


@covers("Home", "o")
async def test_home_uses_the_server_on_this_machine(fake: FakeOpenAI, local_servers: list[tuple[str, int]]) -> None:
    local_servers.append(("Ollama", fake.port))
    async with studio() as desk:
        await desk.sees("o use Ollama, which answers on this machine")
        await desk.press("o")
        await desk.sees(f"at http://127.0.0.1:{fake.port}/v1")
        assert desk.app.config.worker_model == fake.models[0]


async def test_home_finds_no_server_where_there_is_none() -> None:
    async with studio() as desk:
        await desk.until(lambda: not any(w.group == "servers" for w in desk.app.screen.workers))
        await desk.press("o")
        await desk.pilot.pause()
        assert desk.one("#welcome", Welcome).found == [] and desk.app.config.resolved_provider == "offline"


@covers("Home", "ctrl+k", "ctrl+q")
async def test_home_has_the_palette_and_the_way_out() -> None:
    async with studio() as desk:
        await desk.press("ctrl+k")
        await desk.until(lambda: isinstance(desk.app.screen, CommandPalette))
        await desk.write("light")
        await desk.sees("theme: light")
        await desk.press("escape")
        await desk.at("HomeScreen")
        await desk.press("ctrl+q")
        await desk.until(lambda: desk.app._exit)
        assert desk.app.return_value == 0 and desk.app.farewell == []


# Clicks


def place_of(widget: KeyBar | Tabs, words: str) -> tuple[int, int]:
    """Where some words stand in a painted line."""
    return "".join(segment.text for segment in widget.render_line(0)).index(words) + 1, 0


async def click(desk: Desk, widget: KeyBar | Tabs, words: str) -> None:
    """Click on some words of a line, once it has settled: what works now can still change while a screen reads."""
    before = None
    while (place := place_of(widget, words)) != before:
        before = place
        await desk.until(lambda: not any(w.is_running and w.node is desk.app.screen for w in _reading(desk)))
        await desk.pilot.pause(0.1)
    await desk.pilot.click(widget, place)


def _reading(desk: Desk) -> list[Any]:
    return [worker for worker in desk.app.workers if worker.group in ("search", "detail", "open", "list")]


async def test_a_click_on_a_key_does_what_the_key_does(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        bar = desk.one("KeyBar", KeyBar)
        await desk.until(lambda: "F2 cases" in desk.text)
        await click(desk, bar, "F2 cases")
        await desk.at("CasesScreen")
        bar = desk.one("KeyBar", KeyBar)
        await desk.until(lambda: "esc back" in desk.text)
        await click(desk, bar, "esc back")
        await desk.at("StudioScreen")
        bar = desk.one("KeyBar", KeyBar)
        await click(desk, bar, "^P start")
        await desk.state("finished")


async def test_a_click_on_a_tab_shows_it(make_plan: Plans) -> None:
    async with studio(size=NARROW) as desk:
        await begin(desk, make_plan(4, 5))
        tabs = desk.one("Tabs", Tabs)
        for tab, panel in (("Plan", "panel-plan"), ("Rejected", "panel-rejected"), ("Workers", "panel-workers")):
            await click(desk, tabs, tab)
            await desk.at("StudioScreen", panel)
            assert [p.id for p in desk.app.screen.query(".panel") if p.display] == [panel]
            assert not desk.one("#conversation").display
        await click(desk, tabs, "Talk")
        await desk.until(lambda: desk.one("#conversation").display and desk.focus == "prompt")


async def test_a_click_on_the_plan_card_and_on_a_row(make_plan: Plans) -> None:
    async with studio() as desk:
        await begin(desk, make_plan(4))
        await desk.sees("^Y approve")
        card = desk.app.focused
        assert card is not None

        def rows() -> list[str]:
            return ["".join(segment.text for segment in card.render_line(y)) for y in range(card.size.height)]

        y = await desk.until(lambda: next((i for i, row in enumerate(rows()) if "⏎ approve" in row), None))
        await desk.answer()
        await desk.pilot.click(card, (rows()[y].index("approve") + 1, y))
        await desk.state("finished")
        await desk.press("f2")
        await desk.at("CasesScreen", "cases")
        await desk.until(lambda: desk.one("#cases").count == 4)
        await desk.pilot.click("#cases", (5, 2))
        await desk.until(lambda: desk.one("#cases").cursor == 2)


@pytest.mark.parametrize("key", ["f3", "f9", "z", "ctrl+b"])
async def test_a_key_that_nothing_is_bound_to_changes_nothing(key: str) -> None:
    async with studio() as desk:
        before = desk.text
        await desk.press(key)
        await desk.pilot.pause()
        assert desk.text == before and desk.place == "HomeScreen"
