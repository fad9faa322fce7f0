"""The providers that a configuration can name. Here they are names and import paths; ``models/providers`` loads them."""

from __future__ import annotations

from typing import Any

from dsbuilder_tui.registry import Registry

AUTO = "auto"  # an endpoint when a key or an address is configured, else the built-in writer
OPENAI = "openai"
OFFLINE = "offline"

PROVIDERS: Registry[Any] = Registry(
    "dsbuilder.providers",
    "provider",
    {
        OFFLINE: "dsbuilder_tui.offline.provider:PROVIDER",
        OPENAI: "dsbuilder_tui.models.providers.openai:PROVIDER",
    },
    expects="dsbuilder_tui.models.providers:Provider",
)


def provider_names() -> tuple[str, ...]:
    """What the setting ``provider`` may be: ``auto``, the built-in providers and those of plug-ins. Imports none."""
    return (AUTO, *PROVIDERS.names())
