"""The scripted side of the fake endpoint: the turns of a main agent's model, one a request that carries ``tools``.

``server.agent_script`` holds turns, made by the functions below, or callables that make one from the request's body.
A request that asks for no stream gets the same turn as one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from tests.support.fake_floods import flood
from tests.support.wire import STREAM_HEAD, as_bytes, send_chunk, send_json, send_raw

UNSCRIPTED = "(script is used up)"


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call; ``arguments`` go out as they are."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What a model's answer holds and how it ends. ``chunk`` is in characters, ``delay`` in seconds before each."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    refusal: str = ""
    finish: str = "stop"
    ends: Literal["whole", "closed", "reset", "hangs"] = "whole"
    chunk: int = 8
    delay: float = 0.0
    cached_tokens: int = 0
    error: str = ""  # an error object in the stream in place of the end
    raw: tuple[str, ...] | None = None  # what the stream's events hold, in place of everything else


@dataclass(frozen=True, slots=True)
class Status:
    """An HTTP error. ``echo_key`` puts the Authorization header into the message, as real servers do."""

    code: int
    message: str
    error_code: str | None = None
    retry_after: str | None = None
    echo_key: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer, as it is; for workers too (``FakeOpenAI.replies``)."""

    body: Any = b""  # bytes, text, or what is sent as JSON
    status: int = 200
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    cut: int = 0  # bytes of the body in the first of two packets; 0: all come in one


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer until the server is stopped."""


@dataclass(frozen=True, slots=True)
class Flood:
    """An answer that does not end (see ``fake_floods``)."""

    kind: str


Answer = Turn | Status | Reply | Hang | Flood
Scripted = Answer | Callable[[dict[str, Any]], Answer]


def says(text: str, *, chunk: int = 8, delay: float = 0.0, cached_tokens: int = 0) -> Turn:
    """Plain words, also what a server answers that ignores tools."""
    return Turn(text, chunk=chunk, delay=delay, cached_tokens=cached_tokens)


def calls(*wanted: tuple[str, dict[str, Any] | str], text: str = "", chunk: int = 5, delay: float = 0.0) -> Turn:
    """Tool calls, several are parallel. Arguments given as text are sent raw: wrong JSON stays wrong."""
    made = tuple(Call(name, given if isinstance(given, str) else json.dumps(given)) for name, given in wanted)
    return Turn(text, made, finish="tool_calls", chunk=chunk, delay=delay)


def length(text: str) -> Turn:
    """The output limit is reached in the middle of the text."""
    return Turn(text, finish="length")


def cut_call(name: str, partial: str) -> Turn:
    """The output limit is reached in the middle of a call's arguments."""
    return Turn(calls=(Call(name, partial),), finish="length", chunk=5)


def refusal(text: str = "I'm sorry, I can't help with that.") -> Turn:
    return Turn(refusal=text)


def empty() -> Turn:
    return Turn()


def filtered(text: str = "") -> Turn:
    """The provider's content filter stops the answer, at once or after ``text``."""
    return Turn(text, finish="content_filter")


def status(
    code: int, message: str, error_code: str | None = None, retry_after: str | None = None, echo_key: bool = False
) -> Status:
    return Status(code, message, error_code, retry_after, echo_key)


def reset_mid(text: str, *, hard: bool = False) -> Turn:
    """The connection ends in mid-stream, after the text. ``hard``: with a TCP reset, which may overtake the text."""
    return Turn(text, ends="reset" if hard else "closed")


def error_mid(text: str, message: str) -> Turn:
    """The text, then an error object in the stream."""
    return Turn(text, error=message)


def raw(*events: str) -> Turn:
    """A stream of these events, whatever they hold."""
    return Turn(raw=events)


def hang() -> Hang:
    return Hang()


def hang_mid(text: str) -> Turn:
    """Says the text, then nothing until the server is stopped."""
    return Turn(text, ends="hangs")


