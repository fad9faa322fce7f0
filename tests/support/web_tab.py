"""A served app, and a tab of a browser as its server sees one: a websocket with a terminal behind it."""

from __future__ import annotations

import asyncio
import codecs
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.support.process import read_until, rest, start
from tests.support.terminal import KEYS, Grid, tokens


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    address: str

    @property
    def origin(self) -> str:
        return "http://" + urlsplit(self.address).netloc

    def apps(self) -> list[int]:
        """The processes that the server has started and that have not ended."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """Exit code, and what it still said on both streams."""
        self.process.send_signal(number)
        out, err = rest(self.process)
        return self.process.returncode, out, err


@contextmanager
def served(*arguments: object, **more: Any) -> Iterator[Served]:
    """``dsbuilder serve`` at a free port."""
    process = start("serve", "--port", "0", *arguments, cwd=Path.cwd(), **more)
    try:
        line = read_until(process, "http://").splitlines()[-1]
        yield Served(process, line[line.index("http://") :].strip())
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)
        for stream in (process.stdout, process.stderr):
            assert stream
            stream.close()


def is_alive(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


async def gone(*pids: int, patience: float = 60.0) -> None:
    """Until these processes have ended."""
    async with asyncio.timeout(patience):
        while any(map(is_alive, pids)):
            await asyncio.sleep(0.05)


class WebTab:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse, rows: int, columns: int) -> None:
        self.socket = socket
        self.grid = Grid(rows, columns)
        self.last_words = ""
        self.ended = False
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._open = ""

    async def read(self, patience: float) -> None:
        """Take in one message; after its end nothing comes any more."""
        try:
            message = await self.socket.receive(patience)
        except TimeoutError:
            return
        if message.type == aiohttp.WSMsgType.BINARY:
            whole, self._open = self._open + self._decoder.decode(message.data), ""
            for kind, body in tokens(whole):
                if kind == "rest":
                    self._open = body
                else:
                    self.grid.take(kind, body)
        elif message.type == aiohttp.WSMsgType.TEXT:
            kind, words = json.loads(message.data)
            self.last_words = words if kind == "last_words" else self.last_words
        else:
            self.ended = True

    async def wait(self, wanted: str | Callable[[str], object], patience: float = 90.0) -> str:
        """Until the screen holds a text, or meets a condition; returns the screen."""
        meets = (lambda screen: wanted in screen) if isinstance(wanted, str) else wanted
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while not meets(self.grid.text) and not self.ended:
                    await self.read(patience)
        assert meets(self.grid.text), (
            f"{wanted!r} did not appear; ended: {self.ended}\n{self.grid.text}\n{self.last_words}"
        )
        return self.grid.text

    async def finish(self, patience: float = 90.0) -> str:
        """Until the server closes it; returns the last words of the app."""
        async with asyncio.timeout(patience):
            while not self.ended:
                await self.read(patience)
        return self.last_words

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.say("stdin", chr(ord(key[-1]) & 0x1F) if key.startswith("ctrl+") else KEYS.get(key, key))

    async def paste(self, text: str) -> None:
        await self.say("stdin", f"\x1b[200~{text}\x1b[201~")

    async def say(self, *message: object) -> None:
        await self.socket.send_str(json.dumps(message))


@asynccontextmanager
async def open_tab(
    served: Served, *, rows: int = 36, columns: int = 120, headers: Mapping[str, str] | None = None
) -> AsyncIterator[WebTab]:
    """A tab with the whole address, from the page's own origin. Closing it is closing the tab."""
    given = {"Origin": served.origin} if headers is None else headers
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{served.address}ws?width={columns}&height={rows}", headers=given) as socket,
    ):
        yield WebTab(socket, rows, columns)
