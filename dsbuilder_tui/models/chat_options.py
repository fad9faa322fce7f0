"""The options of a chat request, and which of them a server turns away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from dsbuilder_tui.models.endpoint_errors import is_too_large
from dsbuilder_tui.settings.schema import OPENAI_URL

_MOST_SCHEMAS = 4096  # kept as bytes


class ChatOption(StrEnum):
    """An option that some servers do not know."""

    MAX_LENGTH = "max_length"  # the word maxLength in a schema
    ITEM_COUNTS = "item_counts"  # minItems and maxItems in a schema
    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    STREAM_OPTIONS = "stream_options"
    MAX_TOKENS = "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens"
    TEMPERATURE = "temperature"
    REASONING_EFFORT = "reasoning_effort"


# An option, the words of a refusal that mean it, and what is asked for in its place. The order is that of the search.
_REFUSALS: tuple[tuple[ChatOption, tuple[str, ...], ChatOption | None], ...] = (
    (ChatOption.MAX_LENGTH, ("maxlength",), None),
    (ChatOption.ITEM_COUNTS, ("minitems", "maxitems", "array length"), None),
    (
        ChatOption.JSON_SCHEMA,
        ("response_format", "json_schema", "structured output"),
        ChatOption.JSON_OBJECT,
    ),
    (ChatOption.JSON_OBJECT, ("response_format", "json_object"), None),
    (ChatOption.STREAM_OPTIONS, ("stream_options", "include_usage"), None),
    (
        ChatOption.MAX_TOKENS,
        ("max_tokens", "max_completion_tokens"),
        ChatOption.MAX_COMPLETION_TOKENS,
    ),
    (ChatOption.MAX_COMPLETION_TOKENS, ("max_completion_tokens",), None),
    (ChatOption.TEMPERATURE, ("temperature",), None),
    (ChatOption.REASONING_EFFORT, ("reasoning_effort", "reasoning effort", "reasoning.effort"), None),
)
_REFUSING_STATUS = (400, 404, 415, 422, 501)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One request, before it is known what the server takes. ``more`` is put into the body as it is.

    ``schema`` is a JSON schema that the answer must have, as anything orjson can write; it is written to bytes once for
    each object, so the same schema should be the same object.
    """

    messages: Sequence[Mapping[str, Any]]
    schema: Any = None
    schema_name: str = "answer"
    max_tokens: int | None = None
    temperature: float | None = None
    reasoning_effort: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def uses(self, option: ChatOption) -> bool:
        """Whether the request can make use of an option at all."""
        if option in (ChatOption.MAX_LENGTH, ChatOption.ITEM_COUNTS, ChatOption.JSON_SCHEMA, ChatOption.JSON_OBJECT):
            return self.schema is not None
        if option in (ChatOption.MAX_TOKENS, ChatOption.MAX_COMPLETION_TOKENS):
            return self.max_tokens is not None
        if option is ChatOption.REASONING_EFFORT:
            return self.reasoning_effort is not None
        return option is not ChatOption.TEMPERATURE or self.temperature is not None


class ChatOptions:
    """The options that one model at one endpoint takes; each is dropped for good as soon as it is refused."""

    def __init__(self, url: str, model: str) -> None:
        self._model = model
        self._taken = {
            ChatOption.JSON_SCHEMA, ChatOption.ITEM_COUNTS, ChatOption.STREAM_OPTIONS, ChatOption.MAX_TOKENS,
            ChatOption.TEMPERATURE, ChatOption.REASONING_EFFORT,
        }  # fmt: skip
        # OpenAI's strict schemas take no maxLength; small local models without one may write white space for ever.
        if url != OPENAI_URL:
            self._taken.add(ChatOption.MAX_LENGTH)
        # With the schema itself: an object of the same id later on is another schema.
        self._schemas: dict[tuple[int, bool, bool], tuple[Any, orjson.Fragment]] = {}

    def for_request(self, request: ChatRequest) -> frozenset[ChatOption]:
        """The options that this request is to be sent with."""
        return frozenset(option for option in self._taken if request.uses(option))

    def body(self, request: ChatRequest, options: frozenset[ChatOption]) -> bytes:
        """The request as JSON, with these options."""
        body: dict[str, Any] = {"model": self._model, "messages": request.messages, "stream": True}
        if ChatOption.STREAM_OPTIONS in options:
            body["stream_options"] = {"include_usage": True}
        if ChatOption.MAX_TOKENS in options:
            body["max_tokens"] = request.max_tokens
        elif ChatOption.MAX_COMPLETION_TOKENS in options:
            body["max_completion_tokens"] = request.max_tokens
        if ChatOption.TEMPERATURE in options:
            body["temperature"] = request.temperature
        if ChatOption.REASONING_EFFORT in options:
            body["reasoning_effort"] = request.reasoning_effort
        if ChatOption.JSON_SCHEMA in options:
            schema = self._schema(request.schema, ChatOption.MAX_LENGTH in options, ChatOption.ITEM_COUNTS in options)
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": request.schema_name, "strict": True, "schema": schema},
            }
        elif ChatOption.JSON_OBJECT in options:
            body["response_format"] = {"type": "json_object"}
        body |= request.more
        try:
            return orjson.dumps(body, default=list)
        except orjson.JSONEncodeError:  # half a surrogate pair, out of a text that somebody pasted
            return orjson.dumps(_without_surrogates(body), default=list)

    def refuse(self, status: int, body: bytes, used: frozenset[ChatOption]) -> bool:
        """Drop the option among ``used`` that an error answer complains about. True when it is worth asking again."""
        if status not in _REFUSING_STATUS:
            return False
        said = body.decode("utf-8", "replace").lower()
        if is_too_large(said) or "content_filter" in said:
            return False
        for option, words, instead in _REFUSALS:
            if option in used and any(word in said for word in words):
                self._taken.discard(option)
                if instead:
                    self._taken.add(instead)
                return True
        return False

    def _schema(self, schema: Any, max_length: bool, item_counts: bool) -> orjson.Fragment:
        key = id(schema), max_length, item_counts
        if key not in self._schemas:
            if len(self._schemas) >= _MOST_SCHEMAS:
                self._schemas.clear()
            taken = schema if max_length else _without(schema, "maxLength")
            if not item_counts:
                taken = _without(_without(taken, "minItems"), "maxItems")
            self._schemas[key] = schema, orjson.Fragment(orjson.dumps(taken))
        return self._schemas[key][1]


class OptionMemory:
    """What each model at each endpoint takes, for clients that come and go."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], ChatOptions] = {}

    def of(self, url: str, model: str) -> ChatOptions:
        return self._known.setdefault((url, model), ChatOptions(url, model))


def _without(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _without(inner, key) for name, inner in value.items() if name != key}
    return [_without(inner, key) for inner in value] if isinstance(value, list) else value


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_without_surrogates(name): _without_surrogates(inner) for name, inner in value.items()}
    return [_without_surrogates(inner) for inner in value] if isinstance(value, list | tuple) else value
