"""Prices and the budget in the app: in the settings, in the header, and in a replay."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

from textual.widgets import Input

from dsbuilder_tui import DatasetPlanInput, Session
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.spending import Price
from dsbuilder_tui.settings.locations import user_config_file
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.tui.replay_session import ReplaySession
from dsbuilder_tui.tui.settings.screen import SettingsScreen
from tests.support.studio import begin, built, studio

Plans = Callable[..., DatasetPlanInput]


async def test_prices_are_shown_changed_and_kept_in_the_settings() -> None:
    async with studio() as user:
        await user.press("c")
        await user.at("SettingsScreen", "settings")
        screen = user.app.screen
        assert isinstance(screen, SettingsScreen)
        user.one("#settings").move_to(screen._names.index("prices"))
        text = await user.sees("Dollars per million tokens")
        assert "Undefined" not in text and "Default" not in text
        await user.press("enter")
        await user.at("Ask", "line")
        assert user.one("#line", Input).value == ""
        await user.write('{"tiny": {"input": 1, "output": 2}}\n')
        await user.until(lambda: user.app.config.prices == {"tiny": Price(input=1, output=2)})
        await user.sees('{"tiny": {"input": 1.0, "output": 2.0}}', "changed here")
        await user.press("s")
        await user.until(lambda: "prices is written to" in user.told)
        kept = tomllib.loads(user_config_file().read_text(encoding="utf-8"))
        assert kept == {"prices": {"tiny": {"input": 1.0, "output": 2.0}}}
        await user.press("enter")
        await user.at("Ask", "line")
        assert user.one("#line", Input).value == '{"tiny": {"input": 1.0, "output": 2.0}}'


async def test_what_the_main_agent_costs_is_in_the_header_and_comes_back(make_plan: Plans) -> None:
    async with studio(flags={"budget": 5}) as user:
        await begin(user, make_plan(4))
        await user.session.costs.note_agent_call("turn", "gpt-4o", Usage(20_000, 2000, True), 2.0)
        await user.sees("$0.07 of $5.00")
        await user.command("/budget")
        await user.said("Spent so far: $0.07; the budget is $5.00.")
        await user.command("/status")
        await user.said("Cost: $0.07.")
    async with studio(open_first="support") as user:
        await user.sees("$0.07 of $5.00")


async def test_a_recorded_session_shows_dollars_and_no_budget(make_plan: Plans) -> None:
    name = await built(make_plan(4))
    async with studio(flags={"budget": 5}, open_first=name) as user:
        await user.session.costs.note_agent_call("turn", "gpt-4o", Usage(20_000, 2000, True), 2.0)
        await user.sees("$0.07 of $5.00")
    recorded = await Session.open(name, load_config(budget=5))
    async with studio(replay=ReplaySession(recorded, SystemClock(), 1000.0)) as user:
        text = await user.sees("replay · end", "$0.07")
        assert "of $5.00" not in text
