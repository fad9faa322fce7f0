"""The card of a plan: who judges, the axes it has, and how much it is likely to cost and to take."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dsbuilder_tui import DatasetBuilderConfig, DatasetPlanInput, Session
from dsbuilder_tui.agent.plan_card import judge_words, plan_content
from dsbuilder_tui.domain.plan import parse_plan
from tests.support.likeness import accept

Configs = Callable[..., DatasetBuilderConfig]
Plans = Callable[..., DatasetPlanInput]


def shop(**of_refunds: object) -> DatasetPlanInput:
    categories = [{"name": "refunds", "count": 4, **of_refunds}, {"name": "rest", "count": 2}]
    return parse_plan({"dataset_name": "shop", "categories": categories, "attributes": {"tone": ["calm", "angry"]}})


def test_who_judges_what(make_config: Configs) -> None:
    assert judge_words(shop(), make_config()) == "", "the built-in writer's cases are not judged unless asked for"
    config = make_config(judge="sample", judge_model="judge-1", judge_share=0.1)
    assert judge_words(shop(), config) == "judge-1 judges 10% of the cases"
    assert judge_words(shop(judge="all"), config) == "judge-1 judges each case of refunds and 10% of the cases of rest"
    assert judge_words(shop(judge="off"), make_config(judge="all", judge_model="j")) == "j judges each case of rest"


def test_axes_that_all_categories_share_are_told_once() -> None:
    told = {part.subject: part.kept for part in plan_content(shop(), 1).axes}
    assert told == {"tone": ("calm", "angry")}
    own = plan_content(shop(attributes={"channel": ["chat", "mail"], "tone": ["rude"]}), 1).axes
    assert [part.subject for part in own] == ["refunds tone", "refunds channel", "rest tone"]


def test_a_first_plan_differs_from_nothing() -> None:
    card = plan_content(shop(), 1)
    assert not card.differences and not any(part.added or part.removed for part in card.axes)
    card = plan_content(shop(judge="all"), 2, shop())
    assert [(part.subject, part.removed, part.added) for part in card.differences] == [
        ("refunds judge", ("auto",), ("all",))
    ]


@pytest.mark.parametrize("there", [0, 40])
async def test_a_forecast_is_a_range_that_narrows(make_config: Configs, make_plan: Plans, there: int) -> None:
    config = make_config(provider="openai", api_key="sk-x", worker_model="gpt-4o-mini", max_workers=2, batch_size=10)
    async with await Session.create(make_plan(80), config) as session:
        if there:
            await accept(session, "category_1", [f"case {n}" for n in range(there)])
        forecast = await session.plans.forecast.of(session.plan, there)
        assert forecast.dollars is not None and forecast.dollars[0] < forecast.dollars[1]
        assert forecast.dollars[0] >= (forecast.expected.main_agent or 0.0)
        assert (forecast.dollars[1] / forecast.dollars[0] < 1.5) is bool(there)
        assert forecast.seconds is not None and forecast.seconds[0] < forecast.seconds[1]
        assert forecast.words.startswith("likely to cost about $") and " and to take " in forecast.words
        assert (await session.plans.forecast.of(session.plan, 80)).words == ""


async def test_the_built_in_writer_costs_nothing_and_takes_what_it_is_told(
    make_config: Configs, make_plan: Plans
) -> None:
    async with await Session.create(make_plan(80), make_config()) as session:
        assert (await session.plans.forecast.of(session.plan, 0)).words == ""
