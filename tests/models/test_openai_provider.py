"""The endpoint client against a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from pydantic import ValidationError

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.domain.errors import DsbuilderError, EndpointRefused, InputError
from dsbuilder_tui.generation.case_scanner import CaseScanner
from dsbuilder_tui.generation.ledger import Ledger
from dsbuilder_tui.generation.output_limit import OutputLimit
from dsbuilder_tui.generation.prompts import Prompter
from dsbuilder_tui.models.endpoint_errors import explain
from dsbuilder_tui.models.endpoint_probe import probe_endpoint
from dsbuilder_tui.models.error_report import read_body
from dsbuilder_tui.models.failure_table import failure_kind
from dsbuilder_tui.models.protocol import CallRefused, RequestTooLarge, StreamEnd, TransientError, WorkerRequest
from dsbuilder_tui.models.providers.openai import OpenAICompatibleModel
from tests.support import fake_agent as agent
from tests.support.fake_failures import NO_TOOLS
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]


@pytest.fixture
def request_for(make_plan: Plans) -> WorkerRequest:
    plan = make_plan(4)
    batch = Ledger(plan, 0, 3, ordered=False).lease(lambda _: 4, 1)
    assert batch
    return Prompter(plan, 0, OutputLimit(500)).request(batch.category, batch.slots, [])


async def said(model: OpenAICompatibleModel, request: WorkerRequest) -> tuple[str, StreamEnd, int]:
    text, end, scanner, count = "", None, CaseScanner(), 0
    async for piece in model.stream(request):
        if isinstance(piece, StreamEnd):
            end = piece
        else:
            text += piece
            count += len(scanner.feed(piece))
    assert end is not None
    return text, end, count


@pytest.mark.parametrize(
    "kind", ["ok", "crlf", "comments", "split_utf8", "no_done", "whole", "fenced", "prose", "trailing_commas"]
)
async def test_every_way_of_answering_well(
    kind: str, fake: FakeOpenAI, make_config: Configs, request_for: WorkerRequest
) -> None:
    fake.script = [kind]
    model = OpenAICompatibleModel(make_config(base_url=fake.url))
    text, end, count = await said(model, request_for)
    assert count == 4
    assert (end.finish_reason, end.usage.prompt_tokens, end.usage.known) == ("stop", 100, True)
    if kind == "split_utf8":
        assert "Où ☃ 🚀 where" in text
    await model.close()


async def test_what_is_sent(fake: FakeOpenAI, make_config: Configs, request_for: WorkerRequest) -> None:
    config = make_config(
        base_url=fake.url, api_key="sk-test", organization="org-1", project="proj-1", extra_headers={"X-Team": "evals"},
        worker_model="tiny", temperature=0.5,
    )  # fmt: skip
    model = OpenAICompatibleModel(config)
    await said(model, request_for)
    await model.close()
    body, headers = fake.bodies[0], fake.headers[0]
    assert headers["authorization"] == "Bearer sk-test"
    assert (headers["openai-organization"], headers["openai-project"], headers["x-team"]) == (
        "org-1",
        "proj-1",
        "evals",
    )
    assert (body["model"], body["stream"], body["stream_options"]) == ("tiny", True, {"include_usage": True})
    assert (body["temperature"], body["max_tokens"]) == (0.5, request_for.max_tokens)
    schema = body["response_format"]["json_schema"]["schema"]["properties"]["cases"]["items"]
    assert schema["required"] == ["slot", "inputs", "expectations"]
    assert schema["properties"]["inputs"]["properties"]["query"]["type"] == "string"
    assert "sk-test" not in json.dumps(body)


async def test_without_a_key_no_authorization_is_sent(
    fake: FakeOpenAI, make_config: Configs, request_for: WorkerRequest
) -> None:
    model = OpenAICompatibleModel(make_config(base_url=fake.url))
    await said(model, request_for)
    await model.close()
    assert "authorization" not in fake.headers[0]


@pytest.mark.parametrize(
    ("kind", "option", "instead"),
    [
        ("reject_schema", "response_format", {"type": "json_object"}),
        ("reject_stream_options", "stream_options", None),
        ("reject_max_tokens", "max_tokens", None),
    ],
)
async def test_options_that_a_server_rejects_are_dropped_for_good(
    kind: str, option: str, instead: object, fake: FakeOpenAI, make_config: Configs, request_for: WorkerRequest
) -> None:
    model = OpenAICompatibleModel(make_config(base_url=fake.url))
    fake.script = [kind]
    assert (await said(model, request_for))[2] == 4
    assert (await said(model, request_for))[2] == 4
    await model.close()
    assert len(fake.bodies) == 3
    assert option in fake.bodies[0]
    assert [body.get(option) for body in fake.bodies[1:]] == [instead, instead]
    if kind == "reject_max_tokens":
        assert fake.bodies[1]["max_completion_tokens"] == request_for.max_tokens


@pytest.mark.parametrize(
    ("kind", "expected", "words"),
    [
        ("rate_limit", TransientError, "Rate limit"),
        ("server_error", TransientError, "HTTP 500"),
        ("reset_early", TransientError, "connection"),
        ("error_mid", TransientError, "overloaded"),
        ("not_json", EndpointRefused, "no chat completions service"),
        ("half_json", TransientError, "not a chat completion"),
        ("unauthorized", EndpointRefused, "Set OPENAI_API_KEY"),
        ("no_model", EndpointRefused, "--worker-model"),
        ("no_quota", EndpointRefused, "no quota left"),
        ("too_large", RequestTooLarge, "smaller batch_size"),
    ],
)
async def test_refusals_mean_something(
    kind: str, expected: type[Exception], words: str, fake: FakeOpenAI, make_config: Configs, request_for: WorkerRequest
) -> None:
    fake.script = [kind]
    model = OpenAICompatibleModel(make_config(base_url=fake.url, api_key="sk-canary-12345"))
    with pytest.raises(expected) as caught:
        await said(model, request_for)
    await model.close()
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)
    if kind == "rate_limit":
        assert isinstance(caught.value, TransientError) and caught.value.retry_after == 0.05


async def test_silence_ends_in_a_time_out(fake: FakeOpenAI, make_config: Configs, request_for: WorkerRequest) -> None:
    model = OpenAICompatibleModel(make_config(base_url=fake.url, request_timeout=0.2))
    for kind in ("hang", "hang_mid"):
        fake.script = [kind]
        with pytest.raises(TransientError) as caught:
            await said(model, request_for)
        assert caught.value.kind == "timeout"
    await model.close()


async def test_nobody_listens(make_config: Configs, request_for: WorkerRequest) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
    model = OpenAICompatibleModel(make_config(base_url=url))
    with pytest.raises(TransientError) as caught:
        await said(model, request_for)
    await model.close()
    assert caught.value.kind == "connection" and url in caught.value.detail


async def test_connections_are_used_again(fake: FakeOpenAI, make_config: Configs, request_for: WorkerRequest) -> None:
    model = OpenAICompatibleModel(make_config(base_url=fake.url))
    for _ in range(5):
        await said(model, request_for)
    assert len(fake._handlers) == 1
    await model.close()


async def test_proxies_from_the_environment(
    make_config: Configs, request_for: WorkerRequest, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://user:pass%20word@127.0.0.1:{fake.port}")
    monkeypatch.setenv("no_proxy", "exempt.invalid")
    model = OpenAICompatibleModel(make_config(base_url="http://llm.invalid/v1"))
    assert (await said(model, request_for))[2] == 4  # the fake took the request as a proxy does
    await model.close()
    assert fake.headers[0]["host"] == "llm.invalid"
    assert fake.headers[0]["proxy-authorization"] == "Basic dXNlcjpwYXNzIHdvcmQ="
    exempt = OpenAICompatibleModel(make_config(base_url="http://exempt.invalid/v1", connect_timeout=1))
    with pytest.raises(TransientError):
        await said(exempt, request_for)
    await exempt.close()
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    with pytest.raises(InputError, match="not an HTTP proxy"):
        OpenAICompatibleModel(make_config(base_url="http://llm.invalid/v1"))


async def test_certificates_are_checked(
    tmp_path: Path, make_config: Configs, request_for: WorkerRequest, fake: FakeOpenAI
) -> None:
    pem, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(pem))
    key.write_text("no certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = await asyncio.start_server(fake._serve, "localhost", 0, ssl=context)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}/v1"
    doubtful = OpenAICompatibleModel(make_config(base_url=url))
    with pytest.raises(EndpointRefused, match="not trusted"):
        await said(doubtful, request_for)
    await doubtful.close()
    for settings in ({"ca_bundle": pem}, {"verify_tls": False}):
        model = OpenAICompatibleModel(make_config(base_url=url, **settings))
        assert (await said(model, request_for))[2] == 4
        await model.close()
    with pytest.raises(InputError, match="ca_bundle"):
        OpenAICompatibleModel(make_config(base_url=url, ca_bundle=key))
    server.close()


@pytest.mark.parametrize(
    "event",
    [
        {"choices": [None]}, {"choices": ["x"]}, {"choices": [{"delta": "x"}]}, {"choices": [{"delta": {"content": 5}}]},
        {"choices": [{"delta": {"refusal": True}}]}, {"choices": [{"delta": None, "finish_reason": 7}]}, {"usage": "much"},
        {"choices": [{"delta": {"content": [{"text": "{}"}, "x", {"text": None}]}}]}, [], "x", 7, {"error": ["x"]},
    ],
)  # fmt: skip
async def test_odd_events_end_no_run(event: object, make_config: Configs, request_for: WorkerRequest) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n".encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    model = OpenAICompatibleModel(make_config(base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"))
    try:
        await said(model, request_for)
    except TransientError as error:
        assert error.kind == "server"
    await model.close()
    server.close()


async def test_comments_do_not_hide_silence(make_config: Configs, request_for: WorkerRequest) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        try:
            for _ in range(300):
                writer.write(b": ping\n\n")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            return

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    model = OpenAICompatibleModel(make_config(base_url=url, request_timeout=0.2))
    with pytest.raises(TransientError) as caught:
        await asyncio.wait_for(said(model, request_for), 5)
    assert caught.value.kind == "timeout"
    await model.close()
    server.close()


async def test_a_login_in_the_address_is_sent_and_never_shown(
    fake: FakeOpenAI, make_config: Configs, request_for: WorkerRequest
) -> None:
    url = fake.url.replace("http://", "http://me:hunter2@")
    model = OpenAICompatibleModel(make_config(base_url=url))
    await said(model, request_for)
    assert fake.headers[0]["authorization"] == "Basic bWU6aHVudGVyMg=="
    fake.script = ["no_model"]
    with pytest.raises(EndpointRefused) as caught:
        await said(model, request_for)
    assert "hunter2" not in str(caught.value)
    await model.close()
    config = make_config(base_url=url)
    assert config.explicit["base_url"] == fake.url
    assert "hunter2" not in repr(config)


def test_openai_itself_needs_a_key(make_config: Configs) -> None:
    with pytest.raises(EndpointRefused, match="Set OPENAI_API_KEY"):
        OpenAICompatibleModel(make_config(provider="openai"))
    with pytest.raises(ValidationError, match="names no host"):
        OpenAICompatibleModel(make_config(base_url="http://[::1/v1"))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, "the request exceeds the available context size", RequestTooLarge),
        (400, "Maximum Context Length is 8192", RequestTooLarge),
        (500, "context canceled, content-length mismatch", TransientError),
        (400, '{"error": {"code": "content_filter", "message": "filtered"}}', CallRefused),
        (403, "no", EndpointRefused), (404, "nothing here", EndpointRefused), (418, "tea", CallRefused),
        (503, "", TransientError), (408, "", TransientError),
    ],
)  # fmt: skip
def test_what_a_status_means(status: int, body: str, kind: type[Exception]) -> None:
    report = read_body(body.encode(), status)
    assert type(explain(report, failure_kind(report), "m", "http://x/v1")) is kind


async def probed(config: DatasetBuilderConfig) -> dict[str, tuple[DsbuilderError | None, str]]:
    return {found.name: (found.problem, found.words) async for found in probe_endpoint(config)}


async def test_azure_has_its_version_at_the_end_and_its_key_in_a_header_of_its_own(
    fake: FakeOpenAI, make_config: Configs, request_for: WorkerRequest
) -> None:
    for url, header in (
        (f"{fake.url}?api-version=2024-10-21", "api-key"), (f"{fake.url}/", "authorization"),
        (f"{fake.url}/chat/completions", "authorization"),
    ):  # fmt: skip
        model = OpenAICompatibleModel(make_config(base_url=url, api_key="az-0123456789"))
        assert (await said(model, request_for))[2] == 4
        await model.close()
        assert fake.paths[-1] == "/v1/chat/completions" + ("?api-version=2024-10-21" if "?" in url else "")
        assert "az-0123456789" in fake.headers[-1][header]
        assert ("authorization" in fake.headers[-1]) == (header == "authorization")


async def test_the_probe(fake: FakeOpenAI, make_config: Configs) -> None:
    found = await probed(make_config(base_url=fake.url))
    assert all(problem is None for problem, _ in found.values())
    assert found["JSON schema"][1] == "honoured"
    fake.script = ["no_model"]
    found = await probed(make_config(base_url=fake.url, worker_model="nope"))
    assert "nope is not among" in str(found["worker model"][0])
    assert "cannot be reached" not in str(found["worker model"][0])
    assert found["main model"][1] and "not exist" in str(found["completion"][0])
    fake.script = ["reject_schema"]
    assert "not supported" in (await probed(make_config(base_url=fake.url)))["JSON schema"][1]
    fake.script = ["unauthorized"]
    assert "does not accept the API key" in str((await probed(make_config(base_url=fake.url)))["key"][0])
    assert "cannot be reached" in str((await probed(make_config(base_url="http://127.0.0.1:9/v1")))["endpoint"][0])


async def test_a_server_of_one_model_takes_it_by_any_name(fake: FakeOpenAI, make_config: Configs) -> None:
    """It lists its file's name, and answers whoever is asked for."""
    for models in ({"worker_model": "nope"}, {"model": "nope"}, {"model": "nope", "worker_model": "nope"}):
        found = [found async for found in probe_endpoint(make_config(base_url=fake.url, **models))]
        named = [each for each in found if each.name in ("worker model", "main model")]
        unlisted = [each for each in named if "not in the endpoint's list, and answers" in each.words]
        assert len(named) == 2 and len(unlisted) == len(models), named
        assert all(each.problem is None for each in found) and not any(each.certain for each in unlisted)


