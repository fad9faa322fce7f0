"""``OfflinePlanner``: the planner behind the SDK's model interface, so that the same runner, tools and approvals serve it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any
from uuid import uuid4

from agents import Model, ModelResponse, ModelTracing, Usage
from agents.agent_output import AgentOutputSchemaBase
from agents.handoffs import Handoff
from agents.items import TResponseInputItem, TResponseOutputItem, TResponseStreamEvent
from agents.model_settings import ModelSettings
from agents.tool import Tool
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCreatedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseFunctionToolCall,
    ResponseInProgressEvent,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
    ResponseUsage,
)
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.offline.planner.expected_tool_calls import with_expected_tools
from dsbuilder_tui.offline.planner.intent_table import intent_table
from dsbuilder_tui.offline.planner.planning_context import Act, Interpretation, PlanningContext
from dsbuilder_tui.offline.planner.replies import NOTE_MARK, note, reply
from dsbuilder_tui.offline.planner.topics import Topics
from dsbuilder_tui.offline.planner.understand import understand

_WORDS_AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class _Turn:
    """The end of a conversation: what has to be answered now."""

    person: str = ""  # the last thing the person said
    earlier: str = ""  # what they had said before, when it was answered with words alone
    notes: tuple[str, ...] = ()
    answers: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = ()  # tool, arguments, answer
    asked: str = ""  # what the person said before the tools that answer here were called
    asked_earlier: str = ""  # and before that, as ``earlier``
    first: bool = True  # nothing was said by the planner yet


class OfflinePlanner(Model):
    """Answers from the input items and ``look()`` alone; holds no conversation of its own.

    ``look`` tells the situation now; ``new_id`` gives ids that no other item of the conversation has.
    """

    def __init__(self, look: Callable[[], PlanningContext], new_id: Callable[[], str] = lambda: uuid4().hex) -> None:
        self._look = look
        self._new_id = new_id
        self._topics: Topics | None = None

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        prompt: Any = None,
    ) -> ModelResponse:
        return ModelResponse(output=await self._output(input, tools), usage=Usage(), response_id=None)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        prompt: Any = None,
    ) -> AsyncIterator[TResponseStreamEvent]:
        output = await self._output(input, tools)
        response = _response(f"resp_{self._new_id()}", output)
        for number, event in enumerate(_events(response)):
            yield event.model_copy(update={"sequence_number": number})
            await asyncio.sleep(0)  # what listens gets its turn between the words

    async def _output(self, input: str | list[TResponseInputItem], tools: Sequence[Tool]) -> list[TResponseOutputItem]:
        turn, situation = _turn(input), self._look()
        # In a thread: a giant message takes its time, and the screen must not wait for it.
        answer = await asyncio.to_thread(self._answer, turn, situation)
        reading = _only_with(answer, {tool.name for tool in tools})
        words = visible(
            f"{intent_table().reply('introduction')} {reading.words}" if turn.first else reading.words
        ).strip()
        output: list[TResponseOutputItem] = []
        if words or not reading.acts:
            text = ResponseOutputText(type="output_text", text=words or "Done.", annotations=[], logprobs=[])
            output.append(
                ResponseOutputMessage(
                    id=f"msg_{self._new_id()}", type="message", role="assistant", status="completed", content=[text]
                )
            )
        output += [
            ResponseFunctionToolCall(
                id=f"fc_{self._new_id()}", call_id=f"call_{self._new_id()}", type="function_call", name=act.tool,
                arguments=json.dumps(act.arguments, ensure_ascii=False), status="completed",
            )
            for act in reading.acts
        ]  # fmt: skip
        return output

    def _answer(self, turn: _Turn, situation: PlanningContext) -> Interpretation:
        topics = self._topics = self._topics or Topics()
        readings = [
            _with_target(turn, arguments, answer, situation, topics)
            if tool == "describe_target"
            else reply(tool, arguments, answer, situation, topics)
            for tool, arguments, answer in turn.answers
        ]
        if len(readings) > 1:  # what was read came along with a plan: nothing is left to ask
            readings = [
                replace(one, words="") if tool == "describe_target" and answer.get("ok") else one
                for one, (tool, _, answer) in zip(readings, turn.answers, strict=True)
            ]
        readings += [note(text) for text in turn.notes]
        if turn.person or not readings:
            readings.append(understand(turn.person, situation, turn.earlier, topics))
        acts: list[Act] = []
        for reading in readings:
            acts += [act for act in reading.acts if act not in acts]
        whole = Interpretation(tuple(acts), "\n\n".join(reading.words for reading in readings if reading.words))
        return with_expected_tools(whole, situation.tools)


def _with_target(
    turn: _Turn, arguments: Mapping[str, Any], answer: Mapping[str, Any], situation: PlanningContext, topics: Topics
) -> Interpretation:
    """After the application was read that a request names: the plan that was asked for, which may know its tools now."""
    if answer.get("ok") and arguments.get("path") and turn.asked and situation.base is None:
        reading = understand(turn.asked, situation, turn.asked_earlier, topics, target_read=True)
        if reading.asks or any(act.tool == "propose_plan" for act in reading.acts):
            return reading
    return reply("describe_target", arguments, answer, situation, topics)


def _only_with(reading: Interpretation, names: set[str]) -> Interpretation:
    """The reading without the acts for which there is no tool here; without any tools it is words alone."""
    missing = [act for act in reading.acts if act.tool not in names]
    if not missing:
        return reading
    told = ", ".join(act.tool.replace("_", " ") for act in missing)
    words = f"{reading.words} I cannot do this here: {told}.".strip()
    return Interpretation(tuple(act for act in reading.acts if act not in missing), words, reading.asks)


def _turn(input: str | Iterable[TResponseInputItem]) -> _Turn:
    """What the conversation ends with. Items of kinds that the planner does not know are passed over."""
    if isinstance(input, str):
        return _Turn(notes=(input,)) if input.startswith(NOTE_MARK) else _Turn(person=input)
    items: list[Mapping[str, Any]] = [item for item in input if isinstance(item, Mapping)]
    first = not any(item.get("role") == "assistant" for item in items)
    calls = {item.get("call_id"): item for item in items if item.get("type") == "function_call"}
    end: list[Mapping[str, Any]] = []
    while items and (items[-1].get("role") == "user" or items[-1].get("type") == "function_call_output"):
        end.insert(0, items.pop())
    said = [_content(item) for item in end if item.get("role") == "user"]
    notes = [text for text in said if text.startswith(NOTE_MARK)]
    person = [text for text in said if not text.startswith(NOTE_MARK)]
    answers = []
    for item in end:
        call = calls.get(item.get("call_id")) if item.get("type") == "function_call_output" else None
        if call is not None:
            answers.append((str(call.get("name", "")), _json(call.get("arguments")) or {}, _told(item.get("output"))))
    while answers and items and items[-1].get("role") != "user":
        items.pop()
    asked = _content(items.pop()) if answers and items else ""
    return _Turn(
        person=person[-1] if person else "",
        earlier="" if answers else _earlier(items),
        notes=tuple(notes),
        answers=tuple(answers),
        asked="" if asked.startswith(NOTE_MARK) else asked,
        asked_earlier=_earlier(items) if asked else "",
        first=first,
    )


def _earlier(items: list[Mapping[str, Any]]) -> str:
    """What the person said before, if the planner answered it with a question and did nothing but read the application."""
    if len(items) < 2 or items[-1].get("role") != "assistant" or "?" not in _content(items[-1]):
        return ""
    before = items[-2]
    if before.get("type") == "function_call_output":
        since = list(takewhile(lambda item: item.get("role") != "user", reversed(items)))
        calls = [item.get("name") for item in since if item.get("type") == "function_call"]
        before = items[-1 - len(since)] if calls == ["describe_target"] and len(since) < len(items) else {}
    text = _content(before) if before.get("role") == "user" else ""
    return "" if text.startswith(NOTE_MARK) else text[:2000]


def _content(item: Mapping[str, Any]) -> str:
    content = item.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping) and "text" in part)


def _told(output: object) -> dict[str, Any]:
    """A tool's answer; plain text is what the person said when they declined."""
    if isinstance(output, list):
        output = "\n".join(str(part.get("text", "")) for part in output if isinstance(part, Mapping))
    found = _json(output)
    return found if found is not None else {"declined": str(output or "")}


