"""Any endpoint that speaks OpenAI's chat completions: OpenAI, Ollama, LM Studio, vLLM, llama.cpp and others.

Streams are read with aiohttp and orjson: at one token a chunk, a full client library spends whole cores on parsing.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.errors import EndpointRefused, InputError
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.models.address import address_of, tls_of
from dsbuilder_tui.models.endpoint_errors import explain_error, explain_status, is_too_large, retry_after_seconds
from dsbuilder_tui.models.protocol import StreamEnd, TransientError, WorkerRequest
from dsbuilder_tui.models.sse import EventStreamDecoder
from dsbuilder_tui.settings.schema import OPENAI_URL, DatasetBuilderConfig

_MOST_ERROR_BYTES = 64 * 1024
_MOST_BODY_BYTES = 32 * 1024 * 1024
_LINGER = 0.2  # seconds for the end of a stream to arrive after [DONE]


class Endpoint:
    """An HTTP session for one endpoint: address, headers, certificates, proxies from the environment, time-outs."""

    def __init__(self, config: DatasetBuilderConfig) -> None:
        self.address = address_of(config)
        self.url = self.address.url
        headers = {
            "Content-Type": "application/json", "Accept": "text/event-stream, application/json", **self.address.headers,
        }  # fmt: skip
        proxy, proxy_login = _proxy(self.url)
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls_of(config), ttl_dns_cache=60),
            headers=headers,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=config.connect_timeout, sock_read=config.request_timeout
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        # A proxy takes its login from the CONNECT for https, and from the request itself for http.
        over_tls = self.url.startswith("https:")
        self._via: dict[str, Any] = {
            "proxy": proxy, "proxy_headers": proxy_login if over_tls else None,
            "headers": None if over_tls else proxy_login,
        }  # fmt: skip

    async def close(self) -> None:
        await self._http.close()

    def redact(self, text: str) -> str:
        """The text without any secret that a server may have echoed."""
        return self.address.redact(text)

    def post(self, path: str, body: bytes) -> Any:
        return self._http.post(self.url + path, data=body, **self._via)

    async def get_json(self, path: str) -> tuple[int, Any]:
        """Status and parsed body (None when it is not JSON). Raises ``TransientError`` or ``EndpointRefused``."""
        try:
            async with self._http.get(self.url + path, **self._via) as response:
                body = await response.content.read(_MOST_BODY_BYTES)
                return response.status, _loads(body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self.network_error(error) from None

    def network_error(self, error: Exception) -> Exception:
        """What a failed connection means: a ``TransientError``, or ``EndpointRefused`` when trying again is no use."""
        system = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else None
        detail = self.redact((system.strerror if system else "") or str(error) or type(error).__name__)
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return EndpointRefused(
                f"The certificate of {self.url} is not trusted: {detail}.",
                "Name your certificate authority with ca_bundle, or (at your own risk) set verify_tls to false.",
            )
        if isinstance(error, aiohttp.ClientSSLError):
            return EndpointRefused(
                f"{self.url} does not speak TLS as it should: {detail}.", "Is it an http:// address?"
            )
        if isinstance(error, aiohttp.InvalidURL):
            return EndpointRefused(f"{self.url!r} is not an address.", "Set base_url, for example http://host:8000/v1.")
        if isinstance(error, TimeoutError):
            return TransientError("timeout", "no answer from the endpoint in time")
        return TransientError("connection", f"connection to {self.url} failed: {detail}")


class OpenAICompatibleModel:
    """Streams worker calls from one endpoint, learning on the way which options it does not know."""

    provider = "openai"
    ordered = False

    def __init__(self, config: DatasetBuilderConfig, name: str | None = None) -> None:
        self.name = name or config.worker_model
        self._endpoint = Endpoint(config)
        self._temperature = config.temperature
        # Each of these is dropped for good as soon as the endpoint rejects it.
        self._options = {"response_format", "stream_options", "max_tokens"}
        # OpenAI's strict schemas take no maxLength; small local models without one may write white space for ever.
        if self._endpoint.url != OPENAI_URL:
            self._options.add("max_length")
        self._schemas: dict[tuple[int, bool], orjson.Fragment] = {}
        self._patience = config.request_timeout
        if config.temperature is not None:
            self._options.add("temperature")

    async def close(self) -> None:
        await self._endpoint.close()

    def check(self, plan: DatasetPlanInput) -> list[tuple[str, str]]:
        return []

    async def stream(self, request: WorkerRequest) -> AsyncIterator[str | StreamEnd]:
        end: StreamEnd | None = None
        try:
            while True:
                used = frozenset(self._options)
                async with self._endpoint.post("/chat/completions", self._body(request, used)) as response:
                    if response.status != 200:
                        body = await response.content.read(_MOST_ERROR_BYTES)
                        if self._adapt(response.status, body, used):
                            continue
                        raise explain_status(
                            response.status,
                            self._endpoint.redact(body.decode("utf-8", "replace")),
                            self.name,
                            self._endpoint.url,
                            retry_after_seconds(response.headers),
                        )
                    if "text/event-stream" in response.headers.get("Content-Type", ""):
                        async for piece in self._events(response):
                            if isinstance(piece, StreamEnd):
                                end = piece
                            else:
                                yield piece
                    else:
                        text, end = self._whole(await _read_all(response))
                        yield text
                    break
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._endpoint.network_error(error) from None
        yield end or StreamEnd(None, Usage())

    def _body(self, request: WorkerRequest, options: frozenset[str]) -> bytes:
        body: dict[str, Any] = {
            "model": self.name,
            "messages": [
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.prompt},
            ],
            "stream": True,
        }
        if "stream_options" in options:
            body["stream_options"] = {"include_usage": True}
        if "max_tokens" in options:
            body["max_tokens"] = request.max_tokens
        elif "max_completion_tokens" in options:
            body["max_completion_tokens"] = request.max_tokens
        if "temperature" in options:
            body["temperature"] = self._temperature
        if "response_format" in options:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "test_cases", "strict": True, "schema": self._schema(request, options)},
            }
        elif "json_object" in options:
            body["response_format"] = {"type": "json_object"}
        return orjson.dumps(body)

    def _schema(self, request: WorkerRequest, options: frozenset[str]) -> orjson.Fragment:
        """The category's schema as bytes, written once."""
        key = id(request.schema), "max_length" in options
        if key not in self._schemas:
            schema = request.schema if key[1] else _without(request.schema, "maxLength")
            self._schemas[key] = orjson.Fragment(orjson.dumps(schema))
        return self._schemas[key]

    def _adapt(self, status: int, body: bytes, used: frozenset[str]) -> bool:
        """Drop the option that a 4xx complains about. True when it is worth asking again."""
        if status not in (400, 404, 415, 422, 501):
            return False
        said = body.decode("utf-8", "replace").lower()
        if is_too_large(said) or "content_filter" in said:
            return False
        for option, words, instead in (
            ("max_length", ("maxlength",), None),
            ("response_format", ("response_format", "json_schema", "structured output"), "json_object"),
            ("json_object", ("response_format", "json_object"), None),
            ("stream_options", ("stream_options", "include_usage"), None),
            ("max_tokens", ("max_tokens", "max_completion_tokens"), "max_completion_tokens"),
            ("max_completion_tokens", ("max_completion_tokens",), None),
            ("temperature", ("temperature",), None),
        ):
            if option in used and any(word in said for word in words):
                self._options.discard(option)
                if instead:
                    self._options.add(instead)
                return True
        return False

    async def _events(self, response: aiohttp.ClientResponse) -> AsyncIterator[str | StreamEnd]:
        decoder = EventStreamDecoder()
        reason: str | None = None
        usage, refusal = Usage(), ""
        chunks = response.content.iter_any()
        done = False
        heard = time.monotonic()
        while not done:
            chunk = await anext(chunks, None)
            events = decoder.close() if chunk is None else decoder.feed(chunk)
            now = time.monotonic()
            if events:
                heard = now
            elif now - heard > self._patience:  # kept alive by comments, but silent
                raise TransientError("timeout", "no answer from the endpoint in time")
            texts: list[str] = []
            for data in events:
                if data == b"[DONE]":
                    done = True
                    break
                message = _loads(data)
                if not isinstance(message, dict):
                    continue
                if message.get("error"):
                    if texts:
                        yield "".join(texts)  # what came before the error counts
                    raise self._stream_error(message["error"])
                if message.get("usage"):
                    usage = _usage(message["usage"])
                for choice in message.get("choices") or ():
                    said, refused, ended = _choice(choice)
                    if said:
                        texts.append(said)
                    refusal += refused
                    reason = ended or reason
            if texts:
                yield "".join(texts)
            done = done or chunk is None
        if not response.content.at_eof():
            # The end of the body is usually right behind [DONE]; having read it, the connection can be used again.
            with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(_LINGER):
                    await response.content.readany()
        yield StreamEnd(reason, usage, refusal)

    def _whole(self, body: bytes) -> tuple[str, StreamEnd]:
        """The answer of a server that does not stream."""
        message = _loads(body)
        if not isinstance(message, dict) or (not message.get("error") and not message.get("choices")):
            text = self._endpoint.redact(body[:200].decode("utf-8", "replace"))
            raise TransientError("server", f"the endpoint answered with something else than a completion: {text!r}")
        if message.get("error"):
            raise self._stream_error(message["error"])
        choices = message["choices"]
        text, refusal, reason = _choice(choices[0] if isinstance(choices, list) else None)
        return text, StreamEnd(reason, _usage(message.get("usage") or {}), refusal)

    def _stream_error(self, error: Any) -> Exception:
        return explain_error(error, self._endpoint.redact, self.name, self._endpoint.url)


