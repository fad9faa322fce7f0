"""Settings in the app: the question before a key leaves, who says a setting, and a change that is undone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetPlanInput
from dsbuilder_tui.settings.locations import trusted_addresses_file
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.tui.settings.screen import About
from dsbuilder_tui.tui.widgets.rows import RowList
from tests.support.fake_openai import FakeOpenAI
from tests.support.studio import begin, built, studio

Plans = Callable[..., DatasetPlanInput]


@pytest.fixture
def led_away(fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> FakeOpenAI:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    Path("dsbuilder.toml").write_text(f"base_url = '{fake.url}'\n")
    return fake


async def test_a_no_sends_nothing_and_a_run_says_what_allows_it(led_away: FakeOpenAI, make_plan: Plans) -> None:
    async with studio() as desk:
        await desk.at("QuestionDialog", "answers")
        text = await desk.sees("Send the key there?", "OPENAI_API_KEY")
        assert "sk-canary" not in text
        await desk.press("enter")  # Enter alone agrees to nothing
        await desk.at("HomeScreen")
        await begin(desk, make_plan(4))
        await desk.at("StudioScreen")  # it is not asked again
        await desk.command("/run")
        await desk.sees("dsbuilder config trust")
        assert not led_away.bodies and not trusted_addresses_file().exists()


async def test_a_yes_is_remembered(led_away: FakeOpenAI, make_plan: Plans) -> None:
    async with studio() as desk:
        await desk.at("QuestionDialog", "answers")
        await desk.press("down", "enter")
        await desk.at("HomeScreen")
        await desk.until(trusted_addresses_file().exists)
        await begin(desk, make_plan(4))
        await desk.command("/run")
        await desk.state("finished")
        assert led_away.bodies
    async with studio() as desk:
        await desk.at("HomeScreen")


async def test_a_session_that_is_opened_at_once_is_asked_about(led_away: FakeOpenAI, make_plan: Plans) -> None:
    name = await built(make_plan(4), provider="offline")
    async with studio(open_first=name) as desk:  # it keeps to the built-in writer
        await desk.at("StudioScreen")
    async with studio(open_first=name, flags={"provider": "openai"}) as desk:
        await desk.at("QuestionDialog", "answers")
        await desk.press("escape")
        await desk.at("StudioScreen")


async def test_an_unknown_variable_is_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBUILDER_BATCHSIZE", "5")
    async with studio() as desk:
        await desk.sees("DSBUILDER_BATCHSIZE", "batch_size?")


async def test_what_a_session_keeps_is_called_the_sessions(make_plan: Plans) -> None:
    name = await built(make_plan(4), batch_size=3)
    async with studio(open_first=name, flags={"max_workers": 5}) as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.command("/settings")
        await desk.at("SettingsScreen", "settings")
        rows = {row.split()[1]: row for row in desk.text.replace("❯", " ").splitlines() if len(row.split()) > 3}
        assert " session" in rows["batch_size"] and " flag" not in rows["batch_size"]
        assert " flag" in rows["max_workers"]


async def test_a_change_that_is_undone_is_undone_in_the_session_too(make_plan: Plans) -> None:
    name = await built(make_plan(4), batch_size=3)
    async with studio(open_first=name, flags={"max_workers": 5}) as desk:
        await desk.at("StudioScreen", "prompt")
        await desk.app.use_settings({"max_workers": 12, "batch_size": 9})
        assert (desk.session.config.max_workers, desk.session.config.batch_size) == (12, 9)
        await desk.app.forget_setting("max_workers")
        await desk.app.forget_setting("batch_size")
        assert (desk.session.config.max_workers, desk.session.config.batch_size) == (5, 3)
        assert "max_workers" not in desk.session.settings.kept and desk.session.settings.kept["batch_size"] == 3


async def test_what_is_said_of_a_setting_is_said_in_words() -> None:
    async with studio() as desk:
        await desk.at("HomeScreen")
        desk.app.action_settings()
        await desk.at("SettingsScreen", "settings")
        about = desk.app.screen.query_one(About)
        rows = desk.app.screen.query_one(RowList)
        told = []
        for index in range(len(DatasetBuilderConfig.model_fields)):
            rows.move_to(index)
            told.append("\n".join("".join(span[0] for span in line) for line in about.paint(120, 20)))
        assert any("Default: structural, near, semantic." in words for words in told)
        assert not [words for words in told if re.search(r"Default: (\(|\[|\{|<|None|True|False)", words)]
