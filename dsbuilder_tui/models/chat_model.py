"""The agents SDK's model over the chat client: items become messages, and the chunks of an answer the SDK's events."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from typing import Any, cast

from dsbuilder_tui.domain.errors import EndpointUnavailable
from dsbuilder_tui.models.agent_answer import AgentAnswer
from dsbuilder_tui.models.agents_sdk import ChatCmplStreamHandler, Converter, agents
from dsbuilder_tui.models.chat_answer import choices_of, read_usage
from dsbuilder_tui.models.chat_client import ChatClient
from dsbuilder_tui.models.chat_options import ChatRequest
from dsbuilder_tui.models.earlier_thoughts import EarlierThoughts
from dsbuilder_tui.settings.schema import OPENAI_URL

# isort: split
from agents.items import TResponseInputItem, TResponseStreamEvent
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import Response

_LEAST_SECRET = 16  # characters; a local server's "key" is often a word that a model may say, such as ollama
_SETTINGS = ("top_p", "frequency_penalty", "presence_penalty", "parallel_tool_calls", "verbosity")


class ChatModel(agents.Model):
    """A model that the SDK's runner can use. ``finish`` is how the last answer ended, in the endpoint's word for it.

    It is empty before an answer's end. ``unread`` says that the answer held a call, written out, that cannot be read;
    ``earlier`` has what came with the calls of this conversation. Errors are those of ``ChatClient.stream``, and
    ``EndpointUnavailable`` for an answer that is no chat completion.
    """

    def __init__(self, client: ChatClient) -> None:
        self.client = client
        self.finish = ""
        self.unread = False
        self.earlier = EarlierThoughts(client.model)

    async def close(self) -> None:
        await self.client.close()

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: agents.ModelSettings,
        tools: list[agents.Tool],
        output_schema: agents.AgentOutputSchemaBase | None,
        handoffs: list[agents.Handoff],
        tracing: agents.ModelTracing,
        *,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        prompt: Any = None,
    ) -> agents.ModelResponse:
        """The answer when it is whole. It is streamed all the same: there is one way to an endpoint."""
        response: Response | None = None
        events = self._stream(system_instructions, input, model_settings, tools, output_schema, handoffs)
        async with aclosing(events):
            async for event in events:
                if event.type == "response.completed":
                    response = event.response
        assert response is not None  # the stream ends with it, or raises
        usage = agents.Usage(requests=1)
        if (used := response.usage) is not None:
            usage = agents.Usage(
                requests=1,
                input_tokens=used.input_tokens,
                output_tokens=used.output_tokens,
                total_tokens=used.total_tokens,
                input_tokens_details=used.input_tokens_details,
                output_tokens_details=used.output_tokens_details,
            )
        return agents.ModelResponse(output=response.output, usage=usage, response_id=None)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],
        model_settings: agents.ModelSettings,
        tools: list[agents.Tool],
        output_schema: agents.AgentOutputSchemaBase | None,
        handoffs: list[agents.Handoff],
        tracing: agents.ModelTracing,
        *,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        prompt: Any = None,
    ) -> AsyncGenerator[TResponseStreamEvent, None]:
        """The SDK's events of the answer as it comes in, the last of them ``response.completed``."""
        events = self._stream(system_instructions, input, model_settings, tools, output_schema, handoffs)
        async with aclosing(events):
            async for event in events:
                yield event

    async def _stream(
        self,
        instructions: str | None,
        items: str | list[TResponseInputItem],
        settings: agents.ModelSettings,
        tools: list[agents.Tool],
        output_schema: agents.AgentOutputSchemaBase | None,
        handoffs: list[agents.Handoff],
    ) -> AsyncGenerator[TResponseStreamEvent, None]:
        self.finish, self.unread = "", False
        messages: list[Any] = list(
            Converter.items_to_messages(items, model=self.client.model, base_url=self.client.url)
        )
        if instructions:
            messages.insert(0, {"role": "system", "content": instructions})
        more: dict[str, Any] = {}
        told = [Converter.tool_to_openai(tool) for tool in tools]
        told += [Converter.convert_handoff_tool(handoff) for handoff in handoffs]
        if told:
            more["tools"] = told
            if settings.tool_choice is not None:
                more["tool_choice"] = Converter.convert_tool_choice(settings.tool_choice)
        if output_schema is not None and not output_schema.is_plain_text():
            more["response_format"] = Converter.convert_response_format(output_schema)
        more |= {name: value for name in _SETTINGS if (value := getattr(settings, name)) is not None}
        request = ChatRequest(
            messages=[_with_readable_calls(message) for message in messages],
            earlier=self.earlier,
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            more=more | dict(settings.extra_args or {}),
        )
        response = Response(
            id="response", created_at=time.time(), model=self.client.model, object="response", output=[],
            tool_choice="auto", tools=[], parallel_tool_calls=False,
        )  # fmt: skip
        async with aclosing(self._chunks(request, {tool.name for tool in tools})) as chunks:
            events = ChatCmplStreamHandler.handle_stream(
                response,
                cast(Any, chunks),
                model=self.client.model,
                raise_on_length_truncation=True,
                require_finish_reason=self.client.url == OPENAI_URL,
            )
            async with aclosing(cast(AsyncGenerator[TResponseStreamEvent, None], events)):
                async for event in events:
                    yield event

    async def _chunks(self, request: ChatRequest, names: Collection[str]) -> AsyncGenerator[ChatCompletionChunk, None]:
        """The chunks without secrets, and with calls that were cut off made unusable."""
        answer = AgentAnswer(self.client.endpoint.address.forms(_LEAST_SECRET), names, self.earlier)
        begun = False
        broken: Exception | None = None
        try:
            async with aclosing(self.client.stream(request)) as batches:
                async for batch in batches:
                    for message in batch:
                        begun = True
                        yield self._chunk(answer, message)
        except Exception as error:
            broken = error
        if not begun and broken is None:
            broken = EndpointUnavailable(
                f"{self.client.url} sent no chat completion.", "Check base_url; `dsbuilder doctor` looks closer."
            )
        rest = answer.rest()
        self.unread = answer.unread
        if begun and rest:
            yield _as_chunk({}, [{"index": 0, "delta": rest, "finish_reason": None}])
        if broken is not None:
            raise broken

    def _chunk(self, answer: AgentAnswer, message: Any) -> ChatCompletionChunk:
        if not isinstance(message, dict):
            raise EndpointUnavailable(
                f"{self.client.url} sent something that is not a chat completion.",
                "Send it again; `dsbuilder doctor` looks closer.",
            )
        taken = [answer.take(choice) for choice in choices_of(message)[:1] if isinstance(choice, dict)]
        self.finish = answer.finish or self.finish
        return _as_chunk(message, taken)


