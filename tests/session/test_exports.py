"""Datasets for other tools: their shapes, splits that part no near cases, and folders that replace nothing else."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
import yaml

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import ExportWritten
from dsbuilder_tui.session.dataset_split import SplitMember, read_shares, split_cases

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]
SHARES = read_shares("test=0.8,dev=0.2")


@pytest.fixture
async def finished(make_plan: Plans, make_config: Configs) -> Any:
    plan = make_plan(30, 20, write=["expected_facts", "guidelines", "expected_response"])
    async with await Session.create(plan, make_config(seed=5)) as session:
        await session.run()
        yield session


async def records(session: Session) -> list[dict[str, Any]]:
    return [case.record() async for case in session.cases.all()]


async def test_each_tool_gets_its_shape_and_every_case(finished: Session, tmp_path: Path) -> None:
    own = await records(finished)
    made = {}
    for name in ("x_deepeval.json", "x_promptfoo.yaml", "x_openai_evals.jsonl", "x_langsmith.jsonl", "x_langfuse.jsonl",
                 "x_braintrust.jsonl"):  # fmt: skip
        assert await finished.export(tmp_path / name) == 50
        text = (tmp_path / name).read_text()
        made[name] = [json.loads(line) for line in text.splitlines()] if name.endswith("l") and "yaml" not in name else (
            yaml.safe_load(text)
        )  # fmt: skip
        assert len(made[name]) == 50
    golden, test, sample = made["x_deepeval.json"][0], made["x_promptfoo.yaml"][0], made["x_openai_evals.jsonl"][0]
    first = own[0]
    assert golden["input"] == first["inputs"]["query"] == test["vars"]["query"] == sample["input"][-1]["content"]
    assert golden["name"] == test["description"] == first["tags"]["case_id"]
    facts = first["expectations"]["expected_facts"]
    assert golden["expected_output"] in ("\n".join(facts), first["expectations"].get("expected_response"))
    assert golden["expected_output"] == sample["ideal"]
    checks = {(check["metric"], check["value"]) for check in test["assert"]}
    assert {("expected_facts", fact) for fact in facts} <= checks
    assert {("guidelines", line) for line in first["expectations"]["guidelines"]} <= checks
    assert made["x_langsmith.jsonl"][0] == {
        "inputs": first["inputs"], "outputs": first["expectations"], "metadata": first["tags"],
    }  # fmt: skip
    assert [row["input"] for row in made["x_langfuse.jsonl"]] == [row["inputs"] for row in own]
    assert [row["expected"] for row in made["x_braintrust.jsonl"]] == [row["expectations"] for row in own]


async def test_splits_have_their_share_of_each_category(finished: Session, tmp_path: Path) -> None:
    own = await records(finished)
    written: list[Any] = []
    finished.subscribe(written.append)
    files = await finished.exports.write(tmp_path / "cases.jsonl", shares=SHARES)
    assert [(file.path.name, file.split, file.cases) for file in files] == [
        ("cases.test.jsonl", "test", 40), ("cases.dev.jsonl", "dev", 10),
    ]  # fmt: skip
    parts = [[json.loads(line) for line in file.path.read_text().splitlines()] for file in files]
    assert [Counter(row["tags"]["category"] for row in part) for part in parts] == [
        {"category_1": 24, "category_2": 16}, {"category_1": 6, "category_2": 4},
    ]  # fmt: skip
    assert sorted(json.dumps(row) for part in parts for row in part) == sorted(map(json.dumps, own))
    again = await finished.exports.write(tmp_path / "again_deepeval.json", shares=SHARES)
    assert [file.path.name for file in again] == ["again_test_deepeval.json", "again_dev_deepeval.json"]
    names = {golden["name"] for golden in json.loads(again[1].path.read_text())}
    assert names == {row["tags"]["case_id"] for row in parts[1]}
    assert [event.path for event in written if isinstance(event, ExportWritten)] == [
        str(f.path) for f in (*files, *again)
    ]
    with pytest.raises(InputError, match="cannot be split"):
        await finished.exports.write(tmp_path / "x_checkpoint.json", shares=SHARES)


async def test_a_folder_with_a_card_replaces_its_own_kind_alone(finished: Session, tmp_path: Path) -> None:
    folder = tmp_path / "support_hf"
    await finished.export(folder)
    await finished.exports.write(folder, shares=SHARES, licence="cc-by-4.0")
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) == [
        "README.md", "data", "data/dev.parquet", "data/test.parquet",
    ]  # fmt: skip
    head = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    assert head["license"] == "cc-by-4.0"
    rows = {
        split["split"]: parquet.read_table(folder / split["path"]).num_rows
        for split in head["configs"][0]["data_files"]
    }
    assert rows == {"test": 40, "dev": 10}
    assert "| category_1 |" in (folder / "README.md").read_text()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    for content in ("# My notes", "---\ntags:\n- mine\n---\n"):
        (folder / "README.md").write_text(content)
        with pytest.raises(InputError, match="something else"):
            await finished.export(folder)
        assert (folder / "README.md").read_text() == content
    taken = tmp_path / "file_hf"
    taken.write_text("mine")
    with pytest.raises(InputError, match="not a folder"):
        await finished.export(taken)


async def test_damaged_cases_are_left_out_of_every_split_and_named_once(finished: Session, tmp_path: Path) -> None:
    with sqlite3.connect(finished.folder / "session.db") as plain:
        plain.execute("UPDATE accepted_case SET inputs = 'x' WHERE ordinal=7")
    damaged: list[str] = []
    files = await finished.exports.write(tmp_path / "x.csv", shares=SHARES, damaged=damaged)
    assert sum(file.cases for file in files) == 48 and sorted(damaged) == ["category_1-00007", "category_2-00007"]
    read = [row["case_id"] for file in files for row in csv.DictReader(file.path.open(newline=""))]
    assert len(set(read)) == 48 and not set(read) & set(damaged)


@pytest.mark.parametrize(
    "text", ["", "test", "test=1", "test=0.5,dev=0.2", "test=0.5,test=0.5", "a/b=0.5,c=0.5", "test=x,dev=1", "a=-1,b=2",
             "a=1/0,b=1", "a=nan,b=1"],
)  # fmt: skip
def test_shares_that_are_none_are_told(text: str) -> None:
    with pytest.raises(InputError) as told:
        read_shares(text)
    assert "--split test=0.8,dev=0.2" in told.value.hint


def test_shares_in_any_notation() -> None:
    for text in ("test=0.75,dev=0.25", "test=75,dev=25", "test = 75 %, dev = 25%", "test=3/4,dev=1/4"):
        assert read_shares(text) == {"test": Fraction(3, 4), "dev": Fraction(1, 4)}
    assert sum(read_shares("a=0.33,b=0.33,c=0.34").values()) == 1


def test_groups_are_never_parted_and_the_shares_kept_as_far_as_they_allow() -> None:
    members = [SplitMember(f"a-{n}", "a", n // 7 if n < 49 else n) for n in range(200)]
    found = split_cases(members, read_shares("x=0.5,y=0.3,z=0.2"), seed=3)
    for group in range(7):
        assert len({found[m.case_id] for m in members if m.group == group}) == 1
    assert Counter(found.values()) == {"x": 100, "y": 60, "z": 40}
    assert found == split_cases(members, read_shares("x=0.5,y=0.3,z=0.2"), seed=3)
    assert found != split_cases(members, read_shares("x=0.5,y=0.3,z=0.2"), seed=4)
    one = split_cases([SplitMember(str(n), "a", 0) for n in range(9)], SHARES, seed=1)
    assert set(one.values()) == {"test"}
