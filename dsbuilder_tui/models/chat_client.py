"""The one way to a chat endpoint, for workers and for the main agent: requests, streams, refusals, retries.

Streams are read with aiohttp and orjson: at one token a chunk, a full client library spends whole cores on parsing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import aiohttp

from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.chat_options import ChatRequest, OptionMemory
from dsbuilder_tui.models.endpoint import Endpoint, loads, read_all
from dsbuilder_tui.models.endpoint_errors import explain_error, explain_status, retry_after_seconds
from dsbuilder_tui.models.protocol import TransientError
from dsbuilder_tui.models.retry import with_retries
from dsbuilder_tui.models.sse import EventStreamDecoder
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_MOST_ERROR_BYTES = 64 * 1024
_LINGER = 0.2  # seconds for the end of a stream to arrive after [DONE]
_LONGEST_WAIT = 60.0  # seconds between two tries of which the client takes care

Waits = Callable[[TransientError, float], Awaitable[None]]


async def _silently(error: TransientError, wait: float) -> None:
    pass


class ChatClient:
    """Chat completions of one model at one endpoint, learning on the way which options it does not know."""

    def __init__(
        self,
        config: DatasetBuilderConfig,
        model: str,
        *,
        options: OptionMemory | None = None,
        retries: int = 0,
        waits: Waits = _silently,
    ) -> None:
        """``options`` remembers what was refused when clients come and go. A request that fails in passing before its
        answer begins is made again ``retries`` times; ``waits`` is told of each, with the seconds until then.

        Raises ``EndpointRefused`` or ``InputError`` when the configuration names no endpoint that can be asked.
        """
        self.model = model
        self.endpoint = Endpoint(config)
        self._options = (options or OptionMemory()).of(self.endpoint.url, model)
        self._retries, self._waits = retries, waits
        self._patience = config.request_timeout

    @property
    def url(self) -> str:
        return self.endpoint.url

    async def close(self) -> None:
        await self.endpoint.close()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[list[Any], None]:
        """Send a request and yield the objects of its answer as they come: at each turn all that have arrived.

        They are the parsed chunks of a stream (None for an event that is no JSON), or the one completion of a server
        that does not stream. Raises ``TransientError``, ``RequestTooLarge``, ``ContentRefused`` or ``EndpointRefused``,
        also for an error object in the middle of a stream.
        """
        try:
            response = await with_retries(lambda: self._open(request), self._retries, self._waits, _LONGEST_WAIT)
            async with response:
                if "text/event-stream" not in response.headers.get("Content-Type", ""):
                    yield [self._whole(await read_all(response))]
                    return
                async for batch in self._events(response):
                    yield batch
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self.endpoint.network_error(error) from None

    async def _open(self, request: ChatRequest) -> aiohttp.ClientResponse:
        """The response whose answer begins. An option that the server turns away is left out, and it is asked again."""
        while True:
            used = self._options.for_request(request)
            try:
                response: aiohttp.ClientResponse = await self.endpoint.post(
                    "/chat/completions", self._options.body(request, used)
                )
                if response.status == 200:
                    return response
                async with response:
                    body = await response.content.read(_MOST_ERROR_BYTES)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise self.endpoint.network_error(error) from None
            if self._options.refuse(response.status, body, used):
                continue
            raise explain_status(
                response.status,
                self.endpoint.redact(body.decode("utf-8", "replace")),
                self.model,
                self.url,
                retry_after_seconds(response.headers),
            )

    async def _events(self, response: aiohttp.ClientResponse) -> AsyncGenerator[list[Any], None]:
        decoder = EventStreamDecoder()
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
                raise TransientError(FailureKind.TIMEOUT, "no answer from the endpoint in time")
            batch: list[Any] = []
            for data in events:
                if data == b"[DONE]":
                    done = True
                    break
                message = loads(data)
                if isinstance(message, dict) and message.get("error"):
                    if batch:
                        yield batch  # what came before the error counts
                    raise self._error(message["error"])
                batch.append(message)
            if batch:
                yield batch
            done = done or chunk is None
        if not response.content.at_eof():
            # The end of the body is usually right behind [DONE]; having read it, the connection can be used again.
            with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(_LINGER):
                    await response.content.readany()

    def _whole(self, body: bytes) -> dict[str, Any]:
        """The answer of a server that does not stream."""
        message = loads(body)
        if isinstance(message, dict) and message.get("error"):
            raise self._error(message["error"])
        if not isinstance(message, dict) or not message.get("choices"):
            text = self.endpoint.redact(body[:200].decode("utf-8", "replace"))
            raise TransientError(
                FailureKind.SERVER, f"the endpoint answered with something else than a completion: {text!r}"
            )
        return message

    def _error(self, error: Any) -> Exception:
        return explain_error(error, self.endpoint.redact, self.model, self.url)
