"""Requests for rows, in words, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.offline.planner.understand import understand


@pytest.fixture(autouse=True)
def _products(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("products.csv").write_text("sku,name,price\n" + "".join(f"S-{n},Thing {n},{n}.90\n" for n in range(14)))


def _plan(*about_rows: str) -> DatasetPlanInput:
    rows = {name: {"rows": "products.csv"} for name in about_rows}
    names = ("product_info", "refunds", "prices")
    return parse_plan(
        {"dataset_name": "shop", "categories": [{"name": name, "count": 10, **rows.get(name, {})} for name in names]}
    )


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ("use the rows of products.csv for the product questions", {"product_info": "products.csv"}),
        ("Please use the rows of ./products.csv for prices and refunds.", {"prices": "./products.csv", "refunds": "./products.csv"}),
        ("use products.csv for the prices", {"prices": "products.csv"}),
        ("write the refunds about the records in customers.jsonl", {"refunds": "customers.jsonl"}),
        ("prices should use the rows of data/p.parquet", {"prices": "data/p.parquet"}),
        ("take the products in products.csv", dict.fromkeys(("product_info", "refunds", "prices"), "products.csv")),
        (
            "use the rows of products.csv for the prices, with the columns name and price",
            {"prices": {"file": "products.csv", "fields": ["name", "price"]}},
        ),
        ("no rows for the prices", {"prices": ""}),
    ],
)  # fmt: skip
def test_a_plan_in_force_is_changed(said: str, changed: dict[str, Any]) -> None:
    [act] = understand(said, PlanningContext(plan=_plan())).acts
    assert act.tool == "revise_plan"
    assert {change["category"]: change["rows"] for change in act.arguments["change"]} == changed


@pytest.mark.parametrize(
    ("said", "counts", "about"),
    [
        ("40 cases for our shop bot: prices, returns. Use the rows of products.csv for the prices", {"prices": 20, "returns": 20}, "prices"),
        ("40 cases about prices for a shop bot, each about a row of products.csv", {"prices": 40}, "prices"),
        ("20 cases for a shop bot about prices, using products.csv", {"prices": 20}, "prices"),
        ("20 cases about prices, from the products in products.csv", {"prices": 20}, "prices"),
        ("a case for each row of ./products.csv", {"products": 14}, "products"),
        ("A question for every row in products.csv for our shop bot", {"products": 14}, "products"),
        ("one case per product in products.csv about prices for our shop bot", {"prices": 14}, "prices"),
    ],
)  # fmt: skip
def test_a_first_request_can_ask_for_them(said: str, counts: dict[str, int], about: str) -> None:
    [act] = [act for act in understand(said, PlanningContext()).acts if act.tool == "propose_plan"]
    plan = parse_plan(act.arguments)
    assert {category.name: category.count for category in plan.categories} == counts
    assert [category.name for category in plan.categories if category.rows] == [about]


def test_a_case_for_each_row_counts_them() -> None:
    [act] = understand("a case for each row of ./products.csv for the prices", PlanningContext(plan=_plan())).acts
    assert act.arguments["counts"] == {"prices": 14}
    assert act.arguments["change"] == [{"category": "prices", "rows": "./products.csv"}]
    told = understand("a case for each row of nowhere.csv", PlanningContext())
    assert not told.acts and "no file nowhere.csv" in told.words


def test_a_plan_that_waits_for_its_yes_is_proposed_anew() -> None:
    [act] = understand("use the rows of products.csv for the prices", PlanningContext(proposed=_plan())).acts
    assert act.tool == "propose_plan"
    assert [c.name for c in parse_plan(act.arguments).categories if c.rows] == ["prices"]


@pytest.mark.parametrize(
    "said",
    [
        "use the tools in tools.json", "40 cases for the shop bot about prices, use the policies in ./docs",
        "add 20 more refunds", "export to products.csv", "use the questions in old.csv",
    ],
)  # fmt: skip
def test_other_requests_are_none_for_rows(said: str) -> None:
    for situation in (PlanningContext(), PlanningContext(plan=_plan())):
        acts = understand(said, situation).acts
        assert "'rows'" not in str([act.arguments for act in acts])


def test_a_category_that_is_not_there_is_named() -> None:
    told = understand("use the rows of products.csv for shoes", PlanningContext(plan=_plan()))
    assert not told.acts and "no category called shoes" in told.words


def test_the_rows_are_remembered_when_it_is_asked_how_many() -> None:
    asked = "use the rows of products.csv"
    assert understand(asked, PlanningContext()).asks
    [act] = understand("60 cases about prices for a shop bot", PlanningContext(), earlier=asked).acts
    [category] = parse_plan(act.arguments).categories
    assert category.rows is not None and (category.count, category.rows.file) == (60, "products.csv")
