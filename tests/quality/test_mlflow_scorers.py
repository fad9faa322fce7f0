"""Datasets go through MLflow's scorers as they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.plan import parse_plan
from tests.support.fake_openai import FakeOpenAI
from tests.support.process import ROOT
from tests.support.template_answers import refund_plan
from tests.support.whole_worker import WholeWorker

SITUATIONS = {
    "situation": ["ordinary", "missing detail", "several intents", "ambiguous", "adversarial", "out of scope"]
}


def plan(name: str) -> DatasetPlanInput:
    return parse_plan(
        {
            "dataset_name": name,
            "write": ["expected_facts", "guidelines", "expected_tool_calls"],
            "attributes": SITUATIONS,
            "target": {"tools": {"lookup_order": ["order_id: str"]}},
            "categories": [
                {"name": "order_status", "count": 6, "example_inputs": "Where is my order #12345?",
                 "expectations": {"guidelines": "Is kind."}, "expected_tools": ["lookup_order"]},
                {"name": "opening_hours", "count": 4, "example_inputs": "Are you open on Sunday?"},
            ],
        }
    )  # fmt: skip


PAIRED = {"contrast": "20 %", "same": "20 %", "example_inputs": "May I bring back order #12345?"}


def every_kind(policy: Path, *, by_model: bool) -> DatasetPlanInput:
    """Pairs, conversations, documents and templates, and stages where a model writes."""
    staged = {"pipeline": [{"evolve": "rarer"}, "critique", "revise"]} if by_model else {}
    categories: list[dict[str, Any]] = [
        {"name": "singles", "count": 10, "expected_tools": ["lookup_order"], **PAIRED, **staged},
        {"name": "talks", "count": 10, "kind": "conversation", "attributes": {"turns": ["3", "5"]}, **PAIRED, **staged},
        {"name": "rules", "count": 5, "sources": [str(policy)], "example_inputs": "May I bring it back?", **staged},
    ]
    return parse_plan(
        {
            "dataset_name": f"every_kind_{by_model}", "write": ["expected_facts", "guidelines", "expected_tool_calls"],
            "attributes": SITUATIONS if not by_model else {"tone": ["calm", "angry"]},
            "target": {"tools": {"lookup_order": ["order_id: str"]}}, "categories": categories,
        }
    )  # fmt: skip


async def _rows(plan: DatasetPlanInput, config: DatasetBuilderConfig) -> list[dict[str, Any]]:
    async with await Session.create(plan, config) as session:
        assert (await session.run()).state == "complete"
        return [case.record() async for case in session.cases.all()]


@pytest.mark.timeout(900)  # MLflow takes long where much else is going on
async def test_every_case_can_be_scored(
    tmp_path: Path, empty_database: Path, fake: FakeOpenAI, make_config: Callable[..., DatasetBuilderConfig]
) -> None:
    offline, online = make_config(provider="offline"), make_config(provider="openai", base_url=fake.url, api_key="k")
    rows = await _rows(plan("built_in"), offline) + await _rows(plan("by_model"), online)
    rows += await _rows(refund_plan(10), online)  # made of templates
    policy = tmp_path / "policy.md"
    policy.write_text("# Returns\n\nGoods can be brought back within 30 days of their delivery.\n")
    rows += await _rows(every_kind(policy, by_model=False), offline)
    fake.reply_for = WholeWorker()
    rows += await _rows(every_kind(policy, by_model=True), online)
    assert {tuple(row["inputs"]) for row in rows} == {("query",), ("messages",)} and len(rows) == 80
    file = tmp_path / "dataset.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    shutil.copyfile(empty_database, tmp_path / "mlflow.db")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.mlflow_pass", str(file), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["errors"] == [] and found["rows"] == 80 and found["with_calls"] >= 10
    calls = {"tool_call_correctness": found["with_calls"]}
    assert found["values"] == {"correctness": 80, "expectations_guidelines": 80, **calls} and found["asked"] >= 160
