"""The agents SDK's model over the chat client: items become messages, and the chunks of an answer the SDK's events."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.errors import EndpointRefused, EndpointUnavailable
from dsbuilder_tui.models.agent_answer import AgentAnswer
from dsbuilder_tui.models.agent_words import spoken
from dsbuilder_tui.models.agents_sdk import ChatCmplStreamHandler, Converter, agents
from dsbuilder_tui.models.chat_answer import LENGTH, choices_of, read_usage
from dsbuilder_tui.models.chat_client import ChatClient
from dsbuilder_tui.models.chat_options import ChatRequest
from dsbuilder_tui.models.earlier_thoughts import EarlierThoughts
from dsbuilder_tui.models.protocol import CallRefused, RequestTooLarge
from dsbuilder_tui.settings.schema import OPENAI_URL

# isort: split
from agents.items import TResponseInputItem, TResponseStreamEvent
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import Response

_LEAST_SECRET = 16  # characters; a local server's "key" is often a word that a model may say, such as ollama
_MOST_CUTS = 2  # times that one answer is asked for again
_GO_ON = "Your answer was cut off by its length limit. Go on exactly where it stopped; repeat nothing."
_SETTINGS = ("top_p", "frequency_penalty", "presence_penalty", "parallel_tool_calls", "verbosity")


async def _without_a_word(room: int | None) -> None:
    pass


class ChatModel(agents.Model):
    """A model that the SDK's runner can use. ``finish`` is how the last answer ended, in the endpoint's word for it.

    It is empty before an answer's end. ``unread`` says that the answer held a call, written out, that cannot be read;
    ``earlier`` has what came with the calls of this conversation. Errors are those of ``ChatClient.stream``, and
    ``EndpointUnavailable`` for an answer that is no chat completion.
    """

    def __init__(self, client: ChatClient, cut: Callable[[int | None], Awaitable[None]] = _without_a_word) -> None:
        """``cut`` is told when an answer that was cut off is gone on with, or made again: with how many tokens at most."""
        self.client = client
        self._cut = cut
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
            max_tokens=settings.max_tokens or self.client.options.room,
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
        """The chunks without secrets, and with calls that were cut off made unusable.

        Words that were cut off at the length limit are gone on with, and thoughts made again, with a larger one; a call
        that was is for the model to make again, and gets the larger limit then.
        """
        said, spent = "", Usage()
        wider: ChatRequest | None = request
        for again in range(_MOST_CUTS + 1):
            assert wider is not None
            answer = self._answer(names)
            usage = Usage()
            async with aclosing(self._one(wider, answer, again=again > 0)) as parts:
                async for message, taken in parts:
                    usage = read_usage(message.get("usage")) if message.get("usage") else usage
                    said += "".join(choice["delta"].get("content") or "" for choice in taken)
                    yield _as_chunk(message, taken, spent + usage if usage.known else Usage())
            self._learn(answer, said, again=again > 0)
            if self.finish != LENGTH:
                return
            if not answer.finish:  # the larger limit was refused
                break
            spent = spent + usage if usage.known else spent
            used = usage.completion_tokens or len(said) // 4
            wider = self.client.options.widen(wider, used)
            if answer.calls or again == _MOST_CUTS or (wider is None and not said):
                break
            wider = _gone_on_with(request, said, wider.max_tokens if wider else request.max_tokens)
            await self._cut(wider.max_tokens)
        yield _as_chunk({}, [{"index": 0, "delta": {}, "finish_reason": LENGTH}], spent)

    async def _one(
        self, request: ChatRequest, answer: AgentAnswer, *, again: bool
    ) -> AsyncGenerator[tuple[Mapping[str, Any], list[dict[str, Any]]], None]:
        """One answer: the endpoint's objects, each with its choice as the SDK reads it. That it was cut off is not in them."""
        begun = False
        broken: Exception | None = None
        self.finish = ""
        try:
            async with aclosing(self.client.stream(request)) as batches:
                async for batch in batches:
                    for message in batch:
                        begun = True
                        yield message, self._taken(answer, message)
        except (RequestTooLarge, CallRefused, EndpointRefused) as error:
            if again:  # what there is will have to do
                self.finish, self.client.options.room = LENGTH, None
                return
            broken = error
        except Exception as error:
            broken = error
        if not begun and broken is None:
            broken = EndpointUnavailable(
                f"{self.client.url} sent no chat completion.", "Check base_url; `dsbuilder doctor` looks closer."
            )
        rest = answer.rest()
        self.unread = answer.unread
        if begun and rest:
            yield {}, [{"index": 0, "delta": rest, "finish_reason": None}]
        if broken is not None:
            raise broken

    def _answer(self, names: Collection[str]) -> AgentAnswer:
        forms = self.client.endpoint.address.forms(_LEAST_SECRET)
        return AgentAnswer(forms, names, self.earlier, opened=self.client.options.opens_thoughts)

    def _learn(self, answer: AgentAnswer, said: str, *, again: bool) -> None:
        """See whether the model's template opens its thoughts."""
        if spoken(said).thoughts:
            self.client.options.opens_thoughts = True
        elif said and not answer.thought and not again:
            self.client.options.opens_thoughts = False

    def _taken(self, answer: AgentAnswer, message: Any) -> list[dict[str, Any]]:
        if not isinstance(message, dict):
            raise EndpointUnavailable(
                f"{self.client.url} sent something that is not a chat completion.",
                "Send it again; `dsbuilder doctor` looks closer.",
            )
        taken = [answer.take(choice) for choice in choices_of(message)[:1] if isinstance(choice, dict)]
        self.finish = answer.finish or self.finish
        return [{**choice, "finish_reason": None} if choice["finish_reason"] == LENGTH else choice for choice in taken]


def _gone_on_with(request: ChatRequest, said: str, limit: int | None) -> ChatRequest:
    """The request to go on where an answer was cut off; the same again where it had said nothing."""
    messages = list(request.messages)
    if said:
        messages += [{"role": "assistant", "content": said}, {"role": "user", "content": _GO_ON}]
    return replace(request, messages=messages, max_tokens=limit)


def _as_chunk(message: Mapping[str, Any], choices: list[dict[str, Any]], used: Usage) -> ChatCompletionChunk:
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
