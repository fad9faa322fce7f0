"""Model servers on this machine: asked whether they are there, and which models they have."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    import aiohttp

LOCAL_SERVERS = (("Ollama", 11434), ("LM Studio", 1234), ("vLLM", 8000), ("llama.cpp server", 8080))
_MOST_MODELS = 200
_MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LocalEndpoint:
    """A server that answered. ``url`` can be a ``base_url``; ``models`` is foreign text, to be sanitised when shown.

    ``name`` is whose port it is; another server may listen there.
    """

    name: str
    url: str
    models: tuple[str, ...]


async def find_local_endpoints(
    timeout: float = 0.5, *, servers: Sequence[tuple[str, int]] = LOCAL_SERVERS
) -> list[LocalEndpoint]:
    """Ask the usual ports of 127.0.0.1 for their models, all at once, for at most ``timeout`` seconds.

    Returns those that answered as an OpenAI-compatible server does, in the order of ``servers`` (name and port), each
    with at most 200 models. What does not answer so is not there; nothing is raised for it.
    """
    import aiohttp

    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout),
        trust_env=False,  # a proxy has another 127.0.0.1
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    ) as http:
        urls = [(name, f"http://127.0.0.1:{port}/v1") for name, port in servers]
        answers = await asyncio.gather(*(_models(http, url) for _, url in urls))
    found = zip(urls, answers, strict=True)
    return [LocalEndpoint(name, url, models) for (name, url), models in found if models is not None]


async def _models(http: aiohttp.ClientSession, url: str) -> tuple[str, ...] | None:
    """The ids of a server's models, or None when there is no such server."""
    import aiohttp

    body = bytearray()
    try:
        async with http.get(f"{url}/models", allow_redirects=False) as response:
            if response.status != 200:
                return None
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > _MOST_BYTES:
                    return None
        answer = orjson.loads(body)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None
    if not isinstance(answer, dict) or "data" not in answer:
        return None
    listed = [] if answer["data"] is None else answer["data"]  # Ollama without a model says null
    if not isinstance(listed, list):
        return None
    ids = (model.get("id") for model in listed if isinstance(model, dict))
    return tuple(dict.fromkeys(name for name in ids if isinstance(name, str) and name))[:_MOST_MODELS]