async def _read_all(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MOST_BODY_BYTES:
            raise TransientError("server", "the endpoint's answer is longer than 32 MB")
    return bytes(body)


def _proxy(url: str) -> tuple[str | None, dict[str, str] | None]:
    """The proxy that the environment names for an address. Looked up once: aiohttp would use two threads a request."""
    parts = urlsplit(url)
    proxies = getproxies()
    named = proxies.get(parts.scheme) or proxies.get("all")
    if not named or proxy_bypass(parts.netloc):
        return None, None
    named = named if "://" in named else f"http://{named}"
    split = urlsplit(named)
    if split.scheme not in ("http", "https"):
        raise InputError(
            f"The proxy {split.scheme}://{split.hostname} from the environment is not an HTTP proxy.",
            "Set an http:// proxy, or exempt the endpoint with NO_PROXY.",
        )
    headers = None
    if split.username:
        login = base64.b64encode(f"{unquote(split.username)}:{unquote(split.password or '')}".encode()).decode()
        headers = {"Proxy-Authorization": f"Basic {login}"}
    return f"{split.scheme}://{split.netloc.rpartition('@')[2]}", headers


def _loads(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:  # half a surrogate pair, or a byte that is no UTF-8, must not cost the rest of the text
        return json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _usage(value: Any) -> Usage:
    try:
        prompt, completion = int(value.get("prompt_tokens") or 0), int(value.get("completion_tokens") or 0)
    except (AttributeError, TypeError, ValueError, OverflowError):
        return Usage()
    try:
        cached = int(value["prompt_tokens_details"]["cached_tokens"])
    except (KeyError, TypeError, ValueError, OverflowError):
        cached = 0
    return Usage(prompt, completion, bool(value), max(0, min(cached, prompt)))


def _choice(choice: Any) -> tuple[str, str, str | None]:
    """Text, refusal and finish reason of one choice, whatever shape a server gives it."""
    if not isinstance(choice, dict):
        return "", "", None
    delta = choice.get("delta") or choice.get("message")
    reason = choice.get("finish_reason")
    reason = reason if isinstance(reason, str) else None
    if not isinstance(delta, dict):
        return "", "", reason
    content, refusal = delta.get("content"), delta.get("refusal")
    if isinstance(content, list):  # parts, as some servers send them
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else "", refusal if isinstance(refusal, str) else "", reason


def _without(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, key) for name, inner in value.items() if name != key}
    return [_without(inner, key) for inner in value] if isinstance(value, list) else value
