"""The files and batches of a fake endpoint: they are worked on a step at each look, and go wrong on demand."""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.wire import send_error, send_json

Complete = Callable[[dict[str, Any]], Awaitable[tuple[int, Any]]]  # status and body for a chat request
_ERRORS = {"429": (429, "rate_limit_exceeded"), "500": (500, "server_error"), "401": (401, "invalid_api_key"),
           "404": (404, "not_found"), "405": (405, "method_not_allowed"), "501": (501, "not_implemented")}  # fmt: skip


@dataclass
class HeldBatch:
    """A batch as the provider holds it. ``done`` are the answered requests by ``custom_id``, with status and body."""

    id: str
    input_file: str
    metadata: dict[str, str]
    requests: list[dict[str, Any]]
    status: str = "validating"
    looks: int = 0
    done: dict[str, tuple[int, Any]] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    output_file: str | None = None
    error_file: str | None = None


@dataclass
class FakeBatches:
    """A Batch API that finishes a batch in ``steps`` looks. ``paid`` counts the answers that were made, by request.

    ``faults`` are taken in order for each operation (upload, create, look, list, content, cancel): ``429``, ``500``, ``404``
    …; ``reset`` (the connection breaks and nothing happens), ``lost`` (it happens, and the connection breaks before the
    answer), ``cut`` (the connection breaks in the middle of a file). ``rows_wrong`` is what is wrong with results: shuffled,
    duplicates, broken, strangers, missing, errors_in_output. ``expires_at`` is the share of a batch's requests that are made
    before it expires. ``invalid`` are errors that the next batch fails with. While ``held`` nothing moves.
    """

    complete: Complete | None = None
    steps: int = 2
    held: bool = False
    faults: dict[str, list[str]] = field(default_factory=dict)
    rows_wrong: tuple[str, ...] = ()
    expires_at: float | None = None
    invalid: list[dict[str, Any]] = field(default_factory=list)
    deletes_results: bool = False
    # Told ``before`` and ``after`` each operation; what it answers with true before one never happens.
    watch: Callable[[str, str], bool] = lambda operation, moment: False
    batches: dict[str, HeldBatch] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    paid: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # set whenever something was asked

    def __post_init__(self) -> None:
        self._rng = random.Random(7)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The chat requests of all batches, as they were asked for."""
        return [request["body"] for batch in self.batches.values() for request in batch.requests]

    async def answer(
        self, method: str, path: str, headers: dict[str, str], raw: bytes, writer: asyncio.StreamWriter
    ) -> bool:
        parts = path.partition("/v1/")[2].partition("?")[0].split("/")
        operation = self._operation(method, parts)
        self.seen[operation] += 1
        self.changed.set()
        if self.watch(operation, "before"):
            writer.transport.abort()
            return False
        script = self.faults.get(operation)
        fault = script.pop(0) if script else ""
        if fault in _ERRORS:
            status, code = _ERRORS[fault]
            return await send_error(writer, status, f"HTTP {status} by request", code)
        if fault == "reset":
            writer.transport.abort()
            return False
        data = await self._do(operation, parts, headers, raw)
        self.watch(operation, "after")
        if fault == "lost":
            writer.transport.abort()
            return False
        if data is None:
            return await send_error(writer, 404, "No such object", "not_found")
        if isinstance(data, bytes):
            return await self._send_file(data, cut=fault == "cut", writer=writer)
        return await send_json(writer, 200, data)

    @staticmethod
    def _operation(method: str, parts: list[str]) -> str:
        if parts[0] == "files":
            return "upload" if method == "POST" else "content"
        if method == "POST":
            return "cancel" if parts[-1] == "cancel" else "create"
        return "list" if len(parts) == 1 else "look"

    async def _do(
        self, operation: str, parts: list[str], headers: dict[str, str], raw: bytes
    ) -> dict[str, Any] | bytes | None:
        if operation == "upload":
            name = f"file-{len(self.files) + 1}"
            self.files[name] = _file_of(headers, raw)
            return {"id": name, "object": "file", "purpose": "batch"}
        if operation == "content":
            return self.files.get(parts[1])
        if operation == "create":
            return self._shown(self._create(json.loads(raw)))
        if operation == "list":
            newest = [self._shown(batch) for batch in reversed(self.batches.values())]
            return {"object": "list", "data": newest, "has_more": False}
        batch = self.batches.get(parts[1])
        if batch is None:
            return None
        if operation == "cancel":
            if batch.status in ("validating", "in_progress"):
                batch.status = "cancelling"
        elif not self.held:
            await self._step(batch)
        return self._shown(batch)

    def _create(self, asked: dict[str, Any]) -> HeldBatch:
        number = len(self.batches) + 1
        lines = self.files[asked["input_file_id"]].splitlines()
        batch = HeldBatch(f"batch_{number}", asked["input_file_id"], asked["metadata"], [json.loads(x) for x in lines])
        batch.errors, self.invalid = self.invalid, []
        self.batches[batch.id] = batch
        return batch

    async def _step(self, batch: HeldBatch) -> None:
        """What happens between two looks."""
        if batch.status in ("completed", "failed", "expired", "cancelled"):
            return
        batch.looks += 1
        if batch.errors:
            batch.status = "failed"
            return
        if batch.status == "cancelling":
            self._end(batch, "cancelled")
            return
        batch.status = "in_progress"
        total = len(batch.requests)
        until = total if self.expires_at is None else math.floor(total * self.expires_at)
        upto = min(until, math.ceil(total * batch.looks / self.steps))
        for request in batch.requests[:upto]:
            if request["custom_id"] not in batch.done:
                assert self.complete is not None
                batch.done[request["custom_id"]] = await self.complete(request["body"])
                self.paid[f"{batch.metadata.get('dsbuilder_session')} {request['custom_id']}"] += 1
        if batch.looks >= self.steps:
            self._end(batch, "completed" if self.expires_at is None else "expired")

    def _end(self, batch: HeldBatch, status: str) -> None:
        batch.status = status
        good, bad = list[bytes](), list[bytes]()
        for request in batch.requests:
            name = request["custom_id"]
            if name not in batch.done:
                code = "batch_expired" if status == "expired" else "batch_cancelled"
                bad.append(_row(name, None, {"code": code, "message": "This request could not be executed."}))
                continue
            code, body = batch.done[name]
            line = _row(name, {"status_code": code, "request_id": "r", "body": body}, None)
            (good if code == 200 or "errors_in_output" in self.rows_wrong else bad).append(line)
        if "missing" in self.rows_wrong:
            good = good[1:]
        if "duplicates" in self.rows_wrong:
            good += good
        if "broken" in self.rows_wrong:
            good = [b'{"custom_id": "b1", "respo', b"", b"<html>", *good, b'{"custom_id": 7}']
        if "strangers" in self.rows_wrong:
            good = [_row("someone-else", {"status_code": 200, "body": {"choices": []}}, None), *good]
        if "shuffled" in self.rows_wrong:
            self._rng.shuffle(good)
        for rows, name in ((good, "output_file"), (bad, "error_file")):
            if rows:
                file = f"file-{len(self.files) + 1}"
                setattr(batch, name, file)
                self.files[file] = b"\n".join(rows) + b"\n"
        if self.deletes_results:
            self.files.pop(batch.output_file or "", None)
            self.files.pop(batch.error_file or "", None)

    def _shown(self, batch: HeldBatch) -> dict[str, Any]:
        failed = sum(code != 200 for code, _ in batch.done.values())
        return {
            "id": batch.id, "object": "batch", "endpoint": "/v1/chat/completions", "status": batch.status,
            "input_file_id": batch.input_file, "output_file_id": batch.output_file, "error_file_id": batch.error_file,
            "errors": {"object": "list", "data": batch.errors} if batch.errors else None, "metadata": batch.metadata,
            "request_counts": {
                "total": len(batch.requests), "completed": len(batch.done) - failed, "failed": failed,
            },
        }  # fmt: skip

    @staticmethod
    async def _send_file(data: bytes, *, cut: bool, writer: asyncio.StreamWriter) -> bool:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + (data[: len(data) // 2] if cut else data))
        await writer.drain()
        if cut:
            writer.close()
        return not cut


def _row(name: str, response: dict[str, Any] | None, error: dict[str, str] | None) -> bytes:
    return json.dumps({"id": f"r-{name}", "custom_id": name, "response": response, "error": error}).encode()


def _file_of(headers: dict[str, str], raw: bytes) -> bytes:
    """The file in a form. Raises ``AssertionError`` when it is not sent for a batch."""
    boundary = headers["content-type"].partition("boundary=")[2].strip('"').encode()
    fields = {}
    for part in raw.split(b"--" + boundary)[1:-1]:
        head, _, body = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields[head.partition(b'name="')[2].partition(b'"')[0]] = body.removesuffix(b"\r\n")
    assert fields[b"purpose"] == b"batch"
    return fields[b"file"]
