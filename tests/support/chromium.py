"""A real Chromium without a window, driven through its own debugging protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--window-size=1280,800",
)  # fmt: skip
_CODES = {"Enter": 13, "Tab": 9, "Escape": 27, **{f"F{number}": 111 + number for number in range(1, 13)}}
_CONTROL = 2


class BrowserPage:
    """One tab. ``asked`` holds the address of everything that the page has asked for, ``said`` what went wrong in it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.session = ""
        self.asked: list[str] = []
        self.said: list[str] = []
        self.dialogs: list[str] = []

    async def listen(self) -> None:
        async for message in self._socket:
            heard = message.json()
            if (waiting := self._waiting.pop(heard.get("id", 0), None)) is not None:
                if not waiting.done():
                    waiting.set_result(heard)
                continue
            given = heard.get("params", {})
            match heard.get("method"):
                case "Network.requestWillBeSent":
                    self.asked.append(given["request"]["url"])
                case "Network.webSocketCreated":
                    self.asked.append(given["url"])
                case "Runtime.exceptionThrown":
                    self.said.append(str(given["exceptionDetails"]))
                case "Log.entryAdded" if given["entry"]["level"] == "error":
                    self.said.append(str(given["entry"]))
                case "Page.javascriptDialogOpening":
                    self.dialogs.append(given["type"])

    async def call(self, method: str, **given: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._waiting[number] = answer = asyncio.get_running_loop().create_future()
        to = {"sessionId": self.session} if self.session else {}
        await self._socket.send_json({"id": number, "method": method, "params": given, **to})
        async with asyncio.timeout(60):
            heard = await answer
        assert "error" not in heard, heard
        return dict(heard["result"])

    async def value(self, script: str) -> Any:
        """What an expression in the page comes to."""
        found = await self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, script: str, patience: float = 90.0) -> None:
        """Until an expression in the page is true."""
        async with asyncio.timeout(patience):
            while not await self.value(script):
                await asyncio.sleep(0.1)

    async def press(self, *keys: str) -> None:
        """Keys by name (``Enter``, ``F2``, ``Control+k``), or text, character for character."""
        for key in keys:
            name = key.rpartition("+")[2] if len(key) > 1 else key
            held = _CONTROL if key.startswith("Control+") else 0
            code = _CODES.get(name) or (ord(name.upper()) if name.isascii() else 0)
            text = {} if held or name in _CODES else {"text": name}
            text = {"text": "\r"} if name == "Enter" else text
            known = {"key": name, "windowsVirtualKeyCode": code, "modifiers": held}
            if len(name) == 1 and name.isascii() and name.isalpha():
                known["code"] = f"Key{name.upper()}"
            await self.call("Input.dispatchKeyEvent", type="keyDown", **known, **text)
            await self.call("Input.dispatchKeyEvent", type="keyUp", **known)

    async def picture(self, file: Path) -> None:
        shot = await self.call("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def browser_page(profile: Path) -> AsyncIterator[BrowserPage]:
    """A fresh Chromium with one empty tab; it ends with the block."""
    assert PROGRAM is not None
    process = await asyncio.create_subprocess_exec(
        PROGRAM, *_FLAGS, f"--user-data-dir={profile}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, limit=1 << 20,
    )  # fmt: skip
    assert process.stderr is not None
    reading: asyncio.Task[bytes] | None = None
    try:
        line = b""
        async with asyncio.timeout(60):
            while b"DevTools listening on" not in line:
                line = await process.stderr.readline()
                assert line, "Chromium has ended"
        reading = asyncio.create_task(process.stderr.read())
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(line.decode().split()[-1], max_msg_size=1 << 26) as socket,
        ):
            page = BrowserPage(socket)
            listening = asyncio.create_task(page.listen())
            target = await page.call("Target.createTarget", url="about:blank")
            page.session = (await page.call("Target.attachToTarget", targetId=target["targetId"], flatten=True))[
                "sessionId"
            ]
            for domain in ("Page", "Network", "Runtime", "Log"):
                await page.call(f"{domain}.enable")
            yield page
            listening.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if reading is not None:
            await reading
