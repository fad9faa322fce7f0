"""Each scripted turn through the real SDK: which events it gives, and what it raises. The agent's code builds on this."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx2
import openai
import pytest
from agents import (
    Agent,
    FunctionTool,
    MaxTurnsExceeded,
    ModelBehaviorError,
    ModelRefusalError,
    ModelSettings,
    OpenAIChatCompletionsModel,
    RunConfig,
    Runner,
)
from agents.result import RunResultStreaming
from agents.tool_context import ToolContext

from tests.support.fake_agent import (
    UNSCRIPTED,
    Call,
    Scripted,
    Turn,
    calls,
    cut_call,
    empty,
    filtered,
    hang,
    hang_mid,
    length,
    refusal,
    reset_mid,
    says,
    status,
)
from tests.support.fake_openai import FakeOpenAI

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


@dataclass
class Seen:
    """What a run gave: event types with their runs squeezed, deltas by type, and what it ended with."""

    events: list[str] = field(default_factory=list)
    deltas: dict[str, str] = field(default_factory=dict)
    invoked: list[str] = field(default_factory=list)
    completed: list[Any] = field(default_factory=list)
    error: Exception | None = None
    result: RunResultStreaming | None = None

    @property
    def final(self) -> Any:
        assert self.result
        return self.result.final_output

    def outputs(self) -> list[Any]:
        assert self.result
        return [item.output for item in self.result.new_items if item.type == "tool_call_output_item"]


def agent_of(client: openai.AsyncOpenAI, invoked: list[str]) -> Agent[Any]:
    async def weather(_: ToolContext[Any], arguments: str) -> str:
        invoked.append(arguments)
        return "It rains."

    tool = FunctionTool(name="weather", description="The weather.", params_json_schema=CITY, on_invoke_tool=weather)
    model = OpenAIChatCompletionsModel("gpt-4o", client)
    return Agent(
        name="main", instructions="Help.", tools=[tool], model=model, model_settings=ModelSettings(include_usage=True)
    )


CONFIG = RunConfig(tracing_disabled=True, tool_not_found_behavior="return_error_to_model")


async def run(
    fake: FakeOpenAI, *script: Scripted, url: str = "", timeout: float = 30.0, max_turns: int = 10,
    cancel: Literal["immediate", "after_turn"] = "immediate", cancel_at: str = "",
) -> Seen:  # fmt: skip
    fake.agent_script[:] = script
    seen = Seen()
    async with openai.AsyncOpenAI(
        base_url=url or fake.url, api_key="sk-test", max_retries=0, timeout=timeout
    ) as client:
        seen.result = Runner.run_streamed(
            agent_of(client, seen.invoked), "Hello", run_config=CONFIG, max_turns=max_turns
        )
        try:
            async for event in seen.result.stream_events():
                if event.type == "raw_response_event":
                    name = event.data.type.removeprefix("response.")
                    if name.endswith("delta"):
                        seen.deltas[name] = seen.deltas.get(name, "") + event.data.delta
                    if name == "completed":
                        seen.completed.append(event.data.response)
                else:
                    name = f"* {event.name}" if event.type == "run_item_stream_event" else f"* {event.type}"
                if seen.events[-1:] != [name]:
                    seen.events.append(name)
                if cancel_at and name.endswith(cancel_at):
                    seen.result.cancel(cancel)
        except (openai.OpenAIError, MaxTurnsExceeded, ModelBehaviorError, ModelRefusalError) as error:
            seen.error = error
    return seen


STARTED = ["* agent_updated_stream_event"]
TEXT = ["created", "output_item.added", "content_part.added", "output_text.delta", "content_part.done", "output_item.done",
        "completed", "* message_output_created"]  # fmt: skip
CALL = ["created", "output_item.added", "function_call_arguments.delta", "output_item.done", "completed", "* tool_called",
        "* tool_output"]  # fmt: skip


async def test_words(fake: FakeOpenAI) -> None:
    seen = await run(fake, says("It is a fine dáy 🚀.", chunk=3, cached_tokens=7))
    assert seen.events == STARTED + TEXT and seen.final == "It is a fine dáy 🚀."
    assert seen.deltas == {"output_text.delta": seen.final}
    (body,) = fake.agent_bodies
    assert body["tools"][0]["function"]["name"] == "weather" and not fake.bodies
    assert seen.result
    usage = seen.result.context_wrapper.usage
    assert usage.input_tokens == len(json.dumps(body)) // 4 and usage.output_tokens == len(seen.final) // 4
    assert usage.input_tokens_details.cached_tokens == 7


async def test_parallel_calls_with_their_fragments_interleaved(fake: FakeOpenAI) -> None:
    turn = calls(("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"}), text="Let me see.")
    seen = await run(fake, turn, says("Rain."))
    assert sorted(seen.invoked) == ['{"city": "Oslo"}', '{"city": "Rome"}'] and seen.outputs() == ["It rains."] * 2
    assert seen.deltas["function_call_arguments.delta"].startswith('{"cit{"city": "y": ')  # they arrive in turns
    assert seen.final == "Rain." and seen.deltas["output_text.delta"] == "Let me see.Rain."
    asked, answers = fake.agent_bodies[1]["messages"][-3], fake.agent_bodies[1]["messages"][-2:]
    assert [call["id"] for call in asked["tool_calls"]] == ["call_1_0", "call_1_1"]
    assert [answer["tool_call_id"] for answer in answers] == ["call_1_0", "call_1_1"]


async def test_words_come_before_the_call_is_made(fake: FakeOpenAI) -> None:
    seen = await run(fake, calls(("weather", {"city": "Oslo"})), says("Rain."))
    assert seen.events == [*STARTED, *CALL, *TEXT]


@pytest.mark.parametrize(
    ("turn", "kind", "code"),
    [
        (status(401, "Incorrect API key provided", "invalid_api_key", echo_key=True), openai.AuthenticationError, "invalid_api_key"),
        (status(404, "The model `x` does not exist", "model_not_found"), openai.NotFoundError, "model_not_found"),
        (status(429, "Slow down", "rate_limit_exceeded", retry_after="7"), openai.RateLimitError, "rate_limit_exceeded"),
        (status(429, "You exceeded your quota", "insufficient_quota"), openai.RateLimitError, "insufficient_quota"),
        (status(400, "Too many tokens", "context_length_exceeded"), openai.BadRequestError, "context_length_exceeded"),
        (status(500, "The server had an error"), openai.InternalServerError, None),
    ],
)  # fmt: skip
async def test_a_refused_request_is_the_clients_own_error(
    fake: FakeOpenAI, turn: Any, kind: type[openai.APIStatusError], code: str | None
) -> None:
    """Nothing wraps it and no event tells of it; the key that the server repeats is in its text, in clear."""
    seen = await run(fake, turn)
    assert seen.events == STARTED and type(seen.error) is kind
    assert isinstance(seen.error, openai.APIStatusError)
    assert (seen.error.status_code, seen.error.code) == (turn.code, code)
    assert seen.error.response.headers.get("retry-after") == turn.retry_after
    assert ("sk-test" in str(seen.error)) == turn.echo_key


async def test_a_connection_that_breaks(fake: FakeOpenAI) -> None:
    """An ``APIConnectionError`` each time; what broke is only in its cause, what had been said only in the events."""
    closed = await run(fake, reset_mid("half of a sentence"))
    assert (
        closed.deltas == {"output_text.delta": "half of a sentence"} and type(closed.error) is openai.APIConnectionError
    )
    assert isinstance(closed.error.__cause__, httpx2.RemoteProtocolError)
    assert closed.result and closed.result.new_items == [] and closed.final is None
    hard = await run(fake, reset_mid("half of a sentence", hard=True))
    assert type(hard.error) is openai.APIConnectionError and isinstance(hard.error.__cause__, httpx2.ReadError)
    async with FakeOpenAI() as gone:
        url = gone.url
    refused = await run(fake, url=url)
    assert refused.events == STARTED and type(refused.error) is openai.APIConnectionError
    assert isinstance(refused.error.__cause__, httpx2.ConnectError)


async def test_a_server_that_hangs(fake: FakeOpenAI) -> None:
    seen = await run(fake, hang(), timeout=0.2)
    assert seen.events == STARTED and type(seen.error) is openai.APITimeoutError
    middle = await run(fake, hang_mid("some words"), timeout=2.0)
    assert middle.deltas == {"output_text.delta": "some words"} and type(middle.error) is openai.APITimeoutError


async def test_the_output_limit(fake: FakeOpenAI) -> None:
    """Text that is cut looks whole: nothing in events or result says so. A cut call is invoked with its half arguments."""
    seen = await run(fake, length("half of a sente"))
    assert seen.events == STARTED + TEXT and seen.final == "half of a sente" and seen.error is None
    assert seen.completed[0].status is None and seen.completed[0].incomplete_details is None
    nothing = await run(fake, length(""))
    assert isinstance(nothing.error, ModelBehaviorError) and "finish_reason='length'" in str(nothing.error)
    cut = await run(fake, cut_call("weather", '{"city": "Os'), says("So."))
    assert cut.invoked == ['{"city": "Os'] and cut.events == [*STARTED, *CALL, *TEXT] and cut.final == "So."


async def test_refusals_and_filters(fake: FakeOpenAI) -> None:
    """A refusal is raised after its message was announced; a filter that leaves words looks like a whole answer."""
    seen = await run(fake, refusal("No."))
    assert isinstance(seen.error, ModelRefusalError) and seen.error.refusal == "No."
    assert seen.deltas == {"refusal.delta": "No."} and seen.events[-1] == "* message_output_created"
    assert isinstance((await run(fake, filtered())).error, ModelRefusalError)
    some = await run(fake, filtered("some words"))
    assert some.error is None and some.final == "some words" and some.events == STARTED + TEXT


async def test_nothing_at_all_ends_the_run_with_empty_words(fake: FakeOpenAI) -> None:
    seen = await run(fake, empty())
    assert seen.events == [*STARTED, "created", "completed"] and seen.final == "" and seen.error is None


async def test_a_tool_that_does_not_exist_is_told_to_the_model(fake: FakeOpenAI) -> None:
    seen = await run(fake, calls(("nope", {})), says("I see."))
    assert seen.outputs() == ["Tool 'nope' not found."] and seen.invoked == [] and seen.final == "I see."
    assert seen.events == [*STARTED, *CALL, *TEXT]


@pytest.mark.parametrize("raw", ['{"city": Oslo', "[1]", "", '{"town": 1}', "null"])
async def test_arguments_reach_the_tool_as_they_came(fake: FakeOpenAI, raw: str) -> None:
    """A ``FunctionTool`` made by hand gets the raw text: the schema is not applied, wrong JSON is its own affair."""
    seen = await run(fake, calls(("weather", raw)), says("So."))
    assert seen.invoked == [raw] and seen.final == "So." and seen.error is None


async def test_too_many_turns(fake: FakeOpenAI) -> None:
    seen = await run(fake, *[calls(("weather", {"city": "Oslo"}))] * 3, max_turns=2)
    assert isinstance(seen.error, MaxTurnsExceeded) and len(seen.invoked) == 2 and len(fake.agent_script) == 1


async def test_cancel_at_once_drops_the_turn(fake: FakeOpenAI) -> None:
    """The events just stop; no item and no usage is left, though the words were shown."""
    for turn, at in (says("many words " * 50), "output_text.delta"), (calls(("weather", {})), "arguments.delta"):
        seen = await run(fake, turn, cancel_at=at)
        assert seen.events[-1].endswith(at) and seen.error is None and seen.final is None and seen.invoked == []
        assert seen.result and seen.result.is_complete and seen.result.new_items == []
        assert seen.result.context_wrapper.usage.requests == 0


async def test_cancel_after_the_turn_lets_the_tool_answer(fake: FakeOpenAI) -> None:
    seen = await run(fake, calls(("weather", {})), says("never"), cancel="after_turn", cancel_at="arguments.delta")
    assert seen.events == [*STARTED, *CALL] and seen.outputs() == ["It rains."] and seen.final is None
    assert len(fake.agent_script) == 1 and seen.result and seen.result.context_wrapper.usage.requests == 1


async def test_answers_that_depend_on_the_request_and_a_script_that_is_used_up(fake: FakeOpenAI) -> None:
    seen = await run(fake, lambda body: says(body["messages"][-1]["content"].upper()))
    assert seen.final == "HELLO" and not fake.seen["agent_unscripted"]
    assert (await run(fake)).final == UNSCRIPTED and fake.seen["agent_unscripted"] == 1


@pytest.mark.parametrize(
    ("turn", "said"),
    [(says("Hi."), "Hi."), (calls(("weather", {"city": "Oslo"}), text="Hm."), "So."), (length("ha"), "ha")],
)
async def test_without_a_stream_it_is_one_object(fake: FakeOpenAI, turn: Turn, said: str) -> None:
    fake.agent_script[:] = [turn, says("So.")]
    invoked: list[str] = []
    async with openai.AsyncOpenAI(base_url=fake.url, api_key="sk-test", max_retries=0) as client:
        result = await Runner.run(agent_of(client, invoked), "Hello", run_config=CONFIG)
        assert result.final_output == said and invoked == [call.arguments for call in turn.calls]
        for broken, kind in (reset_mid("x"), openai.APIConnectionError), (refusal("No."), ModelRefusalError):
            fake.agent_script[:] = [broken]
            with pytest.raises(kind):
                await Runner.run(agent_of(client, invoked), "Hello", run_config=CONFIG)
    assert all(isinstance(call, Call) for call in turn.calls)


async def test_the_workers_requests_go_on_as_before(fake: FakeOpenAI) -> None:
    fake.agent_script[:] = [says("not for a worker")]
    async with openai.AsyncOpenAI(base_url=fake.url, api_key="sk-test", max_retries=0) as client:
        done = await client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "Slots (2):"}]
        )
    assert len(json.loads(done.choices[0].message.content or "")["cases"]) == 2
    assert len(fake.agent_script) == 1 and len(fake.bodies) == 1 and fake.agent_bodies == []
