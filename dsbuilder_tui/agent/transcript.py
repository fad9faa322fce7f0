"""The transcript of one turn, out of the SDK's events: turn events for whoever watches, messages for the person, items
that the agent remembers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

from dsbuilder_tui.agent.agent_model import Connection
from dsbuilder_tui.agent.chat_messages import add_thoughts_message, add_tool_message
from dsbuilder_tui.agent.compaction import Item, clipped
from dsbuilder_tui.agent.run_to_end import run_to_end
from dsbuilder_tui.agent.tool_runner import ToolRunner
from dsbuilder_tui.agent.turn_events import Activity, TextDelta, ToolStarted, TurnEvent, WordsWithdrawn
from dsbuilder_tui.domain.approval import ApprovalDecision
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.errors import DsbuilderError, EndpointUnavailable
from dsbuilder_tui.domain.message import MessageRole
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.models.agent_words import spoken
from dsbuilder_tui.models.earlier_thoughts import EXTRAS
from dsbuilder_tui.session import Session

_LONGEST_TAG = 24  # characters
_MOST_THOUGHT = 60  # characters of the line that shows them


class Transcript:
    """Writes down one turn: what was said and done in it is on disk before it is shown."""

    def __init__(
        self, session: Session, connection: Connection, runner: ToolRunner, refresh: Callable[[], Awaitable[None]]
    ) -> None:
        """``refresh`` is awaited when a question was settled: what the turn started from has changed."""
        self._session, self._connection, self._runner, self._refresh = session, connection, runner, refresh
        self._streamed = ""  # words of a message that is not at its end
        self._thoughts = ""  # that are in no message yet
        self._thinking_since = 0.0  # monotonic seconds
        self._withdrawn = False  # words of the message that comes were thoughts
        self._tagged = False  # what looks like the end of thoughts has come among the words
        self._called = time.monotonic()
        self._calls: dict[str, tuple[str, str]] = {}  # begun, and not answered yet: tool, arguments
        self._last = ""
        self._told = False  # the person was told something, or shown what a tool did

    async def take(self, event: Any) -> list[TurnEvent]:
        """The turn events of an event. What it says is on disk when this returns."""
        if event.type == "raw_response_event":
            kind = event.data.type
            if kind in ("response.output_text.delta", "response.refusal.delta"):
                self._streamed += event.data.delta
                if not self._thoughts and not self._may_be_tagged(event.data.delta):
                    return [TextDelta(event.data.delta)]  # at once: the SDK gives up what waits when a stream breaks
                return await run_to_end(self._speak(event.data.delta))
            if kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
                if not self._thoughts:
                    self._thinking_since = time.monotonic()
                self._thoughts += event.data.delta
                return [Activity(f"thinking · {one_line(self._thoughts[-_MOST_THOUGHT:], _MOST_THOUGHT)}")]
            if kind == "response.completed":
                await run_to_end(self._count(event.data.response.usage))
                return await run_to_end(self._think_out()) if self._thoughts else []
        elif event.type == "run_item_stream_event":
            if event.name == "message_output_created":
                return await run_to_end(self._said(event.item))
            if event.name == "tool_called":
                parts = await run_to_end(self._think_out()) if self._thoughts else []
                return [*parts, *await run_to_end(self._begun(event.item.raw_item))]
            if event.name == "tool_output":
                raw = event.item.raw_item
                call_id = str(raw["call_id"] if isinstance(raw, dict) else raw.call_id)
                return [*await run_to_end(self.ended(call_id, str(event.item.output))), Activity("thinking")]
        return []

    def _may_be_tagged(self, delta: str) -> bool:
        """Whether the end of thoughts may have come among the words."""
        self._tagged = self._tagged or "/think" in self._streamed[-len(delta) - _LONGEST_TAG :].lower()
        return self._tagged

    async def _speak(self, delta: str) -> list[TurnEvent]:
        """Words that come behind thoughts, or turn out to have been some."""
        found = spoken(self._streamed, ended=False) if self._may_be_tagged(delta) else None
        if found is None or not found.thoughts:
            return [*await self._think_out(), TextDelta(delta)]
        self._streamed, self._tagged, self._withdrawn = found.words, False, True
        return [WordsWithdrawn(), *await self._think_out(found.thoughts), TextDelta(found.words)]

    async def _think_out(self, more: str = "") -> list[TurnEvent]:
        """Keep what the model has thought so far."""
        thoughts, self._thoughts = (self._thoughts + more).strip(), ""
        if not thoughts:
            return []
        since = self._called if more else self._thinking_since
        return [await add_thoughts_message(self._session, thoughts, time.monotonic() - since)]

    async def _count(self, usage: Any) -> None:
        now = time.monotonic()
        if usage is None and not self._connection.offline:
            await self._session.costs.note_agent_call("turn", self._connection.name, Usage(), now - self._called)
        elif usage is not None and not self._connection.offline:
            cached = getattr(usage.input_tokens_details, "cached_tokens", 0) or 0
            known = bool(usage.input_tokens or usage.output_tokens)
            spent = Usage(usage.input_tokens, usage.output_tokens, known=known, cached_tokens=cached)
            await self._session.costs.note_agent_call("turn", self._connection.name, spent, now - self._called)
        self._called = now

    async def _said(self, item: Any) -> list[TurnEvent]:
        text = "".join(
            getattr(part, "text", None) or getattr(part, "refusal", None) or "" for part in item.raw_item.content
        )
        found, self._withdrawn, before = spoken(text), False, self._withdrawn
        return [*await self._think_out("" if before else found.thoughts), *await self._keep(found.words)]

    async def refused(self, words: str) -> list[TurnEvent]:
        """The model will not: that is what it says. The SDK makes such words up when a content filter leaves none."""
        if self._connection.finish == "content_filter":
            self._streamed = "" if self._streamed == words else self._streamed
            return []
        return await self._keep(words) if words != self._last else []

    async def _keep(self, text: str) -> list[TurnEvent]:
        self._streamed, self._last, self._tagged = "", text, False
        if not text.strip():
            return []
        self._told = True
        await self._remember({"role": "assistant", "content": text})
        return [await self._session.chat.add(MessageRole.AGENT, text)]

    def silence(self) -> DsbuilderError | None:
        """What to tell the person when the turn came to its end without a word."""
        if self._told:
            return None
        return EndpointUnavailable("The model answered nothing.", "Say it again, or choose another model with /model.")

    async def _begun(self, raw: Any) -> list[TurnEvent]:
        call_id, name, arguments = str(raw.call_id), str(raw.name), str(raw.arguments)
        self._calls[call_id] = (name, arguments)
        extras = self._connection.extras(call_id)
        await self._remember(
            {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
            | ({EXTRAS: extras} if extras else {})
        )
        tool = self._runner.tools.get(name)
        words = name.replace("_", " ")
        if tool is not None:
            with contextlib.suppress(DsbuilderError):
                words = tool.doing(tool.parse(arguments))
        words = one_line(words, 80)
        parts: list[TurnEvent] = [Activity(words)]
        if tool is not None and not tool.asks:
            parts.append(ToolStarted(call_id, name, words))
        return parts

    async def ended(self, call_id: str, output: str) -> list[TurnEvent]:
        """A call has its answer: it is kept, and a question that led to it is settled."""
        runner = self._runner
        approval = runner.answered.pop(call_id, None)
        name, arguments = self._calls.pop(call_id, (approval.tool if approval else "", ""))
        seconds = runner.seconds.pop(call_id, 0.0)
        parts: list[TurnEvent] = []
        if approval is None or approval.decision is not ApprovalDecision.DECLINED:  # else the card says so
            self._told = True
            parts.append(await add_tool_message(self._session, call_id, name, output, arguments, seconds))
        await self._remember({"type": "function_call_output", "call_id": call_id, "output": output})
        if approval is not None:
            await self._session.approvals.settle(approval)
            await self._refresh()
        return parts

    async def leave(self, words: str) -> list[TurnEvent]:
        """The turn ends before its time: what was said so far is kept, and calls that have had their effect.

        An approval whose tool has had no effect is taken back: the question is open again.
        """
        runner, parts = self._runner, await self._think_out()
        if self._streamed.strip():
            await self._remember({"role": "assistant", "content": self._streamed})
            parts.append(await self._session.chat.add(MessageRole.AGENT, self._streamed + words))
            self._streamed = ""
        for call_id in list(dict.fromkeys([*self._calls, *runner.answered])):
            output, approval = await self._session.agent_memory.tool_effect(call_id), runner.answered.get(call_id)
            if output is None and approval is not None:
                if approval.decision is ApprovalDecision.APPROVED:
                    await self._session.approvals.reopen(approval)
                    continue
                output = approval.request.said or "Declined."
            if output is not None:
                parts += await self.ended(call_id, output)
        self._calls.clear()
        runner.answered.clear()
        return parts

    async def _remember(self, item: Item) -> None:
        await self._session.agent_memory.add_items([clipped(item)])
