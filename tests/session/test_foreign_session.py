"""A session's folder that came from elsewhere says neither where requests and the dataset go, nor what a run may cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.models.embeddings import EndpointEmbeddings
from dsbuilder_tui.settings.key_trust import KeyUse, allow, foreign_addresses, named_addresses, uses_of
from dsbuilder_tui.settings.locations import seal_secret_file
from tests.support.bystander import Bystander
from tests.support.fake_openai import FakeOpenAI
from tests.support.process import command

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]
KEY = "sk-canary-777"


async def strange(plan: DatasetPlanInput, config: DatasetBuilderConfig, out: Path | None = None) -> Path:
    """A session as somebody else made it: with no secret of this person's."""
    async with await Session.create(plan, config, out=out) as session:
        folder = session.folder
    seal_secret_file().unlink(missing_ok=True)
    return folder


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize(
    "brought",
    [
        {"base_url": "{url}"},
        {"base_url": "{url}", "verify_tls": False},
        {"embedding_base_url": "{url}", "embedding_model": "e5"},
        {"base_url": "{url}", "embedding_model": "e5"},
        {"base_url": "{url}", "organization": "org-theirs"},
    ],
)
async def test_what_it_brings_is_asked_about_and_nothing_is_sent(
    make_plan: Plans, make_config: Configs, monkeypatch: pytest.MonkeyPatch, brought: dict[str, Any], keyed: bool
) -> None:
    async with Bystander() as other:
        given = {
            name: value.format(url=other.url) if isinstance(value, str) else value for name, value in brought.items()
        }
        folder = await strange(make_plan(4), make_config(**given))
        if keyed:
            monkeypatch.setenv("OPENAI_API_KEY", KEY)
            monkeypatch.setenv("DSBUILDER_EMBEDDING_API_KEY", KEY)
        async with await Session.open(folder, make_config(max_retries=0)) as session:
            asked = foreign_addresses(session.config, uses_of(session.config))
            assert asked and all(str(folder.resolve()) in one.command for one in asked)
            with pytest.raises(ConfigError, match=r"was not said here.*dsbuilder config trust .*support") as refused:
                await session.run()
            assert KEY not in str(refused.value)
            assert (await session.summary()).instances_created == 0
        assert not other.connections


