"""Failures in the words of real endpoints: what they are taken for, and what they do to a run and to a talk."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.domain.errors import EndpointRefused
from dsbuilder_tui.domain.events import Event, RetryScheduled, RunPaused, SlotExhausted
from dsbuilder_tui.domain.failure_kind import FailureKind as Kind
from dsbuilder_tui.domain.pause_cause import PauseCause
from dsbuilder_tui.models.chat_answer import choices_of, finish_of, read_choice
from dsbuilder_tui.models.chat_client import ChatClient
from dsbuilder_tui.models.chat_options import ChatRequest, OptionMemory
from dsbuilder_tui.models.error_report import error_in, read_body, read_error, retry_after_seconds
from dsbuilder_tui.models.failure_table import failure_kind
from dsbuilder_tui.models.protocol import CallRefused, RequestTooLarge, TransientError
from tests.support import fake_agent as model
from tests.support.fake_agent import Reply
from tests.support.fake_failures import EVENTS, FAILURES, GRAMMARS, NO_TOOLS, openai
from tests.support.fake_openai import FakeOpenAI
from tests.support.talking import talking, troubles

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]

EXCEPTIONS: dict[Kind, type[Exception]] = {
    Kind.TOO_LARGE: RequestTooLarge, Kind.CONTENT: CallRefused, Kind.REQUEST: CallRefused, Kind.KEY: EndpointRefused,
    Kind.FORBIDDEN: EndpointRefused, Kind.QUOTA: EndpointRefused, Kind.NO_MODEL: EndpointRefused,
    Kind.NO_SERVICE: EndpointRefused, Kind.MEMORY: CallRefused,
}  # fmt: skip
ONE_BAD_CALL = (
    "azure filter", "openrouter moderation", "tgi", "groq json", "bedrock rate", "cloudflare", "in a choice", "fastapi",
    "torch memory", "llama.cpp slots",
)  # fmt: skip
WHOLE = {"choices": [{"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}]}


async def words(client: ChatClient) -> str:
    said = ""
    request = ChatRequest(messages=[{"role": "user", "content": "Hello"}], more={"tools": [{"type": "function"}]})
    async with aclosing(client.stream(request)) as batches:
        async for batch in batches:
            said += "".join(read_choice(choice)[0] for message in batch for choice in choices_of(message))
    return said


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_taken_for_what_it_is(name: str, fake: FakeOpenAI, make_config: Configs) -> None:
    reply, kind = FAILURES[name]
    fake.agent_script[:] = [reply]
    client = ChatClient(make_config(base_url=fake.url), "m")
    with pytest.raises(EXCEPTIONS.get(kind, TransientError)) as caught:
        await words(client)
    await client.close()
    if isinstance(caught.value, TransientError | CallRefused):
        assert caught.value.kind is kind
    assert "<h" not in str(caught.value) and "\n" not in str(caught.value) and len(fake.agent_bodies) == 1


@pytest.mark.parametrize("name", ONE_BAD_CALL)
async def test_one_bad_call_ends_no_run(name: str, make_plan: Plans, make_config: Configs) -> None:
    """Every fourth call fails, the first one too: all cases are there, in a bounded number of calls."""
    async with FakeOpenAI(reply_for=lambda body, number: FAILURES[name][0] if number % 4 == 1 else None) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=3, max_retries=2)
        async with await Session.create(make_plan(30), config) as session:
            assert (await session.run()).accepted == 30
        assert fake.worker_calls <= 40
        # One call that was refused with a schema says nothing against schemas.
        assert FAILURES[name][1] is Kind.REQUEST or all("response_format" in body for body in fake.bodies)


async def test_what_is_refused_whenever_it_is_asked_for_is_split_off_and_told(
    make_plan: Plans, make_config: Configs
) -> None:
    """A filter takes offence at one slot: its company is written all the same."""
    told: list[SlotExhausted] = []

    def tell(event: Event) -> None:
        if isinstance(event, SlotExhausted):
            told.append(event)

    plan = make_plan(12, attributes={"topic": [f"topic{n}" for n in range(11)] + ["poison"]})

    def offended(body: dict[str, Any], number: int) -> Reply | None:
        return FAILURES["openai policy"][0] if "poison" in str(body["messages"][-1]) else None

    async with FakeOpenAI(reply_for=offended) as fake:
        config = make_config(base_url=fake.url, batch_size=6, max_workers=1, max_attempts=3)
        async with await Session.create(plan, config) as session:
            session.subscribe(tell)
            result = await session.run()
        poisoned = 12 - result.accepted
        assert poisoned >= 1 and len(told) == poisoned and fake.worker_calls < 30
        assert all("flagged" in event.reason for event in told)


async def test_what_is_always_refused_ends_the_run_in_the_words_of_the_endpoint(
    make_plan: Plans, make_config: Configs
) -> None:
    async with FakeOpenAI(reply_for=lambda body, number: openai(400, "Computer says no")) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=2)
        async with await Session.create(make_plan(30), config) as session:
            with pytest.raises(EndpointRefused, match="Computer says no"):
                await session.run()
        assert fake.worker_calls <= 12  # with the tries without a schema

    async with FakeOpenAI(reply_for=lambda body, number: None if number < 3 else openai(400, "Nope")) as fake:
        config = make_config(base_url=fake.url, batch_size=2, max_workers=1)
        async with await Session.create(make_plan(60), config) as session:
            paused: list[RunPaused] = []
            session.subscribe(lambda event: paused.append(event) if isinstance(event, RunPaused) else None)
            await session.run()
        assert paused[0].cause is PauseCause.NOTHING_USABLE and "turns the requests away" in paused[0].reason
        assert "Nope" in paused[0].reason and fake.worker_calls < 40


@pytest.mark.parametrize("name", GRAMMARS)
async def test_a_schema_that_a_server_cannot_read_is_left_out_for_good(
    name: str, make_plan: Plans, make_config: Configs
) -> None:
    def strict(body: dict[str, Any], number: int) -> Reply | None:
        return GRAMMARS[name] if "json_schema" in str(body.get("response_format")) else None

    async with FakeOpenAI(reply_for=strict) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1)
        async with await Session.create(make_plan(20), config) as session:
            assert (await session.run()).accepted == 20
        with_schema = [n for n, body in enumerate(fake.bodies) if "json_schema" in str(body.get("response_format"))]
        assert with_schema in ([0], [0, 1])


async def test_json_that_the_server_never_accepts_is_not_forced_any_more(
    make_plan: Plans, make_config: Configs
) -> None:
    def picky(body: dict[str, Any], number: int) -> Reply | None:
        return FAILURES["groq json"][0] if "response_format" in body else None

    async with FakeOpenAI(reply_for=picky) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1)
        async with await Session.create(make_plan(20), config) as session:
            assert (await session.run()).accepted == 20
        assert sum("response_format" in body for body in fake.bodies) <= 4


async def test_a_limit_that_a_refusal_names_is_kept_to(make_plan: Plans, make_config: Configs) -> None:
    def capped(body: dict[str, Any], number: int) -> Reply | None:
        too_much = body.get("max_tokens", 0) > 1200
        return openai(400, "Invalid max_tokens value, the valid range of max_tokens is [1, 1200]") if too_much else None

    async with FakeOpenAI(reply_for=capped) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1)
        async with await Session.create(make_plan(20), config) as session:
            assert (await session.run()).accepted == 20
        assert [body.get("max_tokens") for body in fake.bodies].count(1200) == len(fake.bodies) - 1


async def test_a_server_that_loads_its_model_is_waited_for(
    make_plan: Plans, make_config: Configs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than retries last, for workers and for the agent."""
    monkeypatch.setattr("dsbuilder_tui.models.retry.LOADING_POLL", 0.01)
    loading = Reply({"error": {"code": 503, "message": "Loading model", "retry_after": 0.01}}, 503)
    kinds: list[Kind] = []

    def tell(event: Event) -> None:
        if isinstance(event, RetryScheduled):
            kinds.append(event.kind)

    async with FakeOpenAI(reply_for=lambda body, number: loading if number < 6 else None) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1, max_retries=1)
        async with await Session.create(make_plan(5), config) as session:
            session.subscribe(tell)
            assert (await session.run()).accepted == 5
        assert kinds == [Kind.LOADING] * 5
        fake.agent_script[:] = [*[loading] * 5, model.says("Hello.")]
        client = ChatClient(config, "m", retries=1)
        assert await words(client) == "Hello."
        fake.agent_script[:] = [loading] * 5
        client = ChatClient(make_config(base_url=fake.url, startup_timeout=0), "m", retries=1)
        with pytest.raises(TransientError, match="Loading model"):
            await words(client)
        assert len(fake.agent_script) == 4


