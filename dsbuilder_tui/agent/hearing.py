"""What is heard of a turn: the SDK's events made into parts, and what was said and done kept in the session."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.agent.endpoint import Connection
from dsbuilder_tui.agent.parts import Doing, Part, Said, ToolBegun, ToolEnded, Words
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.errors import DsbuilderError, EndpointUnavailable
from dsbuilder_tui.domain.sanitise import one_line

if TYPE_CHECKING:
    from dsbuilder_tui.agent.loop import Loop

_MOST_DETAIL = 4000


class Hearing:
    """Makes parts of the SDK's events, and keeps what was said and done."""

    def __init__(self, loop: Loop, connection: Connection) -> None:
        self._loop, self._connection = loop, connection
        self._session = loop._desk.session
        self._heard = ""
        self._called = time.monotonic()
        self._calls: dict[str, tuple[str, str]] = {}  # begun, and not answered yet: tool, arguments
        self._shown: set[str] = set()
        self._last = ""
        self._told = False  # the person was told something, or shown what a tool did

    async def take(self, event: Any) -> AsyncGenerator[Part, None]:
        if event.type == "raw_response_event":
            kind = event.data.type
            if kind in ("response.output_text.delta", "response.refusal.delta"):
                self._heard += event.data.delta
                yield Words(event.data.delta)
            elif kind == "response.completed":
                await self._count(event.data.response.usage)
        elif event.type == "run_item_stream_event":
            if event.name == "message_output_created":
                async for part in self._said(event.item):
                    yield part
            elif event.name == "tool_called":
                async for part in self._begun(event.item.raw_item):
                    yield part
            elif event.name == "tool_output":
                async for part in self._ended(event.item):
                    yield part
                yield Doing("thinking")

    async def _count(self, usage: Any) -> None:
        now = time.monotonic()
        if usage is None and not self._connection.offline:
            await self._session.note_agent_call("turn", self._connection.name, Usage(), now - self._called)
        elif usage is not None and not self._connection.offline:
            cached = getattr(usage.input_tokens_details, "cached_tokens", 0) or 0
            known = bool(usage.input_tokens or usage.output_tokens)
            spent = Usage(usage.input_tokens, usage.output_tokens, known, cached)
            await self._session.note_agent_call("turn", self._connection.name, spent, now - self._called)
        self._called = now

    async def _said(self, item: Any) -> AsyncGenerator[Part, None]:
        text = "".join(
            getattr(part, "text", None) or getattr(part, "refusal", None) or "" for part in item.raw_item.content
        )
        async for part in self._keep(text):
            yield part

    async def refused(self, words: str) -> AsyncGenerator[Part, None]:
        """The model will not: that is what it says. The SDK makes such words up when a content filter leaves none."""
        if self._connection.finish == "content_filter":
            self._heard = "" if self._heard == words else self._heard
        elif words != self._last:
            async for part in self._keep(words):
                yield part

    async def _keep(self, text: str) -> AsyncGenerator[Part, None]:
        self._heard, self._last = "", text
        if text.strip():
            self._told = True
            await self._loop._remember({"role": "assistant", "content": text})
            await self._session.add_message("agent", text, "text")
            yield Said(text)

    async def _begun(self, raw: Any) -> AsyncGenerator[Part, None]:
        call_id, name, arguments = str(raw.call_id), str(raw.name), str(raw.arguments)
        self._calls[call_id] = (name, arguments)
        await self._loop._remember({"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments})
        tool = self._loop._tools.get(name)
        words = name.replace("_", " ")
        if tool is not None:
            with contextlib.suppress(DsbuilderError):
                words = tool.doing(tool.parse(arguments))
        yield Doing(one_line(words, 80))
        if tool is not None and not tool.asks:
            self._shown.add(call_id)
            yield ToolBegun(call_id, name, one_line(words, 80))

    async def _ended(self, item: Any) -> AsyncGenerator[Part, None]:
        raw = item.raw_item
        call_id = str(raw["call_id"] if isinstance(raw, dict) else raw.call_id)
        output = str(item.output)
        await self._loop._remember({"type": "function_call_output", "call_id": call_id, "output": output})
        approval = self._loop._answered.get(call_id)
        name, arguments = self._calls.pop(call_id, (approval.tool if approval else "", ""))
        if approval is not None:
            await self._session.settle_approval(approval)
            self._loop._answered.pop(call_id, None)
            await self._loop._look_around()
            if approval.decision == "declined":
                return  # the card says so
        self._told = True
        ok, said = _outcome(output)
        seconds = self._loop._seconds.pop(call_id, 0.0)
        data = {
            "call": call_id, "tool": name, "ok": ok, "seconds": round(seconds, 3),
            "arguments": arguments[:_MOST_DETAIL], "answer": output[:_MOST_DETAIL],
        }  # fmt: skip
        await self._session.add_message("agent", said, "tool", data)
        yield ToolEnded(call_id, name, ok, said, output[:_MOST_DETAIL], seconds)

    def silence(self) -> DsbuilderError | None:
        """What to tell the person when the turn came to its end without a word."""
        if self._told:
            return None
        return EndpointUnavailable("The model answered nothing.", "Say it again, or choose another model with /model.")

    async def leave(self, words: str) -> None:
        """The turn ends before its time: what was said so far is kept, and calls that have had their effect."""
        if self._heard.strip():
            await self._loop._remember({"role": "assistant", "content": self._heard})
            await self._session.add_message("agent", self._heard + words, "text")
            self._heard = ""
        for call_id, (name, _) in self._calls.items():
            output = await self._session.tool_effect(call_id)
            if output is not None:
                await self._loop._remember({"type": "function_call_output", "call_id": call_id, "output": output})
                data = {"call": call_id, "tool": name, "ok": True, "seconds": 0.0, "arguments": "", "answer": output}
                await self._session.add_message("agent", _outcome(output)[1], "tool", data)
        for approval in self._loop._answered.values():
            done = await self._session.tool_effect(approval.call_id)
            if done is None and approval.decision == "approved":
                await self._session.reopen_approval(approval)
                continue
            output = done or "Declined."
            await self._loop._remember({"type": "function_call_output", "call_id": approval.call_id, "output": output})
            await self._session.settle_approval(approval)
        self._loop._answered.clear()


def _outcome(output: str) -> tuple[bool, str]:
    """Whether a tool could do it, and what it said, from its answer."""
    try:
        answer = json.loads(output)
        ok = bool(answer.get("ok", True))
        said = str(answer.get("said") if ok else f"{answer.get('error')} {answer.get('way_out', '')}")
    except (ValueError, AttributeError):
        return False, one_line(output, 200)
    return ok, one_line(said, 400)
