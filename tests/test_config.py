"""Settings: the documented defaults, who wins, and what a bad value says."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.config import default_checkpoint_root, load_config, user_config_file
from dsbuilder_tui.domain.errors import ConfigError

DOCUMENTED = {
    "max_dataset_size": 100,
    "batch_size": 20,
    "model": "gpt-4o",
    "worker_model": "gpt-4o-mini",
    "enable_parallel_generation": True,
    "enable_checkpointing": True,
    "checkpoint_interval": 50,
    "checkpoint_dir": Path("data/checkpoints"),
    "enable_diversity_check": True,
    "diversity_window": 20,
    "diversity_scope": "history",
}


def test_documented_names_and_defaults() -> None:
    config = DatasetBuilderConfig()
    assert {name: getattr(config, name) for name in DOCUMENTED} == DOCUMENTED


def test_the_documented_custom_configuration() -> None:
    config = DatasetBuilderConfig(
        max_dataset_size=1000, batch_size=20, worker_model="gpt-4o-mini", enable_parallel_generation=True,
        enable_checkpointing=True, checkpoint_interval=100, enable_diversity_check=True, diversity_window=30,
    )  # fmt: skip
    assert (config.checkpoint_interval, config.diversity_window, config.diversity_scope) == (100, 30, "window")


def test_a_window_means_scope_window_unless_a_scope_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DatasetBuilderConfig(diversity_window=20).diversity_scope == "window"
    assert DatasetBuilderConfig(diversity_window=20, diversity_scope="history").diversity_scope == "history"
    monkeypatch.setenv("DSBUILDER_DIVERSITY_WINDOW", "5")
    assert DatasetBuilderConfig().diversity_scope == "window"


def test_checkpoint_dir_is_relative_to_here_only_when_set() -> None:
    assert DatasetBuilderConfig().checkpoint_root == default_checkpoint_root()
    assert DatasetBuilderConfig(checkpoint_dir="data/checkpoints").checkpoint_root == Path.cwd() / "data/checkpoints"


def test_order_of_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    user = user_config_file()
    user.parent.mkdir(parents=True)
    user.write_text("batch_size = 2\nmax_workers = 2\nseed = 2\nmodel = 'user'\ncheckpoint_interval = 2\n")
    Path("dsbuilder.toml").write_text("batch_size = 3\nmax_workers = 3\nseed = 3\nmodel = 'project'\n")
    Path(".env").write_text("DSBUILDER_BATCH_SIZE=4\nDSBUILDER_MAX_WORKERS=4\nDSBUILDER_SEED=4\n")
    monkeypatch.setenv("DSBUILDER_BATCH_SIZE", "5")
    monkeypatch.setenv("DSBUILDER_MAX_WORKERS", "5")
    config = load_config(batch_size="6")
    values = (config.batch_size, config.max_workers, config.seed, config.model, config.checkpoint_interval)
    assert values == (6, 5, 4, "project", 2)
    origins = config.origins()
    assert origins["batch_size"] == "flag"
    assert origins["max_workers"] == "environment (DSBUILDER_MAX_WORKERS)"
    assert origins["seed"] == ".env"
    assert origins["model"] == "dsbuilder.toml"
    assert origins["checkpoint_interval"] == str(user)
    assert origins["temperature"] == "default"


def test_names_that_other_tools_use(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("MAX_DATASET_INSTANCES=1000\nOPENAI_API_KEY=sk-from-dotenv\n")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1/")
    config = load_config()
    assert (config.max_dataset_size, config.base_url) == (1000, "http://localhost:1/v1")
    assert config.api_key is not None and config.api_key.get_secret_value() == "sk-from-dotenv"
    assert "sk-from-dotenv" not in repr(config) + str(config.explicit) + config.model_dump_json()
    monkeypatch.setenv("DSBUILDER_MAX_DATASET_SIZE", "7")
    assert load_config().max_dataset_size == 7


def test_who_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_config().resolved_provider == "offline"
    assert load_config(base_url="http://localhost:1").resolved_provider == "openai"
    assert load_config(provider="offline", base_url="http://localhost:1").resolved_provider == "offline"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    assert load_config().resolved_provider == "openai"
    assert load_config().endpoint == "https://api.openai.com/v1"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv("DSBUILDER_BATCH_SIZE", "")
    assert (load_config().api_key, load_config().batch_size) == (None, 20)


def test_headers_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBUILDER_EXTRA_HEADERS", '{"X-Team": "evals"}')
    assert load_config().extra_headers == {"X-Team": "evals"}


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        ({"batch_size": "abc"}, ["setting batch_size: 'abc'", "whole number"]),
        ({"max_workers": 0}, ["setting max_workers: 0", "at least 1"]),
        ({"base_url": "localhost:1"}, ["setting base_url: 'localhost:1'", "must begin with http://"]),
        ({"provider": "magic"}, ["setting provider: 'magic'", "'offline'"]),
        ({"extra_headers": "{no"}, ["setting extra_headers: (hidden)", "not JSON"]),
    ],
)
def test_bad_flags_are_named(flags: dict[str, object], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(**flags)
    for part in parts:
        assert part in str(caught.value)


def test_bad_values_say_where_they_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_DATASET_INSTANCES", "lots")
    with pytest.raises(ConfigError, match="MAX_DATASET_INSTANCES: 'lots'"):
        load_config()
    monkeypatch.delenv("MAX_DATASET_INSTANCES")
    Path("dsbuilder.toml").write_text("seed = 'x'")
    with pytest.raises(ConfigError, match=r"seed in dsbuilder\.toml: 'x'"):
        load_config()


def test_a_bad_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary with spaces")
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert "OPENAI_API_KEY: (hidden)" in str(caught.value) and "canary" not in str(caught.value)


def test_files_with_mistakes_are_named() -> None:
    Path("dsbuilder.toml").write_text("batchsize = 3")
    with pytest.raises(ConfigError, match=r"no setting is called 'batchsize'. Did you mean batch_size"):
        load_config()
    Path("dsbuilder.toml").write_text("batch_size = = 3")
    with pytest.raises(ConfigError, match="cannot be read as TOML"):
        load_config()


def test_unknown_names_in_the_environment_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBUILDER_BATCHSIZE", "5")
    with pytest.raises(ConfigError, match=r"DSBUILDER_BATCHSIZE.*Did you mean batch_size"):
        load_config()


def test_a_broken_dotenv_is_named() -> None:
    Path(".env").write_text("A=1\nB='never closed\nC=3\n")
    with pytest.raises(ConfigError, match=r"\.env, line 2"):
        load_config()


def test_pydantics_own_error_hides_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary with spaces")
    with pytest.raises(ValueError) as caught:
        DatasetBuilderConfig()
    assert "canary" not in str(caught.value)


def test_one_worker_without_parallel_generation() -> None:
    config = DatasetBuilderConfig(enable_parallel_generation=False, max_workers=9, sub_batch_size=3)
    assert (config.workers, config.largest_batch) == (1, 20)
    assert DatasetBuilderConfig(sub_batch_size=10).largest_batch == 10
