"""One turn of the main agent on the agents SDK: streamed, its tools carried out, its questions kept.

Imported when the first turn is taken: the SDK costs seconds and a hundred megabytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import agents

from dsbuilder_tui.agent.agent_model import Connection
from dsbuilder_tui.agent.call_traces import AgentCallTraces
from dsbuilder_tui.agent.chat_messages import add_question_message
from dsbuilder_tui.agent.compaction import Item, as_sent, whole_turns
from dsbuilder_tui.agent.context import instructions, where_things_stand
from dsbuilder_tui.agent.host import Host
from dsbuilder_tui.agent.run_to_end import run_to_end
from dsbuilder_tui.agent.tool import ToolAnswer
from dsbuilder_tui.agent.tool_runner import ToolRunner
from dsbuilder_tui.agent.transcript import Transcript
from dsbuilder_tui.agent.turn_events import Activity, QuestionAsked, TurnEvent, TurnFailed
from dsbuilder_tui.domain.approval import ApprovalDecision, PlanApproval
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.message import ErrorContent, MessageRole
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.slots import all_axes
from dsbuilder_tui.offline.planner.planning_context import PlanningContext

_MOST_STEPS = 12
_CONFIG = agents.RunConfig(
    tracing_disabled=True, trace_include_sensitive_data=False, tool_not_found_behavior="return_error_to_model"
)


class TurnRunner:
    """Takes turns at one host. One at a time."""

    def __init__(self, host: Host, model: agents.Model | None = None) -> None:
        self._host, self._given = host, model
        self._runner = ToolRunner(host)
        self._accepted: dict[str, int] = {}
        self._exhausted: dict[str, int] = {}
        self._proposed: DatasetPlanInput | None = None
        self._sent_back: DatasetPlanInput | None = None
        self._first: DatasetPlanInput | None = None
        self._branches: tuple[str, ...] = ()
        self.refused = False  # the model would not, in the turn that was taken last

    def begin(self) -> AsyncGenerator[TurnEvent, None]:
        """A turn about what the agent was told since the last one."""
        return self._take()

    def go_on(
        self, call_id: str, *, yes: bool, words: str = "", plan: DatasetPlanInput | None = None
    ) -> AsyncGenerator[TurnEvent, None]:
        """A turn that goes on from a question that has been answered."""
        return self._take(call_id, yes, words, plan)

    async def _take(
        self,
        call_id: str = "",
        yes: bool = False,
        words: str = "",
        plan: DatasetPlanInput | None = None,
    ) -> AsyncGenerator[TurnEvent, None]:
        session = self._host.session
        self.refused = False
        await self._refresh()
        try:
            connection = Connection(
                session.config, self._planning_context, self._given, session.endpoints.options, session.warn
            )
        except DsbuilderError as error:
            for part in await self._trouble(error):
                yield part
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
            for part in await self._trouble(known):
                yield part
        finally:
            with contextlib.suppress(DsbuilderError):  # what a full disk does not take is found out anew
                await run_to_end(session.endpoints.keep())
            await connection.close()

    async def _run(
        self,
        connection: Connection,
        call_id: str,
        yes: bool,
        words: str,
        plan: DatasetPlanInput | None,
    ) -> AsyncGenerator[TurnEvent, None]:
        agent, transcript = (
            self._agent(connection.model),
            Transcript(self._host.session, connection, self._runner, self._refresh),
        )
        hooks = (
            AgentCallTraces(self._host.session, connection.name) if self._host.session.tracking.traces_calls else None
        )
        items = await self._items(connection)
        if call_id:
            try:
                start, parts = await self._taken_up(agent, connection, transcript, call_id, yes, words, plan)
            except BaseException:
                await run_to_end(self._stopped(transcript))
                raise
            for part in parts:
                yield part
        else:
            start = items
        for _ in range(_MOST_STEPS):
            result = agents.Runner.run_streamed(agent, start, run_config=_CONFIG, max_turns=_MOST_STEPS, hooks=hooks)
            async with contextlib.aclosing(self._stream(result, transcript)) as stream:
                try:
                    async for part in stream:
                        yield part
                finally:
                    if hooks is not None:
                        hooks.leave(result.run_loop_exception)
            if call_id in self._runner.answered:
                await run_to_end(self._host.session.approvals.settle(self._runner.answered.pop(call_id)))
            asked = [item for item in result.interruptions if self._runner.has_question(str(item.call_id))]
            if asked:
                for part in await run_to_end(self._ask(result, asked[0])):
                    yield part
                return
            if not result.interruptions:
                if (missing := connection.shortfall() or transcript.silence()) is not None:
                    for part in await self._trouble(missing):
                        yield part
                return
            # ToolArguments that are not JSON make the SDK ask for a yes; our tool says what is wrong with them.
            start = result.to_state()
            for item in result.interruptions:
                start.approve(item)
        raise agents.MaxTurnsExceeded("too many calls that cannot be read")

    async def _stream(
        self, result: agents.RunResultStreaming, transcript: Transcript
    ) -> AsyncGenerator[TurnEvent, None]:
        events = cast(AsyncGenerator[Any, None], result.stream_events())
        try:
            yield Activity("thinking")
            async for event in events:
                for part in await transcript.take(event):
                    yield part
        except agents.ModelRefusalError as refusal:
            self.refused = True
            for part in await run_to_end(transcript.refused(refusal.refusal)):
                yield part
            for part in await run_to_end(self._stopped(transcript, result)):
                yield part
        except (asyncio.CancelledError, GeneratorExit):
            await run_to_end(self._stopped(transcript, result, " *(stopped)*"))
            raise
        except Exception:
            for part in await run_to_end(self._stopped(transcript, result)):
                yield part
            raise
        finally:
            await events.aclose()
        error = result.run_loop_exception
        if isinstance(error, Exception) and not isinstance(error, agents.ModelRefusalError):
            raise error

    def _agent(self, model: agents.Model) -> agents.Agent[Any]:
        async def told(context: Any, agent: Any) -> str:
            return f"{instructions()}\n\n{await where_things_stand(self._host)}"

        return agents.Agent(
            name="dsbuilder",
            instructions=told,
            model=model,
            tools=self._runner.function_tools(),
            model_settings=agents.ModelSettings(include_usage=True),
        )

    async def _taken_up(
        self,
        agent: agents.Agent[Any],
        connection: Connection,
        transcript: Transcript,
        call_id: str,
        yes: bool,
        words: str,
        plan: DatasetPlanInput | None,
    ) -> tuple[Any, list[TurnEvent]]:
        """What the run goes on from after an answer, and what there is to show. Each question can be answered once."""
        waiting = await self._host.session.approvals.open()
        if waiting is None or waiting[0].call_id != call_id:
            raise InputError("That question is not open any more.", "/plan shows the plan as it is.")
        approval, run_state = waiting
        said = words.strip() or "Declined."

        async def decide() -> None:
            decision = ApprovalDecision.APPROVED if yes else ApprovalDecision.DECLINED
            self._runner.answered[call_id] = await self._host.session.approvals.decide(
                approval, decision, "" if yes else said, plan
            )

        await run_to_end(decide())
        try:
            state = await agents.RunState.from_string(agent, run_state, context_override={})
            item = next(i for i in state.get_interruptions() if i.call_id == call_id)
        except Exception:  # written by another version of the SDK: the answer goes on without what it had in mind
            output = said
            if yes and (tool := self._runner.tools.get(approval.tool)) is not None:
                output = await self._runner.carry_out(tool, call_id, json.dumps(approval.request.arguments))
            elif yes:
                output = ToolAnswer(f"There is no tool {approval.tool} any more.", ok=False).text()
            parts = await run_to_end(transcript.ended(call_id, output))
            return await self._items(connection), parts
        if yes:
            state.approve(item)
        else:
            state.reject(item, rejection_message=said)
        return state, []

    async def _ask(self, result: agents.RunResultStreaming, first: agents.ToolApprovalItem) -> list[TurnEvent]:
        """Keep a question, with what the run goes on from. Others of the same breath must be asked again."""
        state = result.to_state()
        for other in result.interruptions:
            if other.call_id != first.call_id:
                state.reject(other, rejection_message="One question at a time: ask again when the first is answered.")
        call_id = str(first.call_id)
        question = self._runner.take_question(call_id)
        arguments = json.loads(first.arguments or "{}")
        frozen = state.to_string(context_serializer=lambda context: {})
        approval = await self._host.session.approvals.ask(
            call_id, str(first.tool_name), question.for_call(arguments), frozen
        )
        return [await add_question_message(self._host.session, approval), QuestionAsked(approval)]

    async def _stopped(
        self, transcript: Transcript, result: agents.RunResultStreaming | None = None, words: str = ""
    ) -> list[TurnEvent]:
        """Leave nothing half done: effects come to their end, what was said so far is kept, no task goes on."""
        if result is not None:
            result.cancel(mode="immediate")
            if result.run_loop_task is not None:
                await asyncio.wait({result.run_loop_task})
        await self._runner.finish_effects()
        return await transcript.leave(words)

    async def _trouble(self, error: DsbuilderError) -> list[TurnEvent]:
        text = f"✗ {error}"
        parts: list[TurnEvent] = []
        with contextlib.suppress(DsbuilderError):
            parts.append(await self._host.session.chat.add(MessageRole.DSBUILDER, text, ErrorContent()))
        return [*parts, TurnFailed(text, error.exit_code)]

    async def _items(self, connection: Connection) -> list[Item]:
        # First of all, also of a call that a question waits for.
        remembered = connection.recall([item for _, item in await self._host.session.agent_memory.items()])
        items = whole_turns(remembered)
        return [as_sent(item, number) for number, item in enumerate(items)]

    async def _refresh(self) -> None:
        """What a turn starts from, besides what was said."""
        session = self._host.session
        await self._runner.refresh()
        self._accepted = await session.cases.counts()
        self._exhausted = await session.cases.exhausted_counts()
        waiting = await session.approvals.open()
        request = waiting[0].request if waiting else None
        self._proposed = request.plan if isinstance(request, PlanApproval) else None
        self._sent_back = await session.approvals.sent_back()
        self._first = await session.approvals.first_plan()
        self._branches = tuple(branch.name for branch in await session.branches.all())

    def _planning_context(self) -> PlanningContext:
        session = self._host.session
        plan = session.plan if session.planned else None
        base = self._proposed or plan
        return PlanningContext(
            plan=plan,
            proposed=self._proposed,
            sent_back=self._sent_back,
            first=self._first,
            running=self._host.running,
            accepted=self._accepted,
            exhausted=self._exhausted,
            stages=session.config.diversity_stages,
            models="built-in",
            axes=all_axes(base) if base is not None else {},
            tools=tuple(str(name) for name in session.agent_memory.target.get("tools") or ()),
            branches=self._branches,
            folder=Path.cwd(),
        )
