"""The events of a session's past, rebuilt from what its file remembers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Container, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from enum import StrEnum
from functools import cache
from typing import Any, get_type_hints

from dsbuilder_tui.domain import events as ev
from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import AcceptedCase, Rejection, case_id, display_text, exhausted_words
from dsbuilder_tui.domain.case_change import CaseChange
from dsbuilder_tui.domain.judging import JudgedCounts
from dsbuilder_tui.domain.node_events import NodeJoined, NodeLost
from dsbuilder_tui.domain.pause_cause import cause_of_words
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.stage import NO_REJECTION, Stage
from dsbuilder_tui.domain.undo_event import ActUndone
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.session.facade import Session
from dsbuilder_tui.store.history import Stretch
from dsbuilder_tui.store.rows import AgentCall, HistoryRow, RecordedVerdict, WorkerCall

_STRETCH = 2000
_KEPT_WHOLE: Mapping[str, type[ev.Event]] = {
    kind.type: kind
    for kind in (
        ev.RunStarted, ev.BatchStarted, ev.RetryScheduled, ev.CallHedged, ev.ConcurrencyChanged, ev.Notice, ev.RunPausing,
        NodeJoined, NodeLost, ev.RunPaused, ev.RunFinished, ev.PlanRevised, ev.DiversityMeasured, ev.SlotExhausted,
        ev.BatchJobChanged,
        ActUndone,
    )
}  # fmt: skip
_CHANGES = {
    "case_edited": CaseChange.EDITED, "case_annotated": CaseChange.ANNOTATED, "kept_anyway": CaseChange.KEPT,
}  # fmt: skip
_ENDS = {"pause": ev.RunPaused.type, "finish": ev.RunFinished.type}


def rows_of(stretch: Stretch) -> list[tuple[int, int, Any]]:
    """All rows of a stretch in order, each with its place in the history and a number for its kind, which make it unique."""
    rows: list[tuple[int, int, Any]] = [
        *((case.seq, 0, case) for case in stretch.cases if case.seq not in stretch.replacing),
        *((rejection.seq, 1, (rejection, tries)) for rejection, tries in stretch.rejections),
        *((call.seq, 2, call) for call in stretch.calls),
        *((message.seq, 3, message) for message in stretch.messages),
        *((row.seq, 4, row) for row in stretch.history),
        # A checkpoint names the last place it covers, so it comes after that.
        *((point.seq, 5, point) for point in stretch.checkpoints),
        *((call.seq, 6, call) for call in stretch.agent_calls),
        *((judged.seq, 7, judged) for judged in stretch.verdicts),
    ]
    return sorted(rows, key=lambda row: row[:2])


async def recorded_events(session: Session) -> AsyncIterator[ev.Event]:
    """All events of a session so far, in the order of its history, read a stretch at a time.

    They lead ``dsbuilder_tui.view.reduce`` to the counts that the live events led to. Dollars are those of the prices
    known now, with the workers' cached tokens as other input; the end of a run says what it came to. Of what was done
    before session format 2, batches begun, retries and notices are not remembered.
    """
    await session.written()
    store = session._files.store
    prices = PriceTable(session.config.prices)
    teller = EventTeller(session.id, await store.plans.newest(first=True), await store.plans.renames(), prices)
    last = store.seq
    for first in range(1, last + 1, _STRETCH):
        stretch = await store.history.stretch(first, min(first + _STRETCH - 1, last))
        for event in teller.tell(stretch):
            yield event


class EventTeller:
    """Turns rows into events. Keeps the sums that events name and rows do not."""

    def __init__(
        self,
        session: str,
        plan: DatasetPlanInput,
        renames: Sequence[tuple[int, Mapping[str, str]]],
        prices: PriceTable,
    ) -> None:
        self._session, self._plan, self._prices = session, plan, prices
        self._renames = [(seq, {new: old for old, new in names.items()}) for seq, names in reversed(renames)]
        self._counts = {
            c.name: {"planned": c.count, "accepted": 0, "rejected": 0, "exhausted": 0} for c in plan.categories
        }
        self._planned = plan.total_instances
        self._accepted = 0
        self._runs = 0
        self._began = 0.0
        self._usage = [0, 0]
        self._verdicts: dict[str, JudgedCounts] = {}

    def tell(self, stretch: Stretch, told: Container[tuple[int, int]] = ()) -> Iterator[ev.Event]:
        """The events of a stretch, in order, without those of rows that were ``told`` (see ``rows_of``)."""
        for seq, kind, row in rows_of(stretch):
            if (seq, kind) in told:
                continue
            if kind == 0:
                yield self._case(row)
            elif kind == 1:
                yield from self._rejection(*row)
            elif kind == 2:
                yield self._call(row)
            elif kind == 3:
                yield ev.MessageAdded(ts=row.created_at, message=row)
            elif kind == 4:
                event = self._history(row)
                if event is not None:
                    yield event
            elif kind == 6:
                yield self._agent_call(row)
            elif kind == 7:
                yield self._judged(row)
            else:
                yield ev.CheckpointSaved(
                    ts=row.created_at, checkpoint=row.id, seq=row.seq, reason=row.reason, accepted=row.accepted,
                    planned=row.planned,
                )  # fmt: skip

    def _case(self, case: AcceptedCase) -> ev.Event:
        self._add(case.category, "accepted", 1)
        return ev.CaseAccepted(
            ts=case.created_at, case_id=case.case_id, category=case.category, slot=case.ordinal, seq=case.seq,
            batch=case.batch, text=display_text(case.inputs)[: ev.TEXT_LENGTH], accepted=self._accepted,
            planned=self._planned, flags=case.flag_kinds,
        )  # fmt: skip

    def _rejection(self, r: Rejection, tries: int | None) -> Iterator[ev.Event]:
        r = replace(r, category=self._name_then(r.category, r.seq))
        if r.stage not in NO_REJECTION:
            self._add(r.category, "rejected", 1)
            if r.stage == Stage.PERSON or (r.stage == Stage.JUDGE and r.nearest_seq is not None):
                return  # it had been accepted: the withdrawal tells of it
            yield ev.CaseRejected(
                ts=r.created_at, category=r.category, slot=r.ordinal, seq=r.seq, batch=r.batch, stage=r.stage,
                reason=r.reason, text=r.text[: ev.TEXT_LENGTH], attempt=r.attempt, score=r.score, threshold=r.threshold,
                nearest_case_id=r.nearest_case_id,
            )  # fmt: skip
        if tries is not None:
            self._add(r.category, "exhausted", 1)
            yield ev.SlotExhausted(
                ts=r.created_at, category=r.category, slot=r.ordinal, attempts=tries,
                reason=exhausted_words(tries, r.stage, r.reason),
            )  # fmt: skip

    def _call(self, call: WorkerCall) -> ev.Event:
        usage = call.usage
        if call.role is not CallRole.JUDGE:
            self._usage[0] += usage.prompt_tokens
            self._usage[1] += usage.completion_tokens
        return ev.BatchFinished(
            ts=call.created_at, batch=call.batch, worker=call.worker,
            category=self._name_then(call.category, call.seq), outcome=call.outcome,
            delivered=call.delivered, seconds=round(call.seconds, 3), prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens, detail=call.detail,
            dollars=self._prices.cost(call.model, usage, batched=call.batched), estimated=usage.estimated, role=call.role,
        )  # fmt: skip

    def _judged(self, row: RecordedVerdict) -> ev.Event:
        name = self._name_then(row.category, row.seq)
        counts = self._verdicts[name] = self._verdicts.get(name, JudgedCounts()).with_one(row.finding)
        return ev.CaseJudged(
            ts=row.created_at, case_id=case_id(name, row.ordinal), category=name, slot=row.ordinal, seq=row.case_seq,
            finding=row.finding, failed=row.failed, reason=row.reason, good=counts.good, bad=counts.bad,
            not_judged=counts.not_judged,
        )  # fmt: skip

    def _agent_call(self, call: AgentCall) -> ev.Event:
        usage = call.usage
        return ev.AgentCalled(
            ts=call.created_at, purpose=call.purpose, model=call.model, prompt_tokens=usage.prompt_tokens,
            cached_tokens=usage.cached_tokens, completion_tokens=usage.completion_tokens,
            seconds=round(call.seconds, 3), dollars=self._prices.cost(call.model, usage),
        )  # fmt: skip

    def _history(self, row: HistoryRow) -> ev.Event | None:
        event = _as_it_was(row)
        if isinstance(event, ev.RunStarted | ev.PlanRevised):
            self._counts = {name: dict(counts) for name, counts in event.categories.items()}
            self._planned = event.planned
            self._accepted = sum(counts["accepted"] for counts in self._counts.values())
        elif isinstance(event, ev.SlotExhausted):
            self._add(event.category, "exhausted", 1)
        elif isinstance(event, ActUndone):
            for name, counts in event.counts.items():
                for what, number in counts.items():
                    self._add(name, what, number)
        if row.kind == ev.RunStarted.type:
            self._runs, self._began = self._runs + 1, row.created_at
            return event or self._started(row)
        if event is not None:
            return event
        if row.kind == "exhausted_reopened":
            for counts in self._counts.values():
                counts["exhausted"] = 0
        elif row.kind == "repaired":
            for named in row.data.get("cases", ()):
                self._add(str(named).rpartition("-")[0], "accepted", -1)
        elif row.kind in _ENDS:
            return self._ended(row)
        elif row.category is not None and row.ordinal is not None:
            return self._act(row, row.category, row.ordinal)
        return None

    def _act(self, row: HistoryRow, name: str, ordinal: int) -> ev.Event | None:
        """What a person did to a case."""
        data, text = row.data, str(row.data.get("text", ""))
        if row.kind == "case_withdrawn":
            self._add(name, "accepted", -1)
            return ev.CaseWithdrawn(
                ts=row.created_at, case_id=case_id(name, ordinal), category=name, slot=ordinal, seq=data["seq"],
                text=text, reason=data["reason"], accepted=self._accepted, planned=self._planned,
            )  # fmt: skip
        change = _CHANGES.get(row.kind)
        if change is CaseChange.KEPT and data.get("was_given_up"):
            self._add(name, "exhausted", -1)
        if change is None or (change is CaseChange.KEPT and data.get("replaced") is None):
            return None
        return ev.CaseEdited(
            ts=row.created_at, case_id=case_id(name, ordinal), category=name, slot=ordinal, seq=data["seq"], text=text,
            change=change,
        )  # fmt: skip

    def _started(self, row: HistoryRow) -> ev.Event:
        """A run of session format 1, which kept no more than who wrote."""
        return ev.RunStarted(
            ts=row.created_at, session=self._session, dataset_name=self._plan.dataset_name,
            provider=str(row.data.get("provider", "")), worker_model=str(row.data.get("worker_model", "")),
            planned=self._planned, accepted=self._accepted,
            categories={name: dict(counts) for name, counts in self._counts.items()}, max_workers=0,
            resumed=self._runs > 1,
        )  # fmt: skip

    def _ended(self, row: HistoryRow) -> ev.Event:
        """The end of a run of session format 1, or of one that a kill had kept from ending."""
        if row.kind == "pause":
            return ev.RunPaused(
                ts=row.created_at, accepted=self._accepted, planned=self._planned, dropped_batches=0, reason=""
            )
        return ev.RunFinished(
            ts=row.created_at, accepted=self._accepted, planned=self._planned, rejected=self._sum("rejected"),
            exhausted=self._sum("exhausted"), seconds=round(max(0.0, row.created_at - self._began), 3),
            prompt_tokens=self._usage[0], completion_tokens=self._usage[1],
        )  # fmt: skip

    def _name_then(self, name: str, seq: int) -> str:
        """What a category was called at a place in the history."""
        for at, old_names in self._renames:
            if at > seq:
                name = old_names.get(name, name)
        return name

    def _add(self, name: str, what: str, number: int) -> None:
        counts = self._counts.setdefault(name, {"planned": 0, "accepted": 0, "rejected": 0, "exhausted": 0})
        counts[what] += number
        if what == "accepted":
            self._accepted += number

    def _sum(self, what: str) -> int:
        return sum(counts[what] for counts in self._counts.values())


def _as_it_was(row: HistoryRow) -> ev.Event | None:
    """The event that a line of history holds whole, or None. Older lines may lack what has a default by now."""
    kind = _KEPT_WHOLE.get(row.kind)
    if kind is None:
        return None
    own = [f for f in fields(kind) if f.name != "ts"]
    if not {f.name for f in own if f.default is MISSING} <= set(row.data) <= {f.name for f in own}:
        return None
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in row.data.items()}
    if kind in (ev.RunPausing, ev.RunPaused) and "cause" not in values:
        values["cause"] = cause_of_words(str(row.data["reason"]))
    try:
        values |= {name: enum(str(values[name])) for name, enum in _enums(kind.type).items() if name in values}
    except ValueError:
        return None  # of a later version
    return kind(ts=row.created_at, **values)


@cache
def _enums(event: str) -> dict[str, type[StrEnum]]:
    """The fields of an event that are decided by an enum; a file holds their values alone."""
    hints = get_type_hints(_KEPT_WHOLE[event])
    return {name: hint for name, hint in hints.items() if isinstance(hint, type) and issubclass(hint, StrEnum)}
