"""A pass on a cluster that loses nodes, or its driver: nothing is lost, nothing is twice, and the result is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dsbuilder_tui.dedup import Progress
from dsbuilder_tui.dedup import cluster_comparison as running
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from tests.dedup.test_cluster import FILES, lines, on_cluster, outcome, rows
from tests.support.process import ROOT
from tests.support.ray_nodes import ray_nodes

SETTINGS = {"semantic_threshold": 0.8}
DRIVER = """
import ray, sys
from dsbuilder_tui.dedup import cluster_comparison, deduplicate
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
ray.init(address=sys.argv[1], log_to_driver=False, configure_logging=False)
cluster_comparison._PIECE = 23
config = DatasetBuilderConfig(semantic_threshold=0.8).model_copy(update={"runner": "ray"})
deduplicate("rows.jsonl", out="kept.jsonl", dropped="dropped.jsonl", flagged="flagged.jsonl", config=config)
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # where much else is going on Ray takes long


@pytest.fixture
def cluster() -> Iterator[Any]:
    with ray_nodes(3) as nodes:
        yield nodes


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PIECE", 23)


def test_nodes_that_die_are_worked_without(cluster: Any) -> None:
    Path("rows.jsonl").write_bytes(lines(rows(2000)))
    expected = outcome("rows.jsonl", config=DatasetBuilderConfig(**SETTINGS))[:2]
    nodes = list(cluster.worker_nodes)
    kills = [(500, 0), (900, 1)]

    def kill(progress: Progress) -> None:
        if kills and progress.rows >= kills[0][0]:
            cluster.remove_node(nodes[kills.pop(0)[1]], allow_graceful=False)
            if not kills:
                cluster.add_node(num_cpus=1, object_store_memory=2**27)

    told, files, report = outcome("rows.jsonl", config=on_cluster(**SETTINGS), progress=kill)
    assert not kills and (told, files) == expected
    assert report.cluster is not None and report.cluster.nodes == 3


def test_a_driver_that_is_killed_is_gone_on_with(cluster: Any) -> None:
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
    told, files, report = outcome("rows.jsonl", config=on_cluster(**SETTINGS), tell=said.append)
    assert (told, files) == expected
    assert report.cluster is not None and report.cluster.resumed >= 22 * before and len(said) == 1
    assert not decisions.parent.exists()


def test_what_is_no_more_the_same_begins_anew(cluster: Any) -> None:
    source = Path("rows.jsonl")
    for changes_file in (False, True):
        source.write_bytes(lines(rows(200)))
        with pytest.raises(KeyboardInterrupt):
            outcome(source.name, config=on_cluster(**SETTINGS), progress=_interrupt)
        if changes_file:
            source.write_bytes(lines(rows(210)))
        settings = SETTINGS if changes_file else {"semantic_threshold": 0.9}
        said: list[str] = []
        _, files, _ = outcome(source.name, config=on_cluster(**settings), tell=said.append)
        assert len(said) == 1 and "begins anew" in said[0] and ("file" in said[0]) == changes_file
        assert files == outcome(source.name, config=DatasetBuilderConfig(**settings))[1]


def _interrupt(progress: Progress) -> None:
    raise KeyboardInterrupt
