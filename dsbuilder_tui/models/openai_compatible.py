"""Any endpoint that speaks OpenAI's chat completions: OpenAI, Ollama, LM Studio, vLLM, llama.cpp and others.

Streams are read with aiohttp and orjson: at one token a chunk, a full client library spends whole cores on parsing.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson

from dsbuilder_tui.config import DatasetBuilderConfig
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.errors import EndpointRefused, InputError
from dsbuilder_tui.models.errors import explain_error, explain_status, retry_after_seconds
from dsbuilder_tui.models.protocol import StreamEnd, TransientError, WorkerRequest
from dsbuilder_tui.models.sse import EventStreamDecoder

_MOST_ERROR_BYTES = 64 * 1024
_MOST_BODY_BYTES = 32 * 1024 * 1024
_LINGER = 0.2  # seconds for the end of a stream to arrive after [DONE]


class Endpoint:
    """An HTTP session for one endpoint: address, headers, certificates, proxies from the environment, time-outs."""

    def __init__(self, config: DatasetBuilderConfig) -> None:
        self.url = config.endpoint
        self._key = config.api_key.get_secret_value() if config.api_key else ""
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if config.organization:
            headers["OpenAI-Organization"] = config.organization
        if config.project:
            headers["OpenAI-Project"] = config.project
        headers.update(config.extra_headers)
        self._secrets = [s for s in (self._key, *config.extra_headers.values()) if len(s) > 3]
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=_tls(config), ttl_dns_cache=60),
            headers=headers,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=config.connect_timeout, sock_read=config.request_timeout
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        proxy, login = _proxy(self.url)
        # A proxy takes its login from the CONNECT for https, and from the request itself for http.
        over_tls = self.url.startswith("https:")
        self._via: dict[str, Any] = {
            "proxy": proxy, "proxy_headers": login if over_tls else None, "headers": None if over_tls else login,
        }  # fmt: skip

    async def close(self) -> None:
        await self._http.close()

    def redact(self, text: str) -> str:
        """The text without any secret that a server may have echoed."""
        for secret in self._secrets:
            text = text.replace(secret, "[hidden]")
        return text

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
        detail = self.redact(str(error) or type(error).__name__)
        if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
            return EndpointRefused(
                f"The certificate of {self.url} is not trusted: {detail}.",
                "Name your certificate authority with ca_bundle, or (at your own risk) set verify_tls to false.",
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
        if config.temperature is not None:
            self._options.add("temperature")

    async def close(self) -> None:
        await self._endpoint.close()

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
                "json_schema": {"name": "test_cases", "strict": True, "schema": request.schema},
            }
        elif "json_object" in options:
            body["response_format"] = {"type": "json_object"}
        return orjson.dumps(body)

    def _adapt(self, status: int, body: bytes, used: frozenset[str]) -> bool:
        """Drop the option that a 4xx complains about. True when it is worth asking again."""
        if status not in (400, 404, 415, 422, 501):
            return False
        said = body.decode("utf-8", "replace").lower()
        if "context" in said and "length" in said:
            return False
        for option, words, instead in (
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
        while not done:
            chunk = await anext(chunks, None)
            events = decoder.close() if chunk is None else decoder.feed(chunk)
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
                    delta = choice.get("delta") or choice.get("message") or {}
                    content = delta.get("content")
                    if content:
                        texts.append(content if isinstance(content, str) else _parts(content))
                    refusal += delta.get("refusal") or ""
                    reason = choice.get("finish_reason") or reason
            if texts:
                yield "".join(texts)
            done = done or chunk is None
        if not response.content.at_eof():
            # The end of the body is usually right behind [DONE]; having read it, the connection can be used again.
            with contextlib.suppress(TimeoutError):
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
        choice = message["choices"][0]
        said = choice.get("message") or {}
        content = said.get("content") or ""
        end = StreamEnd(choice.get("finish_reason"), _usage(message.get("usage") or {}), said.get("refusal") or "")
        return content if isinstance(content, str) else _parts(content), end

    def _stream_error(self, error: Any) -> Exception:
        return explain_error(error, self._endpoint.redact, self.name, self._endpoint.url)


async def _read_all(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MOST_BODY_BYTES:
            raise TransientError("server", "the endpoint's answer is longer than 32 MB")
    return bytes(body)


def _tls(config: DatasetBuilderConfig) -> ssl.SSLContext | bool:
    if not config.verify_tls:
        return False
    if config.ca_bundle is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(config.ca_bundle.expanduser()))
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"ca_bundle {config.ca_bundle} cannot be used: {error}.", "Name a PEM file of certificates."
        ) from None


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
        return None


def _usage(value: Any) -> Usage:
    try:
        return Usage(int(value.get("prompt_tokens") or 0), int(value.get("completion_tokens") or 0), known=bool(value))
    except (AttributeError, TypeError, ValueError):
        return Usage()


def _parts(content: Any) -> str:
    """Content given as a list of parts, as some servers do."""
    return "".join(part.get("text", "") for part in content if isinstance(part, dict)) if content else ""
