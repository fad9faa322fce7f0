"""Answers of the fake endpoint that do not end, that unpack to far more than they are, or that come byte by byte."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

from tests.support.wire import send_chunk

FLOODS = (
    "flood_line", "flood_json", "flood_space", "flood_data_lines", "flood_thoughts", "flood_packed", "flood_error",
    "flood_packed_error", "trickle_thoughts", "trickle_comments", "trickle_empty",
)  # fmt: skip
_MOST_SENT = 200 * 1024 * 1024  # a reader without a limit fails, and does not fill the machine
_PACKED_BLOCKS = 300  # of a megabyte


async def flood(kind: str, writer: asyncio.StreamWriter) -> bool:
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
    for _ in range(_MOST_SENT // len(piece)):
        await send_chunk(writer, piece)
        if pause:
            await asyncio.sleep(pause)
    return False


def _thought(text: str) -> bytes:
    event: dict[str, Any] = {"choices": [{"index": 0, "delta": {"reasoning_content": text}}]}
    return f"data: {json.dumps(event)}\n\n".encode()


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
    "trickle_thoughts": (_thought("hm "), 0.01),
    "trickle_comments": (b": still here\n\n", 0.01),
    "trickle_empty": (b"data: \n\n", 0.01),
}
