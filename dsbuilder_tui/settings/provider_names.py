"""The providers that a configuration can name. Here they are names and import paths; ``models/providers`` loads them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator

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


def resolved(provider: str, endpoint: bool) -> str:
    """The provider that a setting means; ``endpoint`` says whether a key or an address is configured."""
    if provider != AUTO:
        return provider
    return OPENAI if endpoint else OFFLINE


def _registered(name: str) -> str:
    if name not in (AUTO, OPENAI, OFFLINE) and name not in (names := provider_names()):
        listed = ", ".join(f"{name!r}" for name in names)
        raise ValueError(f"is not a provider that is installed; choose from {listed}")
    return name


ProviderName = Annotated[str, AfterValidator(_registered)]  # the name of a provider that is registered, or auto
