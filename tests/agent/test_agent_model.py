"""The main agent through a real HTTP endpoint that misbehaves: what the person is told, and that the talk goes on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.agent.compaction import whole_turns
from dsbuilder_tui.agent.turn_events import Activity, TurnEvent
from dsbuilder_tui.domain.approval import PlanApproval
from dsbuilder_tui.domain.axes import DEFAULT_AXES
from dsbuilder_tui.domain.events import AgentCalled, Event, Notice
from tests.support import fake_agent as model
from tests.support.fake_agent import Scripted
from tests.support.fake_openai import FakeOpenAI
from tests.support.talking import SUPPORT, Talking, asked, outcomes, said, talking, troubles

Configs = Callable[..., DatasetBuilderConfig]
PROPOSES = model.calls(("propose_plan", SUPPORT), text="A plan for you.")


@pytest.fixture
def configured(make_config: Configs, fake: FakeOpenAI) -> Configs:
    """A configuration for the fake endpoint; one try unless the test says otherwise."""

    def make(**more: Any) -> DatasetBuilderConfig:
        return make_config(
            **{"base_url": fake.url, "api_key": "sk-test-0123456789", "model": "gpt-4o", "max_retries": 0, **more}
        )

    return make


async def whole(talk: Talking) -> list[dict[str, Any]]:
    """What the agent goes on from; every call in it has exactly one answer."""
    items = whole_turns([item for _, item in await talk.session.agent_memory.items()])
    called = Counter(item["call_id"] for item in items if item.get("type") == "function_call")
    answered = Counter(item["call_id"] for item in items if item.get("type") == "function_call_output")
    assert called == answered and set(called.values()) <= {1}
    return items


async def goes_on(talk: Talking, fake: FakeOpenAI) -> None:
    """The next message works as if nothing had happened, and the endpoint gets a conversation that it can accept."""
    assert await talk.conversation.waiting() is None
    fake.agent_script[:] = [PROPOSES]
    parts = await talk.say("12 cases for our support bot")
    assert asked(parts) == ["propose_plan"] and not troubles(parts)
    fake.agent_script[:] = [model.says("It is in force.")]
    parts = await talk.answer(True)
    assert not troubles(parts)
    assert (outcomes(parts), said(parts), troubles(parts)) == ([("propose_plan", True)], "It is in force.", "")
    assert talk.session.plan.total_instances == 12 and not fake.seen["agent_unscripted"]
    await whole(talk)
    for body in fake.agent_bodies:
        acceptable(body["messages"])


def acceptable(messages: list[dict[str, Any]]) -> None:
    """As strict servers check it: calls are answered at once, each once, and their arguments are JSON objects."""
    open_calls: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            open_calls.remove(message["tool_call_id"])
            continue
        assert not open_calls, "a call without an answer"
        for call in message.get("tool_calls") or ():
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
            open_calls.append(call["id"])
    assert not open_calls


def clean(parts: list[TurnEvent]) -> str:
    """The trouble that was told: one sentence or two, without a trace of the machinery."""
    text = troubles(parts)
    for word in ("Traceback", "openai.", "httpx", "agents.", "object at 0x", "None"):
        assert word not in text
    return text


async def test_from_words_to_a_dataset_with_workers_at_the_same_endpoint(fake: FakeOpenAI, configured: Configs) -> None:
    fake.agent_script[:] = [
        PROPOSES,
        model.calls(("start_generation", {}), text="Starting."),
        model.says("They write."),
    ]
    heard: list[Event] = []
    async with talking(configured(worker_model="gpt-4o-mini")) as talk:
        talk.session.subscribe(heard.append)
        parts = await talk.say("12 cases for our support bot")
        assert asked(parts) == ["propose_plan"] and said(parts) == "A plan for you."
        parts = await talk.say("yes")
        assert outcomes(parts) == [("propose_plan", True), ("start_generation", True)]
        assert said(parts) == "Starting.\nThey write." and not troubles(parts)
        await talk.host.wait()
        result = await talk.host.result()
        assert result is not None and result.state == "complete"
        assert await talk.session.cases.counts() == {"order_status": 8, "refunds": 4}
        assert {body["model"] for body in fake.bodies} == {"gpt-4o-mini"}
        assert {body["model"] for body in fake.agent_bodies} == {"gpt-4o"}
        await whole(talk)
        spent = await talk.session.costs.spending()
    assert [line.model for line in spent.main_agent.models] == ["gpt-4o"]
    assert [line.model for line in spent.workers.models] == ["gpt-4o-mini"]
    assert len([event for event in heard if isinstance(event, AgentCalled)]) == 3


async def test_what_the_agent_used_is_noted_with_every_call(fake: FakeOpenAI, configured: Configs) -> None:
    fake.agent_script[:] = [
        model.calls(("get_builder_state_summary", {})),
        model.says("Nothing yet.", cached_tokens=50),
    ]
    heard: list[Event] = []
    async with talking(configured()) as talk:
        talk.session.subscribe(heard.append)
        await talk.say("How far are we?")
        (line,) = (await talk.session.costs.spending()).main_agent.models
    called = [event for event in heard if isinstance(event, AgentCalled)]
    asked_for = [len(json.dumps(body)) // 4 for body in fake.agent_bodies]
    assert [event.prompt_tokens for event in called] == asked_for
    assert [event.cached_tokens for event in called] == [0, 50]
    assert {(event.purpose, event.model) for event in called} == {("turn", "gpt-4o")}
    assert (line.model, line.prompt_tokens, line.cached_tokens) == ("gpt-4o", sum(asked_for), 50)
    assert line.dollars is not None and line.dollars > 0


WRONG_CALLS: dict[str, tuple[Scripted, str]] = {
    "wrong JSON": (model.calls(("propose_plan", '{"dataset_name": oops')), "not JSON"),
    "wrong JSON for a tool that asks nothing": (model.calls(("preview_cases", "{{")), "not JSON"),
    "a list": (model.calls(("propose_plan", "[1, 2]")), "must be one JSON object"),
    "wrong type": (model.calls(("propose_plan", {**SUPPORT, "categories": 7})), "categories: 7"),
    "wrong type inside": (model.calls(("preview_cases", {"category": "x", "count": "many"})), "count: 'many'"),
    "unknown argument": (model.calls(("propose_plan", {**SUPPORT, "colour": 1})), "colour is not known"),
    "unknown tool": (model.calls(("launch_rockets", {})), "launch_rockets"),
    "cut in the arguments": (model.cut_call("propose_plan", json.dumps(SUPPORT)[:60]), "was cut off"),
    "cut after the last brace": (model.cut_call("propose_plan", json.dumps(SUPPORT)), "was cut off"),
    "cut before the first": (model.cut_call("start_generation", ""), "was cut off"),
    "filtered in a call": (
        model.Turn(calls=(model.Call("save_checkpoint", "{}"),), finish="content_filter"), "was cut off",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_CALLS)
async def test_a_call_that_cannot_be_is_told_to_the_model_which_goes_on(
    fake: FakeOpenAI, configured: Configs, name: str
) -> None:
    turn, why = WRONG_CALLS[name]
    fake.agent_script[:] = [turn, model.says("My mistake.")]
    async with talking(configured()) as talk:
        parts = await talk.say("Begin")
        ((_, ok),) = outcomes(parts)
        assert not ok and said(parts) == "My mistake." and not troubles(parts) and not asked(parts)
        assert why in fake.agent_bodies[1]["messages"][-1]["content"]
        assert not talk.session.planned and not talk.host.running and not await talk.session.approvals.newest()
        await goes_on(talk, fake)


async def test_prose_instead_of_a_call_is_just_words(fake: FakeOpenAI, configured: Configs) -> None:
    """Also what a server says that ignores tools altogether: nothing is done that the model only talks about."""
    words = 'I call propose_plan({"dataset_name": "x"}) now.\n```json\n{"name": "start_generation"}\n```'
    fake.agent_script[:] = [model.says(words), model.says("I did.")]
    async with talking(configured()) as talk:
        parts = await talk.say("Begin")
        assert said(parts) == words and outcomes(parts) == [] and not troubles(parts)
        await talk.say("Did you?")
        await goes_on(talk, fake)
    told = [m["content"] for m in fake.agent_bodies[-1]["messages"] if m["role"] == "assistant" and m["content"]]
    assert told == [words, "I did.", "A plan for you."]  # also when it goes on from a question


async def test_two_calls_at_once_of_which_one_asks(fake: FakeOpenAI, configured: Configs) -> None:
    fake.agent_script[:] = [
        model.calls(("get_builder_state_summary", {}), ("propose_plan", SUPPORT)),
        model.says("Done."),
    ]
    async with talking(configured()) as talk:
        parts = await talk.say("12 cases")
        assert asked(parts) == ["propose_plan"]
        both = parts + await talk.answer(True)
        assert sorted(outcomes(both)) == [("get_builder_state_summary", True), ("propose_plan", True)]
        assert talk.session.plan.total_instances == 12 and said(both) == "Done."
        await whole(talk)
        acceptable(fake.agent_bodies[-1]["messages"])


async def test_an_answer_that_is_cut_off_is_kept_and_said_to_be(fake: FakeOpenAI, configured: Configs) -> None:
    fake.agent_script[:] = [
        model.length("The categories could be "),
        model.length("these: "),
        model.length("order sta"),
    ]
    async with talking(configured()) as talk:
        parts = await talk.say("Which categories?")
        assert said(parts).endswith("order sta") and "cut off at the model's length limit" in clean(parts)
        assert said(parts) == "The categories could be these: order sta"
        assert "Ask it to go on" in troubles(parts)
        assert [m.kind for m in await talk.session.chat.messages()] == ["text", "text", "error"]
        assert (await whole(talk))[-1]["content"].endswith("order sta")
        await goes_on(talk, fake)


async def test_a_refusal_is_what_the_agent_says_and_no_error(fake: FakeOpenAI, configured: Configs) -> None:
    fake.agent_script[:] = [model.refusal("I will not write attacks.")]
    async with talking(configured()) as talk:
        parts = await talk.say("Write attacks")
        assert said(parts) == "I will not write attacks." and not troubles(parts)
        assert [(m.role, m.kind) for m in await talk.session.chat.messages()] == [
            ("person", "text"), ("agent", "text"), ("dsbuilder", "notice"),
        ]  # fmt: skip
        assert (await whole(talk))[-1] == {"role": "assistant", "content": "I will not write attacks."}
        await goes_on(talk, fake)


FAULTS: dict[str, tuple[list[Scripted], tuple[str, ...]]] = {
    "filtered": ([model.filtered()], ("content filter", "Put it in other words")),
    "filtered later": ([model.filtered("some words")], ("content filter", "Put it in other words")),
    "empty": ([model.empty()], ("answered nothing", "Say it again", "another model")),
    "cut before a word": ([model.length("")] * 3, ("length limit", "another model")),
    "key": ([model.status(401, "Incorrect API key", "invalid_api_key")], ("does not accept the API key", "OPENAI_API_KEY")),
    "model": (
        [model.status(404, "The model `gpt-4o` does not exist", "model_not_found")],
        ("The model gpt-4o does not exist", "--model"),
    ),
    "rate": ([model.status(429, "Slow down", "rate_limit_exceeded", "7")], ("Rate-limited", "Slow down", "in 7 s")),
    "quota": ([model.status(429, "You exceeded your quota", "insufficient_quota")], ("no quota left", "Add credit")),
    "context": (
        [model.status(400, "Too many tokens", "context_length_exceeded")], ("does not fit the context", "fewer words"),
    ),
    "server": ([model.status(500, "The server had an error")], ("could not answer", "HTTP 500", "Send it again")),
    "reset": ([model.reset_mid("half of a sentence")], ("connection to", "failed", "Check the network")),
    "reset hard": ([model.reset_mid("", hard=True)], ("connection to", "failed", "Check the network")),
    "after a call": (
        [model.calls(("get_builder_state_summary", {})), model.status(500, "Oops")], ("could not answer", "Send it again"),
    ),
    "not JSON": ([model.raw("<html>")], ("not a chat completion", "doctor")),
    "no object": ([model.raw("5")], ("not a chat completion", "doctor")),
    "no event": ([model.raw()], ("sent no chat completion", "Check base_url")),
    "nothing in it": ([model.raw("{}", '{"choices": null}', '{"choices": []}')], ("answered nothing", "Say it again")),
    "no delta": ([model.raw('{"choices": [{"index": 0, "delta": null, "finish_reason": "stop"}]}')], ("answered nothing",)),
    "in a call": (
        [model.Turn(calls=(model.Call("save_checkpoint", '{"na'),), ends="closed")], ("connection to", "failed"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_is_told_with_a_way_out_and_the_talk_goes_on(
    fake: FakeOpenAI, configured: Configs, name: str
) -> None:
    script, words = FAULTS[name]
    fake.agent_script[:] = script
    async with talking(configured()) as talk:
        parts = [part async for part in talk.conversation.say("Hello")]
        text = clean(parts)
        for some in words:
            assert some in text
        assert (await talk.session.chat.messages())[-1].kind == "error"
        items = await whole(talk)
        if name == "reset":
            assert items[-1] == {"role": "assistant", "content": "half of a sentence"}
        await goes_on(talk, fake)


async def test_calls_without_end_are_stopped(fake: FakeOpenAI, configured: Configs) -> None:
    for again in model.calls(("get_builder_state_summary", {})), model.calls(("propose_plan", "{oops")):
        fake.agent_script[:] = [again] * 400
        async with talking(configured()) as talk:
            parts = await talk.say("Go")
            assert "many steps without coming to an end" in clean(parts) and "Say what it should do next" in clean(
                parts
            )
            assert 5 < len(outcomes(parts)) < 30 and talk.session.plan.total_instances == 0
            await goes_on(talk, fake)


async def test_arguments_that_come_as_an_object_and_not_as_text(fake: FakeOpenAI, configured: Configs) -> None:
    call = {
        "index": 0,
        "id": "c1",
        "type": "function",
        "function": {"name": "save_checkpoint", "arguments": {"name": "x"}},
    }
    event = {
        "choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [call]}, "finish_reason": "tool_calls"}]
    }
    fake.agent_script[:] = [model.raw(json.dumps(event)), model.says("So.")]
    async with talking(configured()) as talk:
        parts = await talk.say("Save it")
        assert [name for name, _ in outcomes(parts)] == ["save_checkpoint"] and not troubles(parts)
        assert json.loads(fake.agent_bodies[1]["messages"][-2]["tool_calls"][0]["function"]["arguments"]) == {
            "name": "x"
        }
        await goes_on(talk, fake)


async def test_nobody_listens_and_nobody_answers(make_config: Configs, fake: FakeOpenAI, configured: Configs) -> None:
    async with FakeOpenAI() as gone:
        url = gone.url
    async with talking(make_config(base_url=url, api_key="sk-x", model="m", max_retries=0)) as talk:
        parts = await talk.say("Hello")
        text = clean(parts)
        assert f"The connection to {url} failed" in text and "Check the network and base_url" in text
        await whole(talk)
    fake.agent_script[:] = [model.hang_mid("some words")]
    async with talking(configured(request_timeout=1.0)) as talk:
        parts = [part async for part in talk.conversation.say("Hello")]
        assert "did not answer in time" in clean(parts) and "Send it again" in clean(parts)
        assert (await whole(talk))[-1]["content"] == "some words"
        await goes_on(talk, fake)


async def test_a_fault_that_passes_is_tried_again_without_a_word(fake: FakeOpenAI, configured: Configs) -> None:
    fake.agent_script[:] = [
        model.status(429, "Slow down", retry_after="0.01"),
        model.status(500, "Oops"),
        model.says("Hi."),
    ]
    async with talking(configured(max_retries=2)) as talk:
        parts = await talk.say("Hello")
        assert said(parts) == "Hi." and not troubles(parts)


async def test_a_server_that_knows_no_stream_options(fake: FakeOpenAI, configured: Configs) -> None:
    """It is asked again without them, and from then on. What the agent used is noted as not known."""

    def strict(body: dict[str, Any]) -> model.Answer:
        if "stream_options" in body:
            return model.status(400, "Unrecognized request argument: stream_options")
        return model.says("Hi.")

    heard: list[Event] = []
    fake.agent_script[:] = [strict] * 3
    async with talking(configured()) as talk:
        talk.session.subscribe(heard.append)
        for _ in range(2):
            parts = await talk.say("Hello")
            assert said(parts) == "Hi." and not troubles(parts)
        assert ["stream_options" in body for body in fake.agent_bodies] == [True, False, False]
        (line,) = (await talk.session.costs.spending()).main_agent.models
    assert line.model == "gpt-4o" and line.prompt_tokens == 0
    assert len([event for event in heard if isinstance(event, AgentCalled)]) == 2


async def test_the_line_with_the_spinner_says_what_a_half_call_is_about(fake: FakeOpenAI, configured: Configs) -> None:
    fake.agent_script[:] = [model.calls(("propose_plan", SUPPORT), ("nope\x1b[2J", {})), model.says("So.")]
    async with talking(configured()) as talk:
        parts = [part async for part in talk.conversation.say("12 cases")]
        doing = [part.words for part in parts if isinstance(part, Activity)]
        assert "drawing up the plan" in doing and not any("\x1b" in words for words in doing)


@pytest.mark.parametrize("ids", ["call_0", ""])
async def test_a_server_that_repeats_its_call_ids_has_each_call_carried_out(
    configured: Configs, fake: FakeOpenAI, make_plan: Callable[..., Any], ids: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = model._call

    def same(call: Any, number: int, index: int, arguments: str) -> dict[str, Any]:
        return {**named(call, number, index, arguments), "id": ids}

    monkeypatch.setattr(model, "_call", same)
    saves = model.calls(("save_checkpoint", {"name": "one"})), model.calls(("save_checkpoint", {"name": "two"}))
    fake.agent_script[:] = [saves[0], model.says("Saved."), saves[1], model.says("Saved again.")]
    async with talking(configured(), plan=make_plan(3)) as talk:
        assert outcomes(await talk.say("save")) == outcomes(await talk.say("again")) == [("save_checkpoint", True)]
        assert [point.name for point in await talk.session.checkpoints.all()] == ["one", "two"]
        await whole(talk)


async def test_a_call_that_fails_in_passing_is_made_again_and_said_to_be(configured: Configs, fake: FakeOpenAI) -> None:
    busy = model.status(429, "Slow down", "rate_limit_exceeded", retry_after="0.01")
    fake.agent_script[:] = [busy, model.status(500, "Oops"), model.says("Here I am.")]
    async with talking(configured(max_retries=5)) as talk:
        heard: list[Event] = []
        talk.session.subscribe(heard.append)
        parts = await talk.say("hello")
        assert said(parts) == "Here I am." and not troubles(parts)
        notices = [str(event.text) for event in heard if isinstance(event, Notice)]
        assert len(notices) == 2 and all(text.startswith("The main agent waits") for text in notices)
        assert "Slow down" in notices[0] and "Oops" in notices[1]
        spent = model.status(429, "No money", "insufficient_quota")
        fake.agent_script[:] = [spent, model.says("never")]
        assert "no quota left" in troubles(await talk.say("again")), "asked once, for it is no use to ask again"
        assert len([event for event in heard if isinstance(event, Notice)]) == 2


async def test_a_plan_card_says_what_it_is_likely_to_cost_with_the_main_agent(
    fake: FakeOpenAI, configured: Configs
) -> None:
    fake.agent_script[:] = [model.calls(("propose_plan", SUPPORT))]
    async with talking(configured()) as talk:
        await talk.say("12 cases")
        waiting = await talk.conversation.waiting()
    assert waiting is not None and isinstance(waiting.request, PlanApproval)
    (note,) = [note for note in waiting.request.card.notes if "likely to cost" in note]
    assert "$0.05" in note and "for the main agent" in note and " to $" in note and ", and to take " in note
    assert [axis.subject for axis in waiting.request.card.axes] == list(DEFAULT_AXES)
