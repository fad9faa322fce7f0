"""Sessions for pictures of cases that are grounded in documents, expected by field, and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.pilot import Pilot

from dsbuilder_tui import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.case import AcceptedCase, Rejection
from dsbuilder_tui.domain.judging import Judgement, Verdict
from dsbuilder_tui.domain.passage import Passage
from dsbuilder_tui.domain.stage import Stage
from dsbuilder_tui.store.rows import CaseVerdict, Changes
from tests.support.frozen import NOW, FrozenApp, Script
from tests.support.prints import prints_of

_TEXTS = (
    ("refunds.md", "Refunds › Late parcels",
     "A parcel that arrives more than 5 days late is refunded in full, shipping included. The customer\nkeeps the goods. "
     "The refund goes to the card that paid, within 3 working days."),
    ("refunds.md", "Refunds › Broken goods", "Broken goods are replaced. A photo of the damage is needed."),
    ("orders.md", "Orders › Cancelling", "An order can be cancelled until it is packed, and not any more afterwards."),
    ("orders.md", "Orders › Invoices", "An invoice is sent with each parcel."),
)  # fmt: skip
PASSAGES = [Passage(document, heading, 100, 100 + len(text), text) for document, heading, text in _TEXTS]
_QUOTE = "refunded in full, shipping included"


def plan(source: str) -> DatasetPlanInput:
    """A shop's plan with documents, tools and expectations of each type."""
    return DatasetPlanInput(
        dataset_name="shop_policies",
        description="A customer-service assistant of an online shop.",
        input_fields=["query"],
        sources=[source],
        target={
            "rules": "Answers customers.",
            "tools": {"lookup_order": ["order_id: str", "with_history: bool?"], "refund": ["order_id: str", "amount: float"]},
        },
        write=[
            "expected_facts", "guidelines", "expected_tool_calls",
            {"priority": {"type": "text", "values": ["low", "high"], "meaning": "how urgent it is"}},
            {"is_angry": {"type": "boolean", "meaning": "whether the customer is angry"}},
            {"refund_amount": {"type": "number", "meaning": "what is paid back, in dollars", "optional": True}},
        ],
        categories=[
            DatasetCategory(name=name, description=f"Customers ask about {name}", count=count,
                            expectations={"polite": True})
            for name, count in (("refunds", 40), ("orders", 20))
        ],
    )  # fmt: skip


class Judged(Script):
    """Each case has a passage, some a quotation of it; one in four was judged, one in eight found bad."""

    def _case(self, name: str, ordinal: int, at: float, batch: int) -> AcceptedCase:
        case = super()._case(name, ordinal, at, batch)
        passage = PASSAGES[ordinal % 3]  # the last one has no case
        quote = _QUOTE if _QUOTE in passage.text else " ".join(passage.text.split()[:4])
        start = passage.start + passage.text.index(quote)
        tags: dict[str, Any] = {
            **case.tags,
            "sources": [{"document": passage.document, "heading": passage.heading, "passage": passage.id}],
            "evidence": [{"quote": quote, "passage": passage.id, "start": start, "end": start + len(quote)}],
        }
        if (verdict := verdict_of_slot(ordinal)) is not None:
            tags["verdict"] = verdict.as_tag()
        number = 10_000 + ordinal
        expected = {
            "expected_facts": ["The parcel is refunded in full", "The money is back within 3 working days"],
            "guidelines": ["Asks for no photo", "Promises no date on which the parcel will come"],
            "expected_tool_calls": [
                {"name": "lookup_order", "arguments": {"order_id": str(number), "with_history": True}},
                {"name": "refund", "arguments": {"order_id": str(number), "amount": 49.5}},
            ],
            "priority": "high",
            "is_angry": False,
            "polite": True,
        }
        query = f"My parcel {number} came nine days late. What do I get back, and may I keep what is in it?"
        return replace(case, inputs={"query": query}, expectations=expected, tags=tags)


def verdict_of_slot(ordinal: int) -> Verdict | None:
    """What the judge says of a case; None for those that it has not read."""
    if ordinal % 4 != 1:
        return None
    if ordinal % 8 != 1:
        return Verdict(Judgement.GOOD, reason="A user would write so, and the passage answers it.", model="gpt-4o")
    return Verdict(
        Judgement.BAD, reason="The second fact does not stand in the passage that the case was written from.",
        quote="within 3 working days", failed=("expectation_right", "answerable"), model="gpt-4o",
    )  # fmt: skip


async def judged(app: FrozenApp, pilot: Pilot[Any]) -> None:
    """A run that stands: cases in, some judged, some turned away at the validators and by the judge."""
    source = app.config.checkpoint_root / "policies"
    source.mkdir(parents=True, exist_ok=True)
    (source / "refunds.md").write_text("# Refunds")
    script = Judged(app, plan(str(source)))
    await script.open()
    script.session.diversity.fingerprints = prints_of(script.session)  # type: ignore[method-assign]
    await script.store.passages.add(str(source), PASSAGES)
    await script.began()
    await script.write({"refunds": (33, 0), "orders": (14, 0)})
    changes = Changes()
    counts: dict[str, list[int]] = {}
    events: list[ev.Event] = []
    async for case in script.session.cases.all():
        verdict = verdict_of_slot(case.ordinal)
        if verdict is None:
            continue
        good, bad = counts.setdefault(case.category, [0, 0])
        counts[case.category] = [good + (verdict.finding is Judgement.GOOD), bad + (verdict.finding is Judgement.BAD)]
        changes.verdicts.append(
            CaseVerdict(
                seq=script.store.next_seq(), category=case.category, ordinal=case.ordinal, case_seq=case.seq,
                inputs=case.inputs, expectations=case.expectations, verdict=verdict, created_at=NOW - 20,
            )
        )  # fmt: skip
        events.append(
            ev.CaseJudged(
                ts=NOW - 20, case_id=case.case_id, category=case.category, slot=case.ordinal, seq=case.seq,
                finding=verdict.finding, failed=verdict.failed, reason=verdict.reason,
                good=counts[case.category][0], bad=counts[case.category][1], not_judged=0,
            )
        )  # fmt: skip
    changes.rejected += [rejection(script, number) for number in range(6)]
    await script.store.commit(changes)
    script.view = await script._reread()
    await script.happen(*events)
    await script.session.cases.annotate("refunds", 9, pinned=True)
    await script.show(pilot)


def rejection(script: Script, number: int) -> Rejection:
    """Turned away by the validators or, every second one, by the judge."""
    text = f"Where is order 2048{number}? I want my 30 dollars back at once."
    by_judge = number % 2
    reason = (
        "expectation_right: the passage says nothing of a refund in this case (“my 30 dollars back”)" if by_judge
        else "ids: the id 71918 in `expected_tool_calls` is not in the input; amounts: 45 dollars is not in the input"
    )  # fmt: skip
    candidate = {
        "inputs": {"query": text},
        "expectations": {"expected_facts": ["45 dollars are paid back"]},
        "tags": {},
    }
    return Rejection(
        seq=script.store.next_seq(), category="refunds", ordinal=34 + number, attempt=0,
        stage=Stage.JUDGE if by_judge else Stage.VALIDATORS, reason=reason, text=text, created_at=NOW - 15 + number,
        batch=7, candidate=candidate,
    )  # fmt: skip
