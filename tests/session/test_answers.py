"""Whole runs with models that think aloud, answer in other shapes, write fewer than asked, or nothing usable at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.agent.monitor import Monitor, NoteKind
from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.events import BatchFinished, CaseRejected, CaseWithdrawn, Event, RunPaused
from dsbuilder_tui.domain.pause_cause import PauseCause
from dsbuilder_tui.session.replay import recorded_events
from tests.support.fake_answers import ANSWERS
from tests.support.fake_openai import FakeOpenAI

Plans = Callable[..., DatasetPlanInput]
Configs = Callable[..., DatasetBuilderConfig]

TONES = {"tone": ["polite", "angry", "terse", "rambling", "formal"]}
USELESS = ("only_thoughts", "other_fields", "other_slots", "other_kinds")


async def run(plan: DatasetPlanInput, config: DatasetBuilderConfig) -> tuple[Any, list[AcceptedCase], list[Event]]:
    events: list[Event] = []
    async with await Session.create(plan, config) as session:
        session.subscribe(events.append)
        result = await session.run()
        return result, [case async for case in session.cases.all()], events


def meant(fake: FakeOpenAI, case: AcceptedCase) -> bool:
    """Whether a text stands under the attributes that its own prompt asked for."""
    attributes = "; ".join(f"{axis}: {value}" for axis, value in case.tags["attributes"].items())
    return fake.meant[case.inputs["query"]] == attributes


@pytest.mark.parametrize("kind", [kind for kind in ANSWERS if kind not in USELESS])
async def test_each_case_is_what_was_meant_for_its_slot(kind: str, make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(rates={kind: 1.0}) as fake:
        config = make_config(base_url=fake.url, batch_size=4, max_workers=2)
        result, cases, events = await run(make_plan(12, 8, attributes=TONES), config)
        assert (result.state, result.accepted) == ("complete", 20)
        assert not any("draft" in str(case.inputs) for case in cases)
        assert all(meant(fake, case) for case in cases)
        assert len(fake.bodies) <= 12 and not any(isinstance(event, CaseRejected) for event in events)


@pytest.mark.parametrize(("token_delay", "after"), [(0.0, 6), (0.01, 0)])
async def test_a_model_that_is_believed_and_then_drafts_leaves_no_draft(
    token_delay: float, after: int, make_plan: Plans, make_config: Configs
) -> None:
    """Also a slow one, that is believed before anything is known of it. A draft that was let in is taken out again."""
    asked = 0

    def kind(body: dict[str, Any]) -> str:
        nonlocal asked
        asked += 1
        return "draft" if asked > after else "ok"

    async with FakeOpenAI(kind_for=kind, token_delay=token_delay) as fake:
        config = make_config(base_url=fake.url, batch_size=4, max_workers=2, max_attempts=1)
        result, cases, events = await run(make_plan(32, 16), config)
        assert (result.state, result.accepted, result.exhausted) == ("complete", 48, 0)
        assert not any("draft" in str(case.inputs) for case in cases)
        out = [event for event in events if isinstance(event, CaseWithdrawn)]
        assert all("draft" in event.reason for event in out) and len(out) <= 8
        assert len(fake.bodies) <= 24


async def test_fewer_than_asked_for_is_normal(make_plan: Plans, make_config: Configs) -> None:
    """No attempt, no rejection, and the size of a batch follows what the model writes."""
    async with FakeOpenAI(rates={"three": 1.0}) as fake:
        config = make_config(base_url=fake.url, batch_size=10, max_workers=4, max_attempts=1)
        result, _, events = await run(make_plan(150, 90, 60), config)
        assert (result.state, result.accepted, result.exhausted) == ("complete", 300, 0)
        assert len(fake.bodies) <= 120 and not any(isinstance(event, CaseRejected) for event in events)
        last = [event for event in events if event.type == "batch_started"][50:]
        assert max(len(event.facts()["slots"]) for event in last) <= 4


async def test_more_than_asked_for_is_not_read(make_plan: Plans, make_config: Configs) -> None:
    """The stream is closed behind the last case that was asked for, and its tokens are estimated."""
    async with FakeOpenAI(rates={"many_more": 1.0}, token_delay=0.005) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=2)
        result, cases, events = await run(make_plan(40, attributes=TONES), config)
        assert (result.state, result.accepted) == ("complete", 40)
        assert all(meant(fake, case) for case in cases)
        finished = [event for event in events if isinstance(event, BatchFinished)]
        written = sum(len(str(case.inputs)) for case in cases) // 4
        assert all(event.prompt_tokens > 0 for event in finished)
        assert written < sum(event.completion_tokens for event in finished) < 8 * written


@pytest.mark.parametrize("thinking", [1400, 3000])
@pytest.mark.parametrize("batch", [1, 5, 20])
async def test_limits_grow_with_what_a_model_thinks(
    thinking: int, batch: int, make_plan: Plans, make_config: Configs
) -> None:
    async with FakeOpenAI(thinking=thinking) as fake:
        config = make_config(base_url=fake.url, batch_size=batch, max_workers=2, max_attempts=1)
        result, _, events = await run(make_plan(40), config)
        assert (result.state, result.accepted, result.exhausted) == ("complete", 40, 0)
        cut = [event for event in events if isinstance(event, BatchFinished) and event.outcome == "truncated"]
        assert len(cut) <= 6 and len(fake.bodies) <= 40 // batch + 10


@pytest.mark.parametrize(
    ("kind", "quoted", "helps"),
    [
        ("refusal", "I'm sorry, I can't help", "plan's description"),
        ("empty", "", "dsbuilder doctor"),
        ("filtered", "", "content filter"),
        ("only_thoughts", "<think>", "reasoning_effort"),
        ("other_fields", '"question"', "structured output"),
        ("other_slots", '"slot": 10', "batch_size of 1"),
        ("other_kinds", "`polite` of `expectations` is text", "input_fields"),
    ],
)
async def test_a_run_that_brings_nothing_pauses_soon(
    kind: str, quoted: str, helps: str, make_plan: Plans, make_config: Configs
) -> None:
    async with FakeOpenAI(rates={kind: 1.0}) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=4, max_attempts=50)
        result, cases, events = await run(make_plan(150, 50), config)
        assert (result.state, cases) == ("paused", []) and len(fake.bodies) <= 24
        paused = next(event for event in events if isinstance(event, RunPaused))
        assert paused.cause is PauseCause.NOTHING_USABLE and "in a row brought nothing usable" in paused.reason
        assert quoted in paused.reason and helps in paused.reason
        note = Monitor().feed(paused)
        assert note is not None and note.kind is NoteKind.NOTHING_USABLE and quoted in note.said


async def test_a_model_that_only_repeats_itself_is_stopped_too(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        fake._text = lambda: "Where is my one and only?"  # type: ignore[method-assign]
        config = make_config(base_url=fake.url, batch_size=5, max_workers=2, max_attempts=20)
        result, cases, events = await run(make_plan(200), config)
        assert (result.state, len(cases)) == ("paused", 1) and len(fake.bodies) <= 30
        paused = next(event for event in events if isinstance(event, RunPaused))
        assert "is turned away" in paused.reason and "temperature" in paused.reason


async def test_a_category_that_brings_nothing_does_not_keep_the_others_from_their_end(
    make_plan: Plans, make_config: Configs
) -> None:
    async with FakeOpenAI(kind_for=lambda body: "refusal" if "category_2" in str(body) else None) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=4)
        result, cases, events = await run(make_plan(40, 40, 40), config)
        assert result.state == "paused" and len(cases) == 80 and len(fake.bodies) <= 16 + 24
        paused = next(event for event in events if isinstance(event, RunPaused))
        assert paused.cause is PauseCause.NOTHING_USABLE and "category_2" in paused.reason


async def test_one_slot_that_is_always_refused_is_exhausted_and_told(make_plan: Plans, make_config: Configs) -> None:
    """It is asked for in smaller and smaller company, so that the slots beside it are filled."""
    async with FakeOpenAI(kind_for=lambda body: "filtered" if "tone: cruel" in str(body) else None) as fake:
        config = make_config(base_url=fake.url, batch_size=8, max_workers=2, max_attempts=3)
        plan = make_plan(16, attributes={"tone": [f"tone_{n}" for n in range(15)] + ["cruel"]})
        result, cases, events = await run(plan, config)
        assert (result.state, result.accepted, result.exhausted) == ("short", 15, 1)
        told = next(event.facts() for event in events if event.type == "slot_exhausted")
        assert "brought no case for it" in told["reason"] and "content filter" in told["reason"]
        assert not any(isinstance(event, CaseRejected) for event in events) and len(fake.bodies) <= 16
        assert {case.tags["attributes"]["tone"] for case in cases} == {f"tone_{n}" for n in range(15)}
        async with await Session.open(None, config) as session:
            again = [event async for event in recorded_events(session) if event.type == "slot_exhausted"]
        assert [event.facts() for event in again] == [told]


async def test_what_was_wrong_is_told_in_the_next_prompt(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["other_kinds"]) as fake:
        config = make_config(base_url=fake.url, batch_size=5, max_workers=1)
        result, _, _ = await run(make_plan(5), config)
        assert (result.state, result.accepted) == ("complete", 5)
        told = [str(body["messages"][-1]["content"]) for body in fake.bodies]
        reason = "turned away: `polite` of `expectations` is text, not true or false"
        assert reason not in told[0] and reason in told[1]


async def test_what_is_asked_for_is_in_the_schema(make_plan: Plans, make_config: Configs) -> None:
    """So many cases, no more and no fewer; and how much to think, where that is set."""
    async with FakeOpenAI(script=["reject_item_counts"]) as fake:
        config = make_config(base_url=fake.url, batch_size=4, max_workers=1, reasoning_effort="low")
        result, _, _ = await run(make_plan(12), config)
        assert result.state == "complete"
        lists = [body["response_format"]["json_schema"]["schema"]["properties"]["cases"] for body in fake.bodies]
        assert lists[0]["minItems"] == lists[0]["maxItems"] == 4
        assert all("minItems" not in each and "maxItems" not in each for each in lists[1:])
        assert all(body["reasoning_effort"] == "low" for body in fake.bodies)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [("length", "truncated"), ("MAX_TOKENS", "truncated"), ("model_length", "truncated"), ("SAFETY", "refused"),
     ("refusal", "refused"), ("content_filter", "refused")],
)  # fmt: skip
async def test_the_end_in_the_words_of_other_services(
    said: str, outcome: str, make_plan: Plans, make_config: Configs
) -> None:
    async with FakeOpenAI(script=["empty"], end_word=said) as fake:
        _, _, events = await run(make_plan(2), make_config(base_url=fake.url, batch_size=2, max_workers=1))
        first = next(event for event in events if isinstance(event, BatchFinished))
        assert first.outcome == outcome


async def test_thoughts_are_kept_for_whoever_watches(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["reasoning_apart"]) as fake:
        config = make_config(base_url=fake.url, batch_size=4, max_workers=1)
        async with await Session.create(make_plan(4), config) as session:
            await session.run()
            call = session.calls.live()[-1]
            assert "Too plain." in call.thoughts and "Too plain." not in call.answer


@pytest.mark.parametrize("kind", ["reset", "error_mid", "hang_mid"])
async def test_tokens_of_a_call_that_broke_off_count(kind: str, make_plan: Plans, make_config: Configs) -> None:
    """Estimated, and said to be, now and when the session is read again."""
    async with FakeOpenAI(script=["ok", kind]) as fake:
        config = make_config(base_url=fake.url, batch_size=4, max_workers=1, request_timeout=0.5)
        events: list[Event] = []
        async with await Session.create(make_plan(8), config) as session:
            session.subscribe(events.append)
            await session.run()
            kept = {call.batch: call.usage for call in await session.calls.page(0, 100)}
        finished = [event for event in events if isinstance(event, BatchFinished)]
        broken = next(event for event in finished if event.outcome == "failed")
        assert broken.delivered and broken.prompt_tokens > 0 and broken.completion_tokens > 0
        assert [event.batch for event in finished if event.estimated] == [broken.batch]
        assert {batch for batch, usage in kept.items() if usage.estimated} == {broken.batch}
        assert kept[broken.batch].completion_tokens == broken.completion_tokens


async def test_a_call_that_a_person_cuts_off_counts(make_plan: Plans, make_config: Configs) -> None:
    async with FakeOpenAI(script=["hang_mid"]) as fake:
        config = make_config(base_url=fake.url, batch_size=6, max_workers=1)
        events: list[Event] = []
        async with await Session.create(make_plan(12), config) as session:
            session.subscribe(events.append)
            running = asyncio.create_task(session.run())
            while not (session.calls.live() and session.calls.live()[0].delivered):
                await asyncio.sleep(0.01)
            assert session.calls.cancel(1)
            await running
        cut = next(event for event in events if isinstance(event, BatchFinished))
        assert cut.outcome == "cancelled" and cut.estimated and cut.prompt_tokens and cut.completion_tokens
