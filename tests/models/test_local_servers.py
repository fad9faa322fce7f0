"""Finding model servers on this machine, and taking nothing else for one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from dsbuilder_tui.models.local_servers import LOCAL_SERVERS, LocalEndpoint, find_local_endpoints

LONG = 60.0  # seconds; nothing here takes that long


@asynccontextmanager
async def server(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    """A server on a free port of 127.0.0.1 that answers /v1/models."""
    app = web.Application()
    app.router.add_get("/v1/models", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def saying(body: Any, **more: Any) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body if isinstance(body, bytes) else json.dumps(body).encode(), **more)

    return answer


def models(*names: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


@asynccontextmanager
async def free_port() -> AsyncIterator[int]:
    """A port on which nobody listens any more."""
    async with server(saying(models())) as port:
        pass
    yield port


def test_the_usual_servers() -> None:
    assert [(name.split()[0], port) for name, port in LOCAL_SERVERS] == [
        ("Ollama", 11434), ("LM", 1234), ("vLLM", 8000), ("llama.cpp", 8080),
    ]  # fmt: skip


async def test_servers_are_found_in_order() -> None:
    first_asked = asyncio.Event()

    async def waits_for_the_other(_: web.Request) -> web.StreamResponse:
        await first_asked.wait()  # all are asked at once: this one answers only after the next was asked
        return web.json_response(models("llama3.2:latest", "evil\x1b[2J", "llama3.2:latest"))

    async def lets_go(_: web.Request) -> web.StreamResponse:
        first_asked.set()
        return web.json_response(models("qwen"))

    async with server(waits_for_the_other) as one, server(lets_go) as two, free_port() as nobody:
        found = await find_local_endpoints(LONG, servers=[("A", one), ("nobody", nobody), ("B", two)])
    assert found == [
        LocalEndpoint("A", f"http://127.0.0.1:{one}/v1", ("llama3.2:latest", "evil\x1b[2J")),
        LocalEndpoint("B", f"http://127.0.0.1:{two}/v1", ("qwen",)),
    ]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"object": "list", "data": None}, ()),
        ({"object": "list", "data": []}, ()),
        ({"data": [{"id": "a"}, {"id": 3}, {"id": ""}, "b", {"name": "c"}, {"id": "d"}]}, ("a", "d")),
        (models(*(f"model-{n}" for n in range(300))), tuple(f"model-{n}" for n in range(200))),
        (models("x" * 500_000), ("x" * 500_000,)),  # comes in several pieces
    ],
)
async def test_lists_of_models(body: Any, names: tuple[str, ...]) -> None:
    async with server(saying(body)) as port:
        (found,) = await find_local_endpoints(LONG, servers=[("A", port)])
    assert found.models == names


@pytest.mark.parametrize(
    "answer",
    [
        saying(b"<html>Welcome</html>", content_type="text/html"),
        saying(b""),
        saying(b"\xff\xfe"),
        saying(b"[" * 100_000),
        saying([1, 2]),
        saying("text"),
        saying({"models": []}),
        saying({"data": "many"}),
        saying(models("a"), status=401),
        saying(models("a"), status=500),
        saying(b"", status=302, headers={"Location": "/v1/models"}),
        saying(b"not gzip", headers={"Content-Encoding": "gzip"}),
        saying(models("x" * 5_000_000)),
    ],
)
async def test_what_is_no_model_server(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
    async with server(answer) as port, server(saying(models("real"))) as other:
        found = await find_local_endpoints(LONG, servers=[("A", port), ("B", other)])
    assert [endpoint.name for endpoint in found] == ["B"]


@pytest.mark.parametrize(
    "said", [b"", b"220 ready\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"\x00" * 9000]
)
async def test_what_does_not_speak_http(said: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    listener = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        assert await find_local_endpoints(LONG, servers=[("A", port)]) == []


async def test_one_that_never_answers_is_not_waited_for() -> None:
    async with AsyncExitStack() as stack:
        release = asyncio.Event()

        async def silent(_: web.Request) -> web.StreamResponse:
            await release.wait()
            return web.Response()

        port = await stack.enter_async_context(server(silent))
        stack.callback(release.set)
        assert await find_local_endpoints(0.05, servers=[("A", port)]) == []


async def test_proxies_are_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(saying(models("a"))) as port, free_port() as nobody:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{nobody}")
        found = await find_local_endpoints(LONG, servers=[("A", port)])
    assert [endpoint.models for endpoint in found] == [("a",)]
