"""The example notebook runs, from the first cell to the last, in a kernel of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.process import ROOT

NOTEBOOK = ROOT / "dsbuilder_tui" / "examples" / "evaluation.ipynb"


def shown(cell: Any) -> str:
    """What a cell shows, as text and as HTML."""
    return json.dumps(cell.outputs)


@pytest.mark.timeout(600)  # MLflow makes its database
def test_every_cell_runs_and_shows_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "it is kept without its outputs"
    NotebookClient(notebook, timeout=500, resources={"metadata": {"path": str(tmp_path)}}).execute()
    build, agent, frame, evaluated, splits, _ = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert "<progress" in shown(build) and "accepted=20" in shown(build)
    assert "complete: 20 of 20 cases" in shown(agent) and "<table>" in shown(agent)
    assert "expected_facts" in shown(frame)
    assert "names_the_order/mean" in shown(evaluated) and "1.0" in shown(evaluated)
    assert "'test': 16, 'dev': 4" in shown(splits)
    assert (tmp_path / "shop_support_hf" / "README.md").is_file()
