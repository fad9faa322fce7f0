"""Answers of the fake endpoint that do not end, that unpack to far more than they are, or that come byte by byte."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

from tests.support.wire import send_chunk

FLOODS = (
    "flood_line", "flood_json", "flood_space", "flood_data_lines", "flood_thoughts", "flood_packed", "flood_error",
    "flood_packed_error", "flood_words", "flood_calls", "flood_bytes", "flood_lists", "flood_json_lines", "flood_head",
    "trickle_thoughts", "trickle_comments", "trickle_empty", "trickle_head",
)  # fmt: skip
_MOST_SENT = 200 * 1024 * 1024  # a reader without a limit fails, and does not fill the machine
_PACKED_BLOCKS = 300  # of a megabyte


async def flood(kind: str, writer: asyncio.StreamWriter) -> bool:
    if kind.endswith("_head"):
        return await _flood_head(kind, writer)
    status = 400 if kind.endswith("error") else 200
    packed = "Content-Encoding: gzip\r\n" if "packed" in kind else ""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: text/event-stream\r\n{packed}Transfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())
    if packed:
        await send_chunk(writer, _bomb())
        await send_chunk(writer, b"")
        return True
    if kind in ("flood_line", "flood_json"):
        await send_chunk(writer, b'data: {"x": "' if kind == "flood_line" else b'{"data": [')
    piece, pause = _PIECES[kind]
    parts = [bytes([byte]) for byte in piece] if kind == "flood_bytes" else [piece]
    for _ in range(_MOST_SENT // len(piece)):
        for part in parts:
            await send_chunk(writer, part)
        if pause:
            await asyncio.sleep(pause)
    return False


async def _flood_head(kind: str, writer: asyncio.StreamWriter) -> bool:
    """Headers without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.01 if kind == "trickle_head" else 0)


def _delta(delta: dict[str, Any]) -> bytes:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n".encode()


def _thought(text: str) -> bytes:
    return _delta({"reasoning_content": text})


def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(
        [packer.compress(b'{"x": "'), *(packer.compress(b" " * 2**20) for _ in range(_PACKED_BLOCKS)), packer.flush()]
    )


_PIECES = {
    "flood_line": (b"x" * 65536, 0.0),
    "flood_error": (b"x" * 65536, 0.0),
    "flood_json": (b"1.5," * 16384, 0.0),
    "flood_space": (b" " * 65536, 0.0),
    "flood_data_lines": (b"data: x\n" * 8192, 0.0),
    "flood_thoughts": (_thought("hm " * 20_000), 0.0),
    "flood_words": (_delta({"content": "well then " * 5_000}), 0.0),
    "flood_calls": (_delta({"tool_calls": [{"index": 0, "function": {"name": "x", "arguments": "7" * 50_000}}]}), 0.0),
    "flood_bytes": (_thought("hm "), 0.0),
    "flood_lists": (b"data: " + b"[" * 900 + b"]" * 900 + b"\n\n", 0.0),
    "flood_json_lines": (b'{"done": false}\n' * 4096, 0.0),
    "trickle_thoughts": (_thought("hm "), 0.01),
    "trickle_comments": (b": still here\n\n", 0.01),
    "trickle_empty": (b"data: \n\n", 0.01),
}
