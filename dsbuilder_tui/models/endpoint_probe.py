"""A closer look at an endpoint: what a run and the main agent will ask of it is tried, in the way in which they ask it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.errors import DsbuilderError, EndpointRefused, EndpointUnavailable
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.agent_answer import AgentAnswer
from dsbuilder_tui.models.batch_client import BatchClient
from dsbuilder_tui.models.chat_answer import choices_of, read_usage
from dsbuilder_tui.models.chat_client import ChatClient
from dsbuilder_tui.models.chat_options import ChatOption, ChatOptions, ChatRequest, OptionMemory
from dsbuilder_tui.models.earlier_thoughts import EarlierThoughts
from dsbuilder_tui.models.endpoint import Endpoint, loads
from dsbuilder_tui.models.endpoint_errors import explain
from dsbuilder_tui.models.error_report import read_body
from dsbuilder_tui.models.failure_table import failure_kind
from dsbuilder_tui.models.protocol import CallRefused, TransientError
from dsbuilder_tui.settings.runner_names import BATCH_API
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_CASES = {
    "type": "object",
    "properties": {
        "cases": {
            "type": "array", "minItems": 1, "maxItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "slot": {"type": "integer"},
                    "inputs": {
                        "type": "object", "properties": {"query": {"type": "string", "maxLength": 400}},
                        "required": ["query"], "additionalProperties": False,
                    },
                },
                "required": ["slot", "inputs"], "additionalProperties": False,
            },
        },
    },
    "required": ["cases"], "additionalProperties": False,
}  # fmt: skip
_CASE_PROMPT = """Write one question to a bakery's ordering assistant, as JSON of this shape:
{"cases": [{"slot": 1, "inputs": {"query": "…"}}]}"""
_TOOL = {
    "type": "function",
    "function": {
        "name": "save_answer", "description": "Save an answer.",
        "parameters": {
            "type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"],
            "additionalProperties": False,
        },
    },
}  # fmt: skip
_CASE_LIMIT, _SMALL_LIMIT, _TOOL_LIMIT = 4000, 24, 2000  # tokens
_MOST_AT_ONCE = 4
_LEAST_SECONDS, _IN_A_ROW = 0.5, 0.8  # a shorter call says nothing; the share of the time that calls in a row take
_TOLERANTLY = "answers are parsed tolerantly in its place"


class _Role(StrEnum):
    """What a model is for."""

    WORKER = "worker model"
    MAIN = "main model"

    @property
    def flag(self) -> str:
        return "--worker-model" if self is _Role.WORKER else "--model"

    def model(self, config: DatasetBuilderConfig) -> str:
        return config.worker_model if self is _Role.WORKER else config.model


@dataclass(frozen=True, slots=True)
class ProbeFinding:
    """What one check found: the ``problem`` there is, or ``words`` that say how it went.

    ``certain`` is false where the endpoint did not let anything be known, or answers are used in another way.
    """

    name: str
    words: str = ""
    problem: DsbuilderError | None = None
    certain: bool = True


async def probe_endpoint(config: DatasetBuilderConfig) -> AsyncGenerator[ProbeFinding, None]:
    """Checks one by one, until one has a problem that makes the next ones pointless."""
    try:
        endpoint = Endpoint(config)
    except DsbuilderError as error:
        yield ProbeFinding("endpoint", problem=error)
        return
    try:
        async with aclosing(_checks(endpoint, config)) as findings:
            async for finding in findings:
                yield finding
    finally:
        await endpoint.close()


async def _checks(endpoint: Endpoint, config: DatasetBuilderConfig) -> AsyncGenerator[ProbeFinding, None]:
    try:
        status, models = await endpoint.get_json("/models")
    except TransientError as error:
        yield ProbeFinding("endpoint", problem=_unreachable(config, error.detail))
        return
    except EndpointRefused as error:
        yield ProbeFinding("endpoint", problem=error)
        return
    if status in (401, 403):
        body = endpoint.redact(orjson.dumps(models).decode())
        yield ProbeFinding("key", problem=_reported(body, status, config))
        return
    yield ProbeFinding("endpoint", f"{config.endpoint} answers")
    listed = models.get("data") if isinstance(models, dict) else None
    known = {str(each.get("id")) for each in listed or () if isinstance(each, dict)}
    unlisted: dict[_Role, ProbeFinding] = {}
    for role in _Role:
        name = role.model(config)
        if known and name not in known and f"{name}:latest" not in known:
            some = ", ".join(sorted(known)[:8])
            missing = EndpointRefused(
                f"{name} is not among the endpoint's models ({some})", f"Choose one with {role.flag}."
            )
            unlisted[role] = ProbeFinding(role, problem=missing)
        elif known:
            yield ProbeFinding(role, f"{name} exists")
        else:
            yield ProbeFinding(role, f"{name}: the endpoint does not list its models", certain=False)
    memory = OptionMemory()
    client = ChatClient(config, config.worker_model, options=memory)
    same = config.model == config.worker_model
    try:
        works = True
        async for finding in _worker(client, memory.of(client.url, client.model), config.worker_model):
            works = works and finding.problem is None
            if _Role.WORKER in unlisted:
                for role in (_Role.WORKER, _Role.MAIN) if same else (_Role.WORKER,):
                    yield _explained(unlisted.pop(role), config.worker_model, works)
            yield finding
        if works and config.workers > 1:
            yield await _parallel(client, min(_MOST_AT_ONCE, config.workers))
        if works and (found := await _batch_api(client, config)) is not None:
            yield found
        if told := client.endpoint.limits.last.words:
            yield ProbeFinding("limits", f"{told} are told of in headers, and kept to")
    finally:
        await client.close()
    if not works and same:
        return
    client = ChatClient(config, config.model, options=memory)
    try:
        finding = await _tool_call(client, config.model)
    finally:
        await client.close()
    if _Role.MAIN in unlisted:
        yield _explained(unlisted[_Role.MAIN], config.model, finding.problem is None)
    yield finding


async def _batch_api(client: ChatClient, config: DatasetBuilderConfig) -> ProbeFinding | None:
    """Whether there is a Batch API; None where there is none and nobody wants one."""
    try:
        await BatchClient(client.endpoint, client.model).require()
    except (DsbuilderError, TransientError, CallRefused) as error:
        return ProbeFinding("Batch API", problem=_problem(error, client.url)) if config.runner == BATCH_API else None
    return ProbeFinding("Batch API", "answers: --batch-api has calls made within a day, for less")


def _explained(unlisted: ProbeFinding, model: str, works: bool) -> ProbeFinding:
    """A model that is not listed is why a call fails, unless it works: a server of one model takes it by any name."""
    if not works:
        return unlisted
    return ProbeFinding(
        unlisted.name, f"{model} is not in the endpoint's list, and answers all the same", certain=False
    )


async def _worker(client: ChatClient, options: ChatOptions, model: str) -> AsyncGenerator[ProbeFinding, None]:
    """The workers' model: a request as a run sends it, and a limit that is too small."""
    try:
        heard = await _ask(client, _case_request(), ())
    except Exception as error:
        yield ProbeFinding("completion", problem=_problem(error, client.url))
        return
    way = "in a stream" if heard.pieces > 1 else "in one piece: its cases come when it ends"
    thinks = ", and thinks before it does" if heard.thoughts or heard.usage.reasoning_tokens else ""
    yield ProbeFinding("completion", f"{model} answers, {way}{thinks}")
    honoured = _is_case_list(heard.words)
    if not options.takes(ChatOption.JSON_SCHEMA):
        yield ProbeFinding("JSON schema", f"not supported by the endpoint; {_TOLERANTLY}", certain=False)
    else:
        yield ProbeFinding("JSON schema", "honoured" if honoured else f"not honoured; {_TOLERANTLY}", certain=honoured)
    told = heard.usage.known
    yield ProbeFinding(
        "usage",
        "tokens are told with each answer" if told else "tokens are not told, so they are estimated",
        certain=told,
    )
    async for finding in _output_limit(client, options):
        yield finding


