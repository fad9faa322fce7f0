"""Calls that an earlier run has left with a provider: their slots are leased again, as far as they still ask for the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dsbuilder_tui.generation.ledger import Batch
from dsbuilder_tui.generation.originals import with_originals
from dsbuilder_tui.generation.runners import RunnerContext
from dsbuilder_tui.generation.unfinished_case import made_for
from dsbuilder_tui.models.protocol import SlotRequest, WorkerRequest
from dsbuilder_tui.store.batch_jobs import BatchRequest


@dataclass(frozen=True, slots=True)
class AdoptedCall:
    """A call whose answer is still to come. ``closed`` are places of slots that take no answer of it; ``request`` is as it was,
    as far as reading the answer goes."""

    batch: Batch
    model: str
    closed: frozenset[int]
    request: WorkerRequest


async def adopt(context: RunnerContext, model: str, one: BatchRequest) -> AdoptedCall | None:
    """Lease the slots of a call again that was made with this model; None when the plan has its category, or slots, no more.

    A slot that has its case by now, was turned away since, or asks for something else, takes nothing.
    """
    plan, ledger = context.plan, context.gate.ledger
    category = next((category for category in plan.categories if category.name == one.category), None)
    if category is None or any(ledger.state(category.name, slot.ordinal) is None for slot in one.slots):
        return None
    slots = [ledger.slot(category.name, slot.ordinal) for slot in one.slots]
    requests, closed = list[SlotRequest](), set[int]()
    for place, (asked, slot) in enumerate(
        zip(one.slots, await with_originals(context.store.cases, slots), strict=True)
    ):
        same = ledger.attempt(slot) == asked.attempt and made_for(plan, category, slot) == asked.made_for
        if not same or ledger.take(category.name, asked.ordinal) is None:
            closed.add(place)
        requests.append(SlotRequest(slot, asked.attempt))
    batch = Batch(one.batch, category, tuple(requests), ())
    request = context.prompter.request(category, batch.slots, ())
    request = replace(request, max_tokens=one.max_tokens, candidates=one.candidates)
    return AdoptedCall(batch, model, frozenset(closed), request)
