"""The SDK's way to an endpoint, listened to: the SDK hides how an answer ended, and servers differ in what they accept."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import openai
from openai.resources.chat import AsyncChat, AsyncCompletions
from openai.types.chat.chat_completion_chunk import (
    ChatCompletionChunk,
    Choice,
    ChoiceDelta,
    ChoiceDeltaToolCall,
    ChoiceDeltaToolCallFunction,
)

from dsbuilder_tui.domain.errors import EndpointUnavailable
from dsbuilder_tui.models.address import Address
from dsbuilder_tui.models.endpoint_errors import QUOTA_CODES, retry_after_seconds
from dsbuilder_tui.models.limits import backoff

CUT_CALL = " …(cut off)"  # ends the arguments of a call that was not written to its end; no JSON ends like this
_CUT = ("length", "content_filter")
_LONGEST_WAIT = 60.0  # seconds; a person waits
_LEAST_SECRET = 16  # characters; a local server's "key" is often a word that a model may say, such as ollama
_WORDS = ("content", "refusal", "reasoning_content", "reasoning")


class Listening(openai.AsyncOpenAI):
    """A client whose chat completions are listened to. ``refusing`` holds the addresses that turned ``stream_options`` away.

    A call that fails in passing is made again ``retries`` times; ``waits`` is told of each, with the seconds until then.
    """

    def __init__(
        self,
        address: Address,
        refusing: set[str],
        retries: int,
        waits: Callable[[openai.APIError, float], Awaitable[None]],
        **options: Any,
    ) -> None:
        super().__init__(**options, max_retries=0)
        self.ear = Ear(self, address, refusing, retries, waits)

    @property
    def chat(self) -> AsyncChat:
        return _Chat(self)


class _Chat(AsyncChat):
    _client: Listening

    @property
    def completions(self) -> Ear:
        return self._client.ear


class Ear(AsyncCompletions):
    """Chat completions. ``finish`` is how the last answer ended, in the endpoint's word for it; empty before its end."""

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        address: Address,
        refusing: set[str],
        retries: int,
        waits: Callable[[openai.APIError, float], Awaitable[None]],
    ) -> None:
        super().__init__(client)
        self._address, self._refusing, self._retries, self._waits = address, refusing, retries, waits
        self.finish = ""
        self._ids: dict[int, str] = {}  # of the calls of the answer that is coming in

    async def create(self, **options: Any) -> Any:
        """As the SDK calls it. A server that does not know ``stream_options`` is asked again without."""
        self.finish = ""
        self._ids = {}
        options["messages"] = [_with_readable_calls(message) for message in options["messages"]]
        if self._address.url in self._refusing:
            options.pop("stream_options", None)
        try:
            answer = await self._patiently(options)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            said = str(error)
            if "stream_options" not in options or not ("stream_options" in said or "include_usage" in said):
                raise
            self._refusing.add(self._address.url)
            del options["stream_options"]
            answer = await self._patiently(options)
        return self._heard(answer) if isinstance(answer, openai.AsyncStream) else answer

    async def _patiently(self, options: dict[str, Any]) -> Any:
        """The call, made again when it failed in a way that another try may mend."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return await super().create(**options)
            except (openai.RateLimitError, openai.InternalServerError, openai.APIConnectionError) as failed:
                error: openai.APIError = failed
                response = getattr(error, "response", None)
                asked = retry_after_seconds(response.headers) if response is not None else None
                wait = backoff(attempt, asked, random.Random())
                spent = getattr(error, "code", None) in QUOTA_CODES
                if attempt > self._retries or spent or wait > _LONGEST_WAIT:
                    raise
            await self._waits(error, wait)
            await asyncio.sleep(wait)

    async def _heard(self, stream: openai.AsyncStream[ChatCompletionChunk]) -> AsyncIterator[ChatCompletionChunk]:
        """The chunks without secrets, and with calls that were cut off made unusable."""
        forms = self._address.forms(_LEAST_SECRET)
        held: defaultdict[str | int, Hider] = defaultdict(lambda: Hider(forms))
        last: ChatCompletionChunk | None = None
        broken: Exception | None = None
        try:
            async for chunk in stream:
                last = chunk
                if chunk.choices:
                    self._take(chunk.choices[0], held)
                yield chunk
        except (ValueError, TypeError, AttributeError) as error:  # no JSON, or of another shape
            broken = EndpointUnavailable(
                f"{self._address.url} sent something that is not a chat completion ({type(error).__name__}).",
                "Send it again; `dsbuilder doctor` looks closer.",
            )
        except Exception as error:
            broken = error
        finally:
            await stream.close()
        if last is None and broken is None:
            broken = EndpointUnavailable(
                f"{self._address.url} sent no chat completion.", "Check base_url; `dsbuilder doctor` looks closer."
            )
        rest = ChoiceDelta()
        _let_go(rest, held)
        if last is not None and rest.model_dump(exclude_none=True):
            yield last.model_copy(update={"choices": [Choice(index=0, delta=rest)]})
        if broken is not None:
            raise broken

    def _take(self, choice: Choice, held: defaultdict[str | int, Hider]) -> None:
        if choice.delta is None:
            choice.delta = ChoiceDelta()
        delta = choice.delta
        for name in _WORDS:
            if isinstance(said := getattr(delta, name, None), str):
                setattr(delta, name, held[name].take(said))
        for call in delta.tool_calls or ():
            hider = held[call.index]
            if call.index not in self._ids or call.id is not None:
                # Some servers begin every answer with call_0, or leave the id out; what a call did is remembered by it.
                call.id = self._ids.setdefault(call.index, f"call_{uuid4().hex[:24]}")
            if call.function is not None:
                call.function.name = call.function.name and hider.hide(call.function.name)
                given: Any = call.function.arguments or ""  # some servers send the object itself
                call.function.arguments = hider.take(given if isinstance(given, str) else json.dumps(given))
        if choice.finish_reason is None:
            return
        self.finish = choice.finish_reason
        _let_go(delta, held)
        calls = [index for index in held if isinstance(index, int)]
        if calls and self.finish in _CUT:
            # Half of its arguments may be JSON by accident; nothing at all counts as no arguments.
            delta.tool_calls = [*(delta.tool_calls or ()), _arguments(max(calls), CUT_CALL)]


class Hider:
    """Takes secrets out of a text that comes in pieces: what may be the beginning of one waits for the next piece."""

    def __init__(self, forms: tuple[str, ...]) -> None:
        self._forms, self._held = forms, ""

    def hide(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, "[hidden]")
        return text

    def take(self, piece: str) -> str:
        text = self.hide(self._held + piece)
        waits = max((_overlap(text, form) for form in self._forms), default=0)
        self._held = text[len(text) - waits :]
        return text[: len(text) - waits]

    def rest(self) -> str:
        text, self._held = self._held, ""
        return text


def _overlap(text: str, form: str) -> int:
    """How many characters at the end of the text are the beginning of the form."""
    return next((n for n in range(min(len(form) - 1, len(text)), 0, -1) if text.endswith(form[:n])), 0)


def _let_go(delta: ChoiceDelta, held: dict[str | int, Hider]) -> None:
    """Add what waited to a delta."""
    for name, hider in held.items():
        if not (rest := hider.rest()):
            continue
        if isinstance(name, int):
            delta.tool_calls = [*(delta.tool_calls or ()), _arguments(name, rest)]
        else:
            setattr(delta, name, (getattr(delta, name, None) or "") + rest)


def _arguments(index: int, text: str) -> ChoiceDeltaToolCall:
    return ChoiceDeltaToolCall(index=index, function=ChoiceDeltaToolCallFunction(arguments=text))


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
