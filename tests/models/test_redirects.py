"""What was sent to one address is sent to no other one, wherever that address points."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.domain.errors import DsbuilderError, EndpointRefused
from dsbuilder_tui.models.chat_client import ChatClient
from dsbuilder_tui.models.chat_options import ChatRequest
from dsbuilder_tui.models.embeddings import EndpointEmbeddings
from dsbuilder_tui.models.endpoint_probe import probe_endpoint
from dsbuilder_tui.models.local_servers import find_local_endpoints
from dsbuilder_tui.models.protocol import TransientError
from tests.support.bystander import Bystander, json_response, redirect
from tests.support.process import command

Configs = Callable[..., DatasetBuilderConfig]

COMPLETION = '{"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}'
PRIVATE = {"api_key": "sk-canary-777", "organization": "org-canary", "extra_headers": {"X-Team": "canary-team"}}


async def chat(config: DatasetBuilderConfig) -> None:
    client = ChatClient(config, "m")
    try:
        async with aclosing(
            client.stream(ChatRequest(messages=[{"role": "user", "content": "canary-prompt"}]))
        ) as batches:
            async for _ in batches:
                pass
    finally:
        await client.close()


async def embed(config: DatasetBuilderConfig) -> None:
    asker = EndpointEmbeddings(config)
    try:
        await asker.embed(["canary-prompt"])
    finally:
        await asker.close()


async def probe(config: DatasetBuilderConfig) -> None:
    problems = [finding.problem async for finding in probe_endpoint(config) if finding.problem]
    if problems:
        raise problems[0]


@pytest.mark.parametrize("asks", [chat, embed, probe])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("keyed", [True, False])
async def test_no_redirect_to_another_origin_is_followed(
    asks: Callable[[DatasetBuilderConfig], Awaitable[None]], status: int, keyed: bool, make_config: Configs
) -> None:
    async with Bystander() as other, Bystander(lambda path: redirect(status, f"{other.url}/x?sk-canary-777")) as named:
        config = make_config(
            provider="openai", base_url=named.url, embedding_model="e5", max_retries=0, **(PRIVATE if keyed else {})
        )
        with pytest.raises(EndpointRefused, match=f"another address, http://127.0.0.1:{other.port}") as refused:
            await asks(config)
        assert named.connections and not other.connections
        assert "canary" not in str(refused.value)


@pytest.mark.parametrize("form", ["//127.0.0.1:{port}/v1", "http://localhost:{port}/v1", "https://127.0.0.1:{port}/v1"])
@pytest.mark.parametrize("asks", [chat, embed, probe])
async def test_nor_in_any_other_form_or_after_a_step_at_home(
    asks: Callable[[DatasetBuilderConfig], Awaitable[None]], form: str, make_config: Configs
) -> None:
    async with Bystander() as other:

        def answer(path: str) -> bytes:
            home = redirect(307, path.replace("/v1", "/v2"))
            return home if path.startswith("/v1") else redirect(307, form.format(port=other.port))

        async with Bystander(answer) as named:
            config = make_config(provider="openai", base_url=named.url, embedding_model="e5", max_retries=0, **PRIVATE)
            with pytest.raises(EndpointRefused, match="another address"):
                await asks(config)
        assert b"/v2/" in named.heard and not other.connections


@pytest.mark.parametrize("form", ["/v2/chat/completions", "http://127.0.0.1:{port}/v2/chat/completions"])
async def test_one_on_the_same_origin_is(form: str, make_config: Configs) -> None:
    async with Bystander(
        lambda path: (
            json_response(COMPLETION) if path.startswith("/v2") else redirect(308, form.format(port=named.port))
        )
    ) as named:
        await chat(make_config(base_url=named.url, **PRIVATE))
        assert named.heard.count(b"canary-prompt") == 2


@pytest.mark.parametrize("to", ["", "ftp://127.0.0.1/x", "http://[", "javascript:1"])
async def test_one_that_leads_nowhere_is_an_error_in_words(to: str, make_config: Configs) -> None:
    async with Bystander(lambda path: redirect(307, to)) as named:
        with pytest.raises((DsbuilderError, TransientError)) as caught:
            await chat(make_config(base_url=named.url, **PRIVATE))
        assert "canary" not in str(caught.value)


async def test_the_search_for_local_servers_follows_none() -> None:
    async with Bystander(lambda path: json_response('{"data": []}')) as other:
        async with Bystander(lambda path: redirect(307, f"{other.url}/models")) as named:
            assert await find_local_endpoints(2, servers=[("A", named.port)]) == []
        assert named.connections and not other.connections


async def test_a_run_and_the_doctor_say_where_it_points(make_config: Configs) -> None:
    plan = "dataset_name: shop\ncategories:\n  - {name: orders, count: 3, example_inputs: canary-prompt}\n"
    Path("plan.yaml").write_text(plan)
    env = {"OPENAI_API_KEY": "sk-canary-777"}
    async with Bystander() as other, Bystander(lambda path: redirect(307, other.url)) as named:
        for words in (["run", "plan.yaml", "--base-url", named.url], ["doctor", "--base-url", named.url]):
            done = await asyncio.to_thread(command, *words, cwd=Path.cwd(), env=env)
            said = done.stdout + done.stderr
            assert done.returncode == 5 and f"redirects to another address, http://127.0.0.1:{other.port}" in said
            assert "canary-777" not in said
        assert named.connections and not other.connections
