"""The one way to a chat endpoint, for workers and for the main agent: requests, streams, refusals, retries.

Streams are read with aiohttp and orjson: at one token a chunk, a full client library spends whole cores on parsing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.chat_options import ChatOption, ChatRequest, OptionMemory
from dsbuilder_tui.models.endpoint import (
    MOST_ANSWER_BYTES,
    Endpoint,
    is_unreadable_encoding,
    loads,
    read_all,
    read_response,
    shown,
)
from dsbuilder_tui.models.endpoint_errors import explain, refused
from dsbuilder_tui.models.error_report import ErrorReport, error_in, read_body, read_error
from dsbuilder_tui.models.failure_table import failure_kind
from dsbuilder_tui.models.held_bytes import HeldShare
from dsbuilder_tui.models.protocol import CallRefused, TransientError
from dsbuilder_tui.models.retry import with_retries
from dsbuilder_tui.models.sse import EventStreamDecoder, is_event_stream
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_LINGER = 0.2  # seconds for the end of a stream to arrive after [DONE]
_MOST_BLANK = 1024 * 1024  # bytes of white space in front of an answer
_MOST_STREAM = 64 * 1024 * 1024  # bytes of one stream; at a token an event, some 200,000 tokens
_LONGEST_WAIT = 300.0  # seconds between two tries of which the client takes care
# Refusals that may be about one request alone; so many in a row, before there was any answer, are about all of them.
_ONE_BAD_CALL = (FailureKind.REQUEST, FailureKind.FORBIDDEN)
_MOST_REFUSED_FIRST = 3
# A page, or no service, where calls have been answered, is a gateway's bad moment; not so many in a row.
_MOST_REFUSED_LATER = 5

_DECODED = ("identity", "gzip", "deflate")  # codings of a body that are always undone before it is read

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
        self.options = (options or OptionMemory()).of(self.endpoint.url, model)
        self._retries, self._waits = retries, waits
        self._patience, self._startup_timeout = config.request_timeout, config.startup_timeout

    @property
    def url(self) -> str:
        return self.endpoint.url

    async def close(self) -> None:
        await self.endpoint.close()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[list[Any], None]:
        """Send a request and yield the objects of its answer as they come: at each turn all that have arrived.

        They are the parsed chunks of a stream, or the one completion of a server that does not stream. Raises
        ``TransientError``, ``RequestTooLarge``, ``CallRefused`` or ``EndpointRefused``, also for an error in the middle of
        a stream and for one that calls itself a success.
        """
        try:
            begun = await with_retries(
                lambda: self._begin(request), self._retries, self._waits, _LONGEST_WAIT, self._startup_timeout
            )
            async with begun.response, aclosing(begun.rest):
                if begun.first:
                    yield begun.first
                async for batch in begun.rest:
                    yield batch
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._network_error(error) from None
        except _Reported as error:
            raise self._explain(error.report, _has_tools(request)) from None

    async def _begin(self, request: ChatRequest) -> _Begun:
        """An answer of which the beginning is known to be one.

        An option that the server turns away is left out, and it is asked again.
        """
        trial: frozenset[ChatOption] | None = None
        while True:
            used = self.options.for_request(request) if trial is None else trial
            try:
                begun = await self._open(self.options.body(request, used))
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise self._network_error(error) from None
            except _Reported as error:
                kind = failure_kind(error.report, tools=_has_tools(request))
                if trial is None and self.options.refuse(error.report, kind, request, used):
                    continue
                trial = self.options.with_less(error.report, kind, used)
                if trial is None:
                    raise self._explain(error.report, _has_tools(request)) from None
            else:
                self.options.answer(used, trial is not None)
                return begun

    async def _open(self, body: bytes) -> _Begun:
        """Send a body, and read the answer as far as its first objects."""
        response: aiohttp.ClientResponse = await self.endpoint.post("/chat/completions", body)
        try:
            self.endpoint.limits.read(response.headers, time.monotonic())
            if response.status != 200:
                raise _Reported(self._redacted(await read_response(response)))
            # What an answer is shows in its first bytes; the Content-Type is often wrong.
            head = await _head(response)
            rest = self._events(response, head) if is_event_stream(head) else self._whole(response, head)
            return _Begun(response, await anext(rest, []), rest)
        except BaseException:
            response.release()
            raise

    async def _events(self, response: aiohttp.ClientResponse, head: bytes) -> AsyncGenerator[list[Any], None]:
        decoder = EventStreamDecoder()
        chunks = response.content.iter_any()
        done = False
        heard = time.monotonic()
        chunk: bytes | None = head or None
        received = 0
        with HeldShare(self.endpoint.held, decoder.drop) as share:
            while not done:
                received += len(chunk or b"")
                if received > _MOST_STREAM:
                    raise TransientError(
                        FailureKind.SERVER, f"the endpoint's answer went on beyond {_MOST_STREAM // 2**20} MB"
                    )
                events = decoder.close() if chunk is None else decoder.feed(chunk)
                share.hold(decoder.waiting)
                now = time.monotonic()
                if events:
                    heard = now
                elif now - heard > self._patience:  # kept alive by comments, but silent
                    raise TransientError(FailureKind.TIMEOUT, "no answer from the endpoint in time")
                batch: list[Any] = []
                report: ErrorReport | None = None
                for data in events:
                    if data == b"[DONE]" or data.strip() == b"[DONE]":
                        done = True
                        break
                    if not data.strip():
                        continue  # keeps the connection alive
                    message = loads(data)
                    report = _broken(data) if message is None else _report_in(message, data)
                    if report is not None:
                        break
                    batch.append(message)
                if batch:
                    yield batch  # what came before an error counts
                if report is None and decoder.error is not None and not done:
                    report = read_body(decoder.error, None)
                if report is not None:
                    raise _Reported(self._redacted(report))
                done = done or chunk is None
                if not done:
                    chunk = await anext(chunks, None)
        if not response.content.at_eof():
            # The end of the body is usually right behind [DONE]; having read it, the connection can be used again.
            with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
                async with asyncio.timeout(_LINGER):
                    await response.content.readany()

    async def _whole(self, response: aiohttp.ClientResponse, head: bytes) -> AsyncGenerator[list[Any], None]:
        """The answer of a server that does not stream: one completion, or chunks one a line."""
        body = await read_all(response, self.endpoint.held, head, MOST_ANSWER_BYTES)
        message = loads(body)
        if message is None and (page := read_body(body, None)).page:
            raise _Reported(page)
        lines = [message] if message is not None else [loads(line) for line in body.splitlines() if line.strip()]
        encoding = (response.headers.get("Content-Encoding") or "").lower()
        if encoding and encoding not in _DECODED and not self.options.answered and None in lines:
            raise self.endpoint.encoding_refused(encoding)
        for each in lines:
            report = _broken(body) if each is None else _report_in(each, body)
            if report is None and not ("choices" in each or len(lines) > 1):
                report = ErrorReport(f"something else than a completion: {shown(body)}")
            if report is not None:
                raise _Reported(self._redacted(report))
        if not lines:
            return
        yield lines

    def _explain(self, report: ErrorReport, tools: bool) -> Exception:
        """What an error means, in view of how the calls before it ended."""
        kind, known = failure_kind(report, tools=tools), self.options
        never_enough = kind is FailureKind.MEMORY and not known.answered
        if kind in _ONE_BAD_CALL or never_enough:
            known.refusals += 1
            if not known.answered and known.refusals >= _MOST_REFUSED_FIRST:
                return refused(report, kind, self.model, self.url)
            if never_enough or (kind is FailureKind.FORBIDDEN and known.answered):
                return CallRefused(kind, report.message, refused(report, kind, self.model, self.url))
        elif kind is FailureKind.NO_SERVICE and known.answered and known.refusals < _MOST_REFUSED_LATER:
            known.refusals += 1  # it has worked, so it may work again
            return TransientError(FailureKind.SERVER, report.message, report.retry_after)
        return explain(report, kind, self.model, self.url)

    def _network_error(self, error: Exception) -> Exception:
        if self.options.answered and is_unreadable_encoding(error):
            return TransientError(FailureKind.SERVER, "the endpoint's answer could not be decompressed")
        return self.endpoint.network_error(error)

    def _redacted(self, report: ErrorReport) -> ErrorReport:
        return replace(report, message=self.endpoint.redact(report.message))


@dataclass(frozen=True, slots=True)
class _Begun:
    """An answer that has begun well."""

    response: aiohttp.ClientResponse
    first: list[Any]
    rest: AsyncGenerator[list[Any], None]


class _Reported(Exception):
    """The endpoint has answered with an error."""

    def __init__(self, report: ErrorReport) -> None:
        super().__init__(report.message)
        self.report = report


async def _head(response: aiohttp.ClientResponse) -> bytes:
    """The first bytes of a body, as many as say what it is."""
    head: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        head.append(chunk)
        size += len(chunk)
        if chunk.strip(b"\xef\xbb\xbf \t\r\n"):
            break
        if size > _MOST_BLANK:
            raise TransientError(FailureKind.SERVER, "the endpoint sends nothing but white space")
    return b"".join(head)


def _report_in(message: Any, data: bytes) -> ErrorReport | None:
    """The error that a message, which was read out of ``data``, tells of or is."""
    found = error_in(message)
    if found is not None:
        return read_error(found)
    return None if isinstance(message, dict) else ErrorReport(f"something that is not a chat completion: {shown(data)}")


def _broken(data: bytes) -> ErrorReport:
    """What is neither JSON nor the end of a stream: half a chunk, or a page of somebody between us and the model."""
    report = read_body(data, None)
    if report.page:
        return ErrorReport(f"{report.message}, which is not a chat completion")
    return ErrorReport(f"something that is not a chat completion: {shown(data)}")


def _has_tools(request: ChatRequest) -> bool:
    return bool(request.more.get("tools"))
