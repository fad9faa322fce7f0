"""Each kind of case is a record that MLflow takes, in datasets as MLflow keeps them apart."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, Session
from dsbuilder_tui.domain.plan import parse_plan
from tests.support.kinds_worker import kinds_plan

DATASETS = Path(__file__).parents[1] / "support" / "mlflow_datasets.py"


@pytest.mark.timeout(900)  # MLflow takes long where much else is going on
async def test_mlflow_takes_both_files_and_would_refuse_them_as_one(
    tmp_path: Path, empty_database: Path, make_config: Callable[..., DatasetBuilderConfig]
) -> None:
    plan = parse_plan(kinds_plan(write=["expected_facts", "guidelines"]))
    files = [tmp_path / "shop.jsonl", tmp_path / "shop.scenarios.jsonl"]
    async with await Session.create(plan, make_config(provider="offline")) as session:
        assert (await session.run()).state == "complete"
        await session.dataset.write(files[0])
    shutil.copyfile(empty_database, tmp_path / "mlflow.db")
    done = subprocess.run(
        [sys.executable, str(DATASETS), str(tmp_path), *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["shop.jsonl"] == {"rows": 10, "same": True, "simulated": None}
    assert told["shop.scenarios.jsonl"] == {"rows": 5, "same": True, "simulated": 5}
    assert "granularity" in told["together"]["refused"], "MLflow takes both in one: two files are no longer needed"
