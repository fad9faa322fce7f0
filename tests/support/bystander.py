"""Small servers for questions of trust: one that keeps whatever it is sent, and answers in one way only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Bystander:
    """Listens on loopback and keeps every byte in ``heard``, and each connection's number in ``connections``.

    ``answer`` makes the response out of a request's path; without it the connection is closed with no answer.
    """

    def __init__(self, answer: Callable[[str], bytes] | None = None) -> None:
        self.heard, self.connections = b"", 0
        self._answer = answer

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self._answer is not None:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                               if line.startswith(b"content-length:")), 0)  # fmt: skip
                self.heard += head + await reader.readexactly(length)
                writer.write(self._answer(head.split(b" ", 2)[1].decode()))
                await writer.drain()
            self.heard += await reader.read(65536)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def redirect(status: int, to: str) -> bytes:
    """A response that points somewhere else."""
    return f"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


def json_response(body: str) -> bytes:
    """A JSON body, with 200."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
