"""A real HTTP server that speaks OpenAI's chat completions, streams, and misbehaves on demand.

Written on bare asyncio streams so that it can do what a web framework will not: reset in mid-stream, split a UTF-8
character over two packets, forget the end of a body. Run it as a program (``python -m tests.support.fake_openai``) to
have it in a process of its own; it prints its port.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.fake_agent import UNSCRIPTED, Reply, Scripted, play, says
from tests.support.fake_answers import ANSWERS
from tests.support.fake_batches import FakeBatches
from tests.support.fake_contents import (
    SLOT_LINE,
    SLOTS,
    Arguments,
    Thinking,
    pieces_of_answer,
    pieces_of_cases,
    with_written,
    word,
)
from tests.support.fake_embeddings import embed
from tests.support.fake_floods import FLOODS, flood
from tests.support.fake_judge import FakeJudge, is_judging
from tests.support.fake_refusals import REFUSALS, refuse
from tests.support.fake_templates import FakeTemplates
from tests.support.template_answers import is_for_templates
from tests.support.wire import STREAM_HEAD, Written, as_bytes, send_chunk, send_error, send_event, send_json, send_raw


@dataclass
class FakeOpenAI:
    """Behaviour is drawn per request from ``rates`` (name → share), or taken from ``script`` first, in order.

    Names: ok, rate_limit, server_error, reset, reset_early, hang, hang_mid, truncated, malformed, broken_all, fenced,
    prose, wrong_types, empty, refusal, error_mid, whole, no_done, crlf, split_utf8, comments, few, many, trailing_commas,
    unauthorized, no_model, no_quota, reject_schema, reject_stream_options, too_large, not_json, no_usage, filtered,
    endless, and those of ``fake_answers`` and ``fake_floods``. ``kind_for`` decides by the request instead, where it gives a
    name, and ``reply_for`` where it gives a
    whole answer, such as those of ``fake_failures``.

    With ``thinking`` the model spends so many tokens on thoughts first, which its answer's limit has to hold as well.
    ``meant`` says of each text which slot's attributes it was written for, as they stood in the prompt.

    Requests with ``tools`` are the main agent's: each takes the next turn of ``agent_script`` (see ``fake_agent``) and is
    kept in ``agent_bodies``, not ``bodies``. ``gate`` and ``latency`` do not hold them.
    """

    rates: dict[str, float] = field(default_factory=dict)
    script: list[str] = field(default_factory=list)
    duplicate_rate: float = 0.0
    latency: float = 0.0
    chunk: int = 0  # characters a chunk; 0 sends a case a chunk
    token_delay: float = 0.0
    retry_after: str | None = "0.05"
    per_second: float = 0.0  # requests that are let in; as many are saved up as a second brings
    words: int = 12
    thinking: int = 0
    end_word: str = "stop"  # of an answer without a case
    kind_for: Callable[[dict[str, Any]], str | None] | None = None
    reply_for: Callable[[dict[str, Any], int], Reply | None] | None = (
        None  # by body and number of the worker's call, from 1
    )
    worker_calls: int = 0
    meant: dict[str, str] = field(default_factory=dict)
    seed: int = 1
    begins_at: int = 0  # the number of its first text: two endpoints of one dataset write different ones
    models: tuple[str, ...] = ("gpt-4o", "gpt-4o-mini")
    models_kind: str = ""  # of ``fake_floods``, in place of the list
    models_cut: int = 0  # bytes of the list in the first of two packets
    keep_alive: bool = True
    seen: Counter[str] = field(default_factory=Counter)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    gate: asyncio.Event | None = None  # while set and not signalled, answers wait
    keep_bodies: bool = True
    told_headers: dict[str, str] = field(default_factory=dict)  # beside each streamed answer
    cached_tokens: int | None = None  # of the prompt's 100, if it says so
    agent_script: list[Scripted] = field(default_factory=list)
    agent_bodies: list[dict[str, Any]] = field(default_factory=list)
    judge: FakeJudge = field(default_factory=FakeJudge)  # requests of the judge are kept there, not in ``bodies``
    templates: FakeTemplates = field(default_factory=FakeTemplates)  # requests for them are kept there, too
    counts_tokens: bool = (
        False  # four characters of prompt and answer are a token; else a call takes 100, a piece of it 10
    )
    embedding_script: list[str] = field(default_factory=list)  # see ``fake_embeddings``; then all is well
    embedding_bodies: list[dict[str, Any]] = field(default_factory=list)
    batches: FakeBatches | None = None  # without, there is no Batch API

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._count = self.begins_at
        self._texts: list[str] = []
        self._server: asyncio.Server | None = None
        self._saved, self._saved_at = self.per_second, 0.0
        self._handlers: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> str:
        """Listen on loopback; returns the base URL."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{self.port}/v1"

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        for handler in list(self._handlers):
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def __aenter__(self) -> FakeOpenAI:
        self.url = await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # -- HTTP

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._handlers.add(task)
        try:
            while True:
                request = await self._read(reader)
                if request is None:
                    break
                method, path, headers, body = request
                self.in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
                try:
                    go_on = await self._answer(method, path, headers, body, writer)
                finally:
                    self.in_flight -= 1
                if not go_on or not self.keep_alive:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._handlers.discard(task)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes] | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return None
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
        return method, path, headers, await reader.readexactly(int(headers.get("content-length", 0)))

    async def _answer(
        self, method: str, path: str, headers: dict[str, str], raw: bytes, writer: asyncio.StreamWriter
    ) -> bool:
        arrived = asyncio.get_running_loop().time()
        if self.keep_bodies:
            self.headers.append(headers)
            self.paths.append(path)
        path = path.partition("?")[0]
        if path.endswith("/models"):
            if "unauthorized" in self.script or self.rates.get("unauthorized"):
                return await send_error(writer, 401, "Incorrect API key provided", "invalid_api_key")
            if self.models_kind:
                return await flood(self.models_kind, writer)
            data = [{"id": name, "object": "model"} for name in self.models]
            listed = as_bytes({"object": "list", "data": data})
            return await send_raw(writer, 200, "application/json", listed, cut=self.models_cut)
        if path.startswith(("/v1/files", "/v1/batches")):
            if self.batches is None:
                return await send_error(writer, 404, f"Unknown request URL: {path}", "unknown_url")
            self.batches.complete = self.batches.complete or self.completion
            return await self.batches.answer(method, path, headers, raw, writer)
        body = json.loads(raw)
        if path.endswith("/embeddings"):
            self.embedding_bodies.append(body)
            return await embed(self.embedding_script.pop(0) if self.embedding_script else "ok", body, headers, writer)
        if "tools" in body:
            return await self._play(body, headers, writer)
        if is_judging(body):
            return await self._judge(body, headers, writer)
        if is_for_templates(body):
            return await self._write_templates(body, headers, writer)
        if self.keep_bodies:
            self.bodies.append(body)
        if self.reply_for is not None:
            self.worker_calls += 1
            if (reply := self.reply_for(body, self.worker_calls)) is not None:
                return await send_raw(
                    writer, reply.status, reply.kind, as_bytes(reply.body), dict(reply.headers), reply.cut
                )
        kind = (self.kind_for(body) if self.kind_for else None) or self._choose()
        self.seen[kind] += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.latency and kind != "rate_limit":  # counted from arrival, whatever else the server had to do
            await asyncio.sleep(max(0.0, arrived + self.latency - asyncio.get_running_loop().time()))
        return await self._act(kind, body, headers, writer)

    async def completion(self, body: dict[str, Any]) -> tuple[int, Any]:
        """Status and body of the answer to one request of a batch."""
        written = Written()
        kind = (self.kind_for(body) if self.kind_for else None) or self._choose()
        self.seen[kind] += 1
        await self._act(kind, body, {}, written)  # type: ignore[arg-type]
        return written.status, written.body

    async def _play(self, body: dict[str, Any], headers: dict[str, str], writer: asyncio.StreamWriter) -> bool:
        self.seen["agent"] += 1
        self.agent_bodies.append(body)
        self.seen["agent_unscripted"] += not self.agent_script
        turn = self.agent_script.pop(0) if self.agent_script else says(UNSCRIPTED)
        return await play(turn, body, headers, self.seen["agent"], writer)

    async def _judge(self, body: dict[str, Any], headers: dict[str, str], writer: asyncio.StreamWriter) -> bool:
        judge = self.judge
        judge.bodies.append(body)
        if judge.gate is not None:
            judge.in_gate.set()
            await judge.gate.wait()
        kind = judge.script.pop(0) if judge.script else judge.kind
        if kind != "ok":
            return await self._act(kind, body, headers, writer)
        said = judge.answer(body)
        pieces = [*(Thinking(said.thoughts),) * bool(said.thoughts), said.text]
        return await self._stream("whole_stream", body, pieces, said.reason, writer)

    async def _write_templates(
        self, body: dict[str, Any], headers: dict[str, str], writer: asyncio.StreamWriter
    ) -> bool:
        said = await self.templates.says(body)
        if isinstance(said, str):
            return await self._act(said, body, headers, writer)
        pieces = [*(Thinking(said.thoughts),) * bool(said.thoughts), said.text]
        return await self._stream("whole_stream", body, pieces, said.reason, writer)

    def _choose(self) -> str:
        if self.per_second and not self._lets_in():
            return "rate_limit"
        if self.script:
            return self.script.pop(0)
        draw, total = self._rng.random(), 0.0
        for kind, share in self.rates.items():
            total += share
            if draw < total:
                return kind
        return "ok"

    def _lets_in(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._saved = min(self.per_second, self._saved + (now - self._saved_at) * self.per_second)
        self._saved_at = now
        if self._saved < 1:
            return False
        self._saved -= 1
        return True

    async def _act(
        self, kind: str, body: dict[str, Any], headers: dict[str, str], writer: asyncio.StreamWriter
    ) -> bool:
        if kind in REFUSALS:
            refused = await refuse(kind, body, headers, self.script, self.retry_after, writer)
            if refused is not None:
                return refused
        if kind in FLOODS:
            return await flood(kind, writer)
        if kind == "hang":
            await asyncio.sleep(3600)
        if kind == "half_json":
            return await send_raw(writer, 200, "application/json", b'{"choices": [{"message": {"content": "{')
        if kind == "not_json":
            return await send_raw(writer, 200, "text/html", b"<html>Welcome to the captive portal</html>")
        if not body.get("stream") and "probe" in str(body.get("response_format")):
            choice = {"message": {"role": "assistant", "content": '{"answer": "yes"}'}, "finish_reason": "stop"}
            return await send_json(writer, 200, {"choices": [choice]})
        pieces, reason = self._content(kind, body)
        if self.thinking:
            pieces, reason = self._think(body, pieces, reason)
        if kind == "whole" or not body.get("stream"):
            message = {"role": "assistant", "content": "".join(pieces)}
            usage = {"prompt_tokens": 100, "completion_tokens": 50}
            return await send_json(
                writer, 200, {"choices": [{"message": message, "finish_reason": reason}], "usage": usage}
            )
        return await self._stream(kind, body, pieces, reason, writer)

    # -- what it says

    def _text(self) -> str:
        if self._texts and self._rng.random() < self.duplicate_rate:
            return self._rng.choice(self._texts)
        self._count += 1
        text = f"Where is my {word(self._count * 7919)} of the {word(self._count)}"
        text += "".join(f" {word(self._rng.randrange(900))}" for _ in range(max(0, self.words - 7))) + "?"
        if self.duplicate_rate:
            self._texts.append(text)
        return text

    def _think(self, body: dict[str, Any], pieces: list[str], reason: str) -> tuple[list[str], str]:
        """What is left of an answer whose limit holds the thoughts before it too. Four characters are a token."""
        most = 4 * (int(body.get("max_tokens") or body.get("max_completion_tokens") or 10**6) - self.thinking)
        whole = "".join(pieces)
        return (pieces, reason) if len(whole) <= most else ([whole[: max(0, most)]], "length")

    def case(self, number: int) -> dict[str, Any]:
        return {"slot": number, "inputs": {"query": self._text()}, "expectations": {"polite": True}}

    def _content(self, kind: str, body: dict[str, Any]) -> tuple[list[str], str]:
        prompt = str(body["messages"][-1]["content"])
        found = SLOTS.search(prompt)
        asked = int(found.group(1)) if found else 1
        if kind == "few":
            asked = max(1, asked // 2)
        if kind == "many":
            asked += 3
        if kind == "many_more":
            asked = 40
        if kind in ("empty", "refusal", "filtered"):
            return ["I'm sorry, I can't help with that." if kind == "refusal" else ""], (
                "content_filter" if kind == "filtered" else self.end_word
            )
        if kind == "endless":
            return ['{"cases": [{"slot": 1, "inputs": {"query": "', *(" " * 8192 for _ in range(64))], "stop"
        whole_cases = [with_written(self.case(number), prompt) for number in range(1, asked + 1)]
        if self.keep_bodies and found:
            attributes = dict(SLOT_LINE.findall(prompt, found.end()))
            written = [case for case in whole_cases if "inputs" in case]  # not those with several candidates
            self.meant |= {case["inputs"]["query"]: attributes.get(str(case["slot"]), "") for case in written}
        if kind in ANSWERS:
            drafts = [{**case, "inputs": {"query": f"A draft, {self._text()}"}} for case in whole_cases]
            return pieces_of_answer(ANSWERS[kind](whole_cases, drafts)), "stop"
        return pieces_of_cases(kind, whole_cases)

    async def _stream(
        self, kind: str, body: dict[str, Any], pieces: list[str], reason: str, writer: asyncio.StreamWriter
    ) -> bool:
        if self.chunk:
            whole = "".join(pieces)
            pieces = [whole[i : i + self.chunk] for i in range(0, len(whole), self.chunk)]
        end = "\r\n" if kind == "crlf" else "\n"
        told = "".join(f"{name}: {value}\r\n" for name, value in self.told_headers.items())
        writer.write(STREAM_HEAD[:-2] + told.encode() + b"\r\n")
        if kind == "ok" and not self.token_delay:
            events = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
            events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
            events.append({"choices": [], "usage": self._usage(body, pieces)})
            text = "".join(f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events)
            data = (text + "data: [DONE]\n\n").encode()
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n0\r\n\r\n")
            await writer.drain()
            return True
        due = asyncio.get_running_loop().time()
        for number, piece in enumerate(pieces):
            if kind == "comments":
                await send_chunk(writer, f": keep-alive{end}{end}".encode())
            said: dict[str, Any] = {"reasoning_content" if isinstance(piece, Thinking) else "content": piece}
            if isinstance(piece, Arguments):
                said = {"tool_calls": [{"index": 0, "function": {"name": "test_cases", "arguments": piece}}]}
            delta = {"choices": [{"index": 0, "delta": said, "finish_reason": None}]}
            await send_event(kind, delta, end, writer)
            if self.token_delay:  # a steady pace, however long a write takes
                due += self.token_delay
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            if (kind == "reset" and number >= len(pieces) // 2) or kind == "reset_early":
                await writer.drain()
                writer.transport.abort()
                return False
            if kind == "hang_mid" and number >= len(pieces) // 2:
                await writer.drain()
                await asyncio.sleep(3600)
            if kind == "error_mid" and number >= len(pieces) // 2:
                await send_event(kind, {"error": {"message": "The engine is overloaded", "code": 503}}, end, writer)
                await send_chunk(writer, b"")
                return True
        await send_event(
            kind, {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": None}, end, writer
        )
        if "stream_options" in body and kind != "no_usage":
            await send_event(kind, {"choices": [], "usage": self._usage(body, pieces)}, end, writer)
        if kind != "no_done":
            await send_chunk(writer, f"data: [DONE]{end}{end}".encode())
        await send_chunk(writer, b"")
        return True

    def _usage(self, body: dict[str, Any], pieces: list[str]) -> dict[str, Any]:
        used: dict[str, Any] = {"prompt_tokens": 100, "completion_tokens": 10 * len(pieces)}
        if self.counts_tokens:
            prompt = sum(len(str(message["content"])) for message in body["messages"])
            used = {"prompt_tokens": prompt // 4, "completion_tokens": sum(map(len, pieces)) // 4}
        if self.thinking:
            used["completion_tokens"] = self.thinking + sum(map(len, pieces)) // 4
            used["completion_tokens_details"] = {"reasoning_tokens": self.thinking}
        if self.cached_tokens is not None:
            used["prompt_tokens_details"] = {"cached_tokens": self.cached_tokens}
        return used


async def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--chunk", type=int, default=0)
    parser.add_argument("--token-delay", type=float, default=0.0)
    parser.add_argument("--words", type=int, default=12)
    parser.add_argument("--rates", default="{}")
    parser.add_argument("--retry-after", default="0.05")
    parser.add_argument("--per-second", type=float, default=0.0)
    parser.add_argument("--batches", action="store_true", help="have a Batch API")
    given = parser.parse_args()
    server = FakeOpenAI(
        rates=json.loads(given.rates), latency=given.latency, chunk=given.chunk, token_delay=given.token_delay,
        words=given.words, retry_after=given.retry_after or None, per_second=given.per_second, keep_bodies=False,
        batches=FakeBatches() if given.batches else None,
    )  # fmt: skip
    print(await server.start(), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
