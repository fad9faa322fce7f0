"""The API of scripts and notebooks: calls that block, with an event loop running or not, and what a session shows of itself."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderAgent, DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.domain.errors import InputError
from tests.support.process import ROOT

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


def test_without_an_event_loop(make_plan: Plans, make_config: Configs, tmp_path: Path) -> None:
    agent = DatasetBuilderAgent(config=make_config())
    assert "no session" in repr(agent) and "no session" in agent._repr_html_()
    assert agent.generate_sync(make_plan(20, 10)).accepted == 30
    assert "complete: 30 of 30 cases" in repr(agent)
    records = agent.records()
    assert len(records) == 30 and set(records[0]) == {"inputs", "expectations", "tags"}
    frame = agent.to_pandas()
    assert (
        list(frame.columns) == ["inputs", "expectations", "tags"]
        and frame["inputs"].tolist()[3] == records[3]["inputs"]
    )
    dataset = agent.to_hf()
    assert dataset.num_rows == 30 and dataset[5]["inputs"] == records[5]["inputs"]
    parts = agent.split("test=0.8,dev=0.2")
    assert [len(part) for part in parts.values()] == [24, 6]
    assert sorted(map(str, [*parts["test"], *parts["dev"]])) == sorted(map(str, records))
    assert agent.export_sync(tmp_path / "x.jsonl") == 30
    agent.close()
    agent.close()
    with pytest.raises(InputError, match="no session yet"):
        agent.records()
    assert not [thread for thread in threading.enumerate() if thread.name == "dsbuilder-loop"]


async def test_with_an_event_loop(make_plan: Plans, make_config: Configs) -> None:
    async with DatasetBuilderAgent(config=make_config()) as agent:
        await agent.generate(make_plan(12))
        assert len(agent.records()) == 12 and "12 of 12" in repr(agent) and "category_1-00012" in agent._repr_html_()
        with pytest.raises(InputError, match="await agent.aclose"):
            agent.close()
        other = DatasetBuilderAgent(config=make_config())
        beat = asyncio.create_task(asyncio.sleep(0))  # this loop is running all the while
        assert other.generate_sync(make_plan(12, name="other")).accepted == 12
        await beat
        assert len(other.records()) == 12
        await other.generate(make_plan(3, name="third"))  # the session of the thread is closed, and this one lives here
        assert len(other.records()) == 3
        await other.aclose()


async def test_a_cells_text_cannot_become_markup(make_plan: Plans, make_config: Configs) -> None:
    async with DatasetBuilderAgent(config=make_config()) as agent:
        await agent.generate(make_plan(2))
        await agent.session.cases.edit("category_1", 1, {"query": "<script>alert(1)</script>"}, {})
        assert "<script>" not in agent._repr_html_() and "&lt;script&gt;" in agent._repr_html_()


SCRIPT = """
import sys
from dsbuilder_tui import DatasetBuilderAgent, DatasetBuilderConfig, DatasetCategory, DatasetPlanInput

plan = DatasetPlanInput(dataset_name="long", categories=[
    DatasetCategory(name="c", description="Questions about orders", count=20000, example_inputs="Where is my order #12345?",
                    diversity="off")])
agent = DatasetBuilderAgent(config=DatasetBuilderConfig(checkpoint_dir="sessions", max_dataset_size=20000))
agent.subscribe(lambda event: event.type == "checkpoint_saved" and print("saved", flush=True))
try:
    agent.generate_sync(plan, progress=True)
except KeyboardInterrupt:
    print(repr(agent))
    agent.close()
    raise SystemExit(130)
"""


def test_ctrl_c_pauses(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),  # ignored where tests run in the background
    )
    assert run.stdout is not None and run.stdout.readline() == "saved\n"
    run.send_signal(signal.SIGINT)
    out, told = run.communicate(timeout=120)
    assert run.returncode == 130 and "paused: " in out.splitlines()[-1], out + told
    assert "/20000" in told and "Traceback" not in told
