"""Tool calls of the main agent: offered to the SDK, asked about where the person must agree, carried out once each."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

import agents
from agents.tool_context import ToolContext

from dsbuilder_tui.agent.host import Host
from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolCall
from dsbuilder_tui.agent.tool_registry import tool_kinds
from dsbuilder_tui.domain.approval import Approval, ApprovalDecision, ApprovalRequest
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.message import TextContent
from dsbuilder_tui.domain.undo import Actor
from dsbuilder_tui.models.agent_answer import CUT_CALL
from dsbuilder_tui.session.acting import one_step


class ToolRunner:
    """Carries out tool calls at one host. ``answered`` are the person's decisions that no tool has acted on yet, by call;
    ``seconds`` how long finished calls took, until somebody takes note of them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.tools: dict[str, Tool[Any]] = {tool.name: tool for tool in (kind() for kind in tool_kinds())}
        self.answered: dict[str, Approval] = {}
        self.seconds: dict[str, float] = {}
        self._typed: tuple[str, ...] = ()
        self._pastes: dict[str, str] = {}
        self._questions: dict[str, ApprovalRequest] = {}
        self._effects: set[asyncio.Task[ToolAnswer]] = set()
        self._at_work: set[asyncio.Task[Any]] = set()  # the SDK's tasks that carry out a tool

    def function_tools(self) -> list[agents.Tool]:
        """All tools, as the SDK takes them."""
        return [self._function_tool(tool) for tool in self.tools.values()]

    def _function_tool(self, tool: Tool[Any]) -> agents.FunctionTool:
        async def invoke(context: ToolContext[Any], text: str) -> str:
            if (task := asyncio.current_task()) is not None:
                self._at_work.add(task)
                task.add_done_callback(self._at_work.discard)
            return await self.carry_out(tool, context.tool_call_id, text)

        async def asks(context: Any, parameters: dict[str, Any], call_id: str) -> bool:
            return await self._needs_yes(tool, parameters, call_id)

        return agents.FunctionTool(
            name=tool.name,
            description=tool.description,
            params_json_schema=tool.schema(),
            on_invoke_tool=invoke,
            strict_json_schema=False,
            needs_approval=asks if tool.asks else False,
        )

    async def refresh(self) -> None:
        """Read again what the person typed and pasted: some tools do only what the person named themselves."""
        said = await self._host.session.chat.own_words(400)
        self._typed = tuple(m.text for m in said)
        texts = [m.content for m in said if isinstance(m.content, TextContent)]
        self._pastes = {str(number): paste for content in texts for number, paste in content.pastes.items()}

    def has_question(self, call_id: str) -> bool:
        """Whether this call waits for the person's yes."""
        return call_id in self._questions

    def take_question(self, call_id: str) -> ApprovalRequest:
        """The question of a call. Those of other calls are forgotten: they must be asked again."""
        question = self._questions.pop(call_id)
        self._questions.clear()
        return question

    async def finish_effects(self) -> None:
        """Until every tool that is at work has come to its end. Questions that were not put are forgotten."""
        while going_on := {*self._at_work, *self._effects}:
            await asyncio.gather(*going_on, return_exceptions=True)
        self._questions.clear()

    async def carry_out(self, tool: Tool[Any], call_id: str, text: str) -> str:
        """What the tool answers to these arguments, in JSON; what it could not do is said in it."""
        session, started = self._host.session, time.monotonic()
        if tool.effect and (done := await session.agent_memory.tool_effect(call_id)) is not None:
            return done
        try:
            if text.endswith(CUT_CALL):
                raise InputError(f"The call of {tool.name} was cut off, and not carried out.", "Send less in one call.")
            arguments = tool.parse(text)
            call = self._call(call_id)
            if tool.asks and call.approved is None and await tool.question(call, arguments) is not None:
                raise InputError(f"{tool.name} needs the person's yes for this.", "Ask the person.")
            if tool.effect:
                # Esc must not leave it half done: it comes to its end, and what it did is remembered.
                effect = asyncio.create_task(self._with_effect(tool, call, arguments))
                self._effects.add(effect)
                effect.add_done_callback(self._effects.discard)
                answer = await asyncio.shield(effect)
            else:
                answer = await tool.run(call, arguments)
        except DsbuilderError as error:
            answer = ToolAnswer(error.problem, ok=False, hint=error.hint)
        self.seconds[call_id] = time.monotonic() - started
        return answer.text()

    async def _needs_yes(self, tool: Tool[Any], parameters: Mapping[str, Any], call_id: str) -> bool:
        """Whether the person must say yes first. What cannot be done anyway is not asked: the tool says why."""
        if call_id in self.answered or await self._host.session.agent_memory.tool_effect(call_id) is not None:
            return call_id in self.answered
        try:
            question = await tool.question(self._call(call_id), tool.parse(json.dumps(parameters)))
        except DsbuilderError:
            return False
        if question is None:
            return False
        self._questions[call_id] = question
        return True

    async def _with_effect(self, tool: Tool[Any], call: ToolCall, arguments: Any) -> ToolAnswer:
        with one_step(Actor.AGENT):
            answer = await tool.run(call, arguments)
        await self._host.session.agent_memory.note_tool_effect(call.call_id, tool.name, answer.text())
        return answer

    def _call(self, call_id: str) -> ToolCall:
        approved = self.answered.get(call_id)
        agreed = approved is not None and approved.decision is ApprovalDecision.APPROVED
        return ToolCall(
            host=self._host,
            call_id=call_id,
            typed=self._typed,
            approved=approved.request if approved is not None and agreed else None,
            pastes=self._pastes,
        )
