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
    async with studio() as user:
        await user.at("QuestionDialog", "answers")
        text = await user.sees("Send the key there?", "OPENAI_API_KEY")
        assert "sk-canary" not in text
        await user.press("enter")  # Enter alone agrees to nothing
        await user.at("HomeScreen")
        await begin(user, make_plan(4))
        await user.at("StudioScreen")  # it is not asked again
        await user.command("/run")
        await user.sees("dsbuilder config trust")
        assert not led_away.bodies and not trusted_addresses_file().exists()


async def test_a_yes_is_remembered(led_away: FakeOpenAI, make_plan: Plans) -> None:
    async with studio() as user:
        await user.at("QuestionDialog", "answers")
        await user.press("down", "enter")
        await user.at("HomeScreen")
        await user.until(trusted_addresses_file().exists)
        await begin(user, make_plan(4))
        await user.command("/run")
        await user.state("finished")
        assert led_away.bodies
    async with studio() as user:
        await user.at("HomeScreen")


async def test_a_session_that_is_opened_at_once_is_asked_about(led_away: FakeOpenAI, make_plan: Plans) -> None:
    name = await built(make_plan(4), provider="offline")
    async with studio(open_first=name) as user:  # it keeps to the built-in writer
        await user.at("StudioScreen")
    async with studio(open_first=name, flags={"provider": "openai"}) as user:
        await user.at("QuestionDialog", "answers")
        await user.press("escape")
        await user.at("StudioScreen")


async def test_an_unknown_variable_is_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBUILDER_BATCHSIZE", "5")
    async with studio() as user:
        await user.sees("DSBUILDER_BATCHSIZE", "batch_size?")


async def test_what_a_session_keeps_is_called_the_sessions(make_plan: Plans) -> None:
    name = await built(make_plan(4), batch_size=3)
    async with studio(open_first=name, flags={"max_workers": 5}) as user:
        await user.at("StudioScreen", "prompt")
        await user.command("/settings")
        await user.at("SettingsScreen", "settings")
        rows = {row.split()[1]: row for row in user.text.replace("❯", " ").splitlines() if len(row.split()) > 3}
        assert " session" in rows["batch_size"] and " flag" not in rows["batch_size"]
        assert " flag" in rows["max_workers"]


async def test_a_change_that_is_undone_is_undone_in_the_session_too(make_plan: Plans) -> None:
    name = await built(make_plan(4), batch_size=3)
    async with studio(open_first=name, flags={"max_workers": 5}) as user:
        await user.at("StudioScreen", "prompt")
        await user.app.use_settings({"max_workers": 12, "batch_size": 9})
        assert (user.session.config.max_workers, user.session.config.batch_size) == (12, 9)
        await user.app.forget_setting("max_workers")
        await user.app.forget_setting("batch_size")
        assert (user.session.config.max_workers, user.session.config.batch_size) == (5, 3)
        assert "max_workers" not in user.session.settings.kept and user.session.settings.kept["batch_size"] == 3


async def test_what_is_said_of_a_setting_is_said_in_words() -> None:
    async with studio() as user:
        await user.at("HomeScreen")
        user.app.action_settings()
        await user.at("SettingsScreen", "settings")
        about = user.app.screen.query_one(About)
        rows = user.app.screen.query_one(RowList)
        told = []
        for index in range(len(DatasetBuilderConfig.model_fields)):
            rows.move_to(index)
            told.append("\n".join("".join(span[0] for span in line) for line in about.paint(120, 20)))
        assert any("Default: structural, near, semantic." in words for words in told)
        assert not [words for words in told if re.search(r"Default: (\(|\[|\{|<|None|True|False)", words)]
