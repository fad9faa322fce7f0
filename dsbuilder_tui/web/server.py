"""The server of the page: it lets in who has the address, and runs an app for each tab."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import WSCloseCode, WSMsgType, web

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.web.gatekeeper import Gatekeeper
from dsbuilder_tui.web.page_files import page_files
from dsbuilder_tui.web.tab_process import TabProcess, TerminalSize

_SOCKET = "ws"
_MOST_TABS = 16
_MOST_MESSAGE = 4 * 1024 * 1024  # bytes: of a paste
_MOST_UNSENT = 8 * 1024 * 1024  # bytes: of drawing that a tab has not taken
_HEARTBEAT = 30.0  # seconds
_CLOSING = 2.0  # seconds that a browser has to answer a close
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebServer:
    """Serves ``dsbuilder`` with ``arguments`` to whoever has the address. Raises ``InputError`` without textual-serve."""

    def __init__(self, arguments: Sequence[str], host: str = "127.0.0.1") -> None:
        self._arguments = list(arguments)
        self._files = page_files()
        self._gatekeeper = Gatekeeper(host)
        self._tabs: set[TabProcess] = set()
        self._handlers: set[asyncio.Task[object]] = set()
        self._ending = False

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Take requests while the block lasts, and end all tabs after it. Gives the port, which is any free one for 0.

        Raises ``InputError`` where the port or the host cannot be had.
        """

        @web.middleware
        async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self._guarded(request, handler)

        app = web.Application(middlewares=[guard])
        app.router.add_get("/{token}", self._to_page)
        app.router.add_get(f"/{{token}}/{_SOCKET}", self._tab)
        app.router.add_get("/{token}/{file:[^/]*}", self._file)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        host = self._gatekeeper.host
        try:
            try:
                await web.TCPSite(runner, host, port).start()
            except (OSError, OverflowError, UnicodeError) as error:
                words = getattr(error, "strerror", None) or error
                raise InputError(f"Port {port} of {host} cannot be had: {words}.", "Give another --port.") from None
            yield int(runner.addresses[0][1])
        finally:
            await self._end_tabs()
            await runner.cleanup()

    def address(self, port: int) -> str:
        """Where a browser on this machine finds the page: the secret is in it."""
        host = self._gatekeeper.host
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/{self._gatekeeper.token}/"

    def kill_tabs(self) -> None:
        """End all apps at once, whatever they are saving."""
        for tab in self._tabs:
            tab.kill()

    async def _end_tabs(self) -> None:
        self._ending = True
        while handlers := set(self._handlers):  # one may be about to start its app
            await asyncio.gather(*(tab.end() for tab in self._tabs))
            await asyncio.wait(handlers, timeout=0.1)

    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        refusal = self._gatekeeper.refusal(
            request.path,
            request.headers.get("Host", ""),
            request.headers.get("Origin"),
            socket="Upgrade" in request.headers,
        )
        if refusal is not None:
            return web.Response(status=403, text=f"{refusal}\n", headers=_HEADERS)
        try:
            return await handler(request)
        except web.HTTPException as error:
            error.headers.update(_HEADERS)
            raise

    async def _to_page(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(f"/{self._gatekeeper.token}/")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = self._files.get(request.match_info["file"])
        if path is None:
            raise web.HTTPNotFound(text="There is no such file.\n")
        return web.FileResponse(path, headers=_HEADERS)

    async def _tab(self, request: web.Request) -> web.StreamResponse:
        if self._ending or len(self._tabs) >= _MOST_TABS:
            raise web.HTTPServiceUnavailable(text=f"No more than {_MOST_TABS} tabs can be open at once.\n")
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT, timeout=_CLOSING, max_msg_size=_MOST_MESSAGE)
        size = _size(request.query.get("width"), request.query.get("height"))
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers.add(handler)
        try:
            await socket.prepare(request)
            await self._attend(socket, size)
        finally:
            self._handlers.discard(handler)
        return socket

    async def _attend(self, socket: web.WebSocketResponse, size: TerminalSize) -> None:
        """Run an app for a tab, until one of the two has ended."""
        try:
            tab = await TabProcess.start(self._arguments, size)
        except OSError as error:
            await _say_last(socket, f"The app could not be started: {error.strerror or error}.")
            return
        self._tabs.add(tab)
        drawing = asyncio.create_task(_draw(tab, socket))
        try:
            async for message in socket:
                if message.type != WSMsgType.TEXT or not await _take(tab, socket, message.data):
                    await socket.close(code=WSCloseCode.UNSUPPORTED_DATA)
        finally:
            await tab.end()
            await drawing
            self._tabs.discard(tab)


async def _say_last(socket: web.WebSocketResponse, words: str) -> None:
    await socket.send_str(json.dumps(["last_words", words]))
    await socket.close()


async def _draw(tab: TabProcess, socket: web.WebSocketResponse) -> None:
    """Send on what the app draws; the app is read from to its end, and waits for no tab."""
    unsent: asyncio.Queue[bytes | None] = asyncio.Queue()
    size = 0

    async def send() -> None:
        nonlocal size
        while (data := await unsent.get()) is not None:
            size -= len(data)
            await socket.send_bytes(data)
        await _say_last(socket, await tab.last_words())

    sending = asyncio.create_task(send())
    closing: asyncio.Task[bool] | None = None
    try:
        async for data in tab.output():
            if sending.done():
                continue
            unsent.put_nowait(data)
            size += len(data)
            if size > _MOST_UNSENT and closing is None:
                sending.cancel()
                closing = asyncio.create_task(socket.close(code=WSCloseCode.MESSAGE_TOO_BIG))
        unsent.put_nowait(None)
        with contextlib.suppress(ConnectionError, RuntimeError, asyncio.CancelledError):  # the tab is gone
            await sending
    finally:
        await (closing or socket.close())


async def _take(tab: TabProcess, socket: web.WebSocketResponse, text: str) -> bool:
    """Hand on what the browser's terminal says; False where it is none of its messages."""
    try:
        match json.loads(text):
            case ["stdin", str(typed)]:
                await tab.type(typed)
            case ["resize", {"width": int(width), "height": int(height)}]:
                await tab.resize(TerminalSize.within_bounds(width, height))
            case ["focus"] | ["blur"] as said:
                await tab.focus(said[0] == "focus")
            case ["ping", str(sent)]:
                await socket.send_str(json.dumps(["pong", sent]))
            case _:
                return False
    except (ValueError, RecursionError):
        return False
    return True


def _size(width: str | None, height: str | None) -> TerminalSize:
    try:
        return TerminalSize.within_bounds(int(width or 80), int(height or 24))
    except ValueError:
        return TerminalSize()
