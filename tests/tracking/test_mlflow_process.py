"""The process that speaks to MLflow, with calls that need no MLflow: in order, in the surroundings of now, and begun again."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from dsbuilder_tui.tracking.mlflow_errors import MlflowFailure, TrackingFault
from dsbuilder_tui.tracking.mlflow_process import MlflowLine, MlflowProcess
from tests.tracking.test_kill_and_server import gone


async def test_calls_are_carried_out_over_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process, line, hanging = MlflowProcess(), MlflowLine("sqlite:///own.db"), MlflowLine("http://hangs")
    assert process.pid is None
    first = await process.call(line, os.getpid)
    assert first == process.pid != os.getpid()
    waits = asyncio.create_task(process.call(hanging, time.sleep, 600))

    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "anna")
    monkeypatch.chdir(tmp_path)
    assert await process.call(line, os.getenv, "MLFLOW_TRACKING_USERNAME") == "anna"
    assert await process.call(line, os.getcwd) == str(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME")
    assert await process.call(line, os.getenv, "MLFLOW_TRACKING_USERNAME") is None

    with pytest.raises(MlflowFailure, match="invalid literal") as refused:
        await process.call(line, int, "seven")
    assert refused.value.fault is TrackingFault.REFUSED
    with pytest.raises(MlflowFailure, match="pickle"):
        await process.call(line, open, os.devnull)  # nothing that can be handed over
    with pytest.raises(MlflowFailure, match="cannot be used"):
        await process.call(line, len, (text for text in ""))  # nor can this
    assert await process.call(line, len, "x" * 10**7) == 10**7  # more than a pipe holds

    assert process.pid == first
    os.kill(first, signal.SIGKILL)
    with pytest.raises(MlflowFailure, match="has ended") as died:
        await waits
    assert died.value.fault is TrackingFault.UNREACHABLE
    second = await process.call(line, os.getpid)
    assert second == process.pid != first
    process.end(line)
    process.close()
    await gone(second)
    assert process.pid is None


async def test_one_that_cannot_be_begun_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(MlflowFailure, match="cannot be used.*/nowhere/python") as failed:
        await MlflowProcess().call(MlflowLine("sqlite:///own.db"), os.getpid)
    assert failed.value.fault is TrackingFault.UNREACHABLE
