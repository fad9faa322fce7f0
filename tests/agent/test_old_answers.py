"""Questions whose kept run another version of the SDK has written: yes and no have their effect nevertheless."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput
from dsbuilder_tui.agent.turn_events import Activity
from dsbuilder_tui.domain.message import Message
from tests.agent.test_stopping_a_turn import stop
from tests.support.fake_agent import calls, hang, says
from tests.support.fake_openai import FakeOpenAI
from tests.support.talking import SUPPORT, Talking, asked, outcomes, said, talking, troubles

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]

STATES = ["", "not json", "{}", '{"$schemaVersion": "99.0"}', "[" * 5000]
states = pytest.mark.parametrize("state", STATES, ids=["empty", "text", "object", "newer", "deep"])


@pytest.fixture
def connected(make_config: Configs, fake: FakeOpenAI) -> DatasetBuilderConfig:
    return make_config(base_url=fake.url, api_key="sk-test", max_retries=0)


async def proposed(talk: Talking, fake: FakeOpenAI, state: str, tool: str = "propose_plan") -> None:
    """A plan was proposed, and what the run goes on from cannot be read."""
    fake.agent_script[:] = [calls(("propose_plan", SUPPORT), ("propose_plan", {**SUPPORT, "dataset_name": "b"}))]
    assert asked(await talk.say("12 cases")) == ["propose_plan"]
    store = talk.session._files.store
    await store.connection.write(lambda db: db.execute("UPDATE approval SET run_state=?, tool=?", (state, tool)))


async def check(talk: Talking, fake: FakeOpenAI, tools: int) -> None:
    """The question is settled, the next turn works, each call that is told of has its answer right after it."""
    assert await talk.conversation.waiting() is None
    assert [a.state for a in await talk.session.approvals.newest()] == ["settled"]
    assert len([m for m in await talk.session.chat.messages() if m.kind == "tool"]) == tools
    fake.agent_script[:] = [says("Here I am.")]
    assert said(await talk.say("go on")) == "Here I am."
    roles = [m["role"] for m in fake.agent_bodies[-1]["messages"]]
    assert roles[:4] == ["system", "user", "assistant", "tool"] and roles.count("tool") == 1


def told(fake: FakeOpenAI) -> str:
    return "\n".join(str(message.get("content")) for message in fake.agent_bodies[-1]["messages"])


@states
async def test_a_yes(state: str, connected: DatasetBuilderConfig, fake: FakeOpenAI) -> None:
    async with talking(connected) as talk:
        await proposed(talk, fake, state)
        fake.agent_script[:] = [says("Done.")]
        parts = await talk.answer(True)
        assert outcomes(parts) == [("propose_plan", True)] and said(parts) == "Done." and not troubles(parts)
        assert (talk.session.plan.dataset_name, talk.session.plans.revision) == ("support_bot", 1)
        assert "Plan revision 1 is in force" in told(fake)
        await check(talk, fake, 1)


@states
async def test_a_no(state: str, connected: DatasetBuilderConfig, fake: FakeOpenAI) -> None:
    async with talking(connected) as talk:
        await proposed(talk, fake, state)
        fake.agent_script[:] = [says("As you like.")]
        parts = await talk.answer(False, "only five, please")
        assert outcomes(parts) == [] and said(parts) == "As you like." and not talk.session.planned
        assert "only five, please" in told(fake)
        assert [a.decision for a in await talk.session.approvals.newest()] == ["declined"]
        await check(talk, fake, 0)


async def test_a_yes_to_what_the_person_edited(
    connected: DatasetBuilderConfig, fake: FakeOpenAI, make_plan: Plans
) -> None:
    async with talking(connected) as talk:
        await proposed(talk, fake, "")
        await talk.answer(True, plan=make_plan(5, name="mine"))
        assert talk.session.plan == make_plan(5, name="mine") and talk.session.plans.revision == 1
        await check(talk, fake, 1)


async def test_a_yes_that_cannot_be_carried_out(
    connected: DatasetBuilderConfig, fake: FakeOpenAI, make_plan: Plans
) -> None:
    async with talking(connected) as talk:
        await proposed(talk, fake, "")
        await talk.session.plans.revise(make_plan(7))
        assert outcomes(await talk.answer(True)) == [("propose_plan", False)]
        assert talk.session.plan == make_plan(7) and "has changed since" in told(fake)
        await check(talk, fake, 1)


@pytest.mark.parametrize("kind", ["plan", "poll"])
@pytest.mark.parametrize("answer", [True, False])
async def test_a_plan_that_cannot_be_read(
    kind: str, answer: bool, connected: DatasetBuilderConfig, fake: FakeOpenAI
) -> None:
    """Another version proposed it: a yes puts nothing into force, and the agent is told to propose it again."""
    async with talking(connected) as talk:
        await proposed(talk, fake, "")
        data = json.dumps({"kind": kind, "text": "A plan", "plan": {"shards": 3}, "arguments": SUPPORT})
        store = talk.session._files.store
        await store.connection.write(lambda db: db.execute("UPDATE approval SET data=?", (data,)))
        fake.agent_script[:] = [says("Again, then.")]
        assert said(await talk.answer(answer)) == "Again, then." and not talk.session.planned
        assert ("needs the person's yes" if answer else "Declined.") in told(fake)
        await check(talk, fake, 1 if answer else 0)


async def test_a_tool_that_is_not_there_any_more(connected: DatasetBuilderConfig, fake: FakeOpenAI) -> None:
    async with talking(connected) as talk:
        await proposed(talk, fake, "", tool="paint_it_blue")
        parts = await talk.answer(True)
        assert outcomes(parts) == [("paint_it_blue", False)] and "no tool paint_it_blue" in told(fake)
        await check(talk, fake, 1)


@pytest.mark.parametrize("how", ["close", "cancel"])
@pytest.mark.parametrize("part", [Message, Activity])
async def test_a_stop_after_the_yes(
    how: str, part: type[object], connected: DatasetBuilderConfig, fake: FakeOpenAI
) -> None:
    async with talking(connected) as talk:
        await proposed(talk, fake, "")
        waiting = await talk.conversation.waiting()
        assert waiting is not None
        fake.agent_script[:] = [hang()]
        await stop(talk.conversation.answer(waiting, yes=True), how, lambda each: isinstance(each, part))
        assert talk.session.plans.revision == 1
        await check(talk, fake, 1)
