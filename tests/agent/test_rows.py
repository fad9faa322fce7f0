"""Rows of a file on a person's word, from a scripted main agent: only of files that the person named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.agent.plan_card import plan_content
from dsbuilder_tui.domain.row_axis import RowAxis
from tests.support.talking import calls, outcomes, says, talking

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]


def _change(file: Path | str, *fields: str) -> dict[str, Any]:
    rows = {"file": str(file), "fields": list(fields)} if fields else str(file)
    return {"change": [{"category": "category_1", "rows": rows}]}


async def test_a_model_hands_out_the_rows_that_the_person_named(
    tmp_path: Path, make_config: Configs, make_plan: Plans
) -> None:
    file = tmp_path / "products.csv"
    file.write_text("name,price\nTea cup,3.90\n")
    async with talking(
        make_config(provider="offline"),
        [calls("revise_plan", _change(file, "name"), call_id="r1")],
        [says("Done.")],
        plan=make_plan(5, name="shop"),
    ) as talk:
        await talk.say(f"use the names in {file}")
        assert outcomes(await talk.answer(True)) == [("revise_plan", True)]
        assert talk.session.plan.categories[0].rows == RowAxis(file=str(file), fields=("name",))
        assert "rows: category_1 " in plan_content(talk.session.plan, 2).writing


async def test_a_model_cannot_have_a_file_read_that_nobody_named(
    tmp_path: Path, make_config: Configs, make_plan: Plans
) -> None:
    file = tmp_path / "salaries.csv"
    file.write_text("name,pay\nAda,100\n")
    for said, arguments, words in (
        ("use my products", _change(file), "has not named"),
        (f"use {file}", _change(file, "salary"), "its fields are name, pay"),
        (f"use {file}.gz", _change(f"{file}.gz"), "there is no file"),
    ):
        async with talking(
            make_config(provider="offline"),
            [calls("revise_plan", arguments, call_id="r1")],
            [says("Sorry.")],
            plan=make_plan(5, name="shop"),
        ) as talk:
            assert outcomes(await talk.say(said)) == [("revise_plan", False)]
            assert words in talk.told(), said
            assert talk.session.plan.categories[0].rows is None
