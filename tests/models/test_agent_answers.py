"""Answers to the main agent as servers send them: calls without a place of their own, calls in words, thoughts, signatures."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.models.agent_answer import AgentAnswer
from dsbuilder_tui.models.agent_words import AgentWords
from dsbuilder_tui.models.earlier_thoughts import EarlierThoughts
from dsbuilder_tui.models.tool_call_text import find_calls
from tests.support import fake_agent as model
from tests.support.fake_failures import google, openai
from tests.support.fake_openai import FakeOpenAI
from tests.support.talking import SUPPORT, asked, said, talking, troubles

Configs = Callable[..., DatasetBuilderConfig]
NAMES = {"propose_plan", "look"}
ARGUMENTS = {"name": "shop", "count": 3}
TEXT = json.dumps(ARGUMENTS)


def read(*deltas: dict[str, Any], finish: str = "tool_calls") -> tuple[str, str, list[tuple[str, str]], AgentAnswer]:
    """Words, thoughts and calls of an answer, put together as the SDK does."""
    answer = AgentAnswer((), NAMES, EarlierThoughts("m"))
    made = [answer.take({"delta": delta}) for delta in deltas]
    made += [answer.take({"delta": {}, "finish_reason": finish}), {"delta": answer.rest()}]
    calls: dict[int, list[str]] = {}
    for each in made:
        for call in each["delta"].get("tool_calls", ()):
            function, parts = call["function"], calls.setdefault(call["index"], ["", ""])
            parts[0] = function.get("name") or parts[0]
            parts[1] += function.get("arguments") or ""
    words = "".join(each["delta"].get("content") or "" for each in made)
    thoughts = "".join(each["delta"].get("reasoning_content") or "" for each in made)
    return words, thoughts, [(name, text) for name, text in calls.values()], answer


def call(name: str | None = None, arguments: Any = "", **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": name} if name is not None else {})
    return {"tool_calls": [{"type": "function", "function": function, **more}]}


WANTED = [("look", "{}"), ("propose_plan", TEXT)]
HALVES = TEXT[:9], TEXT[9:]


@pytest.mark.parametrize(
    "deltas",
    [
        [call("look", "{}", index=0, id="a"), call("propose_plan", TEXT, index=0, id="b")],
        [call("look", "{}", id="a"), call("propose_plan", TEXT, id="b")],
        [call("look", "{}", index=None), call("propose_plan", TEXT, index=None)],
        [call("look", "{}", index=0), call("propose_plan", TEXT, index=0)],
        [call("look", {}, index=0, id=""), call("propose_plan", ARGUMENTS, index=1, id="")],
        [call("look", "{}", index=0, id="a"), call("propose_plan", HALVES[0], index=1, id="b"), call(None, HALVES[1], index=1)],
        [call("look", "{}", index=0, id="a"), call("propose_plan", HALVES[0], index=1, id="b"),
         call("propose_plan", HALVES[1], index=1, id="b")],
        [call("look", "{}", index=0, id="a"), call("propose_plan", HALVES[0], index=0, id="b"), call(None, HALVES[1], index=0)],
        [call("look", "{}", index=0, id="a"), call("propose_plan", HALVES[0], index=1, id="b"),
         call(None, HALVES[1], index=1, id="c")],
        [call("look", "{}"), call("propose_plan", HALVES[0]), call(None, HALVES[1])],
        [{"tool_calls": [*call("look", "{}", index=0)["tool_calls"], *call("propose_plan", TEXT, index=0)["tool_calls"]]}],
    ],
)  # fmt: skip
def test_calls_are_told_apart(deltas: list[dict[str, Any]]) -> None:
    found = [(name, text or "{}") for name, text in read(*deltas)[2]]
    assert found == WANTED


def test_the_old_form_of_a_call_is_read() -> None:
    deltas = [
        {"function_call": {"name": "propose_plan", "arguments": HALVES[0]}},
        {"function_call": {"arguments": HALVES[1]}},
    ]
    assert read(*deltas, finish="function_call")[2] == [("propose_plan", TEXT)]


WRITTEN = {
    "hermes": "<tool_call>\n" + json.dumps({"name": "propose_plan", "arguments": ARGUMENTS}) + "\n</tool_call>",
    "unclosed": "<tool_call>" + json.dumps({"name": "propose_plan", "arguments": ARGUMENTS}),
    "llama": f"<function=propose_plan>{TEXT}</function>",
    "llama 3.1": "<|python_tag|>" + json.dumps({"name": "propose_plan", "parameters": ARGUMENTS}),
    "mistral": "[TOOL_CALLS]" + json.dumps([{"name": "propose_plan", "arguments": ARGUMENTS}]),
    "mistral, new": f"[TOOL_CALLS]propose_plan[ARGS]{TEXT}",
    "kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.propose_plan:0<|tool_call_argument_begin|>"
    + f"{TEXT}<|tool_call_end|><|tool_calls_section_end|>",
    "deepseek": f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>propose_plan\n```json\n{TEXT}\n```<｜tool▁call▁end｜>",
    "gpt-oss": f"<|channel|>commentary to=functions.propose_plan <|constrain|>json<|message|>{TEXT}<|call|>",
    "qwen coder": "<tool_call>\n<function=propose_plan>\n<parameter=name>\nshop\n</parameter>\n<parameter=count>\n3\n</parameter>\n"
    "</function>\n</tool_call>",
    "glm": "<tool_call>propose_plan\n<arg_key>name</arg_key>\n<arg_value>shop</arg_value>\n<arg_key>count</arg_key>\n"
    "<arg_value>3</arg_value>\n</tool_call>",
    "fence": "```json\n" + json.dumps({"name": "propose_plan", "arguments": ARGUMENTS}) + "\n```",
    "bare": json.dumps({"name": "propose_plan", "parameters": ARGUMENTS}),
    "text in it": json.dumps({"name": "propose_plan", "arguments": TEXT}),
    "openai": json.dumps({"tool_calls": [{"function": {"name": "propose_plan", "arguments": TEXT}}]}),
    "phi": "functools" + json.dumps([{"name": "propose_plan", "arguments": ARGUMENTS}]),
}


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("name", WRITTEN)
def test_a_call_in_words_is_a_call(name: str, size: int) -> None:
    for before in ("",) if name in ("fence", "bare", "text in it", "openai") else ("", "I propose this.\n"):
        text = before + WRITTEN[name]
        pieces = [{"content": text[at : at + size]} for at in range(0, len(text), size)]
        words, _, calls, answer = read(*pieces, finish="stop")
        assert [(called, json.loads(given)) for called, given in calls] == [("propose_plan", ARGUMENTS)]
        assert words == before and not answer.unread


@pytest.mark.parametrize(
    "text",
    [
        "Say `<tool` or [TOOL or <|pyth to me.", "A list: [1, 2] and {3}.", '{"name": "shop", "count": 3}', "`code`",
        'An example is {"name": "propose_plan", "arguments": {}}.', '```json\n{"a": 1}\n```\nis JSON.', "< 3 > 2", "<",
        '{"name": "other_tool", "arguments": {}}', "{" + "x" * 500 + "}",
    ],
)  # fmt: skip
def test_words_stay_words(text: str) -> None:
    for size in (1, 5, 1000):
        pieces = [{"content": text[at : at + size]} for at in range(0, len(text), size)]
        words, thoughts, calls, answer = read(*pieces, finish="stop")
        assert (words, thoughts, calls, answer.unread) == (text, "", [], False)


@pytest.mark.parametrize("text", ["<tool_call>propose the plan</tool_call>", "<tool_code>print(look())</tool_code>"])
def test_a_call_that_cannot_be_read_is_said_to_be_one(text: str) -> None:
    words, _, calls, answer = read({"content": text}, finish="stop")
    assert words == text and not calls and answer.unread


@pytest.mark.parametrize(
    "text",
    [
        "<think>\nHm {two}.\n</think>\n\nHello.", "<thinking>Hm {two}.</thinking>Hello.", "[THINK]Hm {two}.[/THINK]Hello.",
        "<|channel|>analysis<|message|>Hm {two}.<|end|><|start|>assistant<|channel|>final<|message|>Hello.",
        "<reasoning>Hm </x> {two}.</reasoning> Hello.", "\n<think>Hm {two}.</think><think>And</think>\nHello.",
    ],
)  # fmt: skip
def test_thoughts_are_no_words(text: str) -> None:
    for size in (1, 6, 1000):
        pieces = [{"content": text[at : at + size]} for at in range(0, len(text), size)]
        words, thoughts, calls, _ = read(*pieces, finish="stop")
        assert words == "Hello." and "{two}." in thoughts and not calls


def test_thoughts_without_an_end_are_no_words() -> None:
    assert read({"content": "<think>And so on"}, finish="length")[:2] == ("", "And so on")


def test_content_in_parts() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
    assert read({"content": [thinking]}, {"content": [{"type": "text", "text": "Hello."}]})[:2] == ("Hello.", "Hm.")


def test_names_that_are_not_offered_are_no_calls() -> None:
    assert not find_calls(WRITTEN["hermes"], {"other"}).calls
    assert AgentWords(()).feed("<tool_call>x").words == "<tool_call>x"


@pytest.fixture
def configured(make_config: Configs, fake: FakeOpenAI) -> Configs:
    return lambda **more: make_config(base_url=fake.url, model="m", max_retries=0, **more)


def delta(**fields: Any) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": fields, "finish_reason": None}]})


def proposes(**more: Any) -> model.Turn:
    """A plan is proposed, with thoughts, and with something at the call that the server wants back."""
    function = {"name": "propose_plan", "arguments": json.dumps(SUPPORT)}
    made = {"index": 0, "id": "x", "type": "function", "function": function, **more}
    end = json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    return model.raw(
        delta(reasoning_content="A plan, "), delta(reasoning_content="then."), delta(tool_calls=[made]), end
    )


def calls_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [message for message in body["messages"] if message.get("tool_calls")]


async def test_a_signature_goes_back_with_its_call(fake: FakeOpenAI, configured: Configs) -> None:
    """In the turn after a question, too, and in a session that is opened again."""
    signed = {"extra_content": {"google": {"thought_signature": "EjQK"}}}
    config = configured()
    async with talking(config) as talk:
        fake.agent_script[:] = [proposes(**signed), model.says("It is in force.")]
        assert asked(await talk.say("12 cases")) == ["propose_plan"]
        await talk.answer(True)
    fake.agent_script[:] = [model.says("Hello again.")]
    async with talking(config, reference="support_bot") as talk:
        await talk.say("Hello")
    for body in fake.agent_bodies[1:]:
        assert [message["tool_calls"][0]["extra_content"] for message in calls_of(body)] == [signed["extra_content"]]
        assert all("reasoning_content" not in message for message in calls_of(body))  # nobody has asked for it


async def test_thoughts_go_back_where_they_are_asked_for(fake: FakeOpenAI, configured: Configs) -> None:
    def insists(body: dict[str, Any]) -> model.Answer:
        if any(not message.get("reasoning_content") for message in calls_of(body)):
            return openai(400, "The `reasoning_content` in the thinking mode must be passed back to the API.")
        return model.says("It is in force.")

    async with talking(configured()) as talk:
        fake.agent_script[:] = [proposes(), insists, insists, insists]
        await talk.say("12 cases")
        assert said(await talk.answer(True)) == "It is in force."
        assert said(await talk.say("Hello")) == "It is in force."
    assert len(fake.agent_bodies) == 4  # asked for once
    assert [message["reasoning_content"] for message in calls_of(fake.agent_bodies[-1])] == ["A plan, then."]


async def test_a_signature_that_never_was_is_stood_in_for(fake: FakeOpenAI, configured: Configs) -> None:
    """Calls of another model, or of an older session."""

    def insists(body: dict[str, Any]) -> model.Answer:
        if any("extra_content" not in call for message in calls_of(body) for call in message["tool_calls"]):
            return google(400, "Function call is missing a thought_signature in functionCall parts.")
        return model.says("It is in force.")

    async with talking(configured()) as talk:
        fake.agent_script[:] = [proposes(), insists, insists]
        await talk.say("12 cases")
        assert said(await talk.answer(True)) == "It is in force."


async def test_a_call_in_words_is_carried_out_and_one_that_is_none_is_told(
    fake: FakeOpenAI, configured: Configs
) -> None:
    text = "<tool_call>" + json.dumps({"name": "propose_plan", "arguments": SUPPORT}) + "</tool_call>"
    async with talking(configured()) as talk:
        fake.agent_script[:] = [model.says(text)]
        assert asked(await talk.say("12 cases")) == ["propose_plan"]
        fake.agent_script[:] = [model.says("<tool_call>propose it</tool_call>")]
        assert "in a form that cannot be read" in troubles(await talk.answer(False, "No"))


async def test_thoughts_are_shown_in_passing_and_never_kept(fake: FakeOpenAI, configured: Configs) -> None:
    async with talking(configured()) as talk:
        fake.agent_script[:] = [model.says("<think>Shall I greet?</think>Hello.")]
        parts = await talk.say("Hello")
        assert said(parts) == "Hello." and any("greet" in getattr(part, "words", "") for part in parts)
        assert "greet" not in str([item for _, item in await talk.session.agent_memory.items()])
