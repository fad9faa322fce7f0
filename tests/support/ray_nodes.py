"""A Ray cluster of several nodes on this machine, as Ray itself makes it for tests: bound to loopback, its own token."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest


@contextlib.contextmanager
def ray_nodes(count: int = 2) -> Iterator[Any]:
    """A head without processors and ``count`` nodes of one each; this process is connected with it meanwhile."""
    pytest.importorskip("ray")
    from dsbuilder_tui.clusters.ray_cluster import FAST_LOSS, NAMESPACE

    calm = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
    with mock.patch.dict(os.environ, calm):
        import ray
        from ray.cluster_utils import Cluster

        cluster = Cluster(
            initialize_head=True, connect=False,
            head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": 2**27, "_system_config": FAST_LOSS},
        )  # fmt: skip
        try:
            for _ in range(count):
                cluster.add_node(num_cpus=1, object_store_memory=2**27, wait=True)
            ray.init(address=cluster.address, namespace=NAMESPACE, log_to_driver=False, configure_logging=False)
            yield cluster
        finally:
            ray.shutdown()
            cluster.shutdown()