def _as_chunk(message: Mapping[str, Any], choices: list[dict[str, Any]]) -> ChatCompletionChunk:
    used = read_usage(message.get("usage"))
    usage = {
        "prompt_tokens": used.prompt_tokens, "completion_tokens": used.completion_tokens,
        "total_tokens": used.prompt_tokens + used.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": used.cached_tokens},
    } if used.known else None  # fmt: skip
    number, model = message.get("id"), message.get("model")
    return ChatCompletionChunk.construct(
        id=number if isinstance(number, str) else "",
        object="chat.completion.chunk",
        created=0,
        model=model if isinstance(model, str) else "",
        choices=choices,
        usage=usage,
    )


def _with_readable_calls(message: Any) -> Any:
    """A message whose calls all have a JSON object for arguments: servers refuse a whole conversation for one that has not."""
    if not isinstance(message, dict) or not message.get("tool_calls"):
        return message
    made = []
    for call in message["tool_calls"]:
        function = dict(call.get("function") or {})
        try:
            readable = isinstance(json.loads(function.get("arguments") or "{}"), dict)
        except (ValueError, RecursionError):
            readable = False
        if not readable:
            function["arguments"] = json.dumps({"unreadable": function["arguments"]}, ensure_ascii=False)
        made.append({**call, "function": function})
    return {**message, "tool_calls": made}