@pytest.mark.parametrize("name", NO_TOOLS)
async def test_no_tools_is_said_with_what_to_do(name: str, fake: FakeOpenAI, make_config: Configs) -> None:
    fake.agent_script[:] = [NO_TOOLS[name]]
    async with talking(make_config(base_url=fake.url, model="small", max_retries=2)) as talk:
        said = troubles(await talk.say("Hello"))
    assert "takes no tools" in said and "--model" in said and len(fake.agent_bodies) == 1


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/octet-stream", "text/html"])
async def test_a_body_is_judged_by_its_first_bytes(kind: str, fake: FakeOpenAI, make_config: Configs) -> None:
    pieces = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in ("Hi", ".")]
    events = "".join(f"data: {json.dumps(piece)}\n\n" for piece in pieces) + "data: [DONE]\n\n"
    lines = "\n".join(map(json.dumps, pieces))
    client = ChatClient(make_config(base_url=fake.url), "m")
    for body in (events, ": PROCESSING\n\n" + events, WHOLE, "\n\n  " + json.dumps(WHOLE), lines, "\ufeff" + events):
        fake.agent_script[:] = [Reply(body, kind=kind)]
        assert await words(client) == "Hi."
    fake.agent_script[:] = [Reply(WHOLE, kind=EVENTS)]
    assert await words(client) == "Hi."
    await client.close()


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ('data: {"choices": [{"delta": {"cont\n\n', "not a chat completion"),
        ("event: error\ndata: \n\n", "without words"),
        ('{"error": {"message": "killed"}}\n\n', "killed"),
        ('error: {"message": "killed"}\n\n', "killed"),
        ("data: <html><title>Bye</title>\n\n", "a web page (“Bye”)"),
        ('data: {"choices": [{"delta": {}, "finish_reason": "abort"}]}\n\n', "broke off"),
    ],
)
async def test_a_stream_that_breaks_is_no_answer(end: str, said: str, fake: FakeOpenAI, make_config: Configs) -> None:
    start = f"data: {json.dumps({'choices': [{'delta': {'content': 'So far'}}]})}\n\n"
    fake.agent_script[:] = [Reply(start + end + start, kind=EVENTS)]
    client = ChatClient(make_config(base_url=fake.url), "m")
    with pytest.raises(TransientError) as caught:
        await words(client)
    assert said in caught.value.detail
    await client.close()


