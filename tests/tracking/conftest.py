"""A database of MLflow's for each test: a copy of the one that is made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def uri(empty_database: Path, tmp_path: Path) -> str:
    """The address of a database of the test's own."""
    file = tmp_path / "mlflow" / "own.db"
    file.parent.mkdir()
    shutil.copyfile(empty_database, file)
    return f"sqlite:///{file}"
