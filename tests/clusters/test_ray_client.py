"""A cluster that this machine is no node of, joined by ``ray://``: the same run, the same counts."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import events, fake_endpoint, rest, start
from tests.support.ray_cluster import LoopbackCluster, loopback_cluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KEY = "sk-a-key-that-no-log-of-ray-may-hold"


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[LoopbackCluster]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with loopback_cluster("gpu_a", "gpu_b", client_port=port) as made:
        yield made


@pytest.fixture
def cluster(running_cluster: LoopbackCluster) -> LoopbackCluster:
    """Of the two nodes, whichever the test before has ended or begun."""
    running_cluster.consist_of("gpu_a", "gpu_b")
    return running_cluster


def test_a_run_by_the_client_server(cluster: LoopbackCluster, tmp_path: Path) -> None:
    """A node dies in mid-run and another comes: exact counts, nothing twice, all of it told, nothing at the network."""
    with fake_endpoint(latency=0.05) as first, fake_endpoint(latency=0.05, begins_at=100_000) as second:
        endpoints = json.dumps({"gpu_a": first.url, "gpu_b": second.url, "gpu_c": second.url})
        run = start(
            "run", "--example", "customer_service", "--max-dataset-size", "500", "--json", "--batch-size", "2",
            "--max-workers", "8", "--runner", "ray", "--set", f"ray_address={cluster.client_address}",
            "--set", f"ray_endpoints={endpoints}", "--base-url", first.url, "--checkpoint-dir", "s", "--out", "x.jsonl",
            cwd=tmp_path, env={"DSBUILDER_API_KEY": KEY},
        )  # fmt: skip
        assert run.stdout is not None
        said, accepted = "", 0
        while accepted < 150 and (line := run.stdout.readline()):
            said += line
            accepted += '"case_accepted"' in line
        cluster.kill("gpu_b")
        cluster.add("gpu_c")
        out, errors = rest(run)
        keys = {headers.get("authorization") for fake in (first, second) for headers in fake.headers}
        assert run.returncode == 0 and not errors, (errors, said[-1000:] + out[-1000:])
        assert first.seen and second.seen
    heard = events(said + out)
    told = [event["case_id"] for event in heard if event["type"] == "case_accepted"]
    assert len(told) == len(set(told)) == 500
    rows = [json.loads(line)["inputs"]["query"] for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert len(rows) == len(set(rows)) == 500
    assert {event["node"] for event in heard if event["type"] == "node_joined"} >= {"gpu_a", "gpu_b"}
    assert [event["node"] for event in heard if event["type"] == "node_lost"] == ["gpu_b"]
    assert keys == {f"Bearer {KEY}"}
    assert not cluster.holders_of(KEY)
    assert cluster.listening() and all("127.0.0.1" in address for address in cluster.listening())


def test_the_doctor_by_the_client_server(cluster: LoopbackCluster, tmp_path: Path) -> None:
    looked = start(
        "doctor", "--runner", "ray", "--set", f"ray_address={cluster.client_address}", "--provider", "offline", "--json",
        cwd=tmp_path,
    )  # fmt: skip
    out, errors = rest(looked)
    checks = {check["name"]: check["status"] for check in json.loads(out)}
    assert checks["ray"] == "ok" and checks["gpu_a"] == "ok", (checks, errors)
