"""The options of a chat request, and which of them a server turns away."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.earlier_thoughts import EarlierThoughts
from dsbuilder_tui.models.error_report import ErrorReport
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
    EARLIER_THOUGHTS = "earlier_thoughts"  # what the model thought before its calls, in later requests
    SIGNATURES = "signatures"  # a word in place of a signature that a call of the conversation never had


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
# What is sent when a refusal asks for it, and the words that do.
_WANTED: dict[ChatOption, re.Pattern[str]] = {
    ChatOption.SIGNATURES: re.compile(r"thought_signature|thoughtsignature|thought signature"),
    ChatOption.EARLIER_THOUGHTS: re.compile(
        r"reasoning_content|reasoning_details|thinking.{0,30}block|reasoning content"
    ),
}
_REFUSING_STATUS = (None, 400, 404, 415, 422, 501)
# The kinds of failure that may be about an option after all.
_MAY_BE_AN_OPTION = (
    FailureKind.REQUEST, FailureKind.SERVER, FailureKind.NO_MODEL, FailureKind.NO_SERVICE, FailureKind.NO_TOOLS,
)  # fmt: skip
# A way to ask for JSON, and the next one to try when a request is refused for no reason that is understood.
_WITH_LESS: tuple[tuple[ChatOption, ChatOption | None], ...] = (
    (ChatOption.JSON_SCHEMA, ChatOption.JSON_OBJECT),
    (ChatOption.JSON_OBJECT, None),
)
_MOST_LOST_ANSWERS = 3  # in a row, before JSON is not forced any more
_FACTS_LAST = 86_400.0  # seconds, after which an endpoint may have changed
_LEAST_ROOM, _MOST_ROOM = 8_192, 65_536  # tokens of an answer after one that was cut off
_ROOM_GROWTH = 4
_LEAST_LIMIT = 256  # tokens; smaller numbers in a refusal are no limit of an answer
_NUMBER = re.compile(r"\d+")
_GRAMMAR = re.compile(r"grammar|schema|response_format|structured|guided|xgrammar|outlines")
_LIMIT = re.compile(r"max_(completion_)?tokens[`'\"]*\s*(:|is too|must|should|value|exceed|cannot|can not|\()")
_NOT_KNOWN = re.compile(r"instead|unsupported|not supported|unknown|unrecognized|not permitted|unexpected")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One request, before it is known what the server takes. ``more`` is put into the body as it is.

    ``schema`` is a JSON schema that the answer must have, as anything orjson can write; it is written to bytes once for
    each object, so the same schema should be the same object. ``earlier`` is what came with the calls in the messages.
    """

    messages: Sequence[Mapping[str, Any]]
    schema: Any = None
    schema_name: str = "answer"
    max_tokens: int | None = None
    temperature: float | None = None
    reasoning_effort: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    earlier: EarlierThoughts | None = None

    @property
    def useful(self) -> frozenset[ChatOption]:
        """The options that the request can make use of at all."""
        return _useful(
            schema=self.schema is not None, limit=self.max_tokens is not None, earlier=self.earlier is not None,
            temperature=self.temperature is not None, effort=self.reasoning_effort is not None,
        )  # fmt: skip


@cache
def _useful(*, schema: bool, limit: bool, earlier: bool, temperature: bool, effort: bool) -> frozenset[ChatOption]:
    """Those that something in a request is for, and those that no request goes without."""
    useless: set[ChatOption] = set()
    for there, options in (
        (schema, (ChatOption.MAX_LENGTH, ChatOption.ITEM_COUNTS, ChatOption.JSON_SCHEMA, ChatOption.JSON_OBJECT)),
        (limit, (ChatOption.MAX_TOKENS, ChatOption.MAX_COMPLETION_TOKENS)),
        (earlier, tuple(_WANTED)),
        (temperature, (ChatOption.TEMPERATURE,)),
        (effort, (ChatOption.REASONING_EFFORT,)),
    ):
        if not there:
            useless.update(options)
    return frozenset(ChatOption) - useless


