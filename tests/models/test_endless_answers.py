"""Answers that do not end: every call does, and no body is kept beyond its limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.domain.errors import DsbuilderError, EndpointUnavailable
from dsbuilder_tui.models.chat_client import ChatClient
from dsbuilder_tui.models.chat_options import ChatRequest
from dsbuilder_tui.models.embeddings import EndpointEmbeddings
from dsbuilder_tui.models.error_report import read_body, retry_after_seconds
from dsbuilder_tui.models.protocol import CallRefused, TransientError
from dsbuilder_tui.models.sse import MOST_EVENT_BYTES, EventStreamDecoder
from dsbuilder_tui.models.tool_call_text import find_calls
from tests.support.fake_agent import Reply
from tests.support.fake_openai import FakeOpenAI

Configs = Callable[..., DatasetBuilderConfig]


async def asked(url: str, make_config: Configs, **settings: Any) -> None:
    client = ChatClient(make_config(base_url=url, **settings), "m")
    try:
        async with aclosing(client.stream(ChatRequest(messages=[{"role": "user", "content": "Hello"}]))) as batches:
            async for _ in batches:
                pass
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("flood_line", "longer than 8 MB"), ("flood_data_lines", "longer than 8 MB"), ("flood_json", "longer than 4 MB"),
        ("flood_packed", "longer than 4 MB"), ("flood_space", "white space"), ("flood_thoughts", "beyond 64 MB"),
    ],
)  # fmt: skip
async def test_a_flood_ends_at_its_limit(kind: str, words: str, fake: FakeOpenAI, make_config: Configs) -> None:
    fake.script = [kind]
    with pytest.raises(TransientError, match=words):
        await asked(fake.url, make_config)


@pytest.mark.parametrize("kind", ["flood_error", "flood_packed_error"])
async def test_an_error_without_end_is_an_error(kind: str, fake: FakeOpenAI, make_config: Configs) -> None:
    fake.script = [kind] * 9  # it is asked again with fewer options
    with pytest.raises((CallRefused, TransientError, DsbuilderError)) as caught:
        await asked(fake.url, make_config)
    assert len(str(caught.value)) < 3000


DEEP = [("[", "]"), ('{"error":', "}"), ('{"choices":[', "]}"), ('{"choices":[{"delta":{"content":[', "]}}]}")]


@pytest.mark.parametrize("around", ["data: %s\n\n", "%s", '{"choices": [{"delta": {"content": %s}}]}\n{"choices": []}'])
@pytest.mark.parametrize(("opened", "closed"), DEEP)
@pytest.mark.parametrize("depth", [120, 240, 900])
async def test_an_answer_that_is_nested_as_none_is(
    around: str, opened: str, closed: str, depth: int, fake: FakeOpenAI, make_config: Configs
) -> None:
    for status in (200, 401, 500):
        body = around % (opened * depth + "1" + closed * depth)
        fake.reply_for = lambda *_, body=body, status=status: Reply(body, status)  # type: ignore[misc]
        with pytest.raises((CallRefused, TransientError, DsbuilderError)):
            await asked(fake.url, make_config)


@pytest.mark.parametrize("kind", ["trickle_thoughts", "trickle_comments", "trickle_empty"])
async def test_a_call_that_is_kept_alive_ends_all_the_same(kind: str, fake: FakeOpenAI, make_config: Configs) -> None:
    fake.script = [kind]
    with pytest.raises(TransientError, match="call_timeout") as caught:
        await asked(fake.url, make_config, call_timeout=0.5)
    assert caught.value.kind == "timeout"


@pytest.mark.parametrize("kind", ["flood_line", "flood_json", "flood_packed", "trickle_comments"])
async def test_embeddings_without_end(kind: str, make_config: Configs) -> None:
    async with FakeOpenAI(embedding_script=[kind]) as fake:
        config = make_config(
            base_url=fake.url,
            embedding_model="e5",
            max_retries=0,
            call_timeout=0.5 if kind.startswith("trickle") else 60,
        )
        asker = EndpointEmbeddings(config)
        with pytest.raises(EndpointUnavailable, match="call_timeout" if kind == "trickle_comments" else "16 MB"):
            await asker.embed(["a"])
        await asker.close()


@pytest.mark.parametrize("piece", [b"x", b"data: x\n", b": c\n"])
def test_what_never_becomes_an_event_is_bounded(piece: bytes) -> None:
    decoder = EventStreamDecoder()
    decoder.feed(b"data: ")
    try:
        for _ in range(MOST_EVENT_BYTES // 2**16 * 5 // 4):
            assert decoder.feed(piece * (2**16 // len(piece))) == []
    except TransientError:
        assert piece in (b"x", b"data: x\n")
    else:
        assert piece == b": c\n"


def test_a_line_in_a_million_pieces_is_joined_once() -> None:
    decoder = EventStreamDecoder()
    for byte in (b"data: ", *(b"x",) * 1_000_000):
        assert decoder.feed(byte) == []
    assert decoder.feed(b"\n\n") == [b"x" * 1_000_000]


@pytest.mark.parametrize(
    "body",
    [
        b"wait" + b" " * 65_000, b"retry " * 10_000, b"<title>" * 9_000, b"<" * 65_000, b"<html>" + b"<h1" * 20_000,
        b'{"error": {"code": "' + b"9" * 60_000 + b'"}}', '{"code": "²", "message": "x"}'.encode(),
        b'{"message": "wait' + b" " * 60_000 + b'"}', b'{"retryDelay": "' + b"1." * 30_000 + b'"}',
        b"[" * 60_000, b'{"error":' * 900 + b"1" + b"}" * 900,
    ],
)  # fmt: skip
def test_an_error_of_any_shape_is_read(body: bytes) -> None:
    assert len(read_body(body, 400).message) <= 1100


@pytest.mark.parametrize("value", ["1" * 60_000 + "x", "1h" * 30_000, " " * 60_000, "." * 60_000, "9" * 400])
def test_a_wait_of_any_length_is_read(value: str) -> None:
    assert retry_after_seconds({"retry-after": value}) is None


def test_brackets_that_begin_nothing_are_not_tried_for_ever() -> None:
    call = '{"name": "save", "arguments": {"a": 1}}'
    for before in ("[ ", '{"a": ', "[1, x ", "{ ", '["', '["\\"', '{"', "[[1], ", "[x" + "9" * 5_000 + "]"):
        assert find_calls(before * 2_000 + '"\n' + call, ["save"]).calls == [("save", {"a": 1})], before
    assert find_calls(f"[{'9' * 5_000}] {call}", ["save"]).calls == [("save", {"a": 1})]


async def test_many_calls_at_once_hold_no_more_than_some_can(make_config: Configs) -> None:
    """Each is within its own limit; what all hold together has one, and little is let through all the same."""
    async with FakeOpenAI(rates={"flood_line": 1.0}) as fake:
        client = ChatClient(make_config(base_url=fake.url), "m")

        async def ask() -> str:
            request = ChatRequest(messages=[{"role": "user", "content": "Hello"}])
            with pytest.raises(TransientError) as caught:
                async with aclosing(client.stream(request)) as batches:
                    async for _ in batches:
                        pass
            return str(caught.value)

        said = await asyncio.gather(*(ask() for _ in range(24)))
        assert any("hold more than 48 MB" in words for words in said) and client.endpoint.held.total == 0
        fake.rates = {}
        fake.script = ["ok"]
        async with aclosing(client.stream(ChatRequest(messages=[{"role": "user", "content": "Hello"}]))) as batches:
            assert [batch async for batch in batches]
        await client.close()
