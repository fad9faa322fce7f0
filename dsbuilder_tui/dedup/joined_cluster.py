"""A cluster for as long as a pass lasts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from dsbuilder_tui.clusters.ray_cluster import RayCluster
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


@contextlib.contextmanager
def joined_cluster(config: DatasetBuilderConfig) -> Iterator[None]:
    """Joins the cluster that the settings name, or starts one on this machine. Raises as ``RayCluster.join``."""
    cluster = asyncio.run(RayCluster.join(getattr(config, "ray_address", "local")))
    try:
        yield
    finally:
        asyncio.run(cluster.leave())
