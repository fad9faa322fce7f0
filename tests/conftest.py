"""Fixtures shared by all tests: a clean environment, a fake endpoint, small plans."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput
from tests.support.fake_openai import FakeOpenAI


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
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as server:
        yield server


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
