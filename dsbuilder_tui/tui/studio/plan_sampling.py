"""Samples for the card of a plan that waits: written in the background, shown as they come, ended when the card is answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from textual.worker import WorkerError

from dsbuilder_tui.domain.approval import PlanApproval
from dsbuilder_tui.domain.errors import DsbuilderError
from dsbuilder_tui.domain.plain_words import dollar_words
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.session.preview import PlanSample
from dsbuilder_tui.tui.studio.card_state import CardState
from dsbuilder_tui.tui.studio.cards import PlanCard
from dsbuilder_tui.tui.studio.plan_card_paint import CardSamples

if TYPE_CHECKING:
    from dsbuilder_tui.tui.studio.screen import StudioScreen

_GROUP = "samples"
_MOST_SECONDS = 120.0  # for all samples of a card


class PlanSampling:
    """Has the samples of one studio screen's cards written, of one card at a time."""

    def __init__(self, screen: StudioScreen) -> None:
        self._screen = screen
        self._call = ""  # of the card whose samples are written, or were

    def follow(self) -> None:
        """Cards have come or were answered: write for the one that waits, and for no other."""
        screen = self._screen
        card = screen.cards.open_card
        waiting = card if isinstance(card, PlanCard) and card.call and screen.watched.acts else None
        if waiting is None:
            screen.workers.cancel_group(screen, _GROUP)
            self._call = ""
        elif waiting.call != self._call and screen.watched.session.config.plan_samples:
            self._call = waiting.call
            screen.instead(_GROUP, lambda: self._sample(waiting))

    async def stop(self) -> None:
        """End what is written, before the session is closed."""
        for worker in self._screen.workers.cancel_group(self._screen, _GROUP):
            with contextlib.suppress(WorkerError):
                await worker.wait()

    async def _sample(self, card: PlanCard) -> None:
        session = self._screen.watched.session
        if (kept := session.preview.kept(card.call)) is not None:
            card.show_samples(CardSamples(_cases(kept), 0, _words(kept)))
            return
        found = await session.approvals.open()
        request = found[0].request if found and found[0].call_id == card.call else None
        if not isinstance(request, PlanApproval):
            return
        samples: list[PlanSample] = []
        try:
            async with asyncio.timeout(_MOST_SECONDS):
                await self._write(card, request.plan, samples)
        except (DsbuilderError, TimeoutError) as error:
            why = error.problem if isinstance(error, DsbuilderError) else "they took too long"
            card.show_samples(CardSamples(_cases(samples), 0, f"{_words(samples)}; {why}" if samples else why))
            return
        card.show_samples(CardSamples(_cases(samples), 0, _words(samples)) if samples else None)
        await session.preview.keep(card.call, samples)

    async def _write(self, card: PlanCard, plan: DatasetPlanInput, samples: list[PlanSample]) -> None:
        live = self._screen.live
        session, most = live.session, live.session.config.plan_samples
        model = live.make_model(session.config)
        try:
            async with aclosing(session.preview.of_plan(plan, model, most)) as coming:
                card.show_samples(CardSamples(awaited=most, words="are being written"))
                async for sample in coming:
                    samples.append(sample)
                    if card.state is CardState.OPEN:
                        card.show_samples(CardSamples(_cases(samples), most, "are being written"))
        finally:
            await model.close()


def _cases(samples: Sequence[PlanSample]) -> tuple[tuple[str, str], ...]:
    return tuple((sample.category, sample.text) for sample in samples)


def _words(samples: Sequence[PlanSample]) -> str:
    """That they are no cases of the dataset, and what they cost."""
    known = [sample.dollars for sample in samples if sample.dollars is not None]
    cost = dollar_words(sum(known)) if sum(known) else "free"
    return f"{cost if len(known) == len(samples) else 'price unknown'} · not among the cases"
