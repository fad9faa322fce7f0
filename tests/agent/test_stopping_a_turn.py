"""Esc at every stage of a turn: nothing is half done, nothing is done twice, and the next turn knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.agent.compaction import whole_turns
from dsbuilder_tui.agent.monitor import Note, NoteKind
from dsbuilder_tui.agent.turn_events import Activity, QuestionAsked, TextDelta, ToolStarted, TurnEvent
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.message import Message
from dsbuilder_tui.session.agent_memory import AgentMemory
from dsbuilder_tui.session.approvals import SessionApprovals
from dsbuilder_tui.session.checkpoints import SessionCheckpoints
from tests.support.fake_agent import calls, hang, hang_mid, says, status
from tests.support.fake_openai import FakeOpenAI
from tests.support.talking import SUPPORT, Talking, asked, outcomes, said, talking, troubles

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]

hows = pytest.mark.parametrize("how", ["close", "cancel", "cancel twice"])


@pytest.fixture
def connected(make_config: Configs, fake: FakeOpenAI) -> Configs:
    def make(**settings: Any) -> DatasetBuilderConfig:
        return make_config(base_url=fake.url, api_key="sk-test", max_retries=0, **settings)

    return make


async def until(reached: Callable[[], bool]) -> None:
    while not reached():
        await asyncio.sleep(0.001)


async def stop(
    parts: AsyncGenerator[TurnEvent, None],
    how: str,
    at: Callable[[TurnEvent], bool],
    reached: Callable[[], bool] = lambda: True,
    *,
    running: bool = False,
) -> None:
    """Read a turn up to a part, wait until something is reached, and stop reading: nothing may go on then."""
    before = asyncio.all_tasks()
    here = asyncio.Event()

    async def read() -> None:
        async with aclosing(parts):
            async for part in parts:
                if at(part):
                    here.set()
                    if how == "close":
                        await until(reached)
                        return

    task = asyncio.create_task(read())
    waits = asyncio.create_task(here.wait())
    await asyncio.wait({task, waits}, return_when=asyncio.FIRST_COMPLETED)
    assert waits.done(), "the turn did not come to that part"
    if how != "close":
        await until(reached)
        task.cancel()
        if how == "cancel twice":
            await asyncio.sleep(0)
            task.cancel()
    await asyncio.wait({task})
    assert task.cancelled() == (how != "close")
    for _ in range(5):
        await asyncio.sleep(0)
    # A run that goes on has tasks of its own; the server's tasks are not ours.
    left = [t for t in asyncio.all_tasks() - before if "FakeOpenAI._serve" not in repr(t)]
    assert running or not left


async def check_mind(talk: Talking, fake: FakeOpenAI) -> None:
    """The next turn works, and what the model is given has each answer right after its call."""
    fake.agent_script[:] = [says("Here I am.")]
    assert said(await talk.say("go on, please")) == "Here I am." and not fake.agent_script
    messages = fake.agent_bodies[-1]["messages"]
    due: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            due.remove(message["tool_call_id"])
        else:
            assert not due, messages
            due = [call["id"] for call in message.get("tool_calls") or ()]
    assert not due, messages
    items = whole_turns([item for _, item in await talk.session.agent_memory.items()])
    made = [i["call_id"] for i in items if i.get("type") == "function_call"]
    assert made == [i["call_id"] for i in items if i.get("type") == "function_call_output"]
    assert not talk.conversation.busy


def told(fake: FakeOpenAI) -> str:
    return "\n".join(str(message.get("content")) for message in fake.agent_bodies[-1]["messages"])


async def lines(talk: Talking) -> list[tuple[str, str, str]]:
    return [(m.role, m.kind, m.text) for m in await talk.session.chat.messages()]


@hows
async def test_what_was_said_so_far_is_kept(how: str, connected: Configs, fake: FakeOpenAI) -> None:
    async with talking(connected()) as talk:
        heard: list[str] = []

        def at(part: TurnEvent) -> bool:
            heard.extend([part.text] if isinstance(part, TextDelta) else [])
            return "".join(heard) == "Half a sentence"

        fake.agent_script[:] = [hang_mid("Half a sentence")]
        await stop(talk.conversation.say("hello"), how, at)
        assert (await lines(talk))[-1] == ("agent", "text", "Half a sentence *(stopped)*")
        await check_mind(talk, fake)
        assert "Half a sentence" in told(fake) and "stopped" not in told(fake).split("Half a sentence")[1][:20]


@hows
async def test_before_the_first_word(how: str, connected: Configs, fake: FakeOpenAI) -> None:
    async with talking(connected()) as talk:
        fake.agent_script[:] = [hang()]
        thinking = Activity("thinking")
        await stop(
            talk.conversation.say("a telling name"), how, lambda part: part == thinking, lambda: fake.seen["agent"] == 1
        )
        assert await lines(talk) == [("person", "text", "a telling name")]
        await check_mind(talk, fake)
        assert "a telling name" in told(fake)


@hows
async def test_before_anything_is_loaded(how: str, connected: Configs, fake: FakeOpenAI) -> None:
    async with talking(connected()) as talk:
        await stop(talk.conversation.say("a telling name"), how, lambda part: part == Activity("getting ready"))
        await check_mind(talk, fake)
        assert "a telling name" in told(fake), "what the person said is known, though no turn was taken"


@hows
async def test_an_effect_comes_to_its_end_once(
    how: str, connected: Configs, make_plan: Plans, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []

    async def slow(checkpoints: SessionCheckpoints, reason: str = "asked") -> Any:
        reached.append(reason)
        for _ in range(20):
            await asyncio.sleep(0)
        return await real(checkpoints, reason)

    real = SessionCheckpoints.save
    monkeypatch.setattr(SessionCheckpoints, "save", slow)
    async with talking(connected(), plan=make_plan(4)) as talk:
        fake.agent_script[:] = [calls(("save_checkpoint", {"name": "mine"}))]
        await stop(
            talk.conversation.say("save it"), how, lambda part: isinstance(part, ToolStarted), lambda: bool(reached)
        )
        assert [p.name for p in await talk.session.checkpoints.all()].count("mine") == 1 and reached == ["mine"]
        last = (await lines(talk))[-1]
        assert last[:2] == ("agent", "tool") and last[2].startswith("Checkpoint ")
        await check_mind(talk, fake)
        assert last[2].rstrip(".") in told(fake), "the model knows what its tool did"
        assert len([m for m in await lines(talk) if m[1] == "tool"]) == 1


@hows
async def test_a_worker_that_is_waited_for_is_let_go(
    how: str, connected: Configs, make_plan: Plans, fake: FakeOpenAI
) -> None:
    fake.gate = asyncio.Event()
    async with talking(connected(), plan=make_plan(4)) as talk:
        fake.agent_script[:] = [calls(("preview_cases", {"category": "category_1"}))]
        await stop(
            talk.conversation.say("try it"),
            how,
            lambda part: isinstance(part, ToolStarted),
            lambda: len(fake.bodies) == 1,
        )
        assert [m[1] for m in await lines(talk)] == ["text"]
        fake.gate.set()
        await check_mind(talk, fake)


@hows
async def test_a_revision_of_a_run_comes_to_its_end_and_the_run_goes_on(
    how: str, make_plan: Plans, connected: Configs, fake: FakeOpenAI
) -> None:
    fake.token_delay, fake.words = 0.05, 14
    config = connected(drain_timeout=0, max_workers=2)
    async with talking(config, plan=make_plan(200, name="shop")) as talk:
        happened: list[str] = []
        talk.session.subscribe(lambda event: happened.append(event.type))
        fake.agent_script[:] = [calls(("revise_plan", {"counts": {"category_1": 120}}))]
        talk.host.start()
        await until(lambda: "case_accepted" in happened)
        assert asked(await talk.say("120 are enough")) == ["revise_plan"] and talk.host.running
        waiting = await talk.conversation.waiting()
        assert waiting is not None
        await stop(
            talk.conversation.answer(waiting, yes=True), how, lambda part: isinstance(part, Activity),
            lambda: "run_pausing" in happened or "run_paused" in happened, running=True,
        )  # fmt: skip
        assert talk.session.plans.revision == 2 and happened.count("plan_revised") == 1
        assert talk.host.running and await talk.conversation.waiting() is None
        assert (await lines(talk))[-1][2].startswith("Plan revision 2 is in force")
        await check_mind(talk, fake)
        assert "Plan revision 2 is in force" in told(fake)
        fake.token_delay = 0.0
        await talk.host.wait()
        result = await talk.host.result()
        assert result is not None and result.state == "complete"
        assert await talk.session.cases.counts() == {"category_1": 120}


async def proposed(talk: Talking, fake: FakeOpenAI) -> Any:
    fake.agent_script[:] = [calls(("propose_plan", SUPPORT))]
    assert asked(await talk.say("12 cases")) == ["propose_plan"]
    waiting = await talk.conversation.waiting()
    assert waiting is not None
    return waiting


async def open_again(talk: Talking, fake: FakeOpenAI, call: str, happened: list[str]) -> None:
    waiting = await talk.conversation.waiting()
    assert waiting is not None and (waiting.call_id, waiting.state, waiting.decision) == (call, "open", "")
    assert "edited" not in waiting.request.data() and not talk.session.planned
    assert happened.count("approval_asked") == 2, "whoever shows the card hears that it is open again"
    fake.agent_script[:] = [says("Done.")]
    assert outcomes(await talk.answer(True)) == [("propose_plan", True)]
    assert talk.session.plans.revision == 1 and talk.session.plan.total_instances == 12
    assert [m[1] for m in await lines(talk)].count("plan") == 1
    await check_mind(talk, fake)


@pytest.mark.parametrize("how", ["cancel", "cancel twice"])
async def test_an_answer_that_had_no_effect_yet_is_taken_back(
    how: str, connected: Configs, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch, make_plan: Plans
) -> None:
    decided: list[str] = []

    async def slow(approvals: SessionApprovals, *given: Any, **more: Any) -> Any:
        approval = await real(approvals, *given, **more)
        decided.append(approval.call_id)
        for _ in range(20):
            await asyncio.sleep(0)
        return approval

    async with talking(connected()) as talk:
        happened: list[str] = []
        talk.session.subscribe(lambda event: happened.append(event.type))
        waiting = await proposed(talk, fake)
        real = SessionApprovals.decide
        monkeypatch.setattr(SessionApprovals, "decide", slow)
        turn = asyncio.create_task(gathered(talk.conversation.answer(waiting, yes=True, plan=make_plan(5))))
        await until(lambda: bool(decided))
        turn.cancel()
        if how == "cancel twice":
            await asyncio.sleep(0)
            turn.cancel()
        await asyncio.wait({turn})
        assert turn.cancelled()
        await open_again(talk, fake, waiting.call_id, happened)


async def gathered(parts: AsyncGenerator[TurnEvent, None]) -> list[TurnEvent]:
    async with aclosing(parts):
        return [part async for part in parts]


async def test_a_turn_that_is_closed_right_after_an_answer(connected: Configs, fake: FakeOpenAI) -> None:
    async with talking(connected()) as talk:
        happened: list[str] = []
        talk.session.subscribe(lambda event: happened.append(event.type))
        waiting = await proposed(talk, fake)
        await stop(talk.conversation.answer(waiting, yes=True), "close", lambda part: isinstance(part, Activity))
        await open_again(talk, fake, waiting.call_id, happened)


@hows
@pytest.mark.parametrize("heard", [True, False])
async def test_what_was_approved_and_done_is_settled(
    how: str, heard: bool, connected: Configs, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[str] = []

    async def note(memory: AgentMemory, call_id: str, *given: Any) -> None:
        await real(memory, call_id, *given)
        noted.append(call_id)

    real = AgentMemory.note_tool_effect
    monkeypatch.setattr(AgentMemory, "note_tool_effect", note)
    async with talking(connected()) as talk:
        waiting = await proposed(talk, fake)
        fake.agent_script[:] = [hang()]
        await stop(
            talk.conversation.answer(waiting, yes=True), how,
            lambda part: isinstance(part, Message if heard else Activity), lambda: bool(noted),
        )  # fmt: skip
        assert await talk.conversation.waiting() is None and talk.session.plans.revision == 1
        assert [a.state for a in await talk.session.approvals.newest()] == ["settled"]
        await check_mind(talk, fake)
        assert "Plan revision 1 is in force" in told(fake) and noted == [waiting.call_id]
        assert [m[2] for m in await lines(talk) if m[1] == "tool"] == [
            "Plan revision 1 is in force: 2 categories, 12 cases."
        ]


@hows
async def test_stopping_at_the_question_leaves_it_open(how: str, connected: Configs, fake: FakeOpenAI) -> None:
    async with talking(connected()) as talk:
        fake.agent_script[:] = [calls(("propose_plan", SUPPORT), text="A plan for you.")]
        if how == "close":
            await stop(talk.conversation.say("12 cases"), how, lambda part: isinstance(part, QuestionAsked))
        else:
            turn = asyncio.create_task(gathered(talk.conversation.say("12 cases")))
            happened: list[str] = []
            talk.session.subscribe(lambda event: happened.append(event.type))
            await until(lambda: "approval_asked" in happened)
            turn.cancel()
            await asyncio.wait({turn})
        assert await talk.conversation.waiting() is not None
        assert [m[1] for m in await lines(talk)].count("plan") == 1, "a question that waits has its card"
        fake.agent_script[:] = [says("Done.")]
        assert outcomes(await talk.answer(True)) == [("propose_plan", True)]
        await check_mind(talk, fake)


async def test_a_no_with_words_reaches_the_agent_though_the_endpoint_fails(
    connected: Configs, fake: FakeOpenAI
) -> None:
    async with talking(connected()) as talk:
        await proposed(talk, fake)
        fake.agent_script[:] = [status(500, "overloaded")]
        assert troubles(await talk.answer(False, "only the sea routes, please"))
        assert await talk.conversation.waiting() is None
        await check_mind(talk, fake)
        assert "only the sea routes, please" in told(fake)


# Questions and answers that do not meet


async def test_an_older_question_cannot_be_answered(connected: Configs, fake: FakeOpenAI) -> None:
    async with talking(connected()) as talk:
        first = await proposed(talk, fake)
        fake.agent_script[:] = [calls(("propose_plan", {**SUPPORT, "dataset_name": "other"}))]
        assert asked(await talk.answer(False, "call it other")) == ["propose_plan"]
        assert "not open any more" in troubles(await gathered(talk.conversation.answer(first, yes=True)))
        second = await talk.conversation.waiting()
        assert second is not None and second.call_id != first.call_id and not talk.session.planned
        fake.agent_script[:] = [says("Done.")]
        await talk.answer(True)
        assert (talk.session.plan.dataset_name, talk.session.plans.revision) == ("other", 1)
        await check_mind(talk, fake)


async def test_two_answers_at_the_same_time(connected: Configs, fake: FakeOpenAI) -> None:
    async with talking(connected()) as talk:
        waiting = await proposed(talk, fake)
        fake.agent_script[:] = [says("Done.")]
        works: list[Coroutine[Any, Any, list[TurnEvent]]] = [
            gathered(talk.conversation.answer(waiting, yes=True)),
            gathered(talk.conversation.answer(waiting, yes=False, words="no")),
        ]
        first, second = await asyncio.gather(*works, return_exceptions=True)
        assert isinstance(first, list) and isinstance(second, InputError) and "at work already" in second.problem
        assert talk.session.plans.revision == 1
        await check_mind(talk, fake)


async def test_a_plan_changed_by_hand_while_a_proposal_waits(
    connected: Configs, fake: FakeOpenAI, make_plan: Plans
) -> None:
    async with talking(connected()) as talk:
        await proposed(talk, fake)
        by_hand = make_plan(7, name="mine")
        await talk.session.plans.revise(by_hand)
        fake.agent_script[:] = [says("I see.")]
        parts = await talk.answer(True)
        assert outcomes(parts) == [("propose_plan", False)] and "has changed since" in told(fake)
        assert talk.session.plan == by_hand and await talk.conversation.waiting() is None
        await check_mind(talk, fake)


async def test_something_is_told_while_a_question_waits(connected: Configs, fake: FakeOpenAI) -> None:
    async with talking(connected()) as talk:
        await proposed(talk, fake)
        fake.agent_script[:] = [says("The run has ended.")]
        await gathered(talk.conversation.note(Note(NoteKind.FINISHED, "12 of 12 cases.")))
        fake.agent_script[:] = [says("Done.")]
        assert outcomes(await talk.answer(True)) == [("propose_plan", True)]
        await check_mind(talk, fake)
