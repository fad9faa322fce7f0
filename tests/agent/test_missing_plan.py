"""A turn that leaves the session without a plan: what came in its place, the likely cause, and what helps."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from dsbuilder_tui import DatasetBuilderConfig
from dsbuilder_tui.agent.builder import DatasetBuilderAgent
from dsbuilder_tui.agent.missing_plan import MissingPlanCause as Cause
from dsbuilder_tui.agent.missing_plan import PlanMissing
from dsbuilder_tui.agent.turn_events import TurnEvent
from tests.support import fake_agent as model
from tests.support.fake_agent import Scripted
from tests.support.fake_openai import FakeOpenAI
from tests.support.talking import SUPPORT, asked, talking

Configs = Callable[..., DatasetBuilderConfig]
LOOKS = model.calls(("get_builder_state_summary", {}))
NO_PLAN = model.calls(("propose_plan", {"dataset_name": "x", "categories": []}))


def missing(parts: Iterable[TurnEvent]) -> PlanMissing | None:
    return next((part for part in parts if isinstance(part, PlanMissing)), None)


@pytest.mark.parametrize(
    ("script", "cause", "said", "helps"),
    [
        ([model.says("Sure, here are twelve cases.")], Cause.IN_WORDS, "Sure, here are twelve", ("--model", "dsbuilder run", "doctor")),
        ([LOOKS, model.says("How many cases?")], Cause.QUESTION, "How many cases?", ("Answer it",)),
        ([NO_PLAN, model.says("I could not.")], Cause.UNUSABLE, "categories", ("less at once", "--model")),
        ([model.refusal("I will not.")], Cause.REFUSED, "I will not.", ("what the cases are for", "--model")),
        ([model.status(400, "x does not support tools")], Cause.ENDPOINT, "", ("Mend that", "--model", "dsbuilder run", "doctor")),
        ([model.status(500, "Oops")], Cause.FAILED, "", ("Send it again", "--model")),
        ([model.length("")] * 3, Cause.FAILED, "", ("--model",)),
    ],
)  # fmt: skip
async def test_no_plan_is_an_outcome_with_a_hint(
    script: list[Scripted], cause: Cause, said: str, helps: tuple[str, ...], fake: FakeOpenAI, make_config: Configs
) -> None:
    fake.agent_script[:] = script
    async with talking(make_config(base_url=fake.url, model="small-model", max_retries=0)) as talk:
        found = missing(await talk.say("12 cases"))
    assert found is not None and found.cause is cause and said in found.said and "small-model" in found.text
    assert found.text.startswith("No plan was drawn up") and all(words in found.text for words in helps)


async def test_nothing_is_missing_when_a_plan_is_proposed_or_in_force(fake: FakeOpenAI, make_config: Configs) -> None:
    fake.agent_script[:] = [model.calls(("propose_plan", SUPPORT)), model.says("In force."), model.says("Hello.")]
    async with talking(make_config(base_url=fake.url)) as talk:
        parts = await talk.say("12 cases")
        assert asked(parts) == ["propose_plan"] and missing(parts) is None
        assert missing(await talk.answer(True)) is None and missing(await talk.say("Hello")) is None


async def test_the_conversation_says_so_once_it_is_no_mere_question(fake: FakeOpenAI, make_config: Configs) -> None:
    fake.agent_script[:] = [model.says("Which bot?"), model.says("I see.")]
    async with talking(make_config(base_url=fake.url)) as talk:
        await talk.say("12 cases")
        assert [m.kind for m in await talk.session.chat.messages()] == ["text", "text"]
        await talk.say("A shop's")
        assert [m.kind for m in await talk.session.chat.messages()] == ["text", "text", "text", "text", "notice"]


async def test_the_built_in_planner_is_never_said_to_lack_tools(make_config: Configs) -> None:
    async with talking(make_config()) as talk:
        for _ in range(2):
            found = missing(await talk.say("What can you do?"))
            assert found is None or found.cause is Cause.QUESTION


async def test_from_python_it_is_a_part_of_the_turn(fake: FakeOpenAI, make_config: Configs) -> None:
    fake.agent_script[:] = [model.says("Sure.")]
    async with DatasetBuilderAgent(config=make_config(base_url=fake.url)) as agent:
        parts = [part async for part in agent.say("12 cases")]
    assert isinstance(parts[-1], PlanMissing) and parts[-1].cause is Cause.IN_WORDS