@pytest.mark.parametrize("setting", ["verify_tls", "ca_bundle", "organization", "project"])
async def test_how_the_persons_own_endpoint_is_asked_does_not_come_along(
    make_plan: Plans, make_config: Configs, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    folder = await strange(make_plan(4), make_config(**{setting: False if setting == "verify_tls" else "theirs"}))
    monkeypatch.setenv("OPENAI_BASE_URL", fake.url)
    async with await Session.open(folder, make_config()) as session:
        with pytest.raises(ConfigError, match=f"sets {setting}, which was not said here"):
            await session.run()
        assert not fake.seen
        await session.settings.set(setting, True if setting == "verify_tls" else None)
        await session.run()
        assert fake.seen and "openai-organization" not in fake.headers[-1]


async def test_a_yes_is_for_that_session_and_address(make_plan: Plans, make_config: Configs, fake: FakeOpenAI) -> None:
    folder = await strange(make_plan(4), make_config(base_url=fake.url))
    async with await Session.open(folder, make_config()) as session:
        allow(named_addresses(session.config))
        assert (await session.run()).accepted == 4
    twin = await strange(make_plan(4), make_config(base_url=fake.url))
    async with await Session.open(twin, make_config()) as session:
        assert foreign_addresses(session.config, [KeyUse.CHAT])


async def test_what_was_said_here_is_not_asked_about_wherever_it_is_moved(
    make_plan: Plans, make_config: Configs, fake: FakeOpenAI, tmp_path: Path
) -> None:
    created = Session.create(make_plan(4), make_config(base_url=fake.url), out=tmp_path / "data.jsonl")
    async with await created as session:
        await session.settings.change({"embedding_base_url": fake.url, "verify_tls": False})
        await session.rename("elsewhere")
        folder = session.folder
    folder.rename(tmp_path / "moved")
    async with await Session.open(tmp_path / "moved", make_config()) as session:
        assert not foreign_addresses(session.config, list(KeyUse)) and session.dataset.out == tmp_path / "data.jsonl"
        assert (await session.run()).accepted == 4


async def test_a_setting_changed_here_does_not_vouch_for_the_others(
    make_plan: Plans, make_config: Configs, fake: FakeOpenAI
) -> None:
    async with Bystander() as other:
        folder = await strange(make_plan(4), make_config(base_url=other.url))
        async with await Session.open(folder, make_config()) as session:
            await session.settings.change({"organization": "org-mine", "batch_size": 2})
        async with await Session.open(folder, make_config()) as session:
            assert [one.setting for one in foreign_addresses(session.config, [KeyUse.CHAT])] == ["base_url"]
            await session.settings.set("base_url", fake.url)
            await session.settings.put_back("base_url")
            assert foreign_addresses(session.config, [KeyUse.CHAT])
            await session.settings.set("base_url", fake.url)
        async with await Session.open(folder, make_config()) as session:
            assert (await session.run()).accepted == 4
        assert not other.connections


async def test_a_flag_or_what_the_person_set_anyway_is_not_asked_about(
    make_plan: Plans, make_config: Configs, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Bystander() as other:
        folder = await strange(make_plan(4), make_config(base_url=other.url))
        async with await Session.open(folder, make_config(base_url=fake.url)) as session:
            assert (await session.run()).accepted == 4
        monkeypatch.setenv("OPENAI_BASE_URL", other.url)
        async with await Session.open(folder, make_config()) as session:
            assert not foreign_addresses(session.config, [KeyUse.CHAT])
        assert not other.connections


async def test_the_place_of_the_dataset_does_not_come_along(
    make_plan: Plans, make_config: Configs, tmp_path: Path
) -> None:
    folder = await strange(make_plan(4), make_config(), out=tmp_path / "theirs.jsonl")
    async with await Session.open(folder, make_config()) as session:
        assert session.dataset.out is None and session.dataset.path == session.folder / f"{session.id}.jsonl"
        allow(session.dataset.foreign_out)
        assert session.dataset.out == tmp_path / "theirs.jsonl"


async def test_nor_does_the_folder_of_new_sessions(make_plan: Plans, make_config: Configs, tmp_path: Path) -> None:
    folder = await strange(make_plan(4), make_config())
    async with await Session.open(folder, make_config(checkpoint_dir=tmp_path / "mine")) as session:
        assert session.config.checkpoint_root == tmp_path / "mine"
    async with await Session.open(folder) as session:
        assert session.config.checkpoint_root != folder.parent


@pytest.mark.parametrize("words", [["resume"], ["resume", "--yes"], ["resume", "--prompt", "canary-prompt"]])
async def test_the_commands_end_with_the_command_that_allows_it(
    make_plan: Plans, make_config: Configs, tmp_path: Path, words: list[str]
) -> None:
    env = {"OPENAI_API_KEY": KEY}
    async with FakeOpenAI() as other:
        folder = await strange(make_plan(4), make_config(base_url=other.url), out=tmp_path / "theirs.jsonl")

        async def run(*more: str) -> str:
            done = await asyncio.to_thread(command, *more, cwd=tmp_path, env=env)
            assert KEY not in done.stdout + done.stderr and "Traceback" not in done.stderr
            return f"{done.returncode} {done.stdout}{done.stderr}"

        first = await run(words[0], str(folder), *words[1:])
        assert first.startswith("2 ") and f"dsbuilder config trust {folder}" in first and "theirs.jsonl" in first
        second = await run(words[0], str(folder), *words[1:], "--out", "mine.jsonl")
        assert second.startswith("2 ") and f"dsbuilder config trust {folder}" in second and other.url in second
        assert not other.headers and not other.seen
        assert (await run("config", "trust", str(folder))).count("from now on") == 2
        assert "Nothing is asked" in await run("config", "trust", str(folder))
        assert (await run("resume", str(folder))).startswith("0 ") and other.headers
        assert len((tmp_path / "theirs.jsonl").read_text().splitlines()) == 4
        assert (await run("config", "untrust", str(folder))).count("is not allowed any more") == 2
        assert (await run("resume", str(folder))).startswith("2 ")
        assert "Nothing was allowed" in await run("config", "untrust", str(folder))


async def test_embeddings_of_an_allowed_session_are_asked_for(
    make_plan: Plans, make_config: Configs, fake: FakeOpenAI
) -> None:
    folder = await strange(make_plan(4), make_config(base_url=fake.url, embedding_model="e5", organization="o"))
    async with await Session.open(folder, make_config(embedding_api_key=KEY)) as session:
        with pytest.raises(ConfigError, match="was not said here"):
            EndpointEmbeddings(session.config)
        allow(named_addresses(session.config))
        await EndpointEmbeddings(session.config).close()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("worker_model", "dear-model"),
        ("model", "dear-model"),
        ("budget", 500.0),
        ("prices", {"gpt-4o-mini": {"input": 0, "output": 0}}),
        ("max_attempts", 90),
        ("max_retries", 90),
        ("max_output_tokens", 90_000),
        ("candidates_per_slot", 9),
        ("reasoning_effort", "xhigh"),
        ("hedging", "on"),
    ],
)
async def test_what_a_run_may_cost_does_not_come_along(
    make_plan: Plans, make_config: Configs, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch, setting: str, value: Any
) -> None:
    folder = await strange(make_plan(4), make_config(**{setting: value}))
    monkeypatch.setenv("OPENAI_BASE_URL", fake.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("DSBUILDER_BUDGET", "5")
    async with await Session.open(folder, make_config()) as session:
        with pytest.raises(ConfigError, match=f"sets {setting}, which was not said here.*{setting}=") as refused:
            await session.run()
        assert refused.value.hint == f"To allow it:  dsbuilder config trust {folder}" and KEY not in str(refused.value)
        assert not fake.seen
        allow(named_addresses(session.config))
        assert not foreign_addresses(session.config, list(KeyUse))
    async with await Session.create(make_plan(4), make_config(**{setting: value})) as session:
        own = session.folder
    async with await Session.open(own, make_config()) as session:
        assert not foreign_addresses(session.config, list(KeyUse))


async def test_what_only_holds_a_run_down_is_followed(
    make_plan: Plans, make_config: Configs, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = await strange(make_plan(4), make_config(budget=2.0, max_attempts=3, max_retries=0, batch_size=2))
    monkeypatch.setenv("OPENAI_BASE_URL", fake.url)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with await Session.open(folder, make_config()) as session:
        assert session.config.budget == 2.0 and (await session.run()).accepted == 4


async def test_how_much_the_person_is_asked_is_not_for_it_to_say(make_plan: Plans, make_config: Configs) -> None:
    said = {"confirm_cases": 10**6, "confirm_dollars": 10.0**6, "max_dataset_size": 10**9}
    folder = await strange(make_plan(4), make_config(**said))
    own = DatasetBuilderConfig(checkpoint_dir=folder.parent)
    async with await Session.open(folder, own) as session:
        assert {name: getattr(session.config, name) for name in said} == {name: getattr(own, name) for name in said}


async def test_a_local_server_without_a_key_costs_nothing(
    make_plan: Plans, make_config: Configs, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = await strange(make_plan(4), make_config(worker_model="theirs", prices={}))
    monkeypatch.setenv("OPENAI_BASE_URL", fake.url)
    async with await Session.open(folder, make_config()) as session:
        assert (await session.run()).accepted == 4