class ChatOptions:
    """What is known of one model at one endpoint: the options that it takes, and how its last calls ended.

    An option is dropped for good as soon as it is refused. ``answered`` says whether there was ever an answer;
    ``refusals`` counts the requests in a row since then that were turned away.
    """

    def __init__(self, url: str, model: str) -> None:
        self._model = model
        self._taken = {
            ChatOption.JSON_SCHEMA, ChatOption.ITEM_COUNTS, ChatOption.STREAM_OPTIONS, ChatOption.MAX_TOKENS,
            ChatOption.TEMPERATURE, ChatOption.REASONING_EFFORT,
        }  # fmt: skip
        # OpenAI's strict schemas take no maxLength; small local models without one may write white space for ever.
        if url != OPENAI_URL:
            self._taken.add(ChatOption.MAX_LENGTH)
        self._initial = frozenset(self._taken)
        self._most_tokens: int | None = None  # that an answer can be given
        self._proven: set[ChatOption] = set()  # answers have come to requests with them
        self._turned: dict[ChatOption, int] = {}  # how often something was sent or left out on request
        self._lost = 0  # answers in a row that the server threw away
        self.answered = False
        self.refusals = 0
        self.room: int | None = None  # tokens for an answer to a request that names no limit; None: the server's own
        self.opens_thoughts = False  # the template does, so that only their closing tag is seen
        # With the schema itself: an object of the same id later on is another schema.
        self._schemas: dict[tuple[int, bool, bool], tuple[Any, orjson.Fragment]] = {}

    def begin(self) -> None:
        """Judge the calls of a new run by themselves: how those before it ended says nothing of them."""
        self.answered, self.refusals, self._lost = False, 0, 0

    def facts(self, now: float) -> EndpointFacts | None:
        """What was learned, to be kept; None when nothing was."""
        facts = EndpointFacts(
            learned_at=now, refused=self._initial - self._taken, wanted=frozenset(self._taken) - self._initial,
            most_tokens=self._most_tokens, room=self.room, opens_thoughts=self.opens_thoughts,
        )  # fmt: skip
        return None if facts == EndpointFacts(learned_at=now) else facts

    def take_up(self, facts: EndpointFacts) -> None:
        """Begin with what was learned earlier."""
        self._taken = (self._taken - facts.refused) | facts.wanted
        self._most_tokens, self.room = facts.most_tokens, facts.room
        self.opens_thoughts = facts.opens_thoughts

    def for_request(self, request: ChatRequest) -> frozenset[ChatOption]:
        """The options that this request is to be sent with."""
        return request.useful & self._taken

    def takes(self, option: ChatOption) -> bool:
        """Whether an option has not been refused."""
        return option in self._taken

    def body(self, request: ChatRequest, options: frozenset[ChatOption], *, stream: bool = True) -> bytes:
        """The request as JSON, with these options; its answer is to come as a stream, or whole."""
        messages = request.messages
        if request.earlier is not None:
            messages = request.earlier.added_to(
                messages, thoughts=ChatOption.EARLIER_THOUGHTS in options, signatures=ChatOption.SIGNATURES in options
            )
        body: dict[str, Any] = {"model": self._model, "messages": messages} | ({"stream": True} if stream else {})
        if ChatOption.STREAM_OPTIONS in options:
            body["stream_options"] = {"include_usage": True}
        if ChatOption.MAX_TOKENS in options:
            body["max_tokens"] = self._within_limit(request)
        elif ChatOption.MAX_COMPLETION_TOKENS in options:
            body["max_completion_tokens"] = self._within_limit(request)
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

    def answer(self, used: frozenset[ChatOption], trial: bool) -> None:
        """Note that a request with these options was answered; in a ``trial`` others are now known to be refused."""
        self.answered, self.refusals, self._lost = True, 0, 0
        if trial:
            left_out = {ChatOption.JSON_SCHEMA, ChatOption.JSON_OBJECT} - used
            if not left_out & self._proven:  # else it was one bad call
                self._taken = (self._taken - left_out) | used
        self._proven |= used

    def refuse(self, report: ErrorReport, kind: FailureKind, request: ChatRequest, used: frozenset[ChatOption]) -> bool:
        """Drop the option among ``used`` that an error complains about. True when it is worth asking again."""
        if kind is FailureKind.BAD_ANSWER:
            return self._lose(used)
        said = report.said
        limited = kind is FailureKind.TOO_LARGE and _LIMIT.search(said) and "maximum context" not in said
        if report.status not in _REFUSING_STATUS or not (limited or kind in _MAY_BE_AN_OPTION):
            return False
        for wanted, asks in _WANTED.items():
            if wanted in request.useful and asks.search(said):
                # Once each way: whoever asks for it and does not take it is not to be helped.
                self._taken ^= {wanted}
                self._turned[wanted] = self._turned.get(wanted, 0) + 1
                return self._turned[wanted] <= 2
        for option, words, instead in _REFUSALS:
            if option in used and any(word in said for word in words):
                if option in (ChatOption.MAX_TOKENS, ChatOption.MAX_COMPLETION_TOKENS) and self._learn_limit(
                    said, request
                ):
                    return True
                self._taken.discard(option)
                if instead:
                    self._taken.add(instead)
                return True
        return False

    def with_less(
        self, report: ErrorReport, kind: FailureKind, used: frozenset[ChatOption]
    ) -> frozenset[ChatOption] | None:
        """Options to try once in place of ``used``, when a request was refused in words that nobody knows.

        Grammars are the part of a request that servers most often cannot read. None when there is nothing to leave out
        that has not been seen to work.
        """
        refused = kind is FailureKind.REQUEST or (kind is FailureKind.SERVER and _GRAMMAR.search(report.said))
        if not refused:
            return None
        for option, instead in _WITH_LESS:
            if option in used and option not in self._proven:
                return (used - {option}) | ({instead} if instead else set())
        return None

    def widen(self, request: ChatRequest, used: int) -> ChatRequest | None:
        """The request with a larger limit than the one at which an answer of ``used`` tokens was cut off.

        Later requests without a limit of their own get it as well. None when it cannot be larger.
        """
        asked = self._within_limit(request) or 0
        wanted = min(_MOST_ROOM, max(_LEAST_ROOM, _ROOM_GROWTH * max(asked, used)))
        wanted = wanted if self._most_tokens is None else min(wanted, self._most_tokens)
        if wanted <= max(asked, used):
            return None
        self.room = wanted
        return replace(request, max_tokens=wanted)

    def _lose(self, used: frozenset[ChatOption]) -> bool:
        """The server could not read what the model wrote. Where it never can, it is not to look at it."""
        forced = used & {ChatOption.JSON_SCHEMA, ChatOption.JSON_OBJECT}
        self._lost += 1
        if not forced or self._lost < _MOST_LOST_ANSWERS:
            return False
        self._taken -= forced
        self._lost = 0
        return True

    def _learn_limit(self, said: str, request: ChatRequest) -> bool:
        """Take in the longest answer that a refusal names. Returns whether it named one."""
        asked = self._within_limit(request)
        if asked is None or _NOT_KNOWN.search(said):
            return False
        named = [number for number in map(int, _NUMBER.findall(said)) if _LEAST_LIMIT <= number < asked]
        if named:
            self._most_tokens = max(named)
        return bool(named)

    def _within_limit(self, request: ChatRequest) -> int | None:
        most = self._most_tokens
        return request.max_tokens if most is None or request.max_tokens is None else min(request.max_tokens, most)

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