async def test_a_call_that_is_refused_does_not_forget_a_schema_that_works(
    fake: FakeOpenAI, make_config: Configs
) -> None:
    memory = OptionMemory()
    client = ChatClient(make_config(base_url=fake.url), "m", options=memory)
    request = ChatRequest(messages=[{"role": "user", "content": "x"}], schema={"type": "object"})
    fake.reply_for = lambda body, number: openai(400, "Computer says no") if number == 2 else Reply(WHOLE)
    for _ in range(3):
        try:
            async with aclosing(client.stream(request)) as batches:
                [batch async for batch in batches]
        except CallRefused as error:
            assert error.kind is Kind.REQUEST
    assert len(fake.bodies) == 3 and all("json_schema" in str(body["response_format"]) for body in fake.bodies)
    await client.close()


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ([{"error": {"message": "x", "details": [{"retryDelay": "8s"}]}}], 8.0),
        ({"error": {"message": "Please retry in 8.25s."}}, 8.25),
        ({"error": {"message": "Rate limit reached. Please try again in 6m0s."}}, 360.0),
        ({"error": {"message": "Please try again in 250ms."}}, 0.25),
        ({"error": {"message": "Please retry after 6 seconds."}}, 6.0),
        ({"error": "loading", "estimated_time": 20.5}, 20.5),
        ({"error": {"message": "x", "metadata": {"headers": {"Retry-After": "3"}}}}, 3.0),
        ({"error": {"message": "again and again"}}, None),
    ],
)
def test_a_wait_that_stands_in_the_body(body: Any, seconds: float | None) -> None:
    assert read_error(body).retry_after == seconds