async def play(
    scripted: Scripted, body: dict[str, Any], headers: dict[str, str], number: int, writer: asyncio.StreamWriter
) -> bool:
    """Play one turn; whether the connection can serve another request. ``number`` counts requests, for the calls' ids."""
    turn = scripted(body) if callable(scripted) else scripted
    if isinstance(turn, Hang):
        await asyncio.Event().wait()
    if isinstance(turn, Flood):
        return await flood(turn.kind, writer)
    if isinstance(turn, Reply):
        return await send_raw(writer, turn.status, turn.kind, as_bytes(turn.body), dict(turn.headers), turn.cut)
    if isinstance(turn, Status):
        message = turn.message + (f": {headers.get('authorization', '')}" if turn.echo_key else "")
        error = {"message": message, "type": turn.error_code or "error", "param": None, "code": turn.error_code}
        return await send_json(
            writer, turn.code, {"error": error}, {"Retry-After": turn.retry_after} if turn.retry_after else {}
        )
    assert isinstance(turn, Turn)
    if body.get("stream"):
        return await _stream(turn, body, number, writer)
    if turn.ends != "whole":
        return await _break_off(turn, writer)
    message = {"role": "assistant", "content": turn.text or None, "refusal": turn.refusal or None}
    if turn.calls:
        message["tool_calls"] = [_call(each, number, index, each.arguments) for index, each in enumerate(turn.calls)]
    choice = {"index": 0, "message": message, "finish_reason": turn.finish}
    frame = _frame(body, number, "chat.completion")
    return await send_json(writer, 200, {**frame, "choices": [choice], "usage": _usage(turn, body)})


async def _stream(turn: Turn, body: dict[str, Any], number: int, writer: asyncio.StreamWriter) -> bool:
    frame = _frame(body, number, "chat.completion.chunk")

    async def event(data: dict[str, Any]) -> None:
        await send_chunk(writer, f"data: {json.dumps({**frame, **data}, ensure_ascii=False)}\n\n".encode())

    writer.write(STREAM_HEAD)
    if turn.raw is not None:
        for text in turn.raw:
            await send_chunk(writer, f"data: {text}\n\n".encode())
        await send_chunk(writer, b"")
        return True
    async for delta in _deltas(turn, number):
        await event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    if turn.ends != "whole":
        return await _break_off(turn, writer)
    if turn.error:
        await send_chunk(writer, f"data: {json.dumps({'error': {'message': turn.error, 'code': 503}})}\n\n".encode())
        await send_chunk(writer, b"")
        return True
    await event({"choices": [{"index": 0, "delta": {}, "finish_reason": turn.finish}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        await event({"choices": [], "usage": _usage(turn, body)})
    await send_chunk(writer, b"data: [DONE]\n\n")
    await send_chunk(writer, b"")
    return True


async def _deltas(turn: Turn, number: int) -> AsyncIterator[dict[str, Any]]:
    """Role, words, refusal, then the calls: id and name first, arguments in fragments that take turns."""
    yield {"role": "assistant", "content": ""}
    for name, whole in (("content", turn.text), ("refusal", turn.refusal)):
        for piece in _pieces(whole, turn.chunk):
            await asyncio.sleep(turn.delay)
            yield {name: piece}
    for index, each in enumerate(turn.calls):
        yield {"tool_calls": [{"index": index, **_call(each, number, index, "")}]}
    for round_ in zip_longest(*(_pieces(each.arguments, turn.chunk) for each in turn.calls)):
        for index, piece in enumerate(round_):
            if piece is not None:
                await asyncio.sleep(turn.delay)
                yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


async def _break_off(turn: Turn, writer: asyncio.StreamWriter) -> bool:
    await writer.drain()
    if turn.ends == "hangs":
        await asyncio.Event().wait()
    if turn.ends == "reset":
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


def _pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _call(call: Call, number: int, index: int, arguments: str) -> dict[str, Any]:
    return {"id": f"call_{number}_{index}", "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _frame(body: dict[str, Any], number: int, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{number}", "object": kind, "created": 1_700_000_000, "model": body.get("model", "")}


def _usage(turn: Turn, body: dict[str, Any]) -> dict[str, Any]:
    """Tokens at four characters each."""
    asked = len(json.dumps(body)) // 4
    said = (len(turn.text) + len(turn.refusal) + sum(len(call.arguments) for call in turn.calls)) // 4
    details = {"cached_tokens": min(turn.cached_tokens, asked)}
    return {
        "prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said, "prompt_tokens_details": details,
    }  # fmt: skip
