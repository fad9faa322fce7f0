"""What is made of the SDK's events: parts for whoever watches, messages for the person, items for the agent's mind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from dsbuilder_tui.agent.turn_events import Doing, Part, Said, ToolBegun, ToolEnded, Words
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.errors import DsbuilderError, EndpointUnavailable
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.session import Session

if TYPE_CHECKING:
    from dsbuilder_tui.agent.agent_model import Connection
    from dsbuilder_tui.agent.turn import Loop

MOST_DETAIL = 4000

T = TypeVar("T")


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Do something to its end even when whoever waits for it is cancelled; the cancellation goes on after it."""
    task, cancelled = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # the cancellation is what the caller hears of
        raise cancelled
    return task.result()


class Hearing:
    """Hears one turn, and keeps what was said and done in it."""

    def __init__(self, loop: Loop, connection: Connection) -> None:
        self._loop, self._connection = loop, connection
        self._session = loop.session
        self._heard = ""
        self._called = time.monotonic()
        self._calls: dict[str, tuple[str, str]] = {}  # begun, and not answered yet: tool, arguments
        self._last = ""
        self._told = False  # the person was told something, or shown what a tool did

    async def take(self, event: Any) -> list[Part]:
        """The parts of an event. What it says is on disk when this returns."""
        if event.type == "raw_response_event":
            kind = event.data.type
            if kind in ("response.output_text.delta", "response.refusal.delta"):
                self._heard += event.data.delta
                return [Words(event.data.delta)]
            if kind == "response.completed":
                await to_its_end(self._count(event.data.response.usage))
        elif event.type == "run_item_stream_event":
            if event.name == "message_output_created":
                return await to_its_end(self._said(event.item))
            if event.name == "tool_called":
                return await to_its_end(self._begun(event.item.raw_item))
            if event.name == "tool_output":
                raw = event.item.raw_item
                call_id = str(raw["call_id"] if isinstance(raw, dict) else raw.call_id)
                return [*await to_its_end(self.ended(call_id, str(event.item.output))), Doing("thinking")]
        return []

    async def _count(self, usage: Any) -> None:
        now = time.monotonic()
        if usage is None and not self._connection.offline:
            await self._session.costs.note_agent_call("turn", self._connection.name, Usage(), now - self._called)
        elif usage is not None and not self._connection.offline:
            cached = getattr(usage.input_tokens_details, "cached_tokens", 0) or 0
            known = bool(usage.input_tokens or usage.output_tokens)
            spent = Usage(usage.input_tokens, usage.output_tokens, known, cached)
            await self._session.costs.note_agent_call("turn", self._connection.name, spent, now - self._called)
        self._called = now

    async def _said(self, item: Any) -> list[Part]:
        text = "".join(
            getattr(part, "text", None) or getattr(part, "refusal", None) or "" for part in item.raw_item.content
        )
        return await self._keep(text)

    async def refused(self, words: str) -> list[Part]:
        """The model will not: that is what it says. The SDK makes such words up when a content filter leaves none."""
        if self._connection.finish == "content_filter":
            self._heard = "" if self._heard == words else self._heard
            return []
        return await self._keep(words) if words != self._last else []

    async def _keep(self, text: str) -> list[Part]:
        self._heard, self._last = "", text
        if not text.strip():
            return []
        self._told = True
        await self._loop.remember({"role": "assistant", "content": text})
        await self._session.chat.add("agent", text, "text")
        return [Said(text)]

    def silence(self) -> DsbuilderError | None:
        """What to tell the person when the turn came to its end without a word."""
        if self._told:
            return None
        return EndpointUnavailable("The model answered nothing.", "Say it again, or choose another model with /model.")

    async def _begun(self, raw: Any) -> list[Part]:
        call_id, name, arguments = str(raw.call_id), str(raw.name), str(raw.arguments)
        self._calls[call_id] = (name, arguments)
        await self._loop.remember({"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments})
        tool = self._loop.tools.get(name)
        words = name.replace("_", " ")
        if tool is not None:
            with contextlib.suppress(DsbuilderError):
                words = tool.doing(tool.parse(arguments))
        words = one_line(words, 80)
        parts: list[Part] = [Doing(words)]
        if tool is not None and not tool.asks:
            parts.append(ToolBegun(call_id, name, words))
        return parts

    async def ended(self, call_id: str, output: str) -> list[Part]:
        """A call has its answer: it is kept, and a question that led to it is settled."""
        loop = self._loop
        approval = loop.answered.pop(call_id, None)
        name, arguments = self._calls.pop(call_id, (approval.tool if approval else "", ""))
        seconds = loop.seconds.pop(call_id, 0.0)
        parts: list[Part] = []
        if approval is None or approval.decision != "declined":  # else the card says so
            self._told = True
            await keep_tool_message(self._session, call_id, name, output, arguments, seconds)
            ok, said = outcome(output)
            parts.append(ToolEnded(call_id, name, ok, said, output[:MOST_DETAIL], seconds))
        await loop.remember({"type": "function_call_output", "call_id": call_id, "output": output})
        if approval is not None:
            await self._session.approvals.settle(approval)
            await loop.look_around()
        return parts

    async def leave(self, words: str) -> None:
        """The turn ends before its time: what was said so far is kept, and calls that have had their effect.

        An approval whose tool has had no effect is taken back: the question is open again.
        """
        loop = self._loop
        if self._heard.strip():
            await loop.remember({"role": "assistant", "content": self._heard})
            await self._session.chat.add("agent", self._heard + words, "text")
            self._heard = ""
        for call_id in list(dict.fromkeys([*self._calls, *loop.answered])):
            output, approval = await self._session.agent_memory.tool_effect(call_id), loop.answered.get(call_id)
            if output is None and approval is not None:
                if approval.decision == "approved":
                    await self._session.approvals.reopen(approval)
                    continue
                output = str(approval.data.get("said") or "Declined.")
            if output is not None:
                await self.ended(call_id, output)
        self._calls.clear()
        loop.answered.clear()


async def keep_tool_message(
    session: Session, call_id: str, tool: str, output: str, arguments: str = "", seconds: float = 0.0
) -> None:
    """Put what a tool did into the conversation, in a line with more behind it."""
    ok, said = outcome(output)
    data = {
        "call": call_id, "tool": tool, "ok": ok, "seconds": round(seconds, 3),
        "arguments": arguments[:MOST_DETAIL], "answer": output[:MOST_DETAIL],
    }  # fmt: skip
    await session.chat.add("agent", said, "tool", data)


def outcome(output: str) -> tuple[bool, str]:
    """Whether a tool could do it, and what it said, from its answer."""
    try:
        answer = json.loads(output)
        ok = bool(answer.get("ok", True))
        said = str(answer.get("said") if ok else f"{answer.get('error')} {answer.get('way_out', '')}")
    except (ValueError, AttributeError):
        return False, one_line(output, 200)
    return ok, one_line(said, 400)
