"""The looking-up of host names for an endpoint, which does not end at a machine's own link or metadata service."""

from __future__ import annotations

import socket

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from dsbuilder_tui.domain.errors import EndpointRefused
from dsbuilder_tui.settings.hosts import is_link_local


class GuardedResolver(AbstractResolver):
    """Raises ``EndpointRefused`` for a name that stands for a link-local or metadata address."""

    def __init__(self) -> None:
        self._resolver = DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            if is_link_local(one["host"]):
                raise EndpointRefused(
                    f"{host} stands for {one['host']}, a link-local or metadata address. Nothing was sent there.",
                    "If it is what you mean, name it in a flag (--base-url).",
                )
        return found

    async def close(self) -> None:
        await self._resolver.close()
