"""How the fake endpoint writes: whole answers, errors, and pieces of a stream."""

from __future__ import annotations

import asyncio
import json
from typing import Any

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"


async def send_chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


async def send_raw(
    writer: asyncio.StreamWriter, status: int, kind: str, body: bytes, extra: dict[str, str] | None = None, cut: int = 0
) -> bool:
    """``cut`` parts the body behind so many bytes: the rest comes in a packet of its own, later."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (extra or {}).items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body[: cut or None])
    await writer.drain()
    if cut:
        await asyncio.sleep(0.002)
        writer.write(body[cut:])
        await writer.drain()
    return True


async def send_json(writer: asyncio.StreamWriter, status: int, data: Any, extra: dict[str, str] | None = None) -> bool:
    return await send_raw(writer, status, "application/json", json.dumps(data).encode(), extra)


def as_bytes(body: Any) -> bytes:
    """A body as it goes out: bytes and text as they are, anything else as JSON."""
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


async def send_error(
    writer: asyncio.StreamWriter, status: int, message: str, code: str, extra: dict[str, str] | None = None
) -> bool:
    return await send_json(writer, status, {"error": {"message": message, "code": code, "type": code}}, extra)


async def send_event(kind: str, data: dict[str, Any], end: str, writer: asyncio.StreamWriter) -> None:
    """An event of a stream, as a server of this kind writes it."""
    if kind == "comments":  # one event over several data lines
        text = json.dumps(data, indent=1)
        payload = "".join(f"data: {line}{end}" for line in text.split("\n")) + end
    else:
        payload = f"data: {json.dumps(data, ensure_ascii=False)}{end}{end}"
    raw = payload.encode()
    if kind != "split_utf8":
        await send_chunk(writer, raw)
        return
    for start in range(0, len(raw), 5):  # through the middle of characters
        await send_chunk(writer, raw[start : start + 5])


class Written:
    """Stands where a connection's writer does, and reads the one whole answer that is written to it."""

    def __init__(self) -> None:
        self._data = b""

    def write(self, data: bytes) -> None:
        self._data += data

    async def drain(self) -> None:
        """Nothing: it is here at once."""

    @property
    def status(self) -> int:
        return int(self._data.split(b" ", 2)[1])

    @property
    def body(self) -> Any:
        """Parsed, or as text where it is no JSON."""
        whole = self._data.partition(b"\r\n\r\n")[2]
        try:
            return json.loads(whole)
        except ValueError:
            return whole.decode("utf-8", "replace")
