"""The fake endpoint's embeddings: a text's words, each counted in a place of its own, and what can go wrong.

Names: ok, server_error, rate_limit, unauthorized, no_model, few, other_size, html, html_error, not_json, no_numbers, reset, alike,
no_service, no_route, too_large, by_token, no_pooling, wrapped, error_200, the shapes below,
“most N” for texts of N characters at most, “count N” for
so many texts at most, “words N” as “most N” in words that nobody knows, “not WORD” for texts without it, and those of ``fake_floods``.
"""

from __future__ import annotations

import asyncio
import base64
import json
import math
import struct
import zlib
from collections.abc import Callable
from typing import Any

from tests.support.fake_floods import FLOODS, flood
from tests.support.wire import send_error, send_json, send_raw

SIZE = 48


def vector(text: str, size: int = SIZE) -> list[float]:
    found = [0.0] * size
    for word in text.split():
        found[zlib.crc32(word.encode()) % size] += 1.0
    return found


def _packed(row: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(row)}f", *row)).decode()


def _listed(rows: list[Any], index: Callable[[int], Any] = lambda n: n) -> bytes:
    return json.dumps({"data": [{"index": index(n), "embedding": row} for n, row in enumerate(rows)]}).encode()


_SHAPES: dict[str, Callable[[list[list[float]]], bytes]] = {
    "base64": lambda rows: _listed([_packed(row) for row in rows]),
    "base64_cut": lambda rows: _listed([_packed(row)[:-5] for row in rows]),
    "indexed_alike": lambda rows: _listed(rows, lambda n: 0),
    "indexed_in_words": lambda rows: _listed(rows[::-1], lambda n: str(len(rows) - 1 - n)),
    "unindexed": lambda rows: json.dumps({"data": [{"embedding": row} for row in rows]}).encode(),
    "ollama": lambda rows: json.dumps({"model": "e5", "embeddings": rows, "total_duration": 3}).encode(),
    "cohere": lambda rows: json.dumps({"id": "1", "embeddings": {"float": rows}, "texts": ["a"]}).encode(),
    "gemini": lambda rows: json.dumps({"embeddings": [{"values": row} for row in rows]}).encode(),
    "bare": lambda rows: json.dumps(rows).encode(),
    "llama": lambda rows: json.dumps([{"index": n, "embedding": [row]} for n, row in enumerate(rows)]).encode(),
    "zeros": lambda rows: _listed([[0.0] * len(row) for row in rows]),
    "nan": lambda rows: _listed([[math.nan] * len(row) for row in rows]),
    "null": lambda rows: _listed([[None] * len(row) for row in rows]),
    "one_zero": lambda rows: _listed([[0.0] * len(rows[0]), *rows[1:]]),
    "one_null": lambda rows: _listed([[None] * len(rows[0]), *rows[1:]]),
}  # fmt: skip


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
        return await send_raw(writer, 200, "application/json", b'{"data": [{"embed')
    if kind in ("html", "html_error"):
        page = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>secret-page</body></html>"
        return await send_raw(writer, 200 if kind == "html" else 404, "text/html", page)
    if kind == "no_route":
        return await send_error(writer, 404, "Unknown path /v1/embeddings", "not_found")
    if kind == "no_pooling":
        words = "Pooling type 'none' is not OAI compatible. Please use a different pooling type"
        return await send_error(writer, 400, words, "invalid_request_error")
    if kind == "error_200":
        return await send_json(writer, 200, {"error": {"message": "The embedding model crashed", "code": 500}})
    limit = int(kind.split()[1]) if kind.startswith(("count ", "words ")) else 0
    if kind.startswith("count ") and len(body["input"]) > limit:
        return await send_error(writer, 422, f"batch of {len(body['input'])} > allowed {limit}", "Validation")
    if kind.startswith("words ") and max(map(len, body["input"])) > limit:
        return await send_error(writer, 400, "Zu viel auf einmal", "x")
    if kind.startswith("not ") and any(kind.split()[1] in text for text in body["input"]):
        return await send_error(writer, 400, "This text was flagged by our filter", "content_filter")
    if kind == "reset":
        writer.transport.abort()
        return False
    if kind in ("by_token", "wrapped"):
        rows = [[vector(text)] * (2 if kind == "by_token" else 1) for text in body["input"]]
        return await send_json(writer, 200, {"data": [{"index": n, "embedding": row} for n, row in enumerate(rows)]})
    if kind in _SHAPES:
        return await send_raw(writer, 200, "application/json", _SHAPES[kind](list(map(vector, body["input"]))))
    texts = body["input"][:-1] if kind == "few" else body["input"]
    size = SIZE + 1 if kind == "other_size" else SIZE
    if kind == "alike":
        texts = ["the same"] * len(texts)
    vectors: list[Any] = ["none" if kind == "no_numbers" else vector(text, size) for text in texts]
    data = [{"object": "embedding", "index": n, "embedding": found} for n, found in enumerate(vectors)]
    return await send_json(writer, 200, {"object": "list", "data": data[::-1], "model": body["model"]})
