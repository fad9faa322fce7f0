"""Answers that come in two packets, parted at each of their bytes: they are one answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.models.chat_client import ChatClient
from dsbuilder_tui.models.chat_options import ChatRequest
from dsbuilder_tui.models.endpoint_probe import probe_endpoint
from dsbuilder_tui.models.local_servers import find_local_endpoints
from dsbuilder_tui.models.protocol import CallRefused, TransientError
from tests.support.fake_agent import Reply
from tests.support.fake_openai import FakeOpenAI

Configs = Callable[..., DatasetBuilderConfig]


@asynccontextmanager
async def answering(head: bytes, body: bytes, cuts: list[int]) -> AsyncIterator[int]:
    """A server whose answers are parted at one place after another, chunked, the second part behind a pause; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                asked = await reader.readuntil(b"\r\n\r\n")
                for line in asked.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        await reader.readexactly(int(line.partition(b":")[2]))
                cut = cuts.pop(0) if cuts else len(body)
                writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n")
                for part in (body[:cut], body[cut:]):
                    if part:
                        writer.write(b"%x\r\n%b\r\n" % (len(part), part))
                        await writer.drain()
                        await asyncio.sleep(0.002)
                writer.write(b"0\r\n\r\n")
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("status", [400, 401, 429, 503])
async def test_an_error_is_read_to_its_end(make_config: Configs, status: int) -> None:
    body = json.dumps(
        {"error": {"message": "cöde 7: try again in 0.01s", "code": "odd_thing"}}, ensure_ascii=False
    ).encode()
    head = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\n" % status
    said: set[str] = set()
    cuts = list(range(1, len(body) + 1))
    async with answering(head, body, cuts) as port:
        client = ChatClient(make_config(base_url=f"http://127.0.0.1:{port}/v1", api_key="k"), "m")
        for _ in range(len(body)):
            with pytest.raises((CallRefused, TransientError, DsbuilderError)) as caught:
                async with aclosing(
                    client.stream(ChatRequest(messages=[{"role": "user", "content": "Hi"}]))
                ) as batches:
                    async for _ in batches:
                        pass
            said.add(str(caught.value))
        await client.close()
    assert cuts == [] and said and all("cöde 7: try again in 0.01s" in words for words in said)


async def test_a_400_in_two_parts_is_adapted_to(make_config: Configs) -> None:
    """The option that the error names is left out in the next request, wherever the error was parted."""
    refusal = {"error": {"message": "Unsupported parameter: 'response_format'", "param": "response_format"}}
    body = json.dumps(refusal).encode()
    request = ChatRequest(messages=[{"role": "user", "content": "Hi"}], schema={"type": "object", "properties": {}})
    async with FakeOpenAI() as fake:
        for cut in range(1, len(body)):
            fake.bodies.clear()
            refused = Reply(body, 400, cut=cut)
            fake.reply_for = lambda asked, _, refused=refused: refused if "response_format" in asked else None  # type: ignore[misc]
            client = ChatClient(make_config(base_url=fake.url, api_key="k"), "m")
            async with aclosing(client.stream(request)) as batches:
                assert [batch async for batch in batches]
            await client.close()
            first, *more = ["response_format" in asked for asked in fake.bodies]
            assert first and more and not more[-1], cut


async def test_a_list_of_models_in_two_parts_is_one_for_doctor(make_config: Configs) -> None:
    async with FakeOpenAI(models=("größer", "m")) as fake:
        config = make_config(base_url=fake.url, api_key="k", model="größer", worker_model="m")
        for cut in range(1, 90):
            fake.models_cut = cut
            found: list[str] = []
            async with aclosing(probe_endpoint(config)) as findings:
                async for finding in findings:
                    found.append(finding.words)
                    if len(found) == 3:
                        break
            assert found[1:] == ["m exists", "größer exists"], (cut, found)


async def test_a_model_list_in_two_parts() -> None:
    body = json.dumps({"data": [{"id": "tiny"}, {"id": "größer"}]}, ensure_ascii=False).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    cuts = list(range(1, len(body) + 1))
    async with answering(head, body, cuts) as port:
        for _ in range(len(body)):
            (found,) = await find_local_endpoints(20.0, servers=[("a server", port)])
            assert found.models == ("tiny", "größer")
    assert cuts == []
