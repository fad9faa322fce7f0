"""Answers to the main agent as servers send them: calls without a place of their own, calls in words, thoughts, signatures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.agent.turn_events import TextDelta, TurnEvent, WordsWithdrawn
from dsbuilder_tui.domain.events import Notice
from dsbuilder_tui.domain.message import Message, ThoughtsContent
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


def thoughts(parts: Iterable[TurnEvent]) -> list[str]:
    kept = [part.content for part in parts if isinstance(part, Message)]
    return [content.thoughts for content in kept if isinstance(content, ThoughtsContent)]


def heard(parts: Iterable[TurnEvent]) -> list[str]:
    """The words as they came, without those that were taken back."""
    words: list[str] = []
    for part in parts:
        if isinstance(part, TextDelta):
            words.append(part.text)
        elif isinstance(part, WordsWithdrawn):
            words.clear()
    return words


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


async def test_thoughts_are_shown_folded_and_the_agent_does_not_remember_them(
    fake: FakeOpenAI, configured: Configs
) -> None:
    async with talking(configured()) as talk:
        fake.agent_script[:] = [model.says("<think>Shall I greet?</think>Hello.")]
        parts = await talk.say("Hello")
        assert said(parts) == "Hello." and any("greet" in getattr(part, "words", "") for part in parts)
        assert thoughts(parts) == ["Shall I greet?"]
        assert "greet" not in str([item for _, item in await talk.session.agent_memory.items()])


UNOPENED = {
    "deepseek": "The person greets me. I greet back.\n</think>\n\nHello.",
    "one line": "I greet back.</think>Hello.",
    "kimi": "I greet.\n◁/think▷Hello.",
    "magistral": "I greet {back}.[/THINK]\nHello.",
    "with a list": "1. Greet.\n2. End.\n</thinking>\nHello.",
}


@pytest.mark.parametrize("size", [1, 9, 1000])
@pytest.mark.parametrize("name", UNOPENED)
async def test_thoughts_that_the_template_has_opened_are_never_the_answer(
    name: str, size: int, fake: FakeOpenAI, configured: Configs
) -> None:
    """They are taken back when their end is seen; from the next answer on nothing is shown before it."""
    text = UNOPENED[name]
    async with talking(configured()) as talk:
        fake.agent_script[:] = [model.says(text, chunk=size), model.says(text.replace("Hello", "Bye"), chunk=size)]
        parts = await talk.say("Hello")
        assert said(parts) == "Hello." and "".join(heard(parts)) == "Hello."
        (thought,) = thoughts(parts)
        assert thought in text and "reet" in thought and "think" not in thought.lower()
        parts = await talk.say("Goodbye")
        assert said(parts) == "Bye." and len(thoughts(parts)) == 1
        assert not any(isinstance(part, WordsWithdrawn) for part in parts)
        assert "".join(part.text for part in parts if isinstance(part, TextDelta)) == "Bye."
        kept = [
            item["content"] for _, item in await talk.session.agent_memory.items() if item.get("role") == "assistant"
        ]
        assert kept == ["Hello.", "Bye."]


@pytest.mark.parametrize(
    "text",
    [
        "Your bot ends its thoughts with `</think>`; the tests look for it.", "The tag </think> ends it, and <think> begins it.",
        "It is written <think>so</think> in the log.\nThat is all.",
    ],
)  # fmt: skip
async def test_a_tag_that_is_spoken_of_is_a_word(text: str, fake: FakeOpenAI, configured: Configs) -> None:
    async with talking(configured()) as talk:
        fake.agent_script[:] = [model.says(text, chunk=4), model.says(text, chunk=4)]
        for _ in range(2):
            parts = await talk.say("What does the bot do?")
            assert said(parts) == text and not thoughts(parts)


async def test_a_model_that_thinks_only_at_times_says_all_of_the_rest(fake: FakeOpenAI, configured: Configs) -> None:
    async with talking(configured()) as talk:
        fake.agent_script[:] = [
            model.says("Hm.\n</think>\n\nOne."), model.says("Two."), model.says("Three."),
        ]  # fmt: skip
        assert [said(await talk.say("Next")) for _ in range(3)] == ["One.", "Two.", "Three."]


def limited(*answers: str, tokens: int) -> Callable[[dict[str, Any]], model.Turn]:
    """A model that needs so many tokens to think before its next words, whose server gives it 1,000 unless asked."""
    rest = list(answers)

    def answer(body: dict[str, Any]) -> model.Turn:
        enough = (body.get("max_tokens") or body.get("max_completion_tokens") or 1_000) >= tokens
        return model.says(rest.pop(0)) if enough else model.length("")

    return answer


async def test_an_answer_that_thoughts_have_eaten_is_made_again_with_a_larger_limit(
    fake: FakeOpenAI, configured: Configs
) -> None:
    told: list[str] = []
    async with talking(configured()) as talk:
        talk.session.subscribe(lambda event: told.append(event.text) if isinstance(event, Notice) else None)
        answer = limited("Hello.", "Bye.", tokens=20_000)
        fake.agent_script[:] = [answer] * 4
        parts = await talk.say("Hello")
        assert said(parts) == "Hello." and not troubles(parts)
        assert [body.get("max_tokens") for body in fake.agent_bodies] == [None, 8_192, 32_768]
        assert len(told) == 2 and "cut off at its length limit" in told[0] and "8,192 tokens" in told[0]
        assert said(await talk.say("Goodbye")) == "Bye." and fake.agent_bodies[-1]["max_tokens"] == 32_768
        (line,) = (await talk.session.costs.spending()).main_agent.models
        assert line.prompt_tokens == sum(len(json.dumps(body)) // 4 for body in fake.agent_bodies)


async def test_words_that_are_cut_off_are_gone_on_with(fake: FakeOpenAI, configured: Configs) -> None:
    async with talking(configured()) as talk:
        fake.agent_script[:] = [model.length("The categories are order "), model.says("status and refunds.")]
        parts = await talk.say("Which?")
        assert said(parts) == "The categories are order status and refunds." and not troubles(parts)
        before, asks = fake.agent_bodies[1]["messages"][-2:]
        assert before == {"role": "assistant", "content": "The categories are order "} and "Go on" in asks["content"]
        assert [m.kind for m in await talk.session.chat.messages()] == ["text", "text"]


async def test_a_call_that_is_cut_off_is_made_again_with_a_larger_limit(fake: FakeOpenAI, configured: Configs) -> None:
    async with talking(configured()) as talk:
        fake.agent_script[:] = [model.cut_call("propose_plan", '{"dataset_name": "sho'), proposes()]
        assert asked(await talk.say("12 cases")) == ["propose_plan"]
        assert fake.agent_bodies[1]["max_tokens"] == 8_192


async def test_a_call_in_words_that_is_cut_off_is_no_word(fake: FakeOpenAI, configured: Configs) -> None:
    half = '<tool_call>{"name": "propose_plan", "arguments": {"dataset_na'
    whole = "<tool_call>" + json.dumps({"name": "propose_plan", "arguments": SUPPORT}) + "</tool_call>"
    async with talking(configured()) as talk:
        fake.agent_script[:] = [model.length(f"I propose this.\n{half}"), model.says(whole)]
        parts = await talk.say("12 cases")
        assert asked(parts) == ["propose_plan"] and "tool_call" not in said(parts)


async def test_a_limit_that_cannot_be_larger_is_no_error_of_its_own(fake: FakeOpenAI, configured: Configs) -> None:
    """The context is full: what came is kept, and said to be cut off."""
    full = model.status(
        400,
        "This model's maximum context length is 4096 tokens. However, you requested 9000",
        "context_length_exceeded",
    )
    async with talking(configured()) as talk:
        fake.agent_script[:] = [model.length("The categories are"), full]
        parts = await talk.say("Which?")
        assert said(parts) == "The categories are" and "cut off at the model's length limit" in troubles(parts)
        fake.agent_script[:] = [model.says("Hello.")]
        assert said(await talk.say("Hello")) == "Hello." and "max_tokens" not in fake.agent_bodies[-1]
