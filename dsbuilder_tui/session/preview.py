"""A few sample cases before the full run: written like any others, shown, and not kept."""

from __future__ import annotations

import random
from itertools import islice
from typing import Any

from dsbuilder_tui.domain.case import Candidate, Slot
from dsbuilder_tui.domain.events import Notice
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetPlanInput
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
from dsbuilder_tui.models.protocol import SlotRequest, WorkerModel
from dsbuilder_tui.session.costs import SessionCosts
from dsbuilder_tui.session.session_context import SessionContext

_MOST_CALLS = 3  # of a model that thinks past its limit
_MOST_RETRIES = 1  # somebody waits for it


class SessionPreview:
    """Writes samples."""

    def __init__(self, context: SessionContext, costs: SessionCosts) -> None:
        self._context, self._costs = context, costs

    async def samples(
        self, plan: DatasetPlanInput, category: str, count: int, model: WorkerModel
    ) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """At most ``count`` (inputs, expectations) of a category's first slots, as a run would write them.

        Raises ``EndpointRefused``, or ``InputError`` for documents that cannot be read; trouble that
        would be retried in a run gives fewer samples, or none.
        """
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
        for _ in range(_MOST_CALLS):
            result = BatchOutcome()
            await worker.execute(Batch(0, chosen, wanted, ()), prompter.request(chosen, wanted, ()), deliver, result)
            await self._costs.note_agent_call("preview", model.name, result.usage, result.seconds)
            more = room.learn(
                result.usage, cases=len(wanted), limit=result.max_tokens, cut=result.cut, written=result.written,
                thought=result.thought,
            )  # fmt: skip
            if found or not more:
                break
        return found
