"""The fake endpoint's embeddings: a text's words, each counted in a place of its own, and what can go wrong.

Names: ok, server_error, rate_limit, unauthorized, no_model, few, other_size, not_json, no_numbers, reset, alike, no_service,
too_large, by_token, wrapped, “most N” for texts of N characters at most, and those of ``fake_floods``.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

from tests.support.fake_floods import FLOODS, flood
from tests.support.wire import send_error, send_json, send_raw

SIZE = 48


def vector(text: str, size: int = SIZE) -> list[float]:
    found = [0.0] * size
    for word in text.split():
        found[zlib.crc32(word.encode()) % size] += 1.0
    return found


async def embed(kind: str, body: dict[str, Any], headers: dict[str, str], writer: asyncio.StreamWriter) -> bool:
    if kind in FLOODS:
        return await flood(kind, writer)
    if kind == "server_error":
        return await send_error(writer, 500, "The server had an error", "server_error")
    if kind == "rate_limit":
        return await send_error(writer, 429, "Slow down", "rate_limit_exceeded", {"Retry-After": "0.05"})
    if kind == "unauthorized":
        return await send_error(writer, 401, f"Wrong key {headers.get('authorization')}", "invalid_api_key")
    if kind == "no_model":
        return await send_error(writer, 404, f"The model `{body['model']}` does not exist", "model_not_found")
    if kind == "no_service":
        return await send_error(
            writer, 501, "This server does not support embeddings. Start it with `--embeddings`", "x"
        )
    if kind == "too_large" or (kind.startswith("most ") and max(map(len, body["input"])) > int(kind.split()[1])):
        return await send_error(writer, 500, "input is too large to process. increase the physical batch size", "x")
    if kind == "not_json":
        return await send_raw(writer, 200, "text/html", b"<html>busy</html>")
    if kind == "reset":
        writer.transport.abort()
        return False
    if kind in ("by_token", "wrapped"):
        rows = [[vector(text)] * (2 if kind == "by_token" else 1) for text in body["input"]]
        return await send_json(writer, 200, {"data": [{"index": n, "embedding": row} for n, row in enumerate(rows)]})
    texts = body["input"][:-1] if kind == "few" else body["input"]
    size = SIZE + 1 if kind == "other_size" else SIZE
    if kind == "alike":
        texts = ["the same"] * len(texts)
    vectors: list[Any] = ["none" if kind == "no_numbers" else vector(text, size) for text in texts]
    data = [{"object": "embedding", "index": n, "embedding": found} for n, found in enumerate(vectors)]
    return await send_json(writer, 200, {"object": "list", "data": data[::-1], "model": body["model"]})
