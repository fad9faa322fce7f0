"""What was learned of an endpoint lasts a session, for workers and the main agent alike, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.models.chat_options import ChatOption, OptionMemory
from tests.support import fake_agent as model
from tests.support.fake_agent import Reply
from tests.support.fake_failures import openai
from tests.support.fake_openai import FakeOpenAI
from tests.support.talking import said, talking

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]
REFUSED = openai(
    400, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
)
NO_SCHEMA = openai(400, "This model does not support response format `json_schema`.")


def strict(body: dict[str, Any], number: int) -> Reply | None:
    if "max_tokens" in body:
        return REFUSED
    return NO_SCHEMA if (body.get("response_format") or {}).get("type") == "json_schema" else None


async def test_what_workers_learned_is_known_to_the_next_run_and_to_the_main_agent(
    fake: FakeOpenAI, make_config: Configs, make_plan: Plans
) -> None:
    fake.reply_for = strict
    config = make_config(base_url=fake.url, model="m", worker_model="m", batch_size=5, max_workers=1, judge="off")
    async with await Session.create(make_plan(10), config) as session:
        name = session.id
        assert (await session.run()).accepted == 10
    learned = fake.worker_calls
    async with talking(config, reference=name) as talk:
        fake.agent_script[:] = [model.length(""), model.says("Hello.")]
        assert said(await talk.say("Hello")) == "Hello."
        assert "max_completion_tokens" in fake.agent_bodies[1] and "max_tokens" not in fake.agent_bodies[1]
        await talk.session.plans.revise(make_plan(20))
        assert (await talk.session.run()).accepted == 20
    later = fake.bodies[learned:]
    assert later and all("max_tokens" not in body for body in later)
    assert all((body.get("response_format") or {}).get("type") != "json_schema" for body in later)
    async with talking(config, reference=name) as talk:  # and what the main agent learned, to the next process
        fake.agent_script[:] = [model.says("Bye.")]
        await talk.say("Goodbye")
        assert fake.agent_bodies[-1]["max_completion_tokens"] == 8_192


async def test_another_model_or_address_is_found_out_for_itself(
    fake: FakeOpenAI, make_config: Configs, make_plan: Plans
) -> None:
    fake.reply_for = strict
    config = make_config(base_url=fake.url, worker_model="m", max_workers=1, judge="off")
    async with await Session.create(make_plan(4), config) as session:
        await session.run()
        name, learned = session.id, fake.worker_calls
        await session.plans.revise(make_plan(8))
    async with await Session.open(
        name, make_config(base_url=fake.url, worker_model="n", max_workers=1, judge="off")
    ) as session:
        await session.run()
    assert "max_tokens" in fake.bodies[learned]


def memory(now: float) -> OptionMemory:
    found = OptionMemory(None, now)
    found.of("http://u/v1?key=secret", "m").room = 9_000
    return found


def test_facts_grow_old() -> None:
    kept = memory(1_000.0).facts(1_000.0)
    assert "secret" not in str(kept)
    for later, room in ((1_000.0 + 3_600, 9_000), (1_000.0 + 2 * 86_400, None), (10.0, None)):
        assert OptionMemory(kept, later).of("http://u/v1?key=secret", "m").room == room
    again = OptionMemory(kept, 5_000.0)
    again.of("http://u/v1?key=secret", "m")
    assert again.facts(5_000.0) == kept, "nothing new was learned, so it grows old from when it was"


@pytest.mark.parametrize(
    "kept", [None, 5, [], {"x": 5}, {"x": {"learned_at": "soon"}}, {"x": {"learned_at": 1.0, "room": 10**12}},
             {"x": {"learned_at": 1.0, "refused": ["of a later version"]}}],
)  # fmt: skip
def test_what_cannot_be_read_is_found_out_anew(kept: object) -> None:
    found = OptionMemory(kept, 1.0)
    assert found.facts(1.0) == {} and found.of("u", "m").takes(ChatOption.JSON_SCHEMA)


def test_forgotten_is_forgotten() -> None:
    found = memory(1.0)
    found.forget()
    assert found.facts(1.0) == {} and found.of("http://u/v1?key=secret", "m").room is None
