"""Samples on the card of a plan: written before the yes, told as no cases, ended when the card is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.models.protocol import StreamEnd, WorkerRequest
from dsbuilder_tui.tui.studio.card_state import CardState
from dsbuilder_tui.tui.studio.cards import PlanCard
from tests.support.studio import Scripted, User, studio

WISH = "20 cases for a shop bot: half refunds, the rest order status\n"
SAMPLED = {"plan_samples": 3}


def text_of(card: PlanCard, width: int = 90) -> str:
    return "\n".join("".join(span[0] for span in line) for line in card._card(width))


async def proposed(user: User) -> PlanCard:
    await user.app.begin_conversation()
    await user.at("StudioScreen", "prompt")
    await user.write(WISH)
    await user.until(lambda: bool(user.app.screen.query(PlanCard)), timeout=60)  # the agent is imported first
    return user.app.screen.query(PlanCard).last()


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_three_samples_are_on_the_card_and_none_in_the_dataset(size: tuple[int, int]) -> None:
    async with studio(flags=SAMPLED, size=size) as user:
        card = await proposed(user)
        await user.until(lambda: "free · not among the cases" in text_of(card))
        shown = text_of(card)
        assert shown.count("refunds") >= 2 and "order_status" in shown
        assert ("^O all" in shown) is (size[1] == 24) and ("tone: " in shown) is (size[1] == 50)
        assert (await user.session.summary()).instances_created == 0
        kept = user.session.preview.kept(card.call)
        assert kept is not None and len(kept) == 3 and kept[0].text.split()[0] in shown
        await user.answer("ctrl+y")
        await user.state("finished")
        assert (await user.session.summary()).instances_created == 20
        assert "samples" in text_of(card), "what was said stays to be read"


class Waiting(Scripted):
    """Begins, and then says nothing until it is cut off."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1

    async def stream(self, request: WorkerRequest) -> AsyncIterator[str | StreamEnd]:
        self.calls += 1
        self.begun.set()
        try:
            yield '{"cases": ['
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@pytest.mark.parametrize("how", ["answer", "leave"])
async def test_what_is_written_ends_when_the_card_goes(how: str) -> None:
    model = Waiting()
    async with studio(flags=SAMPLED, model=model) as user:
        card = await proposed(user)
        await asyncio.wait_for(model.begun.wait(), 30)
        await user.until(lambda: "are being written" in text_of(card))
        if how == "answer":
            await user.write("no\n")
            await user.until(lambda: card.state is not CardState.OPEN)
        else:
            await user.app.close_session()
        await asyncio.wait_for(model.ended.wait(), 30)
        await user.until(lambda: model.closed == 1)
        assert model.calls == 1


async def test_no_sample_is_written_where_none_is_wanted() -> None:
    model = Scripted()
    async with studio(flags={"plan_samples": 0}, model=model) as user:
        card = await proposed(user)
        await user.pilot.pause()
        assert model.calls == 0 and "samples" not in text_of(card)


async def test_trouble_with_the_samples_is_told_on_the_card_and_leaves_the_plan() -> None:
    from dsbuilder_tui.domain.errors import EndpointRefused

    model = Scripted(faults=[EndpointRefused("The key is not valid.", "Set another one.")])
    async with studio(flags=SAMPLED, model=model) as user:
        card = await proposed(user)
        await user.until(lambda: "The key is not valid" in text_of(card))
        await user.answer("ctrl+y")
        await user.state("finished")


async def test_a_change_of_counts_alone_has_no_samples_and_another_category_has() -> None:
    def plan(**counts: int) -> DatasetPlanInput:
        categories: list[dict[str, Any]] = [
            {"name": name, "count": count, "example_inputs": ["Where is it?"]} for name, count in counts.items()
        ]
        return DatasetPlanInput.model_validate({"dataset_name": "shop", "categories": categories})

    async with studio(flags=SAMPLED) as user:
        await user.app.create_session(plan(refunds=4))
        await user.at("StudioScreen", "PlanCard")
        preview, model = user.session.preview, Scripted()
        assert [sample async for sample in preview.of_plan(plan(refunds=9), model, 3)] == [] and model.calls == 0
        found = [sample async for sample in preview.of_plan(plan(refunds=9, rest=2), model, 3)]
        assert {sample.category for sample in found} == {"rest"} and 0 < len(found) <= 3 and model.calls == 1
