"""SIGKILL in the middle of a conversation: after reopening it goes on where it was, and nothing was done twice."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.agent.compaction import whole_turns
from tests.support.fake_agent import calls, hang_mid, says
from tests.support.fake_openai import FakeOpenAI
from tests.support.process import fake_endpoint
from tests.support.talking import SUPPORT, Talking, outcomes, said, talking
from tests.support.warm_process import run_talk_driver

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]

# Where the answer has had no effect yet, and where it has.
BEFORE = ["end", "show", "decide_approval:before", "decide_approval:after", "revise_plan:before"]
AFTER = ["revise_plan:after", "note_tool_effect:before", "note_tool_effect:after", "settle_approval:before"]


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with fake_endpoint() as server:
        yield server


@pytest.fixture
def connected(make_config: Configs, server: FakeOpenAI) -> DatasetBuilderConfig:
    return make_config(base_url=server.url, api_key="sk-test", max_retries=0, max_workers=2, batch_size=3)


def killed(config: DatasetBuilderConfig, at: str, name: str, *acts: str) -> str:
    """Talk in a process that dies at a point; returns what it printed."""
    arguments = [str(config.checkpoint_dir), str(config.base_url), name, *acts]
    done = run_talk_driver(arguments, Path.cwd(), {**os.environ, "KILL_AT": at})
    assert done.returncode == -signal.SIGKILL, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


def revisions(config: DatasetBuilderConfig) -> int:
    """How often the plan was revised, by a look into the file without any of our code."""
    (file,) = Path(config.checkpoint_dir).glob("*/session.db")
    plain = sqlite3.connect(file)
    assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    (count,) = plain.execute("SELECT count(*) FROM history WHERE kind='plan_revised'").fetchone()
    plain.close()
    return int(count)


async def check_done(talk: Talking, server: FakeOpenAI, call: str, words: str) -> None:
    """The question is settled, its tool was carried out once, and the person and the agent know."""
    assert await talk.conversation.waiting() is None
    assert {a.call_id: a.state for a in await talk.session.approvals.newest()} == {call: "settled"}
    shown = await talk.session.chat.messages()
    assert len([m for m in shown if m.kind == "plan" and m.call == call]) == 1
    assert [m.text for m in shown if m.kind == "tool"] == [words]
    server.agent_script[:] = [says("Here I am.")]
    assert said(await talk.say("where were we?")) == "Here I am."
    told = server.agent_bodies[-1]["messages"]
    assert [m["tool_call_id"] for m in told if m["role"] == "tool"] == [call]
    assert any(words in str(m["content"]) for m in told if m["role"] == "tool")
    before = next(n for n, m in enumerate(told) if m["role"] == "tool") - 1
    assert [c["id"] for c in told[before]["tool_calls"]] == [call], "an answer comes right after its call"


@pytest.mark.parametrize("at", BEFORE + AFTER)
async def test_a_change_of_the_plan(
    at: str, connected: DatasetBuilderConfig, server: FakeOpenAI, make_plan: Plans
) -> None:
    async with await Session.create(make_plan(20, name="shop"), connected):
        pass
    server.agent_script[:] = [calls(("revise_plan", {"counts": {"category_1": 12}})), says("Changed.")]
    if at == "end":
        killed(connected, at, "shop", "12 are enough")
    else:  # "show": between the question and its card
        killed(connected, "ask_approval:after" if at == "show" else at, "shop", "12 are enough", "yes")
    assert revisions(connected) == (at in AFTER)
    async with talking(connected, reference="shop") as talk:
        call = (await talk.session.approvals.newest())[0].call_id
        if at in BEFORE:
            waiting = await talk.conversation.waiting()
            assert waiting is not None and (waiting.call_id, waiting.decision) == (call, "")
            assert len([m for m in await talk.session.chat.messages() if m.call == call]) == 1
            assert talk.session.plans.revision == 1
            server.agent_script[:] = [says("Changed.")]
            assert outcomes(await talk.answer(True)) == [("revise_plan", True)]
        assert talk.session.plans.revision == 2
        await check_done(talk, server, call, "Plan revision 2 is in force: 1 category, 12 cases.")
        assert (await talk.session.run()).state == "complete"
        assert await talk.session.cases.counts() == {"category_1": 12}
    assert revisions(connected) == 1
    async with talking(connected, reference="shop") as talk:
        assert talk.session.plans.revision == 2 and await talk.conversation.waiting() is None
        assert len([m for m in await talk.session.chat.messages() if m.kind == "tool"]) == 1


@pytest.mark.parametrize("at", ["decide_approval:after", "take_name_of_plan:before", "take_name_of_plan:after", *AFTER])
async def test_the_first_plan(at: str, connected: DatasetBuilderConfig, server: FakeOpenAI) -> None:
    server.agent_script[:] = [calls(("propose_plan", SUPPORT), text="A plan."), says("Done.")]
    killed(connected, at, "-", "12 cases", "yes")
    (folder,) = [path.name for path in Path(connected.checkpoint_dir).iterdir() if (path / "session.db").exists()]
    async with talking(connected, reference=folder) as talk:
        call = (await talk.session.approvals.newest())[0].call_id
        if at == "decide_approval:after":
            assert not talk.session.planned
            server.agent_script[:] = [says("Done.")]
            assert outcomes(await talk.answer(True)) == [("propose_plan", True)]
        assert (talk.session.plans.revision, talk.session.id) == (1, "support_bot")
        await check_done(talk, server, call, "Plan revision 1 is in force: 2 categories, 12 cases.")
        assert (await talk.session.run()).state == "complete"
        assert await talk.session.cases.counts() == {"order_status": 8, "refunds": 4}


async def test_a_no_is_asked_again(connected: DatasetBuilderConfig, server: FakeOpenAI, make_plan: Plans) -> None:
    async with await Session.create(make_plan(20, name="shop"), connected):
        pass
    server.agent_script[:] = [calls(("revise_plan", {"counts": {"category_1": 12}}))]
    killed(connected, "decide_approval:after", "shop", "12 are enough", "no")
    async with talking(connected, reference="shop") as talk:
        waiting = await talk.conversation.waiting()
        assert waiting is not None and waiting.decision == ""
        server.agent_script[:] = [says("As you like.")]
        assert said(await talk.answer(False)) == "As you like."
        assert talk.session.plans.revision == 1 and await talk.conversation.waiting() is None


async def test_another_plan_in_force_is_not_taken_for_the_approved_one(
    connected: DatasetBuilderConfig, server: FakeOpenAI, make_plan: Plans
) -> None:
    async with await Session.create(make_plan(20, name="shop"), connected):
        pass
    server.agent_script[:] = [calls(("revise_plan", {"counts": {"category_1": 12}}))]
    killed(connected, "decide_approval:after", "shop", "12 are enough", "yes")
    async with await Session.open("shop", connected) as session:  # without the agent, as a script would
        await session.plans.revise(make_plan(33, name="shop"))
    async with talking(connected, reference="shop") as talk:
        assert await talk.conversation.waiting() is not None
        server.agent_script[:] = [says("I see.")]
        assert outcomes(await talk.answer(True)) == [("revise_plan", False)]
        assert talk.session.plan.total_instances == 33


async def test_while_words_stream(connected: DatasetBuilderConfig, server: FakeOpenAI) -> None:
    server.agent_script[:] = [hang_mid("Half a sentence")]
    killed(connected, "words:Half a", "-", "a telling name")
    async with talking(connected, reference="untitled") as talk:
        assert [(m.role, m.text) for m in await talk.session.chat.messages()] == [("person", "a telling name")]
        server.agent_script[:] = [says("Here I am.")]
        assert said(await talk.say("are you there?")) == "Here I am."
        told = [m["content"] for m in server.agent_bodies[-1]["messages"] if m["role"] == "user"]
        assert told == ["a telling name", "are you there?"]


@pytest.mark.parametrize("at", [1, 7, 29])
async def test_a_run_that_the_agent_began(
    at: int, connected: DatasetBuilderConfig, server: FakeOpenAI, make_plan: Plans
) -> None:
    async with await Session.create(make_plan(120, 40, name="shop"), connected):
        pass
    server.agent_script[:] = [calls(("start_generation", {})), says("Started.")]
    server.token_delay = 0.02
    killed(connected, f"case_accepted:{at}", "shop", "go")
    server.token_delay = 0.0
    async with talking(connected, reference="shop") as talk:
        there = sum((await talk.session.cases.counts()).values())
        assert at <= there < 160 and not talk.host.running
        server.agent_script[:] = [calls(("resume_generation", {})), says("It goes on.")]
        assert outcomes(await talk.say("go on")) == [("resume_generation", True)]
        await talk.host.wait()
        result = await talk.host.result()
        assert result is not None and result.state == "complete"
        assert await talk.session.cases.counts() == {"category_1": 120, "category_2": 40}
        places = [(case.category, case.ordinal) async for case in talk.session.cases.all()]
        assert len(places) == len(set(places)) == 160
        items = [item for _, item in await talk.session.agent_memory.items()]
        assert len([i for i in whole_turns(items) if i.get("type") == "function_call"]) in (1, 2)
