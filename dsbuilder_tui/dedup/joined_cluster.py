"""A cluster for as long as a pass lasts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from dsbuilder_tui.clusters.ray_cluster import RayCluster
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.generation.runners import runner_kind
from dsbuilder_tui.settings.runner_names import RAY
from dsbuilder_tui.settings.schema import DatasetBuilderConfig


@contextlib.contextmanager
def joined_cluster(config: DatasetBuilderConfig) -> Iterator[None]:
    """Joins the cluster that the settings name, or starts one on this machine.

    Raises as ``RayCluster.join``, and ``InputError`` for another runner, or one that cannot work.
    """
    if config.runner != RAY:
        raise InputError(f"The runner {config.runner} makes calls of models alone.", f"Choose local or {RAY}.")
    runner_kind(config)
    cluster = asyncio.run(RayCluster.join(config.ray_address))
    try:
        yield
    finally:
        asyncio.run(cluster.leave())
