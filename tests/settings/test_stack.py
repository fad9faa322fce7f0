"""The stack of settings: who wins, who says a value, and what setting one leaves alone."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.settings.layers import Layer
from dsbuilder_tui.settings.locations import user_config_file
from dsbuilder_tui.settings.stack import SettingsStack

LAYERS = list(Layer)


def say(layer: Layer, number: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, int]]:
    """Have a layer say that ``seed`` is ``number``; what is not said in a file or a variable is returned."""
    match layer:
        case Layer.USER_FILE:
            user_config_file().parent.mkdir(parents=True)
            user_config_file().write_text(f"seed = {number}\n")
        case Layer.PROJECT_FILE:
            Path("dsbuilder.toml").write_text(f"seed = {number}\n")
        case Layer.DOTENV:
            Path(".env").write_text(f"DSBUILDER_SEED={number}\n")
        case Layer.ENVIRONMENT:
            monkeypatch.setenv("DSBUILDER_SEED", str(number))
        case Layer.SESSION:
            return {"session": {"seed": number}}
        case Layer.FLAG:
            return {"flags": {"seed": number}}
    return {}


@pytest.mark.parametrize(("lower", "higher"), pairwise(LAYERS))
def test_each_layer_wins_over_the_one_below(lower: Layer, higher: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    said = say(lower, 1, monkeypatch) | say(higher, 2, monkeypatch)
    stack = SettingsStack.read(said.get("session"), **said.get("flags", {}))
    assert (stack.get("seed"), stack.layer_of("seed")) == (2, higher)


def test_a_value_that_nobody_says_is_the_default() -> None:
    assert SettingsStack.read().layer_of("seed") is Layer.DEFAULT


def test_setting_a_value_changes_no_other() -> None:
    stack = SettingsStack.read({"batch_size": 4}, max_workers=3, budget=2)
    before = stack.config.model_dump(exclude={"batch_size"})
    stack.set("batch_size", 7)
    assert stack.config.model_dump(exclude={"batch_size"}) == before
    assert (stack.get("batch_size"), stack.layer_of("batch_size")) == (7, Layer.SESSION)
    assert (stack.layer_of("max_workers"), stack.layer_of("budget")) == (Layer.FLAG, Layer.FLAG)
    stack.set("batch_size", None)
    assert (stack.get("batch_size"), stack.session_layer) == (20, {})


def test_what_was_said_last_counts_against_a_flag() -> None:
    stack = SettingsStack.read(budget=2)
    stack.set("budget", 9)
    assert (stack.get("budget"), stack.layer_of("budget")) == (9, Layer.SESSION)


def test_a_bad_value_changes_nothing() -> None:
    stack = SettingsStack.read({"seed": 1}, max_workers=3)
    config = stack.config
    with pytest.raises(ConfigError, match=r"batch_size in the session: 0 — .*at least 1"):
        stack.change({"seed": 2, "batch_size": 0})
    with pytest.raises(ConfigError, match=r"'batchsize'.*Did you mean batch_size"):
        stack.change({"seed": 2, "batchsize": 5})
    assert stack.config is config and stack.session_layer == {"seed": 1}


def test_a_secret_is_never_in_the_sessions_layer() -> None:
    stack = SettingsStack.read()
    stack.change({"api_key": "sk-canary", "extra_headers": {"X-Key": "sk-canary"}, "seed": 3})
    assert stack.session_layer == {"seed": 3}
    assert stack.config.api_key is not None and stack.layer_of("api_key") is Layer.FLAG


def test_files_are_read_once() -> None:
    Path("dsbuilder.toml").write_text("seed = 1\n")
    stack = SettingsStack.read()
    Path("dsbuilder.toml").write_text("seed = 2\nmax_workers = 9\n")
    stack.set("batch_size", 3)
    assert (stack.get("seed"), stack.get("max_workers")) == (1, 8)


def test_a_changed_copy_of_a_configuration_keeps_the_change_under_a_session() -> None:
    config = DatasetBuilderConfig(seed=1).model_copy(update={"model": "mine"})
    stack = SettingsStack.over(config, {"model": "kept", "batch_size": 4})
    assert (stack.get("model"), stack.get("seed"), stack.get("batch_size")) == ("mine", 1, 4)
    assert config.explicit == {"seed": 1, "model": "mine"}


def test_tables_of_several_layers_are_merged() -> None:
    Path("dsbuilder.toml").write_text("[prices.a]\ninput = 1\noutput = 1\n")
    prices = SettingsStack.read(prices={"a": {"output": 5}, "b": {"input": 2, "output": 2}}).get("prices")
    assert (prices["a"].input, prices["a"].output, prices["b"].input) == (1, 5, 2)
