"""A database of MLflow's, made once: its 70 tables take two seconds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAKE = "import sys; from mlflow import MlflowClient; MlflowClient(tracking_uri=sys.argv[1]).search_experiments()"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mlflow")
    file = folder / "empty.db"
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, "-c", MAKE, f"sqlite:///{file}"]
    subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)
    return file


@pytest.fixture
def uri(empty_database: Path, tmp_path: Path) -> str:
    """The address of a database of the test's own."""
    file = tmp_path / "mlflow" / "own.db"
    file.parent.mkdir()
    shutil.copyfile(empty_database, file)
    return f"sqlite:///{file}"