async def _output_limit(client: ChatClient, options: ChatOptions) -> AsyncGenerator[ProbeFinding, None]:
    question = [{"role": "user", "content": "Count from one to two hundred, in words."}]
    try:
        heard = await _ask(client, ChatRequest(messages=question, max_tokens=_SMALL_LIMIT), ())
    except Exception as error:
        yield ProbeFinding("output limit", problem=_problem(error, client.url))
        return
    names = [option for option in (ChatOption.MAX_TOKENS, ChatOption.MAX_COMPLETION_TOKENS) if options.takes(option)]
    kept = heard.finish == "length" or 0 < heard.usage.completion_tokens <= _SMALL_LIMIT
    if not names:
        yield ProbeFinding("output limit", "not taken: answers are as long as the model likes", certain=False)
    elif kept:
        yield ProbeFinding("output limit", f"kept to ({names[0]})")
    else:
        yield ProbeFinding("output limit", f"not seen to be kept to ({names[0]})", certain=False)


async def _parallel(client: ChatClient, calls: int) -> ProbeFinding:
    """Some calls at once, against one alone."""
    began = time.monotonic()
    try:
        await _ask(client, _case_request(), ())
    except Exception as error:
        return ProbeFinding("parallel calls", problem=_problem(error, client.url))
    alone, began = time.monotonic() - began, time.monotonic()
    made = await asyncio.gather(*(_ask(client, _case_request(), ()) for _ in range(calls)), return_exceptions=True)
    took = time.monotonic() - began
    failed = [each for each in made if isinstance(each, Exception)]
    if failed:
        words = (
            f"{len(failed)} of {calls} at once failed ({_problem(failed[0], client.url).problem}); lower max_workers"
        )
        return ProbeFinding("parallel calls", words, certain=False)
    if alone > _LEAST_SECONDS and took > _IN_A_ROW * calls * alone:
        words = f"{calls} at once are answered one after another: more max_workers bring nothing"
        return ProbeFinding("parallel calls", words, certain=False)
    return ProbeFinding("parallel calls", f"{calls} at once are answered")


