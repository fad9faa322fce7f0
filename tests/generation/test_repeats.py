"""No text twice in a dataset that grows: examples of the plan, other categories, other expectations."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetCategory, DatasetPlanInput, Session
from dsbuilder_tui.diversity.exact_index import ExactIndex
from dsbuilder_tui.domain.events import CaseRejected
from dsbuilder_tui.domain.stage import Stage
from tests.support.fake_openai import FakeOpenAI

Configs = Callable[..., DatasetBuilderConfig]
EXAMPLES = ("Can my parcel go to my neighbour?", "Is there any nut in the rye bread?")


def plan_of(*counts: int, **more: Any) -> DatasetPlanInput:
    categories = [
        DatasetCategory(
            name=f"category_{n}",
            count=count,
            example_inputs=list(EXAMPLES),
            expectations={"allowed": True, "n": 1},
            **more,
        )
        for n, count in enumerate(counts, 1)
    ]
    return DatasetPlanInput(dataset_name="repeats", categories=categories)


async def run(
    fake: FakeOpenAI, plan: DatasetPlanInput, config: DatasetBuilderConfig
) -> tuple[Any, list[str], list[str]]:
    reasons: list[str] = []

    def note(event: object) -> None:
        if isinstance(event, CaseRejected):
            assert event.stage in (Stage.STRUCTURAL, Stage.NEAR, Stage.SEMANTIC)
            reasons.append(event.reason)

    async with await Session.create(plan, config) as session:
        session.subscribe(note)
        result = await session.run()
        return result, [case.inputs["query"] async for case in session.cases.all()], reasons


def writing(fake: FakeOpenAI, texts: list[str]) -> None:
    """Each text in its turn, with answers that differ from one to the next."""
    turn, truth = cycle(texts), cycle((True, False))

    def case(number: int) -> dict[str, Any]:
        return {"slot": number, "inputs": {"query": next(turn)}, "expectations": {"allowed": next(truth), "n": 1}}

    fake.case = case  # type: ignore[method-assign]


@pytest.mark.parametrize("settings", [{}, {"diversity_across": True}, {"diversity_stages": ("near",)}])
async def test_examples_are_taken(settings: dict[str, Any], make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        writing(fake, [*EXAMPLES, "May I pay by cheque?"])
        config = make_config(base_url=fake.url, batch_size=3, max_workers=1, max_attempts=2, **settings)
        result, texts, reasons = await run(fake, plan_of(3), config)
        assert texts == ["May I pay by cheque?"] and result.exhausted == 2
        assert sum("an example of the plan" in reason for reason in reasons) >= 2


@pytest.mark.parametrize("text", ["Can it be sent elsewhere?", "Where is order #10017?"])
async def test_the_same_text_with_other_expectations_is_a_repeat(text: str, make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        writing(fake, [text])
        config = make_config(base_url=fake.url, batch_size=4, max_workers=1, max_attempts=2)
        result, texts, reasons = await run(fake, plan_of(4), config)
        assert (texts, result.exhausted) == ([text], 3)
        assert "the same text with other expectations" in reasons


@pytest.mark.parametrize("stages", [("structural", "near"), ("semantic",)])
async def test_no_text_stands_in_two_categories(stages: tuple[str, ...], make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        writing(fake, ["May I pay by cheque?", "Do you deliver on Sundays, to the door?"])
        settings = {"diversity_stages": stages, "batch_size": 2, "max_workers": 1, "max_attempts": 2}
        result, texts, _ = await run(fake, plan_of(2, 2), make_config(base_url=fake.url, **settings))
        assert sorted(texts) == sorted(set(texts)) and (result.accepted, result.exhausted) == (2, 2)


async def test_what_was_accepted_before_a_restart_counts_too(make_config: Configs) -> None:
    config = make_config()
    async with FakeOpenAI() as fake:
        writing(fake, ["May I pay by cheque?", "Do you deliver on Sundays?", "Is the shop open?", "Who baked this?"])
        settings = {"base_url": fake.url, "batch_size": 2, "max_workers": 1, "max_attempts": 2}
        plan = plan_of(2, 4)
        async with await Session.create(plan, config.model_copy(update=settings)) as session:
            session.subscribe(lambda event: event.type == "batch_finished" and session.request_pause())
            assert (await session.run()).state == "paused"
        async with await Session.open(None, config.model_copy(update=settings)) as session:
            await session.run()
            texts = [case.inputs["query"] async for case in session.cases.all()]
        assert len(set(texts)) == len(texts) == 4


async def test_a_category_whose_diversity_is_off_may_repeat_itself(make_config: Configs) -> None:
    async with FakeOpenAI() as fake:
        writing(fake, ["May I pay by cheque?"])
        result, texts, _ = await run(fake, plan_of(4, diversity="off"), make_config(base_url=fake.url, batch_size=4))
        assert result.state == "complete" and len(texts) == 4


async def test_what_was_copied_is_not_shown_again(make_config: Configs) -> None:
    """No example, and one text that is taken; what was wrong in another way is told beside the examples as before."""
    async with FakeOpenAI() as fake:
        writing(fake, ["Which cake is the best?", EXAMPLES[0], "Which cake is the best?", "May I pay by cheque?"])
        config = make_config(base_url=fake.url, batch_size=2, max_workers=1)
        result, _, _ = await run(fake, plan_of(2), config)
        assert result.state == "complete"
        first, *retries = [str(body["messages"][-1]["content"]) for body in fake.bodies]
        assert EXAMPLES[0] in first and len(retries) == 2
        assert not any(example in prompt for example in EXAMPLES for prompt in retries)
        assert "Already taken" not in retries[0] and retries[1].count("\n- Which cake is the best?") == 1


def test_the_index_finds_what_was_added_one_by_one_or_at_once() -> None:
    rng, index = random.Random(4), ExactIndex()
    keys = [rng.randrange(-(2**63), 2**63) for _ in range(2000)]
    index.extend(np.array(keys[:700], np.int64), np.arange(700))
    for row, key in enumerate(keys[700:1500], 700):
        index.add(key, row)
    index.extend(np.array(keys[1500:], np.int64), np.arange(1500, 2000))
    assert [index.find(key) for key in keys] == list(range(2000))
    assert all(index.find(rng.randrange(-(2**63), 2**63)) is None for _ in range(500))
