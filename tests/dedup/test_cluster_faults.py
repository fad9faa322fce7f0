"""A pass on a cluster that loses nodes, or its driver: nothing is lost, nothing is twice, and the result is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dsbuilder_tui.dedup import Progress
from dsbuilder_tui.dedup import cluster_comparison as running
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from tests.dedup.test_cluster import FILES, joined, lines, on, outcome, rows
from tests.support.process import ROOT
from tests.support.ray_cluster import LoopbackCluster

SETTINGS = {"semantic_threshold": 0.8}
DRIVER = """
import sys
from dsbuilder_tui.dedup import cluster_comparison, deduplicate
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
cluster_comparison._PIECE = 23
config = DatasetBuilderConfig(semantic_threshold=0.8, runner="ray", ray_address=sys.argv[1])
deduplicate("rows.jsonl", out="kept.jsonl", dropped="dropped.jsonl", flagged="flagged.jsonl", config=config)
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # where much else is going on Ray takes long


@pytest.fixture
def cluster() -> Iterator[LoopbackCluster]:
    with joined("one", "two", "three") as nodes:
        yield nodes


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PIECE", 23)


def test_nodes_that_die_are_worked_without(cluster: LoopbackCluster) -> None:
    Path("rows.jsonl").write_bytes(lines(rows(2000)))
    expected = outcome("rows.jsonl", config=DatasetBuilderConfig(**SETTINGS))[:2]
    kills = [(500, "one"), (900, "two")]

    def kill(progress: Progress) -> None:
        if kills and progress.rows >= kills[0][0]:
            cluster.kill(kills.pop(0)[1])
            if not kills:
                cluster.add("four")

    told, files, report = outcome("rows.jsonl", config=on(cluster, **SETTINGS), progress=kill)
    assert not kills and (told, files) == expected
    assert report.cluster is not None and report.cluster.nodes == 3


def test_a_driver_that_is_killed_is_gone_on_with(cluster: LoopbackCluster) -> None:
    Path("rows.jsonl").write_bytes(lines(rows(2500)))
    expected = outcome("rows.jsonl", config=DatasetBuilderConfig(**SETTINGS))[:2]
    for name in FILES:
        Path(name).unlink()
    decisions = Path("kept.jsonl.work/decisions.jsonl")
    before = 0
    for _ in range(2):
        driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER, cluster.address], env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        while not decisions.exists() or decisions.read_bytes().count(b"\n") < before + 20:
            assert driver.poll() is None, "it was done too soon"
            time.sleep(0.02)
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        before = decisions.read_bytes().count(b"\n")
        assert not any(Path(name).exists() for name in FILES)
    said: list[str] = []
    told, files, report = outcome("rows.jsonl", config=on(cluster, **SETTINGS), tell=said.append)
    assert (told, files) == expected
    assert report.cluster is not None and report.cluster.resumed >= 22 * before and len(said) == 1
    assert not decisions.parent.exists()