async def _tool_call(client: ChatClient, model: str) -> ProbeFinding:
    """Whether the main agent's model can call a tool."""
    request = ChatRequest(
        messages=[{"role": "user", "content": "Call the tool save_answer with the answer yes. Say nothing else."}],
        max_tokens=_TOOL_LIMIT, more={"tools": [_TOOL]},
    )  # fmt: skip
    try:
        heard = await _ask(client, request, ("save_answer",))
    except Exception as error:
        problem = _problem(error, client.url)
        hint = problem.hint.replace("--worker-model", "--model")
        return ProbeFinding("tool call", problem=type(problem)(problem.problem, hint))
    if heard.calls:
        return ProbeFinding("tool call", f"{model} calls tools")
    words = (
        f"{model} has called none when it was asked to; the main agent works with tools: another --model may be better"
    )
    return ProbeFinding("tool call", words, certain=False)


@dataclass(slots=True)
class _Heard:
    """One answer."""

    words: str = ""
    thoughts: str = ""
    pieces: int = 0
    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    finish: str = ""


async def _ask(client: ChatClient, request: ChatRequest, tools: Sequence[str]) -> _Heard:
    """The answer to a request. Asked a second time when the connection broke: a server may have closed the one in use."""
    try:
        return await _ask_once(client, request, tools)
    except TransientError as error:
        if error.kind is not FailureKind.CONNECTION:
            raise
    return await _ask_once(client, request, tools)


async def _ask_once(client: ChatClient, request: ChatRequest, tools: Sequence[str]) -> _Heard:
    """The answer to a request, read as a run and the main agent read it."""
    heard, answer = _Heard(), AgentAnswer((), tools, EarlierThoughts(client.model))
    deltas: list[dict[str, Any]] = []
    async with aclosing(client.stream(request)) as batches:
        async for batch in batches:
            for message in batch:
                if message.get("usage"):
                    heard.usage = read_usage(message["usage"])
                for choice in choices_of(message)[:1]:
                    if isinstance(choice, dict):
                        deltas.append(answer.take(choice)["delta"])
                        heard.pieces += 1
    for delta in (*deltas, answer.rest()):
        heard.words += delta.get("content") or ""
        heard.thoughts += delta.get("reasoning_content") or ""
        heard.calls += len(delta.get("tool_calls") or ())
    heard.finish = answer.finish
    return heard


def _case_request() -> ChatRequest:
    return ChatRequest(
        messages=[
            {"role": "system", "content": "You write test cases for an LLM application. Answer with JSON alone."},
            {"role": "user", "content": _CASE_PROMPT},
        ],
        schema=_CASES, schema_name="test_cases", max_tokens=_CASE_LIMIT,
    )  # fmt: skip


def _is_case_list(text: str) -> bool:
    answer = loads(text.encode("utf-8", "replace"))
    cases = answer.get("cases") if isinstance(answer, dict) and len(answer) == 1 else None
    return (
        isinstance(cases, list)
        and len(cases) == 1
        and isinstance(cases[0], dict)
        and {"slot", "inputs"} <= set(cases[0])
    )


def _problem(error: Exception, url: str) -> DsbuilderError:
    if isinstance(error, DsbuilderError):
        return error
    if isinstance(error, CallRefused):
        return error.whole or EndpointRefused(f"{url} turned the request away: {error.detail}", "Take another model.")
    if isinstance(error, TransientError) and error.kind is FailureKind.LOADING:
        return EndpointUnavailable(
            f"{url} is not ready yet: {error.detail}", "Try again in a while; a run waits for it up to startup_timeout."
        )
    if isinstance(error, TransientError):
        return EndpointUnavailable(f"{url} answered: {error.detail}", "Try again later.")
    raise error


def _reported(body: str, status: int, config: DatasetBuilderConfig) -> DsbuilderError:
    report = read_body(body.encode(), status)
    return _problem(explain(report, failure_kind(report), config.worker_model, config.endpoint), config.endpoint)


def _unreachable(config: DatasetBuilderConfig, detail: str) -> EndpointUnavailable:
    return EndpointUnavailable(
        f"{config.endpoint} cannot be reached: {detail}", "Check base_url, the network and the proxy settings."
    )
