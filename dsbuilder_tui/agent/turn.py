"""The main agent's loop on the agents SDK: one turn is streamed, its tools carried out, its questions kept.

Imported when the first turn is taken: the SDK costs seconds and a hundred megabytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

import agents
from agents.tool_context import ToolContext

from dsbuilder_tui.agent.agent_model import Connection
from dsbuilder_tui.agent.compaction import Item, as_sent, clipped, whole_turns
from dsbuilder_tui.agent.context import instructions, where_things_stand
from dsbuilder_tui.agent.conversation import show_question
from dsbuilder_tui.agent.host import Desk
from dsbuilder_tui.agent.stream_client import CUT_CALL
from dsbuilder_tui.agent.tools.base import Answer, Call, Question, Tool
from dsbuilder_tui.agent.tools.registry import TOOLS
from dsbuilder_tui.agent.transcript import Hearing, to_its_end
from dsbuilder_tui.agent.turn_events import Asked, Doing, Part, Trouble
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.history import Approval
from dsbuilder_tui.domain.plan import DatasetPlanInput, parse_plan
from dsbuilder_tui.offline.planner.planning_context import Situation
from dsbuilder_tui.session import Session

_MOST_STEPS = 12
_CONFIG = agents.RunConfig(
    tracing_disabled=True, trace_include_sensitive_data=False, tool_not_found_behavior="return_error_to_model"
)


class Loop:
    """Takes turns. One at a time."""

    def __init__(self, desk: Desk, model: agents.Model | None = None) -> None:
        self._desk, self._given = desk, model
        self.tools: dict[str, Tool[Any]] = {tool.name: tool for tool in (kind() for kind in TOOLS)}
        self._typed: tuple[str, ...] = ()
        self._pastes: dict[str, str] = {}
        self._questions: dict[str, Question] = {}
        self.answered: dict[str, Approval] = {}
        self._effects: set[asyncio.Task[Answer]] = set()
        self._at_work: set[asyncio.Task[Any]] = set()  # the SDK's tasks that carry out a tool
        self.seconds: dict[str, float] = {}
        self._accepted: dict[str, int] = {}
        self._given_up: dict[str, int] = {}
        self._proposed: DatasetPlanInput | None = None
        self._refusing: set[str] = set()

    @property
    def session(self) -> Session:
        return self._desk.session

    def hear(self) -> AsyncGenerator[Part, None]:
        """A turn about what the agent has in mind since the last one."""
        return self._take()

    def go_on(
        self, call_id: str, *, yes: bool, words: str = "", plan: DatasetPlanInput | None = None
    ) -> AsyncGenerator[Part, None]:
        """A turn that goes on from a question that has been answered."""
        return self._take(call_id, yes, words, plan)

    async def _take(
        self,
        call_id: str = "",
        yes: bool = False,
        words: str = "",
        plan: DatasetPlanInput | None = None,
    ) -> AsyncGenerator[Part, None]:
        session = self._desk.session
        await self.look_around()
        try:
            connection = Connection(session.config, self._situation, self._given, self._refusing, self.session.warn)
        except DsbuilderError as error:
            yield await self._trouble(error)
            return
        try:
            async with contextlib.aclosing(self._run(connection, call_id, yes, words, plan)) as parts:
                async for part in parts:
                    yield part
        except Exception as error:
            known = connection.explain(error)
            if known is None:
                asyncio.get_running_loop().call_exception_handler({"message": "A turn failed", "exception": error})
                kind = type(error).__name__
                known = DsbuilderError(
                    f"Something went wrong in dsbuilder itself ({kind}).", "Send it again; please report it."
                )
            yield await self._trouble(known)
        finally:
            await connection.close()

    async def _run(
        self,
        connection: Connection,
        call_id: str,
        yes: bool,
        words: str,
        plan: DatasetPlanInput | None,
    ) -> AsyncGenerator[Part, None]:
        agent, hearing = self._agent(connection.model), Hearing(self, connection)
        if call_id:
            try:
                start, parts = await self._taken_up(agent, hearing, call_id, yes, words, plan)
            except BaseException:
                await to_its_end(self._stopped(hearing))
                raise
            for part in parts:
                yield part
        else:
            start = await self._items()
        for _ in range(_MOST_STEPS):
            result = agents.Runner.run_streamed(agent, start, run_config=_CONFIG, max_turns=_MOST_STEPS)
            async with contextlib.aclosing(self._stream(result, hearing)) as stream:
                async for part in stream:
                    yield part
            if call_id in self.answered:
                await to_its_end(self.session.approvals.settle(self.answered.pop(call_id)))
            asked = [item for item in result.interruptions if item.call_id in self._questions]
            if asked:
                yield Asked(await to_its_end(self._ask(result, asked[0])))
                return
            if not result.interruptions:
                if (missing := connection.shortfall() or hearing.silence()) is not None:
                    yield await self._trouble(missing)
                return
            # Arguments that are not JSON make the SDK ask for a yes; our tool says what is wrong with them.
            start = result.to_state()
            for item in result.interruptions:
                start.approve(item)
        raise agents.MaxTurnsExceeded("too many calls that cannot be read")

    async def _stream(self, result: agents.RunResultStreaming, hearing: Hearing) -> AsyncGenerator[Part, None]:
        events = cast(AsyncGenerator[Any, None], result.stream_events())
        try:
            yield Doing("thinking")
            async for event in events:
                for part in await hearing.take(event):
                    yield part
        except agents.ModelRefusalError as refusal:
            for part in await to_its_end(hearing.refused(refusal.refusal)):
                yield part
            await to_its_end(self._stopped(hearing, result))
        except (asyncio.CancelledError, GeneratorExit):
            await to_its_end(self._stopped(hearing, result, " *(stopped)*"))
            raise
        except Exception:
            await to_its_end(self._stopped(hearing, result))
            raise
        finally:
            await events.aclose()
        error = result.run_loop_exception
        if isinstance(error, Exception) and not isinstance(error, agents.ModelRefusalError):
            raise error

    def _agent(self, model: agents.Model) -> agents.Agent[Any]:
        async def told(context: Any, agent: Any) -> str:
            return f"{instructions()}\n\n{await where_things_stand(self._desk)}"

        return agents.Agent(
            name="dsbuilder",
            instructions=told,
            model=model,
            tools=[self._function_tool(tool) for tool in self.tools.values()],
            model_settings=agents.ModelSettings(include_usage=True),
        )

    def _function_tool(self, tool: Tool[Any]) -> agents.FunctionTool:
        async def invoke(context: ToolContext[Any], text: str) -> str:
            if (task := asyncio.current_task()) is not None:
                self._at_work.add(task)
                task.add_done_callback(self._at_work.discard)
            return await self._carry_out(tool, context.tool_call_id, text)

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

    async def _needs_yes(self, tool: Tool[Any], parameters: Mapping[str, Any], call_id: str) -> bool:
        """Whether the person must say yes first. What cannot be done anyway is not asked: the tool says why."""
        if call_id in self.answered or await self._desk.session.agent_memory.tool_effect(call_id) is not None:
            return call_id in self.answered
        try:
            question = await tool.question(self._call(call_id), tool.parse(json.dumps(parameters)))
        except DsbuilderError:
            return False
        if question is None:
            return False
        self._questions[call_id] = question
        return True

    async def _carry_out(self, tool: Tool[Any], call_id: str, text: str) -> str:
        session, started = self._desk.session, time.monotonic()
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
            answer = Answer(error.problem, ok=False, hint=error.hint)
        self.seconds[call_id] = time.monotonic() - started
        return answer.text()

    async def _with_effect(self, tool: Tool[Any], call: Call, arguments: Any) -> Answer:
        answer = await tool.run(call, arguments)
        await self._desk.session.agent_memory.note_tool_effect(call.call_id, tool.name, answer.text())
        return answer

    def _call(self, call_id: str) -> Call:
        approved = self.answered.get(call_id)
        data = approved.data if approved is not None and approved.decision == "approved" else None
        return Call(self._desk, call_id, self._typed, data, self._pastes)

    async def _taken_up(
        self,
        agent: agents.Agent[Any],
        hearing: Hearing,
        call_id: str,
        yes: bool,
        words: str,
        plan: DatasetPlanInput | None,
    ) -> tuple[Any, list[Part]]:
        """What the run goes on from after an answer, and what there is to show. Each question can be answered once."""
        waiting = await self.session.approvals.open()
        if waiting is None or waiting[0].call_id != call_id:
            raise InputError("That question is not open any more.", "/plan shows the plan as it is.")
        approval, run_state = waiting
        said = words.strip() or "Declined."
        data = {**approval.data, "said": "" if yes else said}
        if plan is not None:
            data["edited"] = plan.model_dump(mode="json")

        async def decide() -> None:
            decision = "approved" if yes else "declined"
            self.answered[call_id] = await self.session.approvals.decide(approval, decision, data)

        await to_its_end(decide())
        try:
            state = await agents.RunState.from_string(agent, run_state, context_override={})
            item = next(i for i in state.get_interruptions() if i.call_id == call_id)
        except Exception:  # written by another version of the SDK: the answer goes on without what it had in mind
            output = said
            if yes and (tool := self.tools.get(approval.tool)) is not None:
                output = await self._carry_out(tool, call_id, json.dumps(data.get("arguments") or {}))
            elif yes:
                output = Answer(f"There is no tool {approval.tool} any more.", ok=False).text()
            parts = await to_its_end(hearing.ended(call_id, output))
            return await self._items(), parts
        if yes:
            state.approve(item)
        else:
            state.reject(item, rejection_message=said)
        return state, []

    async def _ask(self, result: agents.RunResultStreaming, first: agents.ToolApprovalItem) -> Approval:
        """Keep a question, with what the run goes on from. Others of the same breath must be asked again."""
        state = result.to_state()
        for other in result.interruptions:
            if other.call_id != first.call_id:
                state.reject(other, rejection_message="One question at a time: ask again when the first is answered.")
        call_id = str(first.call_id)
        question = self._questions.pop(call_id)
        self._questions.clear()
        arguments = json.loads(first.arguments or "{}")
        data = {**question.data, "text": question.text, "kind": question.kind, "arguments": arguments}
        frozen = state.to_string(context_serializer=lambda context: {})
        approval = await self._desk.session.approvals.ask(call_id, str(first.tool_name), data, frozen)
        await show_question(self._desk, approval)
        return approval

    async def _stopped(
        self, hearing: Hearing, result: agents.RunResultStreaming | None = None, words: str = ""
    ) -> None:
        """Leave nothing half done: effects come to their end, what was said so far is kept, no task goes on."""
        if result is not None:
            result.cancel(mode="immediate")
            if result.run_loop_task is not None:
                await asyncio.wait({result.run_loop_task})
        while going_on := {*self._at_work, *self._effects}:
            await asyncio.gather(*going_on, return_exceptions=True)
        self._questions.clear()
        await hearing.leave(words)

    async def _trouble(self, error: DsbuilderError) -> Trouble:
        text = f"✗ {error}"
        with contextlib.suppress(DsbuilderError):
            await self._desk.session.chat.add("dsbuilder", text, "error")
        return Trouble(text, error.exit_code)

    async def remember(self, *items: Item) -> None:
        await self._desk.session.agent_memory.add_items([clipped(item) for item in items])

    async def _items(self) -> list[Item]:
        items = whole_turns([item for _, item in await self._desk.session.agent_memory.items()])
        return [as_sent(item, number) for number, item in enumerate(items)]

    async def look_around(self) -> None:
        """What a turn starts from, besides what was said."""
        session = self._desk.session
        said = [m for m in await session.chat.messages(400) if m.role == "person"]
        self._typed = tuple(m.text for m in said)
        self._pastes = {str(n): str(text) for m in said for n, text in (m.data.get("pastes") or {}).items()}
        self._accepted = await session.cases.counts()
        self._given_up = await session.cases.exhausted_counts()
        waiting = await session.approvals.open()
        plan = waiting[0].data.get("plan") if waiting else None
        self._proposed = parse_plan(plan, "the proposal") if plan else None

    def _situation(self) -> Situation:
        session = self._desk.session
        return Situation(
            plan=session.plan if session.planned else None,
            proposed=self._proposed,
            running=self._desk.running,
            accepted=self._accepted,
            given_up=self._given_up,
            stages=session.config.diversity_stages,
            models="built-in",
            tools=tuple(str(name) for name in session.agent_memory.target.get("tools") or ()),
        )