def _json(text: object) -> dict[str, Any] | None:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _response(name: str, output: list[TResponseOutputItem]) -> Response:
    usage = ResponseUsage(
        input_tokens=0, output_tokens=0, total_tokens=0,
        input_tokens_details=InputTokensDetails(cached_tokens=0, cache_write_tokens=0),
        output_tokens_details=OutputTokensDetails(reasoning_tokens=0),
    )  # fmt: skip
    return Response(
        id=name, created_at=0, model="built-in", object="response", output=output, tool_choice="auto", tools=[],
        parallel_tool_calls=True, status="completed", usage=usage,
    )  # fmt: skip


def _events(response: Response) -> Iterable[Any]:
    """The stream of a response; sequence numbers are given by the caller."""
    opening = response.model_copy(update={"output": [], "status": "in_progress", "usage": None})
    yield ResponseCreatedEvent(type="response.created", response=opening, sequence_number=0)
    yield ResponseInProgressEvent(type="response.in_progress", response=opening, sequence_number=0)
    for index, item in enumerate(response.output):
        empty: dict[str, Any] = {"content": []} if isinstance(item, ResponseOutputMessage) else {"arguments": ""}
        yield ResponseOutputItemAddedEvent(
            type="response.output_item.added", output_index=index, sequence_number=0,
            item=item.model_copy(update={**empty, "status": "in_progress"}),
        )  # fmt: skip
        if isinstance(item, ResponseOutputMessage):
            yield from _text_events(item, index)
        elif isinstance(item, ResponseFunctionToolCall):
            where: dict[str, Any] = {"item_id": item.id or item.call_id, "output_index": index, "sequence_number": 0}
            yield ResponseFunctionCallArgumentsDeltaEvent(
                type="response.function_call_arguments.delta", delta=item.arguments, **where
            )
            yield ResponseFunctionCallArgumentsDoneEvent(
                type="response.function_call_arguments.done", arguments=item.arguments, name=item.name, **where
            )
        yield ResponseOutputItemDoneEvent(
            type="response.output_item.done", item=item, output_index=index, sequence_number=0
        )
    yield ResponseCompletedEvent(type="response.completed", response=response, sequence_number=0)


def _text_events(item: ResponseOutputMessage, index: int) -> Iterable[Any]:
    for at, part in enumerate(item.content):
        if not isinstance(part, ResponseOutputText):
            continue
        where: dict[str, Any] = {"item_id": item.id, "output_index": index, "content_index": at, "sequence_number": 0}
        yield ResponseContentPartAddedEvent(
            type="response.content_part.added", part=part.model_copy(update={"text": ""}), **where
        )
        words = re.findall(r"\s*\S+\s*|\s+", part.text)
        for start in range(0, len(words), _WORDS_AT_ONCE):
            delta = "".join(words[start : start + _WORDS_AT_ONCE])
            yield ResponseTextDeltaEvent(type="response.output_text.delta", delta=delta, logprobs=[], **where)
        yield ResponseTextDoneEvent(type="response.output_text.done", text=part.text, logprobs=[], **where)
        yield ResponseContentPartDoneEvent(type="response.content_part.done", part=part, **where)
