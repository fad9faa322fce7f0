"""Every format that a session is exported to is read back, field for field."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.plan import parse_plan
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
