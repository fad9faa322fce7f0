"""Fixtures shared by all tests: a clean environment, a fake endpoint, small plans."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput
from dsbuilder_tui.models import usual_silence
from tests.support.fake_openai import FakeOpenAI
from tests.support.made_once import made_once

_TESTS = Path(__file__).parent
_MAKE_DATABASE = (
    "import sys; from mlflow import MlflowClient; MlflowClient(tracking_uri=sys.argv[1]).search_experiments()"
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Of several workers each imports other test files first, so that every file is rewritten by one and read by the others."""
    worker = getattr(session.config, "workerinput", None)
    if worker is None:
        return
    files = sorted(file for folder in session.config.args for file in Path(folder).resolve().rglob("test_*.py"))
    for file in files[int(worker["workerid"].removeprefix("gw")) :: int(worker["workercount"])]:
        # What is wrong with a file is said when it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(file.relative_to(_TESTS.parent).with_suffix("").parts))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests and all that they import stay: looking through them for garbage takes a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5000, 20, 20)


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No key, no settings, no state of the person who runs the tests; the working directory is a fresh one."""
    for name in list(os.environ):
        if (
            name.startswith(("DSBUILDER_", "OPENAI_", "MLFLOW_"))
            or name.lower().endswith("_proxy")
            or name == "MAX_DATASET_INSTANCES"
        ):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    for kind in ("state", "config", "data"):
        monkeypatch.setenv(f"XDG_{kind.upper()}_HOME", str(home / kind))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("DSBUILDER_JUDGE", "off")  # a judge's calls would count among the workers'; its tests ask for it
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    yield


@pytest.fixture
def answers_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that hold answers back while they look: that is no hang, however long the machine takes to look."""
    monkeypatch.setattr(usual_silence, "_SHORTEST_PATIENCE", 600.0)


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as server:
        yield server


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of MLflow's to copy: its 70 tables take two seconds."""

    def make(folder: Path) -> None:
        command = [sys.executable, "-c", _MAKE_DATABASE, f"sqlite:///{folder}/empty.db"]
        environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
        subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)

    return made_once(tmp_path_factory, "mlflow", make) / "empty.db"


@pytest.fixture
def make_plan() -> Callable[..., DatasetPlanInput]:
    def make(*counts: int, name: str = "support", **more: Any) -> DatasetPlanInput:
        categories = [
            DatasetCategory(
                name=f"category_{number}",
                description="Questions about orders",
                count=count,
                example_inputs="Where is my order #12345?",
                expectations={"polite": True},
                **more,
            )
            for number, count in enumerate(counts or (30,), 1)
        ]
        return DatasetPlanInput(dataset_name=name, categories=categories)

    return make


@pytest.fixture
def make_config(tmp_path: Path) -> Callable[..., DatasetBuilderConfig]:
    def make(**settings: Any) -> DatasetBuilderConfig:
        base: dict[str, Any] = {"checkpoint_dir": tmp_path / "checkpoints", "max_dataset_size": 1_000_000}
        return DatasetBuilderConfig(**{**base, **settings})

    return make
