"""A few sample cases before the full run: written like any others, shown, and not kept as cases."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from typing import Any

from dsbuilder_tui.domain.case import Candidate, Slot, Usage, display_text
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import Notice
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.domain.writing_mode import WritingMode
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.output_limit import OutputLimit
from dsbuilder_tui.generation.passage_plan import passage_plans
from dsbuilder_tui.generation.prompts import Prompter
from dsbuilder_tui.generation.row_plan import row_plans
from dsbuilder_tui.generation.schema_check import Misfit, SchemaCheck
from dsbuilder_tui.generation.slots import slot_plans
from dsbuilder_tui.generation.worker import Worker
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.models.protocol import SlotRequest, WorkerModel
from dsbuilder_tui.models.providers import provider_of
from dsbuilder_tui.session.costs import SessionCosts
from dsbuilder_tui.session.session_context import SessionContext

_KEPT = "plan_samples"  # in the session's ``meta``
_MOST_TEXT = 400  # characters of a sample
_MOST_CALLS = 3  # of a model that thinks past its limit
_MOST_RETRIES = 1  # somebody waits for it


@dataclass(frozen=True, slots=True)
class PlanSample:
    """One sample of a proposed plan, in words. ``dollars`` are those of the call that brought it, if it is the first of
    that call; None where the model's price is not known."""

    category: str
    text: str
    dollars: float | None = 0.0


class SessionPreview:
    """Writes samples."""

    def __init__(self, context: SessionContext, costs: SessionCosts) -> None:
        self._context, self._costs = context, costs

    async def of_plan(self, plan: DatasetPlanInput, model: WorkerModel, most: int) -> AsyncGenerator[PlanSample, None]:
        """At most so many samples of a plan that is not in force yet, of the categories that are new or written otherwise than
        in the present plan, the largest first; as they come. None of categories with documents or rows that are not read yet.

        Raises as ``samples``, and ``InputError`` when the budget is used up.
        """
        config = self._context.config
        if config.budget is not None and (await self._costs.spending()).known_dollars >= config.budget:
            raise InputError("The budget is used up.", "Raise it with /budget.")
        prices, free = PriceTable(config.prices), provider_of(config).is_free
        chosen = _worth_a_sample(self._context.plan, plan)[:most]
        for place, category in enumerate(chosen):
            count = most // len(chosen) + (place < most % len(chosen))
            cases, usage = await self._written(plan, category.name, count, model)
            dollars = prices.cost(model.name, usage) if _tokens(usage) and not free else 0.0
            for inputs, _ in cases:
                yield PlanSample(category.name, one_line(display_text(inputs), _MOST_TEXT), dollars)
                dollars = 0.0  # of the call; the others of it cost nothing more

    async def keep(self, call: str, samples: Sequence[PlanSample]) -> None:
        """Keep the samples of the question with that call, in the place of an earlier one's, to be shown again."""
        await self._context.files.remember(**{_KEPT: {"call": call, "samples": [astuple(one) for one in samples]}})

    def kept(self, call: str) -> tuple[PlanSample, ...] | None:
        """The samples of the question with that call; None when none are kept."""
        found = self._context.files.meta.get(_KEPT)
        if not isinstance(found, Mapping) or found.get("call") != call:
            return None
        return tuple(PlanSample(*one) for one in found["samples"])

    async def samples(
        self, plan: DatasetPlanInput, category: str, count: int, model: WorkerModel
    ) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """At most ``count`` (inputs, expectations) of a category's first slots, as a run would write them.

        Raises ``EndpointRefused``, or ``InputError`` for documents that cannot be read; trouble that
        would be retried in a run gives fewer samples, or none.
        """
        return (await self._written(plan, category, count, model))[0]

    async def _written(
        self, plan: DatasetPlanInput, category: str, count: int, model: WorkerModel
    ) -> tuple[list[tuple[dict[str, Any], dict[str, Any]]], Usage]:
        """The samples, and the tokens that they took."""
        clock, chosen = self._context.files.clock, plan.category(category)
        model.check(plan)
        slots = slot_plans(plan, self._context.files.seed)[category]
        files, notes = self._context.files, list[str]()
        plans = await passage_plans(plan, files.store.passages, files.seed, notes.append)
        passages = plans.get(category)
        rows = (await row_plans(plan, files.store.source_rows, files.seed, {}, notes.append)).get(category)
        if chosen.mode is WritingMode.TEMPLATES and not model.ordered:
            notes.append(f"These samples of {category} are written each; in a run its cases are made of templates.")
        await files.tell(*(Notice(ts=clock.now(), level=NoticeLevel.INFO, text=text) for text in notes))
        # A partner is written for a case that is there.
        own = (ordinal for ordinal in range(1, chosen.count + 1) if slots.pairs.of(ordinal) is None)
        alone = [(ordinal, slots.place(ordinal)) for ordinal in islice(own, count)]
        wanted = tuple(
            SlotRequest(
                Slot(
                    category,
                    ordinal,
                    attributes=slots.attributes(ordinal),
                    passages=passages.of(place) if passages else (),
                    row=rows.of(place) if rows else None,
                ),
                0,
            )
            for ordinal, place in alone
        )
        room = OutputLimit(self._context.config.max_output_tokens)
        prompter = Prompter(plan, self._context.files.seed, room)
        schema = SchemaCheck(plan)
        found: list[tuple[dict[str, Any], dict[str, Any]]] = []

        async def deliver(candidate: Candidate) -> None:
            fitted = schema.fit(candidate)
            if not isinstance(fitted, Misfit):
                found.append((fitted[0].inputs, fitted[0].expectations))

        limit = AdaptiveConcurrency(1, clock, lambda limit, reason: None)
        worker = Worker(model, limit, clock, random.Random(), _MOST_RETRIES, lambda *_: None)
        usage = Usage()
        for _ in range(_MOST_CALLS):
            result = BatchOutcome()
            await worker.execute(Batch(0, chosen, wanted, ()), prompter.request(chosen, wanted, ()), deliver, result)
            usage += result.usage
            if _tokens(result.usage):
                await self._costs.note_agent_call("preview", model.name, result.usage, result.seconds)
            more = room.learn(
                result.usage, cases=len(wanted), limit=result.max_tokens, cut=result.cut, written=result.written,
                thought=result.thought,
            )  # fmt: skip
            if found or not more:
                break
        return found, usage


def _tokens(usage: Usage) -> int:
    return usage.prompt_tokens + usage.completion_tokens


def _worth_a_sample(now: DatasetPlanInput, plan: DatasetPlanInput) -> list[DatasetCategory]:
    """The categories whose cases would be other ones than those of the plan there is, the largest first."""
    before = {category.name: _as_written(now, category) for category in now.categories}
    known = {*now.all_sources(), *(c.rows.file for c in now.categories if c.rows is not None)}
    changed = [
        category
        for category in plan.categories
        if before.get(category.name) != _as_written(plan, category)
        and known.issuperset((*plan.sources_of(category), *([category.rows.file] if category.rows else [])))
    ]
    return sorted(changed, key=lambda category: -category.count)


def _as_written(plan: DatasetPlanInput, category: DatasetCategory) -> tuple[object, ...]:
    """All that a worker is told of a category, and not how many cases it has."""
    told = category.model_copy(update={"count": 1, "held": (), "variations": ()})
    return (told, plan.axes(category), plan.written_for(category), plan.fields_of(category))
