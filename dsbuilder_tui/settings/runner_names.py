"""The runners that a configuration can name. Here they are names and import paths; ``generation/runners`` loads them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator

from dsbuilder_tui.registry import Registry

LOCAL = "local"  # this machine's event loop
BATCH_API = "batch-api"  # the provider's own queue, within a day
RAY = "ray"

RUNNERS: Registry[Any] = Registry(
    "dsbuilder.runners",
    "runner",
    {
        LOCAL: "dsbuilder_tui.generation.runners.local:RUNNER",
        BATCH_API: "dsbuilder_tui.generation.runners.batch_api:RUNNER",
        RAY: "dsbuilder_tui.generation.runners.ray_runner:RUNNER",
    },
    expects="dsbuilder_tui.generation.runners:RunnerKind",
)


def _registered(name: str) -> str:
    if name != LOCAL and name not in (names := RUNNERS.names()):
        listed = ", ".join(f"{name!r}" for name in names)
        raise ValueError(f"is not a runner that is installed; choose from {listed}")
    return name


RunnerName = Annotated[str, AfterValidator(_registered)]  # the name of a runner that is registered