def test_a_header_says_more_than_a_body() -> None:
    body = json.dumps({"error": {"message": "Please retry in 8s"}}).encode()
    assert read_body(body, 429, {"retry-after-ms": "1500"}).retry_after == 1.5
    for value in ("nan", "inf", "-inf"):
        assert retry_after_seconds({"retry-after": value}) is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": {"detail": [{"loc": ["body", "x"], "msg": "no"}]}}, "body.x: no"),
        ({"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}, "Authentication error"),
        ({"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "login fail"),
        ({"error": {"message": '{"error": {"message": "inner"}}'}}, "inner"),
        ({"error": {"message": "outer", "metadata": {"raw": '{"message": "inner"}'}}}, "outer: inner"),
        ({"error": ["one", "two"]}, "one; two"),
        ({"error": {"message": "two\nlines"}}, "two lines"),
    ],
)
def test_the_message_is_found_wherever_it_stands(body: Any, message: str) -> None:
    found = error_in(body)
    assert read_error(found if found is not None else body).message == message


def test_what_is_no_error() -> None:
    for fine in (
        {"choices": []}, {"choices": [], "usage": {"total_tokens": 5}}, {}, {"type": "ping"}, {"id": "x", "choices": None},
        {"choices": [{"delta": {"content": "error"}, "finish_reason": None, "error": None}], "error": None},
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "message": "hello"}, [],
    ):  # fmt: skip
        assert error_in(fine) is None


@pytest.mark.parametrize(
    "message", ["The model is overloaded", "max_tokens: field required", "No such field: modelname"]
)
def test_words_that_are_near_a_kind_are_not_of_it(message: str) -> None:
    assert failure_kind(read_body(message.encode(), 400)) is Kind.REQUEST


@pytest.mark.parametrize(
    ("given", "finish"),
    [("stop", "stop"), ("MAX_TOKENS", "length"), ("model_length", "length"), ("content_filter: PROHIBITED_CONTENT", "content_filter"),
     ("SAFETY", "content_filter"), ("sensitive", "content_filter"), ("tool_calls", "tool_calls"), (None, None), ("", None), (5, None),
     ({"type": "stop"}, "stop")],
)  # fmt: skip
def test_finish_reasons_in_other_words(given: Any, finish: str | None) -> None:
    assert finish_of({"finish_reason": given}) == finish


MEMORY = ("ollama memory", "ollama memory as a success", "torch memory", "lm studio memory")


@pytest.mark.parametrize("name", MEMORY)
async def test_a_server_without_memory_for_the_model_is_told_so(
    name: str, make_plan: Plans, make_config: Configs, fake: FakeOpenAI
) -> None:
    """In a few calls, and not as a model that is missing; to the main agent's person at once."""
    fake.reply_for = lambda body, number: FAILURES[name][0]
    fake.agent_script[:] = [FAILURES[name][0]] * 3
    config = make_config(base_url=fake.url, batch_size=5, max_workers=3)
    async with await Session.create(make_plan(30), config) as session:
        with pytest.raises(EndpointRefused, match="has not enough memory for .* smaller model"):
            await session.run()
    assert fake.worker_calls <= 8
    async with talking(config) as talk:
        said = troubles(await talk.say("60 cases"))
    assert "has not enough memory" in said and "does not exist" not in said
    assert len(fake.agent_bodies) == 1


@pytest.mark.parametrize("coding", ["br", "zstd", "compress"])
async def test_a_compression_that_cannot_be_undone_is_told_at_once(
    coding: str, make_plan: Plans, make_config: Configs, fake: FakeOpenAI
) -> None:
    reply = Reply(b"\x1b" + bytes(range(128, 255)), kind=EVENTS, headers=(("Content-Encoding", coding),))
    fake.reply_for = lambda body, number: reply
    fake.agent_script[:] = [reply] * 3
    config = make_config(base_url=fake.url, batch_size=5, max_workers=3)
    async with await Session.create(make_plan(30), config) as session:
        with pytest.raises(EndpointRefused, match="compresses its answers .* Turn compression off"):
            await session.run()
    assert fake.worker_calls <= 3
    async with talking(config) as talk:
        said = troubles(await talk.say("60 cases"))
    assert "compresses its answers" in said and len(fake.agent_bodies) == 1


async def test_one_answer_that_cannot_be_decompressed_ends_no_run(make_plan: Plans, make_config: Configs) -> None:
    broken = Reply(b"no gzip at all", kind=EVENTS, headers=(("Content-Encoding", "gzip"),))
    async with FakeOpenAI(reply_for=lambda body, number: broken if number == 3 else None) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1, max_retries=2)
        async with await Session.create(make_plan(30), config) as session:
            assert (await session.run()).accepted == 30