async def test_the_probe_asks_again_when_a_connection_broke(fake: FakeOpenAI, make_config: Configs) -> None:
    fake.script = ["ok", "reset"]
    found = await probed(make_config(base_url=fake.url))
    assert found["output limit"][0] is None


async def test_the_probe_says_yes_only_to_what_it_has_seen(fake: FakeOpenAI, make_config: Configs) -> None:
    config = make_config(base_url=fake.url, model="gpt-4o", max_workers=4)

    async def certain() -> dict[str, bool | None]:
        return {found.name: found.certain if not found.problem else None async for found in probe_endpoint(config)}

    fake.agent_script[:] = [agent.calls(("save_answer", {"answer": "yes"}))]
    found = await certain()
    assert all(found[name] for name in ("completion", "JSON schema", "usage", "tool call", "parallel calls"))
    assert (await certain())["output limit"] is False  # the fake one does not keep to it
    assert (await certain())["tool call"] is False  # it answers in words
    fake.agent_script[:] = [NO_TOOLS["ollama"]]
    assert (await certain())["tool call"] is None
    fake.rates = {"no_usage": 1.0}
    assert (await certain())["usage"] is False
    fake.rates = {"truncated": 1.0}
    found = await certain()
    assert found["output limit"] is True and found["JSON schema"] is False
    fake.rates, fake.script = {}, ["ok", "ok", "ok", "server_error"]
    assert (await certain())["parallel calls"] is False
    fake.rates, fake.script = {}, ["server_error"]
    assert (await certain())["completion"] is None


async def test_limits_in_headers_are_named(fake: FakeOpenAI, make_config: Configs) -> None:
    fake.told_headers = {
        "x-ratelimit-limit-requests": "600", "x-ratelimit-remaining-requests": "599", "x-ratelimit-reset-requests": "100ms",
        "x-ratelimit-limit-tokens": "90000", "x-ratelimit-remaining-tokens": "89000", "x-ratelimit-reset-tokens": "1s",
    }  # fmt: skip
    found = {each.name: each.words async for each in probe_endpoint(make_config(base_url=fake.url))}
    assert found["limits"] == "600 requests, 90,000 tokens are told of in headers, and kept to"
    fake.told_headers = {}
    assert "limits" not in {each.name async for each in probe_endpoint(make_config(base_url=fake.url))}
