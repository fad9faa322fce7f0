"""The agents SDK's model over the chat client: events, whole answers, and servers that speak the dialect in their own way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.models.agent_answer import CUT_CALL
from dsbuilder_tui.models.agents_sdk import agents
from dsbuilder_tui.models.chat_client import ChatClient
from dsbuilder_tui.models.chat_model import ChatModel
from tests.support import fake_agent as model
from tests.support.fake_openai import FakeOpenAI

Configs = Callable[..., DatasetBuilderConfig]


def tool(invoked: list[str]) -> agents.FunctionTool:
    async def invoke(context: Any, arguments: str) -> str:
        invoked.append(arguments)
        return "It rains."

    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return agents.FunctionTool(
        name="weather", description="The weather.", params_json_schema=schema, on_invoke_tool=invoke
    )


async def streamed(chat: ChatModel, invoked: list[str]) -> tuple[str, list[str], Any]:
    """Words, kinds of events and the result of one run."""
    agent = agents.Agent(name="a", instructions="Help.", tools=[tool(invoked)], model=chat)
    result = agents.Runner.run_streamed(agent, "Hello")
    words, kinds = "", []
    async for event in result.stream_events():
        if event.type == "raw_response_event":
            kinds.append(event.data.type.removeprefix("response."))
            if kinds[-1] == "output_text.delta":
                words += event.data.delta
    return words, list(dict.fromkeys(kinds)), result


async def test_words_calls_and_usage(fake: FakeOpenAI, make_config: Configs) -> None:
    chat = ChatModel(ChatClient(make_config(base_url=fake.url), "m"))
    fake.agent_script[:] = [
        model.calls(("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"}), text="Let me see."),
        model.says("Rain.", cached_tokens=7),
    ]
    invoked: list[str] = []
    words, kinds, result = await streamed(chat, invoked)
    assert words == "Let me see.Rain." and result.final_output == "Rain." and chat.finish == "stop"
    assert sorted(invoked) == ['{"city": "Oslo"}', '{"city": "Rome"}']
    assert {"created", "output_text.delta", "function_call_arguments.delta", "completed"} <= set(kinds)
    asked, *answers = fake.agent_bodies[1]["messages"][-3:]
    ids = [call["id"] for call in asked["tool_calls"]]
    assert len(set(ids)) == 2 and [answer["tool_call_id"] for answer in answers] == ids
    usage = result.context_wrapper.usage
    assert usage.requests == 2 and usage.input_tokens == sum(len(json.dumps(b)) // 4 for b in fake.agent_bodies)
    assert usage.input_tokens_details.cached_tokens == 7
    await chat.close()


async def test_an_answer_can_be_had_whole(fake: FakeOpenAI, make_config: Configs) -> None:
    chat = ChatModel(ChatClient(make_config(base_url=fake.url), "m"))
    fake.agent_script[:] = [model.calls(("weather", {"city": "Oslo"})), model.says("Rain.")]
    invoked: list[str] = []
    agent = agents.Agent(name="a", tools=[tool(invoked)], model=chat)
    result = await agents.Runner.run(agent, "Hello")
    assert result.final_output == "Rain." and invoked == ['{"city": "Oslo"}']
    assert result.context_wrapper.usage.output_tokens > 0
    await chat.close()


async def test_a_refusal_is_one(fake: FakeOpenAI, make_config: Configs) -> None:
    chat = ChatModel(ChatClient(make_config(base_url=fake.url), "m"))
    fake.agent_script[:] = [model.refusal("No.")]
    with pytest.raises(agents.ModelRefusalError, match="No."):
        await streamed(chat, [])
    await chat.close()


async def test_a_call_that_was_cut_off_cannot_be_read(fake: FakeOpenAI, make_config: Configs) -> None:
    chat = ChatModel(ChatClient(make_config(base_url=fake.url), "m"))
    fake.agent_script[:] = [model.cut_call("weather", '{"city": "Oslo"}'), model.says("So.")]
    invoked: list[str] = []
    await streamed(chat, invoked)
    assert invoked == ['{"city": "Oslo"}' + CUT_CALL]
    sent = fake.agent_bodies[1]["messages"][-2]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {"unreadable": invoked[0]}
    await chat.close()


async def test_calls_without_an_index(fake: FakeOpenAI, make_config: Configs) -> None:
    """Each name begins a call; what comes without one belongs to the last."""

    def piece(**function: str) -> str:
        delta = {"tool_calls": [{"type": "function", "function": function}]}
        return json.dumps({"choices": [{"index": 0, "delta": delta}]})

    end = json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    fake.agent_script[:] = [
        model.raw(
            piece(name="weather", arguments='{"city": '), piece(arguments='"Oslo"}'),
            piece(name="weather", arguments='{"city": "Rome"}'), end,
        ),
        model.says("So."),
    ]  # fmt: skip
    chat, invoked = ChatModel(ChatClient(make_config(base_url=fake.url), "m")), list[str]()
    await streamed(chat, invoked)
    assert sorted(invoked) == ['{"city": "Oslo"}', '{"city": "Rome"}']
    await chat.close()


async def test_a_server_that_does_not_stream(make_config: Configs) -> None:
    calls = [{"id": "x", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}]
    answers = [
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": calls}, "finish_reason": "tool_calls"}]},
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Rain."}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 2}},
    ]  # fmt: skip

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        await reader.readexactly(length)
        body = json.dumps(answers.pop(0)).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    chat, invoked = ChatModel(ChatClient(make_config(base_url=url), "m")), list[str]()
    words, _, result = await streamed(chat, invoked)
    assert words == "Rain." and invoked == ['{"city": "Oslo"}']
    assert result.context_wrapper.usage.input_tokens == 9
    await chat.close()
    server.close()