class EndpointFacts(BaseModel):
    """What was learned of one model at one endpoint, as a session file holds it. ``learned_at`` is in seconds of the epoch."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    learned_at: float
    refused: frozenset[ChatOption] = frozenset()
    wanted: frozenset[ChatOption] = frozenset()
    most_tokens: int | None = Field(None, ge=_LEAST_LIMIT)
    room: int | None = Field(None, ge=_LEAST_LIMIT, le=_MOST_ROOM)
    opens_thoughts: bool = False


class OptionMemory:
    """What each model at each endpoint takes, for clients that come and go."""

    def __init__(self, kept: object = None, now: float = 0.0) -> None:
        """``kept`` is what ``facts`` gave earlier. What cannot be read, or is older than a day at ``now``, is found out anew."""
        self._known: dict[str, ChatOptions] = {}
        self._facts: dict[str, EndpointFacts] = {}
        for key, given in kept.items() if isinstance(kept, dict) else ():
            with contextlib.suppress(ValidationError):
                facts = EndpointFacts.model_validate(given)
                if 0 <= now - facts.learned_at < _FACTS_LAST:
                    self._facts[str(key)] = facts

    def of(self, url: str, model: str) -> ChatOptions:
        key = _key(url, model)
        if key not in self._known:
            self._known[key] = known = ChatOptions(url, model)
            if (facts := self._facts.get(key)) is not None:
                known.take_up(facts)
        return self._known[key]

    def facts(self, now: float) -> dict[str, Any]:
        """What is known, JSON-ready. Addresses and names are in it as digests only."""
        for key, known in self._known.items():
            before = self._facts.get(key)
            learned = known.facts(now)
            if learned is None:
                self._facts.pop(key, None)
            elif before is None or before.model_copy(update={"learned_at": now}) != learned:
                self._facts[key] = learned
        return {
            key: {
                name: sorted(value) if isinstance(value, list) else value
                for name, value in facts.model_dump(mode="json", exclude_defaults=True).items()
            }
            for key, facts in self._facts.items()
        }

    def forget(self) -> None:
        """Know nothing any more. Clients that are at work keep what they have."""
        self._known.clear()
        self._facts.clear()


def _key(url: str, model: str) -> str:
    return hashlib.sha256(f"{url}\n{model}".encode("utf-8", "replace")).hexdigest()[:24]


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
