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
from tests.support.studio import COVERED, NARROW, User, begin, built, covers, studio

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


def names(user: User) -> list[str]:
    return [listing.id for listing in user.app.screen._shown]  # type: ignore[attr-defined]


async def with_sessions(user: User, *expected: str) -> None:
    await user.until(lambda: set(names(user)) == set(expected))


@covers("Home", "f", "e", "c", "f1")
async def test_home_opens_what_its_keys_say() -> None:
    async with studio() as user:
        for key, place, words in (
            ("f", "NewSession", "Categories, one a line"),
            ("e", "Examples", "customer_service"),
            ("c", "SettingsScreen", "max_dataset_size"),
            ("f1", "HelpScreen", "nothing accepted is lost"),
        ):
            await user.press(key)
            await user.at(place)
            await user.sees(words)
            await user.press("escape")
            await user.at("HomeScreen", "session-list")


@covers("Home", "slash", "ctrl+r")
async def test_home_filters_and_reads_again(make_plan: Plans) -> None:
    await built(make_plan(2, name="alpha"))
    async with studio() as user:
        await with_sessions(user, "alpha")
        await built(make_plan(2, name="beta"))
        await user.press("ctrl+r")
        await with_sessions(user, "alpha", "beta")
        await user.press("slash")
        await user.at("HomeScreen", "filter")
        await user.write("alp")
        await with_sessions(user, "alpha")
        await user.press("escape")
        await with_sessions(user, "alpha", "beta")
        assert user.focus == "session-list" and not user.one("#filter").display


@covers("Home", "r", "x")
async def test_home_renames_and_exports(make_plan: Plans) -> None:
    await built(make_plan(3, name="before"))
    async with studio() as user:
        await with_sessions(user, "before")
        await user.press("r")
        await user.at("Ask", "line")
        assert user.one("#line", Input).value == "before"
        await user.press("ctrl+u")
        await user.write("after\n")
        await with_sessions(user, "after")
        assert not (user.app.config.checkpoint_root / "before").exists()
        await user.press("x")
        await user.at("Ask", "line")
        await user.press("enter")
        await user.until(lambda: "Wrote 3 cases" in user.told)
        assert len(Path("after.jsonl").read_text(encoding="utf-8").splitlines()) == 3


@covers("Home", "delete", "backspace", "u")
async def test_home_deletes_and_fetches_back(make_plan: Plans) -> None:
    for name in ("one", "two"):
        await built(make_plan(2, name=name))
    async with studio() as user:
        await with_sessions(user, "one", "two")
        for key, left in (("delete", 1), ("backspace", 0)):
            await user.press(key)
            await user.at("QuestionDialog", "answers")
            await user.press("enter")
            await user.until(lambda left=left: len(names(user)) == left)
        assert len(list((user.app.config.checkpoint_root / ".trash").iterdir())) >= 2
        for back in (1, 2):
            await user.press("u")
            await user.until(lambda back=back: len(names(user)) == back)
        await with_sessions(user, "one", "two")
        await user.press("u")
        await user.pilot.pause()
        assert sorted(names(user)) == ["one", "two"]


@covers("Home", "o")
async def test_home_uses_the_server_on_this_machine(fake: FakeOpenAI, local_servers: list[tuple[str, int]]) -> None:
    local_servers.append(("Ollama", fake.port))
    async with studio() as user:
        await user.sees("o use Ollama, which answers on this machine")
        await user.press("o")
        await user.sees(f"at http://127.0.0.1:{fake.port}/v1")
        assert user.app.config.worker_model == fake.models[0]


async def test_home_finds_no_server_where_there_is_none() -> None:
    async with studio() as user:
        await user.until(lambda: not any(w.group == "servers" for w in user.app.screen.workers))
        await user.press("o")
        await user.pilot.pause()
        assert user.one("#welcome", Welcome).found == [] and user.app.config.resolved_provider == "offline"


@covers("Home", "ctrl+k", "ctrl+q")
async def test_home_has_the_palette_and_the_way_out() -> None:
    async with studio() as user:
        await user.press("ctrl+k")
        await user.until(lambda: isinstance(user.app.screen, CommandPalette))
        await user.write("light")
        await user.sees("theme: light")
        await user.press("escape")
        await user.at("HomeScreen")
        await user.press("ctrl+q")
        await user.until(lambda: user.app._exit)
        assert user.app.return_value == 0 and user.app.farewell == []


# Clicks


def place_of(widget: KeyBar | Tabs, words: str) -> tuple[int, int]:
    """Where some words stand in a painted line."""
    return "".join(segment.text for segment in widget.render_line(0)).index(words) + 1, 0


async def click(user: User, widget: KeyBar | Tabs, words: str) -> None:
    """Click on some words of a line, once it has settled: what works now can still change while a screen reads."""
    before = None
    while (place := place_of(widget, words)) != before:
        before = place
        await user.until(lambda: not any(w.is_running and w.node is user.app.screen for w in _reading(user)))
        await user.pilot.pause(0.1)
    await user.pilot.click(widget, place)


def _reading(user: User) -> list[Any]:
    return [worker for worker in user.app.workers if worker.group in ("search", "detail", "open", "list")]


async def test_a_click_on_a_key_does_what_the_key_does(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        bar = user.one("KeyBar", KeyBar)
        await user.until(lambda: "F2 cases" in user.text)
        await click(user, bar, "F2 cases")
        await user.at("CasesScreen")
        bar = user.one("KeyBar", KeyBar)
        await user.until(lambda: "esc back" in user.text)
        await click(user, bar, "esc back")
        await user.at("StudioScreen")
        bar = user.one("KeyBar", KeyBar)
        await click(user, bar, "^P start")
        await user.state("finished")


async def test_a_click_on_a_tab_shows_it(make_plan: Plans) -> None:
    async with studio(size=NARROW) as user:
        await begin(user, make_plan(4, 5))
        tabs = user.one("Tabs", Tabs)
        for tab, panel in (("Plan", "panel-plan"), ("Rejected", "panel-rejected"), ("Workers", "panel-workers")):
            await click(user, tabs, tab)
            await user.at("StudioScreen", panel)
            assert [p.id for p in user.app.screen.query(".panel") if p.display] == [panel]
            assert not user.one("#conversation").display
        await click(user, tabs, "Talk")
        await user.until(lambda: user.one("#conversation").display and user.focus == "prompt")


async def test_a_click_on_the_plan_card_and_on_a_row(make_plan: Plans) -> None:
    async with studio() as user:
        await begin(user, make_plan(4))
        await user.sees("^Y approve")
        card = user.app.focused
        assert card is not None

        def rows() -> list[str]:
            return ["".join(segment.text for segment in card.render_line(y)) for y in range(card.size.height)]

        y = await user.until(lambda: next((i for i, row in enumerate(rows()) if "⏎ approve" in row), None))
        await user.answer()
        await user.pilot.click(card, (rows()[y].index("approve") + 1, y))
        await user.state("finished")
        await user.press("f2")
        await user.at("CasesScreen", "cases")
        await user.until(lambda: user.one("#cases").count == 4)
        await user.pilot.click("#cases", (5, 2))
        await user.until(lambda: user.one("#cases").cursor == 2)


@pytest.mark.parametrize("key", ["f3", "f9", "z", "ctrl+b"])
async def test_a_key_that_nothing_is_bound_to_changes_nothing(key: str) -> None:
    async with studio() as user:
        before = user.text
        await user.press(key)
        await user.pilot.pause()
        assert user.text == before and user.place == "HomeScreen"
