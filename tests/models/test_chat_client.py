"""The chat client against a real server: what it asks again, what it remembers, and what it never sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.domain.errors import EndpointRefused
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.chat_answer import choices_of, read_choice
from dsbuilder_tui.models.chat_client import ChatClient
from dsbuilder_tui.models.chat_options import ChatOption, ChatOptions, ChatRequest, OptionMemory
from dsbuilder_tui.models.error_report import read_body
from dsbuilder_tui.models.failure_table import failure_kind
from dsbuilder_tui.models.protocol import TransientError
from tests.support import fake_agent as model
from tests.support.fake_openai import FakeOpenAI

Configs = Callable[..., DatasetBuilderConfig]
TOOLS = {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}


def asking(text: str = "Hello", **more: Any) -> ChatRequest:
    return ChatRequest(messages=[{"role": "user", "content": text}], more=TOOLS, **more)


async def words(client: ChatClient, request: ChatRequest) -> str:
    said = ""
    async with aclosing(client.stream(request)) as batches:
        async for batch in batches:
            said += "".join(read_choice(choice)[0] for message in batch for choice in choices_of(message))
    return said


async def test_a_failure_that_passes_is_tried_again_and_told(fake: FakeOpenAI, make_config: Configs) -> None:
    waits: list[tuple[FailureKind, str]] = []

    async def told(error: TransientError, wait: float) -> None:
        waits.append((error.kind, error.detail))

    client = ChatClient(make_config(base_url=fake.url), "m", retries=2, waits=told)
    fake.agent_script[:] = [
        model.status(429, "Slow down", retry_after="0.01"), model.status(503, "Busy", retry_after="0.01"), model.says("Hi."),
    ]  # fmt: skip
    assert await words(client, asking()) == "Hi."
    assert waits == [(FailureKind.RATE_LIMIT, "Slow down"), (FailureKind.SERVER, "HTTP 503: Busy")]
    fake.agent_script[:] = [model.status(500, f"no {n}", retry_after="0") for n in range(3)]
    with pytest.raises(TransientError, match="no 2"):
        await words(client, asking())
    await client.close()


async def test_what_cannot_pass_or_asks_for_too_long_a_wait_is_asked_once(
    fake: FakeOpenAI, make_config: Configs
) -> None:
    client = ChatClient(make_config(base_url=fake.url), "m", retries=5)
    for answer, kind in (
        (model.status(429, "No money", "insufficient_quota"), EndpointRefused),
        (model.status(429, "Come back in an hour", retry_after="3600"), TransientError),
    ):
        fake.agent_script[:] = [answer, model.says("never")]
        with pytest.raises(kind):
            await words(client, asking())
        assert len(fake.agent_script) == 1
    await client.close()


async def test_an_answer_that_has_begun_is_not_asked_for_again(fake: FakeOpenAI, make_config: Configs) -> None:
    """Its words are out already; a second answer would say them twice."""
    client = ChatClient(make_config(base_url=fake.url), "m", retries=5)
    fake.agent_script[:] = [model.error_mid("So far", "overloaded"), model.says("never")]
    seen = ""
    with pytest.raises(TransientError, match="overloaded"):
        async with aclosing(client.stream(asking())) as batches:
            async for batch in batches:
                seen += "".join(read_choice(choice)[0] for message in batch for choice in choices_of(message))
    assert seen == "So far" and len(fake.agent_script) == 1
    await client.close()


async def test_what_was_refused_is_remembered_for_the_next_client_of_the_same_model_only(
    fake: FakeOpenAI, make_config: Configs
) -> None:
    def strict(body: dict[str, Any]) -> model.Answer:
        if "temperature" in body:
            return model.status(400, "Unsupported value: temperature")
        return model.says("Hi.")

    memory = OptionMemory()
    for name in ("m", "m", "other"):
        fake.agent_script[:] = [strict, strict]
        client = ChatClient(make_config(base_url=fake.url), name, options=memory)
        assert await words(client, asking(temperature=0.5)) == "Hi."
        await client.close()
    sent = [(body["model"], "temperature" in body) for body in fake.agent_bodies]
    assert sent == [("m", True), ("m", False), ("m", False), ("other", True), ("other", False)]


async def test_half_a_surrogate_pair_is_sent_as_a_question_mark(fake: FakeOpenAI, make_config: Configs) -> None:
    client = ChatClient(make_config(base_url=fake.url), "m")
    fake.agent_script[:] = [model.says("Hi.")]
    assert await words(client, asking("broken \ud83d here")) == "Hi."
    assert fake.agent_bodies[0]["messages"][0]["content"] == "broken ? here"
    await client.close()


async def test_a_stream_that_is_left_frees_its_connection(fake: FakeOpenAI, make_config: Configs) -> None:
    client = ChatClient(make_config(base_url=fake.url), "m")
    fake.agent_script[:] = [model.hang_mid("some words"), model.says("Hi.")]
    async with aclosing(client.stream(asking())) as batches:
        await anext(batches)
    assert await asyncio.wait_for(words(client, asking()), 10) == "Hi."
    await client.close()


def refuses(options: ChatOptions, status: int, said: str, request: ChatRequest, used: frozenset[ChatOption]) -> bool:
    report = read_body(said.encode(), status)
    return options.refuse(report, failure_kind(report), request, used)


def test_each_schema_is_written_as_itself() -> None:
    """Also when an object gets the id of one that is gone."""
    options = ChatOptions("http://x/v1", "m")
    for n in range(200):
        schema = {"type": "string", "title": str(n), "maxLength": 5}
        request = ChatRequest(messages=[], schema=schema)
        body = json.loads(options.body(request, options.for_request(request)))
        assert body["response_format"]["json_schema"]["schema"] == schema
        bare = json.loads(options.body(request, frozenset({ChatOption.JSON_SCHEMA})))
        assert "maxLength" not in bare["response_format"]["json_schema"]["schema"]
        del schema, request


@pytest.mark.parametrize(
    ("said", "dropped", "instead"),
    [
        ("response_format is not supported", ChatOption.JSON_SCHEMA, ChatOption.JSON_OBJECT),
        ("use max_completion_tokens, not max_tokens", ChatOption.MAX_TOKENS, ChatOption.MAX_COMPLETION_TOKENS),
        ("unknown keyword: maxLength", ChatOption.MAX_LENGTH, None),
    ],
)
def test_a_refused_option_is_left_out_or_replaced(said: str, dropped: ChatOption, instead: ChatOption | None) -> None:
    options = ChatOptions("http://x/v1", "m")
    request = ChatRequest(messages=[], schema={"type": "string"}, max_tokens=5)
    used = options.for_request(request)
    assert dropped in used and refuses(options, 400, said, request, used)
    now = options.for_request(request)
    assert now == (used - {dropped}) | ({instead} if instead else set())
    assert not refuses(options, 500, said, request, now) and not refuses(options, 400, "no idea", request, now)
    assert not refuses(options, 400, f"context length exceeded; {said}", request, now)
