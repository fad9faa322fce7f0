"""The process behind one tab: the app, which draws into a pipe what the browser's terminal shows."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import Enum

from dsbuilder_tui.domain.sanitise import visible

WEB_DRIVER = "textual.drivers.web_driver:WebDriver"
"""How Textual is told (in ``TEXTUAL_DRIVER``) to speak the protocol of packets that is read here."""

_PRELUDE = b"__GANGLION__\n"
_MOST_PACKET = 16 * 1024 * 1024  # bytes
_MOST_LAST_WORDS = 4096  # bytes
_WIDTH, _HEIGHT = (20, 500), (5, 300)  # cells
# Seconds for saving, and then for the app's own end after a signal, which gives up by itself before.
_PATIENCE, _LAST_PATIENCE = 12.0, 12.0


class _Packet(bytes, Enum):
    DATA = b"D"
    META = b"M"
    PACKED = b"P"


@dataclass(frozen=True, slots=True)
class TerminalSize:
    """Of the browser's terminal, in cells; held within what can be drawn."""

    width: int = 80
    height: int = 24

    @staticmethod
    def within_bounds(width: int, height: int) -> TerminalSize:
        return TerminalSize(max(_WIDTH[0], min(width, _WIDTH[1])), max(_HEIGHT[0], min(height, _HEIGHT[1])))


class TabProcess:
    """One app. ``output`` has to be read until it ends, and ``end`` called whatever happens."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._last_words = bytearray()
        self._listening = asyncio.create_task(self._hear_errors())
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, arguments: Sequence[str], size: TerminalSize) -> TabProcess:
        """Start ``dsbuilder`` with these arguments. Raises ``OSError`` when no process can be had."""
        environment = {
            **os.environ,
            "TEXTUAL_DRIVER": WEB_DRIVER, "TEXTUAL_COLOR_SYSTEM": "truecolor", "PYTHONUTF8": "1",
            "COLUMNS": str(size.width), "ROWS": str(size.height),
        }  # fmt: skip
        # A session of its own: Ctrl+C in the server's terminal is the server's to deal with.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dsbuilder_tui", *arguments,
            stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, start_new_session=True,
        )  # fmt: skip
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def output(self) -> AsyncIterator[bytes]:
        """What the app draws, as it comes, until it ends."""
        out = self._process.stdout
        assert out is not None
        try:
            while (line := await out.readline()) != _PRELUDE:
                if not line:
                    return
            while True:
                kind, length = await out.readexactly(1), int.from_bytes(await out.readexactly(4), "big")
                if length > _MOST_PACKET:
                    return
                payload = await out.readexactly(length)
                if _Packet(kind) is _Packet.DATA:
                    yield payload
        except (asyncio.IncompleteReadError, ValueError):  # its end, or what is no packet
            return

    async def type(self, text: str) -> None:
        """Hand over what was typed, pasted or clicked, as a terminal sends it."""
        await self._send(_Packet.DATA, text.encode("utf-8", "replace"))

    async def resize(self, size: TerminalSize) -> None:
        await self._tell({"type": "resize", "width": size.width, "height": size.height})

    async def focus(self, has_it: bool) -> None:
        await self._tell({"type": "focus" if has_it else "blur"})

    async def last_words(self) -> str:
        """What the app printed when it was left, or why it could not begin; after the end of ``output``."""
        await self.end()
        return visible(self._last_words.decode("utf-8", "replace")).strip()

    async def end(self) -> None:
        """Have it save and end; returns when the process is gone. A second call waits for the first."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        await asyncio.shield(self._ending)

    def kill(self) -> None:
        """End it at once; what was accepted is on disk in any case."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _end(self) -> None:
        pipe = self._process.stdin
        if pipe is not None and not pipe.is_closing():
            pipe.write(_packed(_Packet.META, json.dumps({"type": "quit"}).encode()))
            pipe.close()
        for give_up, patience in ((self._process.terminate, _PATIENCE), (self._process.kill, _LAST_PATIENCE)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._process.wait()
                break
            with contextlib.suppress(ProcessLookupError):
                give_up()
        await self._process.wait()
        with contextlib.suppress(TimeoutError):  # somebody that the app has started may hold the pipe
            async with asyncio.timeout(1.0):
                await self._listening

    async def _tell(self, meta: dict[str, object]) -> None:
        await self._send(_Packet.META, json.dumps(meta).encode())

    async def _send(self, kind: _Packet, payload: bytes) -> None:
        pipe = self._process.stdin
        if pipe is None or pipe.is_closing():
            return
        with contextlib.suppress(OSError, RuntimeError):  # the app has ended: ``output`` says so
            pipe.write(_packed(kind, payload))
            await pipe.drain()

    async def _hear_errors(self) -> None:
        errors = self._process.stderr
        assert errors is not None
        while data := await errors.read(4096):
            self._last_words += data
            del self._last_words[:-_MOST_LAST_WORDS]


def _packed(kind: _Packet, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "big") + payload
