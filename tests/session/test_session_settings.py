"""The settings of a session: kept, reopened, changed one at a time, and named by who says them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.session import Session
from dsbuilder_tui.settings.layers import Layer
from tests.support.raw_file import written_otherwise

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


async def test_a_session_reopened_with_a_budget_keeps_it_when_another_setting_changes(
    make_plan: Plans, make_config: Configs
) -> None:
    async with await Session.create(make_plan(4), make_config()) as session:
        folder = session.folder
    async with await Session.open(folder, make_config(budget=2, max_workers=3)) as session:
        await session.settings.set("batch_size", 7)
        config = session.config
        assert (config.budget, config.max_workers, config.batch_size) == (2, 3, 7)
        assert session.settings.layer_of("budget") is Layer.FLAG
        assert "budget" not in session.settings.kept
    async with await Session.open(folder) as session:
        assert (session.config.budget, session.config.batch_size) == (None, 7)


async def test_what_is_kept_comes_back_and_is_called_the_sessions(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(4), make_config(budget=2, max_workers=3)) as session:
        folder = session.folder
        assert session.config.origins()["budget"] == "flag"
    async with await Session.open(folder, make_config(max_workers=5)) as session:
        origins = session.config.origins()
        assert (session.config.budget, session.config.max_workers) == (2, 5)
        assert (origins["budget"], origins["max_workers"], origins["seed"]) == ("session", "flag", "default")


async def test_a_flag_beats_what_is_kept_until_it_is_set_anew(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(4), make_config(max_workers=2)) as session:
        folder = session.folder
    async with await Session.open(folder, make_config(max_workers=5)) as session:
        await session.settings.set("max_workers", 6)
        assert session.config.max_workers == 6
        await session.settings.set("batch_size", 3)
        assert session.config.max_workers == 6
        await session.settings.set("max_workers", None)
        assert session.config.max_workers == 8 and "max_workers" not in session.settings.kept


async def test_what_was_set_can_be_put_back(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(4), make_config(seed=4)) as session:
        folder = session.folder
    async with await Session.open(folder, make_config(max_workers=5)) as session:
        before, kept = session.config, session.settings.kept
        await session.settings.change({"seed": 9, "max_workers": 12, "budget": 3})
        await session.settings.put_back("seed")
        await session.settings.put_back("max_workers", 5)
        await session.settings.put_back("budget")
        assert session.config == before and session.settings.kept == kept
        assert session.settings.layer_of("max_workers") is Layer.FLAG


async def test_a_bad_value_changes_nothing(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(4), make_config()) as session:
        before, kept = session.config, session.settings.kept
        with pytest.raises(ConfigError, match="batch_size"):
            await session.settings.change({"seed": 3, "batch_size": 0})
        assert session.config is before and session.settings.kept == kept


async def test_no_secret_is_kept(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(4), make_config()) as session:
        folder = session.folder
        await session.settings.change({"api_key": "sk-canary", "base_url": "http://me:canary@localhost:1/v1"})
        assert session.config.api_key is not None and session.config.base_url == "http://me:canary@localhost:1/v1"
        assert session.settings.kept["base_url"] == "http://localhost:1/v1"
    assert not [path for path in folder.rglob("*") if path.is_file() and b"canary" in path.read_bytes()]


async def test_the_configuration_cannot_be_assigned(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(4), make_config()) as session:
        with pytest.raises(AttributeError):
            session.config = make_config()  # type: ignore[misc]


def keep(folder: Path, **settings: Any) -> None:
    with written_otherwise(folder / "session.db") as database:
        database.execute("UPDATE meta SET value=? WHERE key='settings'", (json.dumps(settings),))


async def test_what_another_version_kept(make_plan: Plans, make_config: Configs) -> None:
    async with await Session.create(make_plan(4), make_config()) as session:
        folder = session.folder
    keep(folder, batch_size=3, of_the_future=1)
    async with await Session.open(folder) as session:
        assert session.config.batch_size == 3
        await session.settings.set("seed", 5)
        assert session.settings.kept == {"batch_size": 3, "of_the_future": 1, "seed": 5}
    keep(folder, batch_size=-3)
    with pytest.raises(ConfigError, match="batch_size in the session: -3"):
        await Session.open(folder)
    keep(folder)
    async with await Session.open(folder):  # the refusal has let go of it
        pass
