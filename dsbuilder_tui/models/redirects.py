"""Redirects of an endpoint: followed on its own origin, and nowhere else."""

from __future__ import annotations

from types import SimpleNamespace

import aiohttp
from yarl import URL

from dsbuilder_tui.domain.errors import EndpointRefused


def own_origin_only() -> aiohttp.TraceConfig:
    """For an HTTP session: a redirect to another scheme, host or port ends the request with ``EndpointRefused``.

    Key, headers and prompt were sent to one address; where that one points at is not theirs to go.
    """
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_check)
    return trace


async def _check(
    session: aiohttp.ClientSession, context: SimpleNamespace, redirect: aiohttp.TraceRequestRedirectParams
) -> None:
    response = redirect.response
    named = response.headers.get("Location") or response.headers.get("URI") or ""
    try:
        target = response.url.join(URL(named))
        if target.scheme not in ("http", "https") or target.origin() == response.url.origin():
            return  # aiohttp refuses what is not HTTP
        place = str(target.origin())
    except ValueError:  # no address; aiohttp names it as such
        return
    response.close()
    raise EndpointRefused(
        f"{response.url.origin()} redirects to another address, {place}. Nothing was sent there.",
        "If that is where your requests belong, set base_url to it.",
    )
