"""Prices: which model finds which, what tokens cost, whose word counts."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.errors import ConfigError
from dsbuilder_tui.domain.spending import Price
from dsbuilder_tui.manual import page
from dsbuilder_tui.models.chat_answer import read_usage
from dsbuilder_tui.models.prices import BUILT_IN, PriceTable
from dsbuilder_tui.settings.file import save_settings
from dsbuilder_tui.settings.locations import user_config_file
from dsbuilder_tui.settings.stack import load_config
from dsbuilder_tui.wording import cost_words

MILLION = Usage(1_000_000, 1_000_000, True)
OWN = {"tiny": Price(input=0.1, output=0.4), "gpt-4o": Price(input=1, output=1)}


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("gpt-4o", 12.5), ("gpt-4o-mini", 0.75), ("gpt-4.1-nano", 0.5), ("gpt-5", 11.25), ("o3", 10.0),
        ("gpt-4o-mini-2024-07-18", 0.75), ("openai/gpt-4o-mini", 0.75), ("openrouter/openai/gpt-4o-2024-08-06", 12.5),
        ("gpt-4o-2024-05-13", 20.0), (BUILT_IN, 0.0), ("llama3.1", None), ("ft:gpt-4o-mini:me::1", None), ("", None),
        ("gpt-4o-mini-latest", None), ("gpt-4o/", None),
    ],
)  # fmt: skip
def test_which_model_finds_its_price(model: str, dollars: float | None) -> None:
    cost = PriceTable().cost(model, MILLION)
    assert cost is None if dollars is None else cost == pytest.approx(dollars)


def test_cached_tokens_cost_their_own_price_or_that_of_input() -> None:
    usage = Usage(1000, 100, True, cached_tokens=600)
    assert PriceTable().cost("gpt-4o-mini", usage) == pytest.approx((400 * 0.15 + 600 * 0.075 + 100 * 0.6) / 1e6)
    assert PriceTable(OWN).cost("tiny", usage) == pytest.approx((1000 * 0.1 + 100 * 0.4) / 1e6)
    assert PriceTable().cost("gpt-4o-mini", Usage(10, 0, True, cached_tokens=99)) == pytest.approx(10 * 0.075 / 1e6)


def test_own_prices_win_also_for_snapshots_and_providers() -> None:
    table = PriceTable(OWN)
    assert [table.cost(name, MILLION) for name in ("gpt-4o", "openai/gpt-4o", "gpt-4o-2024-05-13")] == [2, 2, 2]
    assert table.cost("gpt-4o-mini", MILLION) == pytest.approx(0.75)


def test_every_packaged_price_is_dated_and_makes_sense() -> None:
    table = PriceTable()
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", table.as_of) and table.source
    assert f"as of {table.as_of}" in page("costs")
    for name, price in table._packaged.items():
        cached = price.input if price.cached_input is None else price.cached_input
        assert name == BUILT_IN or 0 < cached <= price.input < price.output, name


def test_tokens_are_added_with_the_cached_ones() -> None:
    assert Usage(5, 1, True, 2) + Usage(7, 1, False, 3) == Usage(12, 2, True, 5)


@pytest.mark.parametrize(
    ("details", "cached"),
    [
        ({"cached_tokens": 30}, 30), ({"cached_tokens": 900}, 100), ({"cached_tokens": -4}, 0), ({"cached_tokens": None}, 0),
        ({"cached_tokens": "many"}, 0), ({"cached_tokens": math.inf}, 0), ({}, 0), (None, 0), ("x", 0), ([1], 0),
    ],
)  # fmt: skip
def test_what_an_endpoint_says_about_cached_tokens_is_taken_with_care(details: Any, cached: int) -> None:
    said = {"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": details}
    assert read_usage(said) == Usage(100, 10, True, cached)
    assert read_usage({"prompt_tokens": 100}) == Usage(100, 0, True)


# The bill


def test_the_bill_by_role_and_what_the_workers_saved() -> None:
    agent, workers = {"gpt-4o": Usage(10_000, 1000, True, 4000)}, {"gpt-4o-mini": Usage(1_000_000, 500_000, True)}
    bill = PriceTable().spending(agent, workers, "gpt-4o")
    assert bill.main_agent.dollars == pytest.approx(0.015 + 0.005 + 0.01)
    assert bill.workers.dollars == pytest.approx(0.45)
    assert bill.dollars == pytest.approx(0.48) == bill.known_dollars
    assert bill.saving is not None and bill.saving.dollars == pytest.approx(7.05) and bill.saving.percent == 94.0
    words = "$0.48 (main agent $0.03, workers $0.45); $7.05 less than with gpt-4o throughout"
    assert cost_words(bill.as_dict()) == words
    assert json.loads(json.dumps(bill.as_dict()))["workers"]["models"][0]["completion_tokens"] == 500_000


def test_an_unknown_price_is_said_and_the_known_part_kept() -> None:
    table, used = PriceTable(), Usage(10_000, 2300, True)
    bill = table.spending({}, {"llama3.1": used}, "gpt-4o")
    assert (bill.dollars, bill.known_dollars, bill.saving) == (None, 0.0, None)
    assert cost_words(bill.as_dict()) == "12.3 k tokens, price of llama3.1 unknown (set it under [prices])"
    mixed = table.spending({"gpt-4o": MILLION}, {"a\x1b[2J": used}, "gpt-4o")
    assert mixed.dollars is None and mixed.known_dollars == pytest.approx(12.5)
    words = cost_words(mixed.as_dict())
    assert words.startswith("$12.50; 12.3 k tokens more, price of a") and "\x1b" not in words


def test_no_saving_where_there_is_nothing_to_compare() -> None:
    table = PriceTable()
    assert table.spending({}, {"gpt-4o": MILLION}, "gpt-4o").saving is None
    assert table.spending({}, {"gpt-4o-mini": MILLION}, "llama3.1").saving is None
    built_in = table.spending({}, {BUILT_IN: Usage()}, "gpt-4o")
    assert (built_in.dollars, built_in.saving, cost_words(built_in.as_dict())) == (0.0, None, "")
    dearer = table.spending({}, {"gpt-4o": MILLION}, "gpt-4o-mini")
    assert cost_words(dearer.as_dict()) == "$12.50; $11.75 more than with gpt-4o-mini throughout"
    assert table.spending({}, {"llama3.1": Usage()}, "gpt-4o").dollars == 0.0


# Settings


def test_prices_from_a_file_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("dsbuilder.toml").write_text('budget = 5\n[prices."my-model"]\ninput = 0.1\noutput = 0.4\n')
    config = load_config()
    assert config.prices == {"my-model": Price(input=0.1, output=0.4)} and config.budget == 5
    monkeypatch.setenv("DSBUILDER_PRICES", '{"x": {"input": 0, "output": 1, "cached_input": 0}}')
    assert load_config().prices["x"].cached_input == 0
    assert load_config(budget="off").budget is None
    Path("dsbuilder.toml").unlink()
    monkeypatch.delenv("DSBUILDER_PRICES")
    again = DatasetBuilderConfig(
        **json.loads(json.dumps(load_config(prices={"y": {"input": 1, "output": 2}}).explicit))
    )
    assert again.prices == {"y": Price(input=1, output=2)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"m": {"input": -1, "output": 1}}', ("prices.m.input", "at least 0")),
        ('{"m": {"input": NaN, "output": 1}}', ("prices.m.input", "finite")),
        ('{"m": {"input": Infinity, "output": 1}}', ("prices.m.input", "finite")),
        ('{"m": {"input": 1}}', ("prices.m.output",)),
        ('{"m": {"input": 1, "output": 1, "cache": 1}}', ("prices.m.cache",)),
        ('{"m": 3}', ("prices.m", "mapping")), ("[1]", ("prices", "mapping")), ("cheap", ("prices", "not JSON", "my-model")),
    ],
)  # fmt: skip
def test_a_bad_price_is_named(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(prices=text)
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "much"])
def test_a_bad_budget_is_named(value: str) -> None:
    with pytest.raises(ConfigError, match="setting budget"):
        load_config(budget=value)


def test_prices_can_be_saved() -> None:
    save_settings({"prices": {"m": {"input": 0.5, "output": 1.5}}, "budget": 2.5})
    assert "cached_input" not in user_config_file().read_text(encoding="utf-8")
    assert load_config().prices == {"m": Price(input=0.5, output=1.5)} and load_config().budget == 2.5
