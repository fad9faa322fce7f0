"""Settings: the documented defaults, who wins, and what a bad value says."""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.settings.file import save_settings
from dsbuilder_tui.settings.locations import default_checkpoint_root, user_config_file
from dsbuilder_tui.settings.stack import load_config, unknown_variables

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
    assert load_config().batch_size == 20
    (warning,) = unknown_variables()
    assert "DSBUILDER_BATCHSIZE" in warning and "Did you mean batch_size?" in warning


def test_unknown_names_in_a_file_or_a_flag_are_errors() -> None:
    with pytest.raises(ConfigError, match="batchsize"):
        load_config(batchsize=5)
    Path(".env").write_text("DSBUILDER_BATCHSIZE=5\n")
    with pytest.raises(ConfigError, match=r"\.env: DSBUILDER_BATCHSIZE.*Did you mean batch_size"):
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


def test_settings_of_the_terminal_app_and_the_pace() -> None:
    config = load_config()
    assert (config.theme, config.notifications, config.offline_pace) == ("dark", "bell", 0)
    config = load_config(theme="high-contrast", notifications="desktop", offline_pace="2.5")
    assert (config.theme, config.notifications, config.offline_pace) == ("high-contrast", "desktop", 2.5)
    for flag in ({"theme": "pink"}, {"notifications": "loud"}, {"offline_pace": -1}, {"offline_pace": float("inf")}):
        with pytest.raises(ConfigError, match=f"setting {next(iter(flag))}: "):
            load_config(**flag)


HAND_WRITTEN = """\
# My settings
seed = 7  # lucky
batch_size = 2

# For the gateway:
[extra_headers]
X-Team = "evals"  # ours
"""


def test_saving_keeps_what_a_person_wrote() -> None:
    file = user_config_file()
    file.parent.mkdir(parents=True)
    file.write_text(HAND_WRITTEN)
    file.chmod(0o640)
    assert save_settings({"theme": "light", "batch_size": "5", "seed": 7}) == file
    text = file.read_text()
    assert text == HAND_WRITTEN.replace("batch_size = 2\n", 'batch_size = 5\ntheme = "light"\n')
    assert file.stat().st_mode & 0o777 == 0o640
    config = load_config()
    assert (config.theme, config.batch_size, config.seed, config.extra_headers) == ("light", 5, 7, {"X-Team": "evals"})
    save_settings({"theme": None, "batch_size": 2, "model": None})
    assert file.read_text() == HAND_WRITTEN


def test_a_new_settings_file_is_its_owners() -> None:
    file = save_settings({"max_workers": 3, "checkpoint_dir": Path("/data"), "extra_headers": {"X-Team": "e\x7f\x1b"}})
    assert file == user_config_file() and file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["config.toml"]
    config = load_config()
    assert (config.max_workers, config.checkpoint_dir) == (3, Path("/data"))
    assert config.extra_headers == {"X-Team": "e\x7f\x1b"}


def test_taking_out_what_is_not_there_makes_no_file(tmp_path: Path) -> None:
    assert save_settings({"theme": None}, tmp_path / "x.toml") == tmp_path / "x.toml"
    assert not (tmp_path / "x.toml").exists()


def test_saving_through_a_link_leaves_the_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    link, real = tmp_path / "config.toml", tmp_path / "dotfiles" / "config.toml"
    real.write_bytes(b"# mine\r\nseed = 1\r\n")
    link.symlink_to(real)
    save_settings({"seed": 2}, link)
    assert link.is_symlink() and real.read_bytes() == b"# mine\r\nseed = 2\r\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "seed = 4\n"),
        ("model = 'x'", "model = 'x'\nseed = 4\n"),
        ("# top\n[extra_headers]\n", "seed = 4\n# top\n[extra_headers]\n"),
        ("model = '''\n[x]\n'''\n\n[extra_headers]\n", "model = '''\n[x]\n'''\nseed = 4\n\n[extra_headers]\n"),
        ("model = 'a\u2028[b'\r\n", "model = 'a\u2028[b'\r\nseed = 4\r\n"),
    ],
)
def test_where_a_new_setting_goes(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "c.toml"
    file.write_bytes(before.encode())
    save_settings({"seed": 4}, file)
    assert file.read_bytes().decode() == after


def test_headers_are_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('extra_headers.a = "1"\nextra_headers.b = "2"\nseed = 3\n')
    save_settings({"extra_headers": '{"c": "3"}', "verify_tls": False}, file)
    assert tomllib.loads(file.read_text()) == {"extra_headers": {"c": "3"}, "seed": 3, "verify_tls": False}


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"batch_size": 0}, ["batch_size: 0", "at least 1", "choose another value"]),
        ({"theme": "pink"}, ["theme: 'pink'", "'high-contrast'"]),
        ({"theme": "light", "base_url": "localhost"}, ["base_url: 'localhost'", "must begin with http://"]),
        ({"batchsize": 3}, ["'batchsize'", "Did you mean batch_size?"]),
        ({"api_key": "sk-canary"}, ["api_key", "OPENAI_API_KEY into the environment or .env"]),
        ({"checkpoint_dir": Path("\udc80")}, ["not saved", "Choose another value"]),
    ],
)
def test_what_cannot_be_saved_is_named(values: dict[str, object], parts: list[str]) -> None:
    save_settings({"seed": 1})
    before = user_config_file().read_text()
    with pytest.raises(ConfigError) as caught:
        save_settings(values)
    for part in parts:
        assert part in str(caught.value)
    assert "canary" not in str(caught.value)
    assert user_config_file().read_text() == before


def test_saving_does_not_depend_on_the_other_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBUILDER_BATCH_SIZE", "rubbish")
    user_config_file().parent.mkdir(parents=True)
    user_config_file().write_text("seed = 'bad'\napi_key = 'sk-by-hand'\n")
    save_settings({"seed": None, "api_key": None, "theme": "light"})
    assert user_config_file().read_text() == 'theme = "light"\n'


def test_a_file_that_cannot_be_changed_stays(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    for broken in (b"seed = = 3", b"\xff"):
        file.write_bytes(broken)
        with pytest.raises(ConfigError, match="cannot be read as TOML.*Mend the file"):
            save_settings({"seed": 1}, file)
        assert file.read_bytes() == broken
    with pytest.raises(ConfigError, match="not saved: .*Free some space or choose another place"):
        save_settings({"seed": 1}, tmp_path / "c.toml" / "below.toml")


@pytest.mark.parametrize(
    "address", ["http://", "http://:80/v1", "http://127.0.0.1:/v1", "http://h:99999/v1", "http://[::1/v1"]
)
def test_an_address_without_a_place_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="base_url.*names no host, or no port"):
        load_config(base_url=address)


@pytest.mark.parametrize("address", ["http://h", "http://[::1]:8080/v1", "https://user:p@h:1/v1", "http://h:80"])
def test_an_address_with_one_is_taken(address: str) -> None:
    assert load_config(base_url=address).base_url == address


@pytest.mark.parametrize("name", ["dsbuilder.toml", ".env"])
@pytest.mark.parametrize(
    "text", ["# " + "x" * 300_000, "a = " + "[" * 50_000, "a" * 260_000], ids=["long", "deep", "word"]
)
def test_a_file_of_a_folder_cannot_exhaust_the_program(name: str, text: str) -> None:
    Path(name).write_text(text)
    with contextlib.suppress(ConfigError):
        load_config()
    with Path(name).open("wb") as file:
        file.truncate(200 * 1024**3)  # a hole
    with pytest.raises(ConfigError, match="longer than 256 KiB"):
        load_config()
