"""Every format that a session is exported to is read back, field for field."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.plan import parse_plan
from dsbuilder_tui.session.dataset_split import read_shares
from dsbuilder_tui.sources.rows.dataset_rows import Row, Source

FILES = (
    "x.jsonl", "x.json", "x.csv", "x.parquet", "x_checkpoint.json", "x_deepeval.json", "x_promptfoo.yaml",
    "x_openai_evals.jsonl", "x_langsmith.jsonl", "x_langfuse.jsonl", "x_braintrust.jsonl", "x_hf",
)  # fmt: skip
# By case: what a session may hold beside what the built-in writer wrote.
INPUTS: dict[int, dict[str, Any]] = {
    2: {"query": "=1+1 — an apostrophe's \"quote\"\nand a second line\ttab", "locale": "de"},
    3: {"query": "{\"looks\": \"like JSON\"}", "locale": "-5"},
    4: {"query": "12345", "locale": "true"},
    5: {"query": "  space around  ", "locale": "null"},
}  # fmt: skip
EXPECTATIONS: dict[int, dict[str, Any]] = {
    2: {"expected_response": "A whole answer,\nin two lines.", "guidelines": "Is kind."},
    3: {"expected_facts": ["one", "two\nlines"], "expected_tool_calls": [{"name": "f", "arguments": {"id": "1"}}]},
    4: {"expected_facts": ["one", "two"], "expected_response": "both", "own": {"deep": [1, None, True, 0.5]}},
    5: {},
}


@pytest.fixture
async def session(make_config: Callable[..., DatasetBuilderConfig]) -> AsyncIterator[Session]:
    plan = parse_plan(
        {
            "dataset_name": "trip",
            "input_fields": ["query", "locale"],
            "write": ["expected_facts", "guidelines", "expected_tool_calls"],
            "target": {"tools": {"lookup_order": ["order_id: str"]}},
            "categories": [
                {
                    "name": "orders",
                    "count": 6,
                    "example_inputs": {"query": "Where is my order #12345?", "locale": "en"},
                },
                {"name": "hours", "count": 2, "example_inputs": {"query": "Are you open?", "locale": "en"}},
            ],
        }
    )
    async with await Session.create(plan, make_config(seed=3)) as session:
        await session.run()
        for ordinal, inputs in INPUTS.items():
            await session.cases.edit("orders", ordinal, inputs, EXPECTATIONS[ordinal])
        yield session


def read_back(path: Path) -> list[dict[str, Any]]:
    with Source(path) as source:
        items = list(source.rows())
    assert all(isinstance(item, Row) for item in items), items
    return [
        {
            "inputs": dict(item.parts.inputs),
            "expectations": dict(item.parts.expectations),
            "tags": dict(item.parts.tags),
            "id": item.parts.id,
            "category": item.parts.category,
        }
        for item in items
        if isinstance(item, Row)
    ]


@pytest.mark.parametrize("name", FILES)
async def test_what_is_exported_is_read_back(session: Session, tmp_path: Path, name: str) -> None:
    own = [case.record() async for case in session.cases.all()]
    await session.export(tmp_path / name, raw=True)
    wanted = [
        {**record, "id": record["tags"]["case_id"], "category": record["tags"]["category"]}
        for record in json.loads(json.dumps(own))
    ]
    found = read_back(tmp_path / name)
    for row in found:
        row["tags"].pop("split", None)  # a folder's files are splits
    assert found == wanted


@pytest.mark.parametrize("name", ["x_deepeval.json", "x_openai_evals.jsonl", "x_promptfoo.yaml"])
async def test_what_was_changed_in_the_other_tool_is_read_as_it_is_now(
    session: Session, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    await session.export(path)
    case = await session.cases.get("hours", 1)
    assert case is not None
    await session.cases.edit("hours", 1, {**case.inputs, "query": "A short line"}, case.expectations)
    await session.export(path)
    path.write_text(path.read_text().replace("A short line", "Something else?"))
    assert "Something else?" in [row["inputs"]["query"] for row in read_back(path)]


TALKS = [
    {"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi! What is it?"},
                  {"role": "user", "content": "Order #12345 is late.\nWhere is it?"}]},
    {"messages": [{"role": "user", "content": "=1+1"}, {"role": "assistant", "content": "Two."}, {"role": "user", "content": "and: 2"}]},
    {"messages": [{"role": "user", "content": "{\"a\": [1]}"}]},
]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
async def test_conversations_are_read_back(
    make_config: Callable[..., DatasetBuilderConfig], tmp_path: Path, name: str
) -> None:
    plan = parse_plan(
        {
            "dataset_name": "talks",
            "categories": [
                {"name": "talks", "count": 4, "kind": "conversation", "example_inputs": "Where is my order #12345?"}
            ],
        }
    )
    async with await Session.create(plan, make_config(seed=3)) as session:
        await session.run()
        for ordinal, inputs in enumerate(TALKS, 1):
            await session.cases.edit("talks", ordinal, inputs, EXPECTATIONS[ordinal + 1])
        own = json.loads(json.dumps([case.record() async for case in session.cases.all()]))
        await session.export(tmp_path / name, raw=True)
    found = read_back(tmp_path / name)
    for row in found:
        row["tags"].pop("split", None)
    assert [{key: row[key] for key in ("inputs", "expectations", "tags")} for row in found] == [
        {key: record[key] for key in ("inputs", "expectations", "tags")} for record in own
    ]


@pytest.mark.parametrize("name", [name for name in FILES if name != "x_checkpoint.json"])
async def test_splits_hold_every_case_once_and_say_so(session: Session, tmp_path: Path, name: str) -> None:
    own = json.loads(json.dumps([case.record() async for case in session.cases.all()]))
    shares = read_shares("test=0.5,dev=0.5")
    written = await session.exports.write(tmp_path / name, raw=True, shares=shares)
    assert {file.split for file in written} == {"test", "dev"} and sum(file.cases for file in written) == len(own)
    is_folder = name.endswith("_hf")
    rows = read_back(tmp_path / name) if is_folder else [row for f in written for row in read_back(f.path)]
    if is_folder:
        counts = {file.split: file.cases for file in written}
        assert {split: sum(row["tags"]["split"] == split for row in rows) for split in counts} == counts
    for row in rows:
        row["tags"].pop("split", None)
    key = lambda row: row["tags"]["case_id"]  # noqa: E731
    assert sorted(({k: row[k] for k in ("inputs", "expectations", "tags")} for row in rows), key=key) == sorted(
        ({k: record[k] for k in ("inputs", "expectations", "tags")} for record in own), key=key
    )


@pytest.mark.parametrize("name", FILES)
async def test_what_is_exported_becomes_the_same_session_again(session: Session, tmp_path: Path, name: str) -> None:
    await session.export(tmp_path / name)
    own = {case.case_id: (case.category, case.inputs, case.expectations) async for case in session.cases.all()}
    async with await Session.import_dataset(tmp_path / name, session.config) as again:
        cases = [case async for case in again.cases.all()]
    found = {
        str(case.tags.get("imported_case_id", case.case_id)): (case.category, case.inputs, case.expectations)
        for case in cases
    }
    assert found == own
