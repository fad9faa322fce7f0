"""Datasets go through MLflow's scorers as they are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.plan import parse_plan
from tests.support.fake_openai import FakeOpenAI

SCORERS = Path(__file__).parents[1] / "support" / "mlflow_pass.py"
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


@pytest.mark.timeout(900)  # MLflow makes its database anew, which takes long where much else is going on
async def test_every_case_can_be_scored(
    tmp_path: Path, fake: FakeOpenAI, make_config: Callable[..., DatasetBuilderConfig]
) -> None:
    rows: list[dict[str, Any]] = []
    for name, connection in (
        ("built_in", {"provider": "offline"}),
        ("by_model", {"provider": "openai", "base_url": fake.url}),
    ):
        config = make_config(**connection)
        async with await Session.create(plan(name), config) as session:
            assert (await session.run()).state == "complete"
            rows += [case.record() async for case in session.cases.all()]
    file = tmp_path / "dataset.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    done = subprocess.run(
        [sys.executable, str(SCORERS), str(file), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["errors"] == [] and found["rows"] == 20 and found["with_calls"] >= 3
    calls = {"tool_call_correctness": found["with_calls"]}
    assert found["values"] == {"correctness": 20, "expectations_guidelines": 20, **calls} and found["asked"] >= 40
